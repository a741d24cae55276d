use http::Method;
use serde_json::json;

use crate::client::organization;

#[tokio::test]
async fn an_upsert_by_key_creates_then_updates() {
    let (_simulation, client) = organization(0).await;
    let path = "contacts(hlf_memberno='100')?$select=contactid";
    let represented = [("prefer", "return=representation")];
    let created = client
        .patch_with(path, &represented, &json!({"firstname": "Kari"}))
        .await;
    let updated = client
        .patch_with(path, &represented, &json!({"lastname": "Vik"}))
        .await;
    assert_eq!((created.status, updated.status), (201, 200));
    assert_eq!(created.json()["contactid"], updated.json()["contactid"]);
    let silent = client
        .patch("contacts(hlf_memberno='100')", &json!({"lastname": "Lie"}))
        .await;
    assert!(
        silent.status == 204
            && silent
                .header("odata-entityid")
                .ends_with("/contacts(hlf_memberno='100')")
    );
    let row = client
        .get("contacts(hlf_memberno='100')?$select=fullname,hlf_memberno")
        .await
        .json();
    assert_eq!(
        (&row["fullname"], &row["hlf_memberno"]),
        (&json!("Kari Lie"), &json!("100"))
    );
}

#[tokio::test]
async fn a_key_in_the_body_wins_on_create_and_is_ignored_on_update() {
    let (_simulation, client) = organization(0).await;
    client
        .patch("contacts(hlf_memberno='1')", &json!({"hlf_memberno": "2"}))
        .await;
    assert_eq!(client.get("contacts(hlf_memberno='1')").await.status, 404);
    client
        .patch("contacts(hlf_memberno='2')", &json!({"hlf_memberno": "3"}))
        .await;
    assert_eq!(client.get("contacts(hlf_memberno='2')").await.status, 200);
}

#[tokio::test]
async fn conditions_are_kept() {
    let (simulation, client) = organization(0).await;
    let path = "contacts(11111111-1111-4111-8111-111111111111)";
    let body = json!({"firstname": "A"});
    assert_eq!(
        client.patch_with(path, &[("if-match", "*")], &body).await.status,
        404
    );
    assert_eq!(
        client
            .patch_with(path, &[("if-none-match", "*")], &body)
            .await
            .status,
        204
    );
    assert_eq!(
        client
            .patch_with(path, &[("if-none-match", "*")], &body)
            .await
            .status,
        412
    );
    let etag = client.get(path).await.header("etag").to_owned();
    assert_eq!(
        client
            .patch_with(path, &[("if-match", &etag)], &body)
            .await
            .status,
        204
    );
    let stale = client.patch_with(path, &[("if-match", &etag)], &body).await;
    assert!(stale.status == 412 && stale.text().contains("doesn't match the RowVersion"));
    let stale = client
        .send(Method::DELETE, path, &[("if-match", &etag)], None)
        .await
        .unwrap();
    assert_eq!(stale.status, 412);
    assert_eq!(
        (client.delete(path).await.status, client.delete(path).await.status),
        (204, 404)
    );
    assert_eq!(simulation.row_count("contacts"), 0);
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused() {
    let (simulation, client) = organization(0).await;
    for (body, code) in [
        (json!({"nosuch": 1}), "0x80048d19"),
        (json!({"firstname": 5}), "0x80048d19"),
        (json!({"birthdate": "17.05.1980"}), "0x80048d19"),
        (json!({"fullname": "x"}), "0x80048d19"),
        (json!({"statecode": 1}), "0x80048d19"),
        (json!({"firstname": "x".repeat(51)}), "0x80044331"),
        (json!({"gendercode": 7}), "0x8004431a"),
        (json!({"statuscode": 2}), "0x80048408"),
        (json!(["x"]), "0x80048d19"),
    ] {
        let reply = client.post("contacts", &body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, code),
            "{body} {}",
            reply.text()
        );
    }
    assert_eq!(simulation.row_count("contacts"), 0);
    let reply = client
        .send(Method::POST, "contacts", &[("content-type", "text/plain")], None)
        .await
        .unwrap();
    assert_eq!(reply.status, 415);
    assert_eq!(client.patch("contacts", &json!({})).await.status, 405);
}

#[tokio::test]
async fn lengths_are_counted_in_utf_16() {
    let (_simulation, client) = organization(0).await;
    assert_eq!(
        client
            .post("contacts", &json!({"firstname": "å".repeat(50)}))
            .await
            .status,
        204
    );
    assert_eq!(
        client
            .post("contacts", &json!({"firstname": "😀".repeat(26)}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn an_inactive_row_is_read_only_until_reactivated() {
    let (_simulation, client) = organization(0).await;
    let path = format!("contacts({})", client.contact(&json!({"firstname": "A"})).await);
    assert_eq!(client.patch(&path, &json!({"statecode": 1})).await.status, 204);
    assert_eq!(client.get(&path).await.json()["statuscode"], 2);
    let refused = client.patch(&path, &json!({"firstname": "B"})).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "0x8004022e"));
    assert_eq!(
        client
            .patch(&path, &json!({"statecode": 0, "firstname": "B"}))
            .await
            .status,
        204
    );
    assert_eq!(client.get(&path).await.json()["statuscode"], 1);
}

#[tokio::test]
async fn lookups_are_bound_by_their_navigation_property() {
    let (_simulation, client) = organization(0).await;
    let id = client.contact(&json!({"hlf_memberno": "7"})).await;
    for reference in [
        format!("/contacts({id})"),
        "contacts(hlf_memberno='7')".to_owned(),
    ] {
        let body = json!({"hlf_Contact@odata.bind": reference});
        assert_eq!(
            client
                .patch("hlf_memberships(hlf_number='M7')", &body)
                .await
                .status,
            204,
            "{reference}"
        );
        let row = client.get("hlf_memberships(hlf_number='M7')").await.json();
        assert_eq!(row["_hlf_contact_value"], json!(id));
    }
    for (body, status) in [
        (json!({"hlf_contact@odata.bind": format!("contacts({id})")}), 400),
        (json!({"_hlf_contact_value": id}), 400),
        (
            json!({"hlf_Contact@odata.bind": "contacts(00000000-0000-0000-0000-000000000009)"}),
            404,
        ),
        (
            json!({"hlf_Contact@odata.bind": "contacts(hlf_memberno='no')"}),
            404,
        ),
        (
            json!({"hlf_Contact@odata.bind": "hlf_memberships(hlf_number='M7')"}),
            400,
        ),
    ] {
        assert_eq!(
            client
                .patch("hlf_memberships(hlf_number='M7')", &body)
                .await
                .status,
            status,
            "{body}"
        );
    }
    client.delete(&format!("contacts({id})")).await;
    let row = client.get("hlf_memberships(hlf_number='M7')").await.json();
    assert_eq!(row["_hlf_contact_value"], json!(null));
}

#[tokio::test]
async fn a_taken_key_or_a_double_is_refused() {
    let (_simulation, client) = organization(0).await;
    client
        .contact(&json!({"hlf_memberno": "a1", "emailaddress1": "kari@example.org"}))
        .await;
    let taken = client.post("contacts", &json!({"hlf_memberno": "A1"})).await;
    assert_eq!((taken.status, taken.code().as_str()), (412, "0x80060892"));
    let double = json!({"emailaddress1": "KARI@example.org"});
    let detecting = [("mscrm.suppressduplicatedetection", "false")];
    let reply = client
        .send(Method::POST, "contacts", &detecting, Some(&double))
        .await
        .unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (412, "0x80040333"));
    assert_eq!(client.post("contacts", &double).await.status, 204);
}

#[tokio::test]
async fn the_platform_stamps_who_and_when() {
    let (simulation, client) = organization(0).await;
    let user = client.get("WhoAmI").await.json()["UserId"].clone();
    let id = client.contact(&json!({"firstname": "A"})).await;
    let row = client.get(&format!("contacts({id})")).await.json();
    assert_eq!(row["_modifiedby_value"], user);
    assert_eq!(
        row["modifiedon"].as_str().unwrap().len(),
        "2026-01-01T00:00:00Z".len()
    );
    simulation.edit_as_human("contacts", id.parse().unwrap(), &json!({"firstname": "B"}));
    let edited = client.get(&format!("contacts({id})")).await.json();
    assert_ne!(edited["_modifiedby_value"], user);
    assert_ne!(edited["@odata.etag"], row["@odata.etag"]);
}

#[tokio::test]
async fn bulk_writes_are_all_or_nothing() {
    let (simulation, client) = organization(0).await;
    let target = |body: serde_json::Value| {
        let mut body = body;
        body["@odata.type"] = "Microsoft.Dynamics.CRM.contact".into();
        body
    };
    let path = "contacts/Microsoft.Dynamics.CRM.UpsertMultiple";
    let good =
        json!({"Targets": [target(json!({"@odata.id": "contacts(hlf_memberno='1')", "firstname": "A"}))]});
    assert_eq!(client.post(path, &good).await.status, 204);
    let twice =
        json!({"Targets": [target(json!({"@odata.id": "contacts(hlf_memberno='2')", "hlf_memberno": "2"}))]});
    assert_eq!(client.post(path, &twice).await.code(), "0x80040216");
    let create = "contacts/Microsoft.Dynamics.CRM.CreateMultiple";
    let half = json!({"Targets": [target(json!({"firstname": "B"})), target(json!({"nosuch": 1}))]});
    assert_eq!(client.post(create, &half).await.status, 400);
    assert_eq!(simulation.row_count("contacts"), 1);
    let whole = json!({"Targets": [target(json!({"firstname": "B"})), target(json!({"firstname": "C"}))]});
    assert_eq!(
        client.post(create, &whole).await.json()["Ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
