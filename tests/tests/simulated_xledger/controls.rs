use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, books, voucher};

async fn control(client: &Client, method: Method, path: &str, body: String) -> (u16, Value) {
    let url = format!("{}/_simulator/{path}", client.base_url);
    let response = client.http.request(method, url).body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[tokio::test]
async fn programs_in_other_languages_do_what_tests_do() {
    let (_simulation, client) = books().await;
    let get = async |path: &str| control(&client, Method::GET, path, String::new()).await.1;
    let post = async |path: &str, body: Value| control(&client, Method::POST, path, body.to_string()).await;
    let connection = get("connection").await;
    assert_eq!(connection["xledger"]["token"], client.token.as_str());
    client.added(&voucher(1, "10.00", "A")).await;
    assert_eq!(get("xledger/queue").await.as_array().unwrap().len(), 2);
    let period = json!({ "entity": "23001", "year": 2026, "month": 2, "closed": true });
    assert_eq!(post("xledger/periods", period).await.0, 204);
    assert_eq!(
        post("xledger/job", json!({})).await.1,
        json!({ "posted": 0, "refused": 1 })
    );
    assert_eq!(get("xledger/errors").await.as_array().unwrap().len(), 2);
    let period = json!({ "entity": "23001", "year": 2026, "month": 2, "closed": false });
    post("xledger/periods", period).await;
    post("xledger/job", json!({})).await;
    assert_eq!(get("xledger/journal").await[0]["extIdentifier"], "A-1");
    assert_eq!(get("xledger/month").await["requests"], 1);
    let lock = json!({ "object": "Account", "code": "none", "locked": true });
    assert_eq!(post("xledger/locks", lock).await.0, 404);
    let project = json!({ "object": "Project", "code": "P30", "description": "Ny" });
    assert_eq!(post("xledger/registers", project).await.0, 204);
    assert_eq!(
        client
            .nodes("projects(filter: { code: \"P30\" })", "description")
            .await[0]["description"],
        "Ny"
    );
    let settings = json!({ "certificateRequired": false, "jobMinutes": 0, "readBackLagSeconds": 60 });
    assert_eq!(post("xledger/settings", settings).await.0, 204);
    assert_eq!(post("xledger/settings", json!({ "unheardOf": 1 })).await.0, 400);
    client.added(&voucher(2, "10.00", "B")).await;
    assert!(client.nodes("glImportItems", "dbId").await.is_empty());
    assert_eq!(post("xledger/deliveries", json!({})).await.1, json!([]));
    assert_eq!(post("xledger/files/gl02b", json!({})).await.0, 400);
    assert_eq!(post("xledger/nothing", json!({})).await.0, 404);
}

#[tokio::test]
async fn tokens_and_faults_are_set_from_outside() {
    let (_simulation, client) = books().await;
    let post = async |path: &str, body: Value| control(&client, Method::POST, path, body.to_string()).await.0;
    let token = json!({ "token": client.token, "entity": "23001", "revoked": true });
    assert_eq!(post("xledger/tokens", token).await, 204);
    assert!(client.ask("{ __typename }", Value::Null).await["errors"].is_array());
    let token = json!({ "token": client.token, "entity": "23001" });
    post("xledger/tokens", token).await;
    let rule = json!([{ "path": "/graphql", "times": 1, "fault": {
        "kind": "xledger", "misbehaviour": { "kind": "limit", "limit": "burst" },
    }}]);
    assert_eq!(post("faults", rule).await, 204);
    let answer = client.ask("{ __typename }", Value::Null).await;
    assert_eq!(
        answer["errors"][0]["code"],
        "BAD_REQUEST.BURST_RATE_LIMIT_REACHED"
    );
    assert_eq!(post("xledger/maintenance", json!({ "closed": true })).await, 204);
    assert_eq!(
        client
            .try_ask("{ __typename }", Value::Null)
            .await
            .unwrap()
            .status,
        503
    );
}
