//! Endpoints: opened, tested, given new secrets, and registered in the other system.

use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{HEADER, Hook, ROW, dataverse, open};
use crate::adapter::ErrorKind;
use crate::api::tests::book::{context, work_all};
use crate::api::tests::world::{INTEGRATION, World, ask};

#[tokio::test]
async fn one_call_opens_an_endpoint_and_says_what_to_paste_where() {
    let hook = Hook::new().await;
    let path = format!("{INTEGRATION}/webhooks/{}", hook.id);
    let opened = open(&hook.world, &dataverse("second")).await.json();
    let (id, secret) = (
        opened["endpointId"].as_str().unwrap(),
        opened["secret"].as_str().unwrap(),
    );
    let url = format!("https://api.example/v1/webhooks/dynamics365/{id}");
    let fields = json!([
        { "name": "Endpoint URL", "value": url },
        { "name": "Header name", "value": HEADER },
        { "name": "Header value", "value": secret },
    ]);
    assert_eq!(opened["setup"]["fields"], fields);
    assert_eq!(opened["setup"]["url"], url);
    assert!(opened["setup"]["steps"].as_array().unwrap().len() > 1);
    let shown = hook.world.get(&path).await;
    assert!(!shown.body.contains(&hook.secret) && shown.status == 200);
    let list = hook.world.get(&format!("{INTEGRATION}/webhooks")).await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 2);
    assert!(!list.body.contains(secret));
}

#[tokio::test]
async fn a_request_that_is_repeated_opens_one_endpoint_and_its_secret_is_kept_nowhere() {
    let world = World::connected().await;
    let path = format!("{INTEGRATION}/webhooks");
    let post = || ask(Method::POST, &path).json(&dataverse("portal")).key("once");
    let first = world.answer(post()).await;
    let again = world.answer(post()).await;
    assert_eq!(
        (first.status, again.status.as_u16()),
        (201.try_into().unwrap(), 201)
    );
    assert_eq!(first.json()["endpointId"], again.json()["endpointId"]);
    let secret = first.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.len() > 40 && !again.body.contains(&secret));
    let rows = crate::store::Query::new(crate::store::Table::Control, "hlf", "", 100);
    let rows = world.ports.store.query(&rows).await.unwrap().rows;
    assert!(rows.iter().all(|row| !row.body.contains(&secret)));
}

#[tokio::test]
async fn every_fault_of_an_endpoint_is_told_at_once_and_no_secret_that_could_be_guessed_is_taken() {
    let world = World::connected().await;
    let path = format!("{INTEGRATION}/webhooks");
    let wrong =
        json!({ "name": " ", "scheme": { "type": "hmac", "encoding": "HEX" }, "records": [], "more": 1 });
    let answer = world.post(&path, &wrong).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.fields(),
        ["name", "scheme.header", "scheme.encoding", "records", "more"]
    );
    for secret in ["", "whsec_", "whsec_c2hvcnQ=", "canary"] {
        let weak = json!({ "name": "a", "scheme": { "type": "standard" }, "secret": secret });
        let answer = world.post(&path, &weak).await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (400, vec!["secret".to_owned()]),
            "{secret}"
        );
        assert!(!answer.body.contains("canary"));
    }
    let xledger = json!({ "name": "a", "scheme": { "type": "xledger" } });
    assert_eq!(world.post(&path, &xledger).await.fields(), ["secret"]);
    let none = json!({ "name": "a", "scheme": { "type": "none" } });
    assert_eq!(world.post(&path, &none).await.fields(), ["scheme.type"]);
    open(&world, &dataverse("portal")).await;
    assert_eq!(world.post(&path, &dataverse("portal")).await.fields(), ["name"]);
}

#[tokio::test]
async fn a_secret_counts_until_its_end_beside_the_one_that_takes_its_place() {
    let hook = Hook::new().await;
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    let path = format!("{INTEGRATION}/webhooks/{}/rotate", hook.id);
    let rotated = hook.world.post(&path, &json!({ "overlapSeconds": 3600 })).await;
    let secret = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert_ne!(secret, hook.secret);
    // A process that knew the endpoint reads it anew where something does not verify.
    assert_eq!(hook.send_with(&secret, &context(ROW)).await.status, 202);
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    hook.world.clock.advance(Duration::from_secs(3600));
    assert_eq!(hook.send(&context(ROW)).await.status, 401);
    assert_eq!(hook.send_with(&secret, &context(ROW)).await.status, 202);
    let rotated = hook.world.post(&path, &json!({ "overlapSeconds": 0 })).await;
    let third = rotated.json()["secret"].as_str().unwrap().to_owned();
    hook.world.clock.advance(Duration::from_secs(61));
    assert_eq!(hook.send_with(&secret, &context(ROW)).await.status, 401);
    assert_eq!(hook.send_with(&third, &context(ROW)).await.status, 202);
    // The one that it has is no other one: nothing changes, and nothing is shown.
    let same = hook.world.post(&path, &json!({ "secret": third })).await;
    assert_eq!(
        (same.status.as_u16(), &same.json()["secret"]),
        (200, &Value::Null)
    );
    hook.world.clock.advance(Duration::from_secs(61));
    assert_eq!(hook.send_with(&third, &context(ROW)).await.status, 202);
    let long = json!({ "overlapSeconds": 31 * 24 * 3600 });
    assert_eq!(hook.world.post(&path, &long).await.fields(), ["overlapSeconds"]);
    let weak = hook.world.post(&path, &json!({ "secret": "canary" })).await;
    assert!(weak.fields() == ["secret"] && !weak.body.contains("canary"));
}

#[tokio::test]
async fn a_test_delivery_passes_all_that_a_webhook_passes_and_changes_nothing() {
    let hook = Hook::new().await;
    let standard = json!({ "name": "standard", "scheme": { "type": "standard" } });
    let standard = open(&hook.world, &standard).await.json();
    for id in [hook.id.as_str(), standard["endpointId"].as_str().unwrap()] {
        let path = format!("{INTEGRATION}/webhooks/{id}/test");
        let answer = hook.world.post(&path, &Value::Null).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["accepted"]),
            (200, &json!(true))
        );
        work_all(&hook.world, &hook.book).await;
        let event = hook.newest().await;
        assert_eq!(
            (&event["state"], &event["reason"]),
            (&json!("ignored"), &json!("test"))
        );
    }
    let key = "whpk_Xn9u5nYt+w3EwWSvTUxrGKmYYwnTxsVu12jJ3DQKvhg=";
    let public = json!({ "name": "public", "scheme": { "type": "standard" }, "secret": key });
    let public = open(&hook.world, &public).await.json();
    let path = format!(
        "{INTEGRATION}/webhooks/{}/test",
        public["endpointId"].as_str().unwrap()
    );
    assert_eq!(hook.world.post(&path, &Value::Null).await.fields(), ["secret"]);
}

#[tokio::test]
async fn what_this_service_registers_is_registered_at_once_and_mended_with_a_run_that_catches_up() {
    let hook = Hook::new().await;
    let wanted = json!({ "name": "registered", "registers": true,
        "scheme": { "type": "dataverse", "header": HEADER } });
    let opened = open(&hook.world, &wanted).await.json();
    let (id, secret) = (
        opened["endpointId"].as_str().unwrap().to_owned(),
        opened["secret"].as_str().unwrap().to_owned(),
    );
    let path = format!("{INTEGRATION}/webhooks/{id}");
    hook.later(Duration::from_secs(1)).await;
    let subscription = hook.book.subscriptions.lock().unwrap().get(&id).cloned().unwrap();
    assert_eq!(
        subscription.url.as_str(),
        format!("https://api.example/v1/webhooks/dynamics365/{id}")
    );
    assert_eq!(
        (
            subscription.header.as_deref(),
            subscription.secret.expose_secret()
        ),
        (Some(HEADER), &*secret)
    );
    let shown = hook.world.get(&path).await.json();
    assert_eq!(shown["registration"]["mended"], json!(["missing"]));
    let runs = async || {
        hook.world.get(&format!("{INTEGRATION}/runs")).await.json()["items"]
            .as_array()
            .unwrap()
            .clone()
    };
    let after_opening = runs().await;
    assert_eq!(
        (after_opening.len(), &after_opening[0]["trigger"]),
        (1, &json!("webhook"))
    );
    // An hour later all is as it should be.
    hook.later(Duration::from_secs(3601)).await;
    assert!(hook.world.get(&path).await.json()["registration"]["failure"].is_null());
    assert_eq!(runs().await.len(), 1);
    // Another secret is another registration, and so is one that somebody took away.
    let rotated = hook
        .world
        .post(&format!("{path}/rotate"), &json!({}))
        .await
        .json();
    hook.later(Duration::from_secs(1)).await;
    let subscription = hook.book.subscriptions.lock().unwrap().get(&id).cloned().unwrap();
    assert_eq!(
        subscription.secret.expose_secret(),
        rotated["secret"].as_str().unwrap()
    );
    hook.book.fails_with(Some(ErrorKind::PermissionDenied));
    hook.later(Duration::from_secs(3601)).await;
    let failed = hook.world.get(&path).await.json();
    assert!(failed["registration"]["failure"].is_string(), "{failed}");
    hook.book.fails_with(None);
    hook.later(Duration::from_secs(3601)).await;
    assert!(hook.world.get(&path).await.json()["registration"]["failure"].is_null());
    // A closed one is refused at once, and goes with its registration.
    assert_eq!(hook.world.delete(&path).await.status, 204);
    hook.world.clock.advance(Duration::from_secs(61));
    let ask = ask(Method::POST, &format!("/v1/webhooks/dynamics365/{id}")).json(&context(ROW));
    assert_eq!(
        hook.world
            .answer(ask.header(HEADER, &secret).by(None))
            .await
            .status,
        401
    );
    hook.later(Duration::from_secs(1)).await;
    assert!(hook.book.subscriptions.lock().unwrap().is_empty());
    assert_eq!(hook.world.get(&path).await.status, 404);
    let public = json!({ "name": "signed", "registers": true, "scheme": { "type": "standard" } });
    assert_eq!(
        hook.world
            .post(&format!("{INTEGRATION}/webhooks"), &public)
            .await
            .fields(),
        ["registers"]
    );
}
