//! Webhooks.

use std::io::Read as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tests::cornerstone::{Status, Subscription};
use tokio::net::TcpListener;

use crate::client::Client;

/// What was sent, as it travelled.
type Message = (HeaderMap, Vec<u8>);

/// Somebody who is told, and answers with a status.
#[derive(Clone)]
struct Listener {
    url: String,
    status: Arc<Mutex<u16>>,
    heard: Arc<Mutex<Vec<Message>>>,
}

impl Listener {
    async fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = Self {
            url: format!("http://{}/", socket.local_addr().unwrap()),
            status: Arc::new(Mutex::new(200)),
            heard: Arc::default(),
        };
        let router = Router::new().route("/", post(hear)).with_state(listener.clone());
        tokio::spawn(async { axum::serve(socket, router).await });
        listener
    }

    fn answer_with(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    fn last(&self) -> Message {
        self.heard.lock().unwrap().last().unwrap().clone()
    }
}

async fn hear(State(listener): State<Listener>, headers: HeaderMap, body: Bytes) -> StatusCode {
    listener.heard.lock().unwrap().push((headers, body.to_vec()));
    StatusCode::from_u16(*listener.status.lock().unwrap()).unwrap()
}

#[tokio::test]
async fn an_assignment_and_a_completion_are_told_with_a_secret_and_compressed() {
    let (client, listener) = (Client::new().await, Listener::new().await);
    let object = client.course();
    let subscription = Subscription::new(&listener.url).with("x-webhook-secret", "hemmelig");
    let id = subscription.id;
    client.portal().subscribe(subscription);
    client.assign(object).await;
    client.portal().advance("kari", object, Status::InProgress);
    client.portal().advance("kari", object, Status::Completed);
    let delivered = client.portal().deliver_webhooks().await;
    assert_eq!(delivered[0].status, Some(200));
    let (headers, body) = listener.last();
    assert_eq!(
        (&headers["x-webhook-secret"], &headers["content-encoding"]),
        (&"hemmelig".parse().unwrap(), &"gzip".parse().unwrap())
    );
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&told["subscriptionId"], &told["attemptNumber"]),
        (&json!(id), &json!(1))
    );
    let records = told["records"].as_array().unwrap();
    let kinds: Vec<&Value> = records.iter().map(|record| &record["eventType"]).collect();
    assert_eq!(kinds, ["Training Assigned", "Training Completed"]);
    assert_eq!(
        (&records[1]["externalId"], &records[1]["learningObjectId"]),
        (&json!("kari"), &json!(object))
    );
}

#[tokio::test]
async fn a_heartbeat_has_no_records() {
    let (client, listener) = (Client::new().await, Listener::new().await);
    let mut subscription = Subscription::new(&listener.url);
    subscription.gzip = false;
    client.portal().subscribe(subscription);
    client.portal().deliver_webhooks().await;
    let told: Value = serde_json::from_slice(&listener.last().1).unwrap();
    assert_eq!(told["records"], json!([]));
}

#[tokio::test]
async fn what_is_not_heard_is_told_again_with_a_higher_number_and_what_is_refused_is_not() {
    for (status, again) in [
        (503, true),
        (500, true),
        (408, true),
        (200, false),
        (400, false),
        (401, false),
    ] {
        let (client, listener) = (Client::new().await, Listener::new().await);
        let object = client.course();
        let mut subscription = Subscription::new(&listener.url);
        subscription.gzip = false;
        client.portal().subscribe(subscription);
        client.assign(object).await;
        listener.answer_with(status);
        client.portal().deliver_webhooks().await;
        listener.answer_with(200);
        client.portal().deliver_webhooks().await;
        let told: Value = serde_json::from_slice(&listener.last().1).unwrap();
        let (records, attempt) = if again { (1, 2) } else { (0, 1) };
        assert_eq!(told["records"].as_array().unwrap().len(), records, "{status}");
        assert_eq!(told["attemptNumber"], attempt, "{status}");
    }
}

#[tokio::test]
async fn a_message_that_failed_for_one_is_not_told_again_to_another() {
    let client = Client::new().await;
    let (deaf, hearing) = (Listener::new().await, Listener::new().await);
    let object = client.course();
    client.portal().subscribe(Subscription::new(&deaf.url));
    client.portal().subscribe(Subscription::new(&hearing.url));
    client.assign(object).await;
    deaf.answer_with(503);
    client.portal().deliver_webhooks().await;
    deaf.answer_with(200);
    let delivered = client.portal().deliver_webhooks().await;
    let records = |at: usize| {
        serde_json::from_str::<Value>(&delivered[at].body).unwrap()["records"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((records(0), records(1)), (1, 0));
}

#[tokio::test]
async fn what_is_taken_is_told_to_nobody() {
    let client = Client::new().await;
    let object = client.course();
    client.assign(object).await;
    let events = client.portal().take_events();
    assert_eq!(
        (events.len(), events[0].kind, events[0].number),
        (1, "Training Assigned", 1)
    );
    assert!(client.portal().take_events().is_empty());
}
