//! What is told, and in which words.

use serde_json::{Value, json};
use tests::dataverse::Webhook;
use tests::dataverse::schema::Table;
use tests::{Simulation, SimulationConfig};

use super::{HEADERS, endpoint, registered, step};
use crate::client::{Client, organization};

fn body(webhook: &Webhook) -> Value {
    serde_json::from_str(&webhook.body).unwrap()
}

fn messages(simulation: &Simulation) -> Vec<String> {
    let told = simulation.take_deliveries();
    let message = |webhook: &Webhook| body(webhook)["MessageName"].as_str().unwrap().to_owned();
    told.iter().map(message).collect()
}

/// Returns the value of an attribute of the row that a webhook tells of.
fn attribute(webhook: &Webhook, name: &str) -> Option<Value> {
    let body = body(webhook);
    let attributes = body["InputParameters"][0]["value"]["Attributes"]
        .as_array()
        .unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name)?;
    Some(found["value"].clone())
}

#[tokio::test]
async fn every_way_to_write_is_told() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/", None).await;
    let id = client.contact(&json!({ "lastname": "Berg" })).await;
    client
        .patch(&format!("contacts({id})"), &json!({ "lastname": "Lie" }))
        .await;
    client
        .patch("contacts(hlf_memberno='1')", &json!({ "lastname": "Ny" }))
        .await;
    client.delete(&format!("contacts({id})")).await;
    assert_eq!(messages(&simulation), ["Create", "Update", "Create", "Delete"]);
    let one = simulation.create_as_human("contacts", &json!({ "lastname": "A" }));
    let other = simulation.create_as_human("contacts", &json!({ "lastname": "B" }));
    simulation.edit_as_human("contacts", one, &json!({ "lastname": "C" }));
    simulation.merge_as_human(one, other);
    simulation.delete_as_human("contacts", other);
    assert_eq!(
        messages(&simulation),
        ["Create", "Create", "Update", "Update", "Delete"]
    );
    simulation.create_as_human("hlf_memberships", &json!({ "hlf_number": "1" }));
    assert!(messages(&simulation).is_empty(), "no step is for memberships");
}

#[tokio::test]
async fn only_columns_that_a_step_looks_at_are_told() {
    let (simulation, client) = organization(0).await;
    registered(
        &simulation,
        &client,
        "https://example.org/",
        Some("lastname,statecode"),
    )
    .await;
    let id = simulation.create_as_human("contacts", &json!({ "lastname": "Berg" }));
    simulation.take_deliveries();
    simulation.edit_as_human("contacts", id, &json!({ "mobilephone": "+4790000000" }));
    assert!(messages(&simulation).is_empty(), "nobody looks at this column");
    simulation.edit_as_human(
        "contacts",
        id,
        &json!({ "lastname": "Berg", "mobilephone": null }),
    );
    assert_eq!(
        messages(&simulation),
        ["Update"],
        "written is told, whether changed or not"
    );
    simulation.edit_as_human("contacts", id, &json!({ "statecode": 1 }));
    assert_eq!(messages(&simulation), ["Update"]);
}

#[tokio::test]
async fn a_disabled_step_tells_nothing() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/", None).await;
    for step in simulation.rows("sdkmessageprocessingsteps") {
        let id = step["sdkmessageprocessingstepid"].as_str().unwrap();
        let reply = client
            .patch(
                &format!("sdkmessageprocessingsteps({id})"),
                &json!({ "statecode": 1, "statuscode": 2 }),
            )
            .await;
        assert_eq!(reply.status, 204);
    }
    client.contact(&json!({ "lastname": "Berg" })).await;
    assert!(simulation.take_deliveries().is_empty());
}

#[tokio::test]
async fn what_is_rolled_back_is_told_to_nobody() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/", None).await;
    let part = |id: u32, name: &str| {
        format!(
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\n\
             POST /api/data/v9.2/contacts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n\
             {{\"lastname\":\"{name}\"}}\r\n"
        )
    };
    let batch = |second: &str| {
        let (first, second) = (part(1, "Berg"), part(2, second));
        format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{first}{second}--c--\r\n--b--\r\n")
    };
    client.batch(&[], &batch(&"x".repeat(51))).await;
    assert!(messages(&simulation).is_empty());
    client.batch(&[], &batch("Lie")).await;
    assert_eq!(messages(&simulation), ["Create", "Create"]);
}

#[tokio::test]
async fn a_webhook_says_what_happened_and_who_did_it() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/hook?a=1", None).await;
    let contact =
        json!({ "lastname": "Berg", "birthdate": "1980-02-29", "gendercode": 2, "donotemail": true });
    let id = client.contact(&contact).await;
    let changes = json!({ "lastname": null, "firstname": "A/B" });
    client
        .patch(&format!("contacts({id})?tag=member-sync"), &changes)
        .await;
    client.delete(&format!("contacts({id})")).await;
    let told = simulation.take_deliveries();
    let [created, updated, deleted] = &told[..] else {
        panic!("three things happened")
    };
    assert_eq!(created.url.as_str(), "https://example.org/hook?a=1");
    for (name, value) in [
        ("x-secret", "a&b"),
        ("x-ms-dynamics-organization", "127.0.0.1"),
        ("x-ms-dynamics-entity-name", "contact"),
        ("x-ms-dynamics-request-name", "Create"),
    ] {
        assert_eq!(created.headers[name], value);
    }
    assert!(!created.headers.contains_key("x-ms-dynamics-msg-size-exceeded"));
    let type_of = |kind: &str| format!("{kind}:http://schemas.microsoft.com/xrm/2011/Contracts");
    assert_eq!(attribute(created, "lastname"), Some(json!("Berg")));
    assert_eq!(
        attribute(created, "birthdate"),
        Some(json!("/Date(320630400000)/"))
    );
    assert_eq!(
        attribute(created, "gendercode"),
        Some(json!({ "__type": type_of("OptionSetValue"), "Value": 2 }))
    );
    assert_eq!(attribute(created, "donotemail"), Some(json!(true)));
    assert_eq!(
        attribute(created, "createdby").unwrap()["LogicalName"],
        "systemuser"
    );
    assert!(created.body.contains(r"\/Date("), "slashes are escaped");

    assert_eq!(attribute(updated, "lastname"), Some(Value::Null));
    assert_eq!(attribute(updated, "firstname"), Some(json!("A/B")));
    assert_eq!(attribute(updated, "birthdate"), None, "only what was written");
    assert!(attribute(updated, "modifiedon").is_some());
    assert_eq!(
        body(updated)["SharedVariables"],
        json!([{ "key": "tag", "value": "member-sync" }])
    );
    assert_eq!(body(created)["SharedVariables"], json!([]));

    let target = &body(deleted)["InputParameters"][0]["value"];
    assert_eq!(
        (&target["__type"], &target["Id"]),
        (&json!(type_of("EntityReference")), &json!(id))
    );
    let me = client.get("WhoAmI").await.json();
    for webhook in &told {
        let body = body(webhook);
        assert_eq!(body["PrimaryEntityId"], json!(id));
        assert_eq!(body["InitiatingUserId"], me["UserId"]);
        assert_eq!(body["OrganizationId"], me["OrganizationId"]);
        assert_eq!(
            webhook.headers["x-ms-correlation-request-id"],
            body["CorrelationId"].as_str().unwrap()
        );
        assert_eq!(
            (&body["Stage"], &body["Depth"], &body["Mode"]),
            (&json!(40), &json!(1), &json!(1))
        );
    }
    assert_ne!(body(created)["OperationId"], body(updated)["OperationId"]);
}

#[tokio::test]
async fn a_large_body_is_stripped_and_says_so() {
    let simulation = Simulation::start(SimulationConfig {
        tables: vec![Table::new("hlf_note", "hlf_notes").text("hlf_text", 300_000)],
        ..SimulationConfig::default()
    })
    .await;
    let client = Client::new(&simulation).await;
    let endpoint = simulation.create_as_human("serviceendpoints", &endpoint("https://example.org/"));
    let step = step(&client, endpoint, "Create", "hlf_note").await;
    simulation.create_as_human("sdkmessageprocessingsteps", &step);
    for (length, exceeded) in [(100_000, false), (270_000, true)] {
        simulation.create_as_human("hlf_notes", &json!({ "hlf_text": "x".repeat(length) }));
        let webhook = simulation.take_deliveries().remove(0);
        assert_eq!(
            webhook.headers.contains_key("x-ms-dynamics-msg-size-exceeded"),
            exceeded
        );
        for member in [
            "ParentContext",
            "InputParameters",
            "PreEntityImages",
            "PostEntityImages",
        ] {
            assert_eq!(body(&webhook).get(member).is_none(), exceeded, "{member}");
        }
        assert_eq!(body(&webhook)["PrimaryEntityName"], "hlf_note");
        assert!(webhook.body.len() < 256 * 1024);
    }
}

#[tokio::test]
async fn a_key_and_a_query_show_the_secret_in_the_address() {
    let (simulation, client) = organization(0).await;
    let id = registered(&simulation, &client, "https://example.org/hook", None).await;
    for (change, url) in [
        (
            json!({ "authtype": 4, "authvalue": "a b" }),
            "https://example.org/hook?code=a+b",
        ),
        (
            json!({ "authtype": 6, "authvalue": HEADERS }),
            "https://example.org/hook?x-secret=a%26b",
        ),
    ] {
        simulation.edit_as_human("serviceendpoints", id, &change);
        client.contact(&json!({ "lastname": "Berg" })).await;
        let webhook = simulation.take_deliveries().remove(0);
        assert_eq!(webhook.url.as_str(), url);
        assert!(!webhook.headers.contains_key("x-secret"));
    }
}
