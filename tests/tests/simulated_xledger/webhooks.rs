use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use http::StatusCode;
use serde_json::{Value, json};
use tests::wire::{Answer, Handler, Request, Transport};
use tests::xledger::webhook::{WebhookState, signature};
use tokio::net::TcpListener;

use crate::client::{Client, books, error, voucher};

const REGISTER: &str = "mutation($description:String,$url:String,$serializedPayload:String){addWebhooks(inputs:[{node:{\
     description:$description,url:$url,serializedPayload:$serializedPayload}}]){edges{node{dbId state{code}}}}}";
const PROJECTS: &str =
    r#"{ "query": "subscription { projects: projectsMutated { edges { syncVersion node { dbId } } } }" }"#;
const LINES: &str = r#"{ "query": "subscription { lines: glImportItemsMutated { edges { node { dbId extIdentifier } } } }" }"#;

/// Listens, and answers with a status that tests set.
struct Listener {
    url: String,
    heard: Arc<Mutex<Vec<Request>>>,
    status: Arc<Mutex<StatusCode>>,
    _transport: Transport,
}

impl Listener {
    async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let heard: Arc<Mutex<Vec<Request>>> = Arc::default();
        let status = Arc::new(Mutex::new(StatusCode::OK));
        let (ears, mouth) = (Arc::clone(&heard), Arc::clone(&status));
        let handler: Handler = Arc::new(move |request| {
            ears.lock().unwrap().push(request);
            let answer = Answer::empty(*mouth.lock().unwrap());
            async move { answer }.boxed()
        });
        let transport = Transport::serve(socket, handler).unwrap();
        Self {
            url: format!("http://{}/hooks/xledger", transport.address()),
            heard,
            status,
            _transport: transport,
        }
    }

    fn answer_with(&self, status: u16) {
        *self.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }
}

async fn register(client: &Client, url: &str, payload: &str) -> Value {
    let variables = json!({ "description": "Members", "url": url, "serializedPayload": payload });
    client.ask(REGISTER, variables).await
}

async fn registered(client: &Client, url: &str, payload: &str) -> i64 {
    let answer = register(client, url, payload).await;
    let node = &answer["data"]["addWebhooks"]["edges"][0]["node"];
    assert_eq!(node["state"]["code"], "RUNNING", "{answer}");
    node["dbId"].as_i64().unwrap()
}

async fn state(client: &Client, id: i64) -> Value {
    let query = "query($dbId: ID) { webhook(dbId: $dbId) { dbId state { code } } }";
    let answer = client.ask(query, json!({ "dbId": id.to_string() })).await;
    answer["data"]["webhook"]["state"]["code"].clone()
}

#[tokio::test]
async fn a_change_is_told_and_signed_with_the_api_token() {
    let (simulation, client) = books().await;
    let listener = Listener::start().await;
    registered(&client, &listener.url, PROJECTS).await;
    simulation
        .xledger()
        .register("Project", "P30", |project| project.description = "Ny".to_owned());
    let delivered = simulation.xledger().deliver_webhooks().await;
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].status, Some(200));
    let heard = listener.heard();
    let body: Value = serde_json::from_slice(&heard[0].body).unwrap();
    let edge = &body["data"]["projects"]["edges"][0];
    assert!(
        edge["node"]["dbId"].is_i64() && edge["syncVersion"].is_string(),
        "{body}"
    );
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(heard[0].header("date").unwrap());
    let date = date.unwrap();
    assert!(date.duration_since(simulation.now()).abs() < jiff::SignedDuration::from_secs(5));
    let signed = signature(&client.token, date, &heard[0].body);
    assert_eq!(heard[0].header("x-xl-webhook-signature"), signed.as_deref());
    assert!(simulation.xledger().deliver_webhooks().await.is_empty());
}

#[tokio::test]
async fn a_webhook_is_told_of_what_it_subscribed_to_only() {
    let (simulation, client) = books().await;
    let (projects, lines) = (Listener::start().await, Listener::start().await);
    registered(&client, &projects.url, PROJECTS).await;
    registered(&client, &lines.url, LINES).await;
    client.added(&voucher(1, "10.00", "A")).await;
    simulation.xledger().deliver_webhooks().await;
    assert!(projects.heard().is_empty());
    let heard = lines.heard();
    assert_eq!(heard.len(), 2);
    let body: Value = serde_json::from_slice(&heard[0].body).unwrap();
    assert_eq!(body["data"]["lines"]["edges"][0]["node"]["extIdentifier"], "A-1");
}

#[tokio::test]
async fn a_listener_that_fails_is_tried_again_and_given_up() {
    let (simulation, client) = books().await;
    let listener = Listener::start().await;
    let id = registered(&client, &listener.url, PROJECTS).await;
    let xledger = simulation.xledger();
    xledger.register("Project", "P30", |_| {});
    listener.answer_with(401);
    xledger.deliver_webhooks().await;
    assert_eq!(state(&client, id).await, "RECOVERING");
    listener.answer_with(200);
    xledger.deliver_webhooks().await;
    assert_eq!(state(&client, id).await, "RUNNING");
    assert_eq!(listener.heard()[0].body, listener.heard()[1].body);
    listener.answer_with(503);
    xledger.register("Project", "P31", |_| {});
    for _ in 0..3 {
        assert_eq!(xledger.deliver_webhooks().await.len(), 1);
    }
    assert_eq!(state(&client, id).await, "FAULTED");
    listener.answer_with(200);
    xledger.register("Project", "P32", |_| {});
    assert!(
        xledger.deliver_webhooks().await.is_empty(),
        "what was not told is lost"
    );
}

#[tokio::test]
async fn a_webhook_that_is_paused_tells_later() {
    let (simulation, client) = books().await;
    let listener = Listener::start().await;
    let id = registered(&client, &listener.url, PROJECTS).await;
    let xledger = simulation.xledger();
    for (asked, code) in [
        (WebhookState::Faulted, "FAULTED"),
        (WebhookState::Recovering, "RECOVERING"),
        (WebhookState::Paused, "PAUSED"),
    ] {
        assert!(xledger.set_webhook_state(id, asked));
        assert_eq!(state(&client, id).await, code);
    }
    xledger.register("Project", "P30", |_| {});
    assert!(xledger.deliver_webhooks().await.is_empty());
    xledger.set_webhook_state(id, WebhookState::Running);
    assert_eq!(xledger.deliver_webhooks().await.len(), 1);
}

#[tokio::test]
async fn a_webhook_that_is_removed_has_no_state() {
    let (simulation, client) = books().await;
    let id = registered(&client, "http://127.0.0.1:9/hook", PROJECTS).await;
    assert_eq!(client.nodes("webhooks", "dbId url").await.len(), 1);
    let remove =
        "mutation($dbId: Int64String!) { removeWebhooks(dbIds: [$dbId]) { numAffected skippedDbIds } }";
    let answer = client.ask(remove, json!({ "dbId": id.to_string() })).await;
    assert_eq!(
        answer["data"]["removeWebhooks"],
        json!({ "numAffected": 1, "skippedDbIds": [] })
    );
    assert_eq!(state(&client, id).await, Value::Null);
    let answer = client.ask(remove, json!({ "dbId": id.to_string() })).await;
    assert_eq!(answer["data"]["removeWebhooks"]["skippedDbIds"], json!([id]));
    simulation.xledger().register("Project", "P30", |_| {});
    assert!(simulation.xledger().deliver_webhooks().await.is_empty());
}

#[tokio::test]
async fn only_subscriptions_of_the_schema_are_registered_and_only_for_urls() {
    let (simulation, client) = books().await;
    let url = "https://hooks.example/xledger";
    for (url, payload) in [
        ("nowhere", PROJECTS),
        ("ftp://hooks.example", PROJECTS),
        (url, "subscription { projectsMutated { edges { syncVersion } } }"),
        (url, r#"{ "query": "query { __typename }" }"#),
        (
            url,
            r#"{ "query": "subscription { nothingMutated { edges { syncVersion } } }" }"#,
        ),
        (
            url,
            r#"{ "query": "subscription { projectsMutated { edges { nothing } } }" }"#,
        ),
        (url, "{}"),
    ] {
        let answer = register(&client, url, payload).await;
        assert_eq!(
            error(&answer)["extensions"]["code"],
            "INVALID_VALUE",
            "{url} {payload}"
        );
    }
    assert!(simulation.xledger().webhooks().is_empty());
}

#[tokio::test]
async fn a_listener_that_is_not_there_is_a_failed_delivery() {
    let (simulation, client) = books().await;
    registered(&client, "http://127.0.0.1:9/hook", PROJECTS).await;
    simulation.xledger().register("Project", "P30", |_| {});
    let delivered = simulation.xledger().deliver_webhooks().await;
    assert_eq!(delivered[0].status, None);
    assert_eq!(simulation.xledger().webhooks()[0].state, WebhookState::Recovering);
}
