//! The control API.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply};

async fn post(client: &Client, path: &str, body: Value) -> Reply {
    let path = format!("_simulator/{path}");
    client.ask(Method::POST, &path, &[], Some(&body)).await.unwrap()
}

async fn get(client: &Client, path: &str) -> Value {
    client.get(&format!("_simulator/cornerstone/{path}")).await.json()
}

#[tokio::test]
async fn programs_in_other_languages_do_what_tests_do() {
    let client = Client::new().await;
    let user = json!({ "externalId": "kari", "firstName": "Kari", "lastName": "Nordmann" });
    let user = post(&client, "cornerstone/users", user).await.json();
    assert_eq!((&user["id"], &user["active"]), (&json!(1), &json!(true)));
    let course = json!({ "title": "Førstehjelp", "trainingType": "Session", "recurs": true });
    let course = post(&client, "cornerstone/learning-objects", course).await.json();
    let line =
        |status: &str| json!({ "externalId": "kari", "learningObject": course["id"], "status": status });
    assert_eq!(
        post(&client, "cornerstone/registrations", line("Registered"))
            .await
            .json()["number"],
        1
    );
    assert_eq!(
        post(&client, "cornerstone/advance", line("Completed"))
            .await
            .json()["status"],
        "Completed"
    );
    assert_eq!(get(&client, "registrations").await[0]["status"], "Completed");
    assert_eq!(get(&client, "writes").await.as_array().unwrap().len(), 2);
    let inactive = json!({ "externalId": "kari", "active": false });
    assert_eq!(
        post(&client, "cornerstone/users", inactive).await.json()["lastName"],
        "Nordmann"
    );
    assert_eq!(get(&client, "users").await[0]["active"], false);
    let seed = json!({ "prefix": "u", "users": 3, "learningObjects": 2, "registrations": 4 });
    assert_eq!(post(&client, "cornerstone/seed", seed.clone()).await.status, 204);
    assert_eq!(
        get(&client, "learning-objects").await.as_array().unwrap().len(),
        3
    );
    assert_eq!(
        post(&client, "cornerstone/seed", seed).await.status,
        204,
        "the users are there already"
    );
    assert_eq!(get(&client, "users").await.as_array().unwrap().len(), 4);
    assert_eq!(
        post(&client, "cornerstone/deliveries", json!({})).await.json(),
        json!([])
    );
}

#[tokio::test]
async fn settings_outages_and_faults_are_set_from_outside() {
    let client = Client::new().await;
    post(
        &client,
        "cornerstone/seed",
        json!({ "prefix": "u", "users": 3, "learningObjects": 1, "registrations": 3 }),
    )
    .await;
    let status = async || client.view("vw_rpt_transcript").await.status;
    let down = json!({ "only": ["reporting"] });
    assert_eq!(
        (
            post(&client, "cornerstone/outage", down).await.status,
            status().await
        ),
        (204, 503)
    );
    assert_eq!(
        (
            post(&client, "cornerstone/outage", json!({})).await.status,
            status().await
        ),
        (204, 200)
    );
    let changes = json!({ "warehouseLagSeconds": 60, "repeatedRows": 1, "limits": { "reporting": 2 } });
    assert_eq!(post(&client, "cornerstone/settings", changes).await.status, 204);
    assert_eq!(client.portal().settings().repeated_rows, 1);
    assert_eq!((status().await, status().await), (200, 429));
    client.simulation.advance(jiff::SignedDuration::from_mins(1));
    let rule = json!([{ "path": "/odata/", "times": 1, "fault": {
        "kind": "cornerstone", "misbehaviour": { "kind": "tooManyRequests", "remaining": "-1" },
    }}]);
    assert_eq!(post(&client, "faults", rule).await.status, 204);
    assert_eq!((status().await, status().await), (429, 200));
    let subscription =
        json!({ "url": "http://127.0.0.1:1/", "headers": { "x-secret": "hemmelig" }, "gzip": false });
    assert_eq!(
        post(&client, "cornerstone/subscriptions", subscription)
            .await
            .status,
        204
    );
    assert_eq!(
        post(&client, "cornerstone/expire-next-links", json!({}))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn what_the_control_api_does_not_know_is_refused() {
    let client = Client::new().await;
    let nowhere = "00000000-0000-0000-0000-000000000000";
    let line = json!({ "externalId": "kari", "learningObject": nowhere, "status": "Completed" });
    let many = json!({ "url": "x", "headers": { "a": "", "b": "", "c": "", "d": "", "e": "" } });
    for (path, body, status) in [
        ("nothing", json!({}), 404),
        ("settings", json!({ "unheardOf": 1 }), 400),
        ("settings", json!({ "warehouseLagSeconds": 901 }), 400),
        ("registrations", line.clone(), 404),
        ("advance", line, 404),
        ("learning-objects", json!({ "id": nowhere }), 404),
        ("outage", json!({ "only": ["everything"] }), 400),
        ("subscriptions", many, 400),
    ] {
        assert_eq!(
            post(&client, &format!("cornerstone/{path}"), body).await.status,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_are_kept_and_counted_by_what_they_ask_for() {
    let client = Client::new().await;
    let object = client.course();
    client.simulation.reset_counters();
    client.view("vw_rpt_user").await;
    client.assign(object).await;
    client.get("services/api/x/users/v2/employees/1").await;
    let kinds = client.simulation.counters().by_kind;
    for kind in [
        "cornerstoneReporting",
        "cornerstoneTranscripts",
        "cornerstoneSingleUser",
    ] {
        assert_eq!(kinds.get(kind), Some(&1), "{kind}");
    }
    let journal = client.simulation.journal();
    assert!(
        journal
            .iter()
            .any(|entry| entry.method == "POST" && entry.target.ends_with("/assign"))
    );
}
