//! What can be registered, and what is refused.

use serde_json::json;

use super::{HEADERS, endpoint, find, registered, step};
use crate::client::organization;

#[tokio::test]
async fn a_secret_is_written_and_not_read() {
    let (simulation, client) = organization(0).await;
    let made = client
        .post("serviceendpoints", &endpoint("https://example.org/"))
        .await;
    assert_eq!(made.status, 204);
    let rows = client.get("serviceendpoints").await.rows();
    assert_eq!(rows[0]["name"], "one");
    assert!(rows[0].get("authvalue").is_none());
    for query in [
        "$select=authvalue",
        "$filter=authvalue eq 'x'",
        "$orderby=authvalue",
    ] {
        assert_eq!(
            client.get(&format!("serviceendpoints?{query}")).await.status,
            400,
            "{query}"
        );
    }
    assert_eq!(simulation.rows("serviceendpoints")[0]["authvalue"], HEADERS);
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let (_simulation, client) = organization(0).await;
    for (column, value, status) in [
        ("name", json!(null), 400),
        ("contract", json!(null), 400),
        ("contract", json!(99), 400),
        ("contract", json!(7), 501),
        ("url", json!("nowhere"), 400),
        ("url", json!(null), 400),
        ("authtype", json!(null), 400),
        ("authtype", json!(2), 400),
        ("authvalue", json!(null), 400),
        ("authvalue", json!("x-secret: a"), 400),
        ("authvalue", json!("x".repeat(2049)), 400),
        ("isauthvalueset", json!(true), 400),
    ] {
        let mut body = endpoint("https://example.org/");
        body[column] = value;
        let reply = client.post("serviceendpoints", &body).await;
        assert_eq!(reply.status, status, "{column}: {}", reply.text());
    }
    assert!(client.get("serviceendpoints").await.rows().is_empty());
}

#[tokio::test]
async fn what_is_no_step_is_refused() {
    let (simulation, client) = organization(0).await;
    let endpoint = simulation.create_as_human("serviceendpoints", &endpoint("https://example.org/"));
    let good = step(&client, endpoint, "Update", "contact").await;
    let deletion = step(&client, endpoint, "Delete", "contact").await;
    for (column, value, status) in [
        ("name", json!(null), 400),
        ("mode", json!(0), 501),
        ("stage", json!(20), 400),
        ("rank", json!(null), 400),
        ("supporteddeployment", json!(3), 400),
        ("filteringattributes", json!("firstname,nowhere"), 400),
        ("statecode", json!(1), 400),
        (
            "sdkmessageid@odata.bind",
            deletion["sdkmessageid@odata.bind"].clone(),
            400,
        ),
        ("sdkmessagefilterid@odata.bind", json!(null), 400),
        ("eventhandler_serviceendpoint@odata.bind", json!(null), 400),
        (
            "eventhandler_serviceendpoint@odata.bind",
            deletion["sdkmessageid@odata.bind"].clone(),
            400,
        ),
        (
            "eventhandler@odata.bind",
            good["eventhandler_serviceendpoint@odata.bind"].clone(),
            400,
        ),
    ] {
        let mut body = good.clone();
        body[column] = value;
        let reply = client.post("sdkmessageprocessingsteps", &body).await;
        assert_eq!(reply.status, status, "{column}: {}", reply.text());
    }
    let made = client.post("sdkmessageprocessingsteps", &good).await;
    assert_eq!(made.status, 204, "{}", made.text());
}

#[tokio::test]
async fn messages_are_the_platform_s_own() {
    let (_simulation, client) = organization(0).await;
    let message = find(&client, "sdkmessages", "name eq 'Create'").await;
    let made = client.post("sdkmessages", &json!({ "name": "Invent" })).await;
    assert_eq!((made.status, made.code().as_str()), (405, "0x80040800"));
    let gone = client.delete(&format!("sdkmessages({message})")).await;
    assert_eq!((gone.status, gone.code().as_str()), (405, "0x80040800"));
}

#[tokio::test]
async fn an_endpoint_with_steps_is_not_deleted() {
    let (simulation, client) = organization(0).await;
    let endpoint = registered(&simulation, &client, "https://example.org/", None).await;
    let path = format!("serviceendpoints({endpoint})");
    let reply = client.delete(&path).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "0x8004f01f"));
    for step in simulation.rows("sdkmessageprocessingsteps") {
        let id = step["sdkmessageprocessingstepid"].as_str().unwrap();
        assert_eq!(
            client
                .delete(&format!("sdkmessageprocessingsteps({id})"))
                .await
                .status,
            204
        );
    }
    assert_eq!(client.delete(&path).await.status, 204);
}
