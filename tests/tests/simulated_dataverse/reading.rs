use std::collections::HashSet;
use std::io::Read as _;

use serde_json::{Value, json};

use crate::client::organization;

#[tokio::test]
async fn a_listing_is_paged_whole_and_without_repeats() {
    let (_simulation, client) = organization(1000).await;
    let path = "contacts?$select=firstname";
    let first = client.prefer(path, "odata.maxpagesize=300").await;
    assert_eq!(first.header("preference-applied"), "odata.maxpagesize=300");
    assert_eq!(first.rows().len(), 300);
    let (rows, _) = client.all(path, "odata.maxpagesize=300").await;
    let ids: HashSet<String> = rows.iter().map(|row| row["contactid"].to_string()).collect();
    assert_eq!((rows.len(), ids.len()), (1000, 1000));
}

#[tokio::test]
async fn an_ordered_listing_stays_in_order_across_pages() {
    let (_simulation, client) = organization(200).await;
    let path = "contacts?$select=lastname&$orderby=lastname desc,contactid";
    let (rows, _) = client.all(path, "odata.maxpagesize=7").await;
    let names: Vec<String> = rows
        .iter()
        .map(|row| row["lastname"].as_str().unwrap().to_lowercase())
        .collect();
    assert_eq!(names.len(), 200);
    assert!(names.is_sorted_by(|a, b| a >= b));
}

#[tokio::test]
async fn an_altered_link_or_another_page_size_is_refused() {
    let (_simulation, client) = organization(10).await;
    let first = client
        .prefer("contacts?$select=firstname", "odata.maxpagesize=3")
        .await;
    let link = first.link("@odata.nextLink").unwrap();
    assert_eq!(client.prefer(&link, "odata.maxpagesize=4").await.status, 400);
    let altered = link.replace("firstname", "lastname");
    assert_eq!(client.prefer(&altered, "odata.maxpagesize=3").await.status, 400);
    let altered = format!("{link}&$filter=firstname eq 'x'");
    assert_eq!(client.prefer(&altered, "odata.maxpagesize=3").await.status, 400);
    assert_eq!(client.prefer(&link, "odata.maxpagesize=3").await.status, 200);
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let (simulation, client) = organization(0).await;
    simulation.create_as_human(
        "contacts",
        &json!({"lastname": "O'Hara", "birthdate": "1980-05-17", "gendercode": 2}),
    );
    simulation.create_as_human("contacts", &json!({"lastname": "Åsheim", "donotemail": true}));
    for (filter, found) in [
        ("lastname eq 'O''Hara'", 1),
        ("lastname eq 'åsheim'", 1),
        ("lastname eq 'x'' or lastname ne ''x'", 0),
        ("birthdate eq 1980-05-17 and gendercode eq 2", 1),
        ("birthdate eq null", 1),
        ("donotemail eq true or (gendercode eq 2 and statecode eq 0)", 2),
        ("modifiedon ge 2020-01-01T00:00:00Z", 2),
        ("modifiedon lt 2020-01-01T00:00:00Z", 0),
        ("not (lastname eq 'Åsheim')", 1),
        ("startswith(lastname,'o''h')", 1),
    ] {
        let reply = client
            .get(&format!("contacts?$select=lastname&$filter={filter}"))
            .await;
        assert_eq!(reply.rows().len(), found, "{filter}");
    }
    for filter in [
        "lastname eq 5",
        "nosuch eq 'x'",
        "lastname eq 'open",
        "lastname",
        "(lastname eq 'x'",
    ] {
        let reply = client.get(&format!("contacts?$filter={filter}")).await;
        assert_eq!(reply.status, 400, "{filter}");
    }
}

#[tokio::test]
async fn unknown_names_are_named_in_the_refusal() {
    let (_simulation, client) = organization(0).await;
    let reply = client.get("nosuchthings").await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "0x8006088a"));
    assert!(reply.text().contains("'nosuchthings'"));
    let reply = client.get("contacts?$select=nosuch").await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("Could not find a property named 'nosuch'"));
    assert_eq!(client.get("contacts?$skip=5").await.status, 400);
}

#[tokio::test]
async fn counts_and_tops_limit_themselves_as_documented() {
    let (_simulation, client) = organization(30).await;
    assert_eq!(client.get("contacts?$top=4").await.rows().len(), 4);
    let reply = client.prefer("contacts?$top=4", "odata.maxpagesize=9").await;
    assert_eq!(reply.rows().len(), 9, "a page size makes $top be ignored");
    assert_eq!(
        client.get("contacts?$count=true&$top=1").await.json()["@odata.count"],
        30
    );
    assert_eq!(
        client
            .get("contacts/$count")
            .await
            .text()
            .trim_start_matches('\u{feff}'),
        "30"
    );
}

#[tokio::test]
async fn compressed_and_plain_bodies_are_equal() {
    let (simulation, client) = organization(2000).await;
    let path = "contacts?$select=firstname,lastname,emailaddress1";
    let plain = client.get(path).await;
    simulation.reset_counters();
    let compressed = client.get_with(path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&compressed.bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, plain.text());
    let counters = simulation.counters();
    assert_eq!(
        (counters.rows_served, counters.bytes_uncompressed),
        (2000, text.len() as u64)
    );
    assert!(counters.bytes_sent * 3 < counters.bytes_uncompressed);
}

#[tokio::test]
async fn single_rows_are_read_by_id_and_by_key() {
    let (_simulation, client) = organization(0).await;
    let id = client
        .contact(&json!({"firstname": "Kari", "hlf_memberno": "O'1"}))
        .await;
    let by_id = client.get(&format!("contacts({id})?$select=firstname")).await;
    let by_key = client
        .get("contacts(hlf_memberno='O''1')?$select=firstname")
        .await;
    assert_eq!(by_id.json(), by_key.json());
    assert_eq!(by_id.header("etag"), by_id.json()["@odata.etag"]);
    let known = [("if-none-match", by_id.header("etag"))];
    let path = format!("contacts({id})?$select=firstname");
    assert_eq!(client.get_with(&path, &known).await.status, 304);
    let missing = client.get("contacts(00000000-0000-0000-0000-000000000001)").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "0x80040217"));
    let missing = client.get("contacts(hlf_memberno='none')").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "0x80060891"));
    let wrong = client.get("contacts(firstname='Kari')").await;
    assert!(wrong.status == 400 && wrong.text().contains("The key in the request URI is not valid"));
}

#[tokio::test]
async fn some_characters_make_a_key_unusable() {
    let (_simulation, client) = organization(0).await;
    for sign in ["%2F", "%3C", "%3E", "*", "%25", "%26", ":", "%5C", "%3F", "%2B"] {
        let reply = client.get(&format!("contacts(hlf_memberno='a{sign}b')")).await;
        assert_eq!(reply.status, 400, "{sign}");
    }
}

#[tokio::test]
async fn annotations_come_when_asked_for() {
    let (_simulation, client) = organization(0).await;
    let id = client.contact(&json!({"gendercode": 2})).await;
    let path = format!("contacts({id})?$select=gendercode,_modifiedby_value");
    let label = "gendercode@OData.Community.Display.V1.FormattedValue";
    assert_eq!(client.get(&path).await.json()[label], Value::Null);
    let reply = client.prefer(&path, "odata.include-annotations=\"*\"").await;
    assert_eq!(reply.json()[label], "Female");
    assert_eq!(
        reply.json()["_modifiedby_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "systemuser"
    );
}

#[tokio::test]
async fn definitions_tell_what_a_client_must_know() {
    let (_simulation, client) = organization(0).await;
    let path = "EntityDefinitions?$select=LogicalName,ChangeTrackingEnabled&$filter=LogicalName eq 'contact'";
    let tables = client.get(path).await.rows();
    assert_eq!(
        (tables.len(), &tables[0]["ChangeTrackingEnabled"]),
        (1, &json!(true))
    );
    let cast = "Attributes/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=LogicalName,MaxLength";
    let texts = client
        .get(&format!("EntityDefinitions(LogicalName='contact')/{cast}"))
        .await
        .rows();
    assert!(
        texts
            .iter()
            .any(|text| text["LogicalName"] == "emailaddress1" && text["MaxLength"] == 100)
    );
    let keys = client
        .get("EntityDefinitions(LogicalName='contact')/Keys")
        .await
        .rows();
    assert_eq!(keys[0]["KeyAttributes"], json!(["hlf_memberno"]));
    assert_eq!(keys[0]["EntityKeyIndexStatus"], "Active");
}
