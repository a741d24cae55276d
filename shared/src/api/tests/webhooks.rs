//! Endpoints, what is sent to them, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::book::{Book, Entry, context, work_all, worker};
use super::breaking::{Panicking, Side};
use super::world::{Answer, INTEGRATION, World, ask, configuration, integration};
use crate::adapter::ErrorKind;
use crate::api::{Api, WebhookState, webhook_routes};
use crate::clock::Clock as _;
use crate::flow::Ports;
use crate::flow::receive::Receiver;
use crate::flow::work::{Job, work};
use crate::http::Exceptions;
use crate::keys::MemoryKeys;
use crate::model::{Kind, System};
use crate::queue::{Message, Queue, QueueError};
use crate::records;

const ROW: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";
const OTHER: &str = "2c8c4d2e-0a5b-4c3d-9e8f-102938475610";
const HEADER: &str = "x-webhook-secret";

/// An integration with an endpoint that Dataverse sends to.
struct Hook {
    world: World,
    book: Arc<Book>,
    path: String,
    id: String,
    secret: String,
}

impl Hook {
    async fn new() -> Self {
        Self::on(World::connected().await).await
    }

    async fn on(world: World) -> Self {
        let opened = open(&world, &dataverse("portal")).await.json();
        let id = opened["endpointId"].as_str().unwrap().to_owned();
        Self {
            path: format!("/v1/webhooks/dynamics365/{id}"),
            secret: opened["secret"].as_str().unwrap().to_owned(),
            book: Arc::default(),
            world,
            id,
        }
    }

    async fn send(&self, body: &Value) -> Answer {
        self.send_with(&self.secret, body).await
    }

    async fn send_with(&self, secret: &str, body: &Value) -> Answer {
        // An event's id sorts by the millisecond.
        self.world.clock.advance(Duration::from_millis(1));
        let ask = ask(Method::POST, &self.path).json(body).header(HEADER, secret);
        self.world.answer(ask.by(None)).await
    }

    /// Sends a webhook, and works it.
    async fn told(&self, body: &Value) -> Value {
        assert_eq!(self.send(body).await.status, 202);
        work_all(&self.world, &self.book).await;
        self.newest().await
    }

    async fn events(&self) -> Vec<Value> {
        let answer = self.world.get(&format!("{INTEGRATION}/webhook-events")).await;
        answer.json()["items"].as_array().unwrap().clone()
    }

    async fn newest(&self) -> Value {
        self.events().await.first().cloned().unwrap_or_default()
    }

    async fn replay(&self, body: Value) -> Value {
        let path = format!("{INTEGRATION}/webhook-events/replay");
        let answer = self.world.post(&path, &body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()
    }

    async fn name_of(&self, id: &str) -> Option<String> {
        let path = format!("/v1/organizations/hlf/members/{id}");
        let answer = self.world.get(&path).await;
        answer.json()["lastName"].as_str().map(str::to_owned)
    }

    /// Has whatever is due done, and what comes of it worked.
    async fn later(&self, duration: Duration) {
        self.world.clock.advance(duration);
        self.world.reconcile().await;
        work_all(&self.world, &self.book).await;
    }
}

fn dataverse(name: &str) -> Value {
    json!({ "name": name, "scheme": { "type": "dataverse", "header": HEADER } })
}

async fn open(world: &World, wanted: &Value) -> Answer {
    let answer = world.post(&format!("{INTEGRATION}/webhooks"), wanted).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
}

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
async fn whatever_is_wrong_with_who_sends_and_to_where_is_answered_alike() {
    let hook = Hook::new().await;
    let closed = open(&hook.world, &dataverse("closed")).await.json();
    let closed = closed["endpointId"].as_str().unwrap().to_owned();
    hook.world
        .delete(&format!("{INTEGRATION}/webhooks/{closed}"))
        .await;
    let another = open(&hook.world, &dataverse("another")).await.json();
    let elsewhere = another["endpointId"].as_str().unwrap();
    let stranger = hook.id.replace("hlf.", "other.");
    let of = |id: &str| format!("/v1/webhooks/dynamics365/{id}");
    let mut answers = Vec::new();
    for (what, path, secret) in [
        ("a wrong secret", hook.path.clone(), "wrong"),
        ("an empty one", hook.path.clone(), ""),
        ("another endpoint's", of(elsewhere), &*hook.secret),
        ("two in one", hook.path.clone(), &*format!("{0},{0}", hook.secret)),
        ("an endpoint that is closed", of(&closed), &*hook.secret),
        (
            "an endpoint of another organization",
            of(&stranger),
            &*hook.secret,
        ),
        (
            "an endpoint that never was",
            of("hlf.AAAAAAAAAAAAAAAAAAAAAA"),
            &*hook.secret,
        ),
        ("what is no id", of("x"), &*hook.secret),
        ("another letter case", of(&hook.id.to_uppercase()), &*hook.secret),
        (
            "what leads elsewhere",
            of("..%2f..%2fintegrations"),
            &*hook.secret,
        ),
        (
            "another system",
            hook.path.replace("dynamics365", "xledger"),
            &*hook.secret,
        ),
        (
            "a secret in the address",
            format!("{}?code={}", hook.path, hook.secret),
            &*hook.secret,
        ),
    ] {
        let ask = ask(Method::POST, &path)
            .json(&context(ROW))
            .header(HEADER, secret);
        let answer = hook.world.answer(ask.by(None)).await;
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("instance");
        assert!(!answer.body.contains(&hook.secret), "{what}");
        answers.push((what, answer.status.as_u16(), body));
    }
    let missing = hook
        .world
        .answer(ask(Method::POST, &hook.path).json(&context(ROW)).by(None))
        .await;
    assert_eq!(missing.status, 401);
    for (what, status, body) in &answers {
        assert_eq!((*status, body), (401, &answers[0].2), "{what}");
        assert_eq!(body["code"], "webhook_refused");
    }
    assert_eq!(work_all(&hook.world, &hook.book).await, 0);
    assert!(hook.events().await.is_empty());
}

#[tokio::test]
async fn what_is_not_a_webhook_is_refused_before_anything_is_looked_up() {
    let hook = Hook::new().await;
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ] {
        let answer = hook.world.answer(ask(method.clone(), &hook.path).by(None)).await;
        assert_eq!(answer.status, 405, "{method}");
    }
    let send = |content_type: &str, body: Vec<u8>| {
        let ask = ask(Method::POST, &hook.path).header(HEADER, &hook.secret);
        let ask = ask.header("content-type", content_type).body(body);
        hook.world.answer(ask.by(None))
    };
    let body = context(ROW).to_string().into_bytes();
    for taken in [
        "application/json",
        "application/json; charset=utf-8",
        "application/cloudevents+json",
    ] {
        assert_eq!(send(taken, body.clone()).await.status, 202, "{taken}");
    }
    for not_taken in [
        "text/plain",
        "application/json; charset=utf-16",
        "application/xml",
        "",
    ] {
        assert_eq!(send(not_taken, body.clone()).await.status, 415, "{not_taken}");
    }
    assert_eq!(send("application/json", Vec::new()).await.status, 400);
    let padded = |length: usize| [&body[..], &vec![b' '; length - body.len()]].concat();
    assert_eq!(send("application/json", padded(256 << 10)).await.status, 202);
    assert_eq!(send("application/json", padded(1 << 20)).await.status, 202);
    assert_eq!(send("application/json", padded((1 << 20) + 1)).await.status, 413);
    let keyed = ask(Method::POST, &hook.path)
        .json(&context(ROW))
        .header(HEADER, &hook.secret);
    assert_eq!(
        hook.world.answer(keyed.key("whatever").by(None)).await.status,
        202
    );
    let gzip = ask(Method::POST, &hook.path)
        .json(&context(ROW))
        .header(HEADER, &hook.secret);
    let gzip = hook
        .world
        .answer(gzip.header("content-encoding", "gzip").by(None))
        .await;
    assert_eq!(gzip.status, 415);
}

/// A queue that takes nothing.
#[derive(Debug)]
struct Full;

#[async_trait::async_trait]
impl Queue for Full {
    async fn send(&self, _: Message) -> Result<(), QueueError> {
        Err(QueueError("full".into()))
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_answered_503_and_nothing_else() {
    let hook = Hook::new().await;
    let keys = &hook.world.keys;
    let others: Arc<dyn crate::keys::Keys> = Arc::new(MemoryKeys::new());
    let full = Ports {
        queue: Arc::new(Full),
        ..hook.world.ports.clone()
    };
    let panics = Ports {
        store: Arc::new(Panicking),
        ..hook.world.ports.clone()
    };
    let (dead, _) = hook.world.dying(0, Side::Before);
    for (what, ports, keys) in [
        ("the queue is full", full, keys),
        ("the tables panic", panics, keys),
        ("the tables are down", dead.ports.clone(), keys),
        ("the key opens nothing", hook.world.ports.clone(), &others),
    ] {
        let receiver = Receiver::new(ports.clone(), Arc::clone(keys), Exceptions::none());
        let api = Api::new(webhook_routes(WebhookState { receiver }), &ports);
        let request = http::Request::post(&hook.path).header("content-type", "application/json");
        let request = request
            .header(HEADER, &hook.secret)
            .body(context(ROW).to_string().into())
            .unwrap();
        let answer = Answer::from(api.answer(request).await);
        assert_eq!(answer.status, 503, "{what}: {}", answer.body);
        assert!(!answer.header("retry-after").is_empty(), "{what}");
        assert!(!answer.body.contains("canary") && !answer.body.contains(&hook.secret));
    }
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
async fn what_a_webhook_hints_at_is_fetched_and_taken_over_once_however_often_it_comes() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    for _ in 0..50 {
        assert_eq!(hook.send(&context(ROW)).await.status, 202);
    }
    work_all(&hook.world, &hook.book).await;
    assert_eq!(hook.name_of(ROW).await.as_deref(), Some("Ek"));
    // A row that was made is looked at once more.
    assert_eq!(hook.book.asked_for(ROW), 2);
    for days in [1, 4, 13] {
        hook.world.clock.advance(Duration::from_secs(days * 24 * 3600));
        assert_eq!(hook.send(&context(ROW)).await.status, 202);
        work_all(&hook.world, &hook.book).await;
    }
    let events = hook.events().await;
    assert_eq!((events.len(), &events[0]["state"]), (1, &json!("applied")));
    assert_eq!(events[0]["rows"]["created"], 1);
    assert_eq!(hook.book.asked_for(ROW), 2);
}

#[tokio::test]
async fn nothing_older_overwrites_what_is_newer_whatever_order_webhooks_come_in() {
    let hook = Hook::new().await;
    let named = |name: &str| {
        let mut context = context(ROW);
        context["OperationId"] = name.into();
        context
    };
    hook.book.write(ROW, Entry::Member("Ek", 2));
    hook.told(&named("second")).await;
    // The first of two changes is told last: the row is as it is by now.
    let late = hook.told(&named("first")).await;
    assert_eq!(late["rows"]["unchanged"], 1);
    assert_eq!(hook.name_of(ROW).await.as_deref(), Some("Ek"));
    hook.book.tear_out(ROW);
    let gone = hook.told(&named("third")).await;
    assert_eq!(
        (&gone["state"], &gone["rows"]["removed"]),
        (&json!("applied"), &json!(1))
    );
    assert_eq!(hook.name_of(ROW).await, None);
    let again = hook.told(&named("fourth")).await;
    assert_eq!(again["rows"]["removed"], 0);
}

#[tokio::test]
async fn a_row_that_goes_while_it_is_taken_over_does_not_stay() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Fleeting);
    let event = hook.told(&context(ROW)).await;
    assert_eq!(
        (&event["rows"]["created"], &event["rows"]["removed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(hook.name_of(ROW).await, None);
}

#[tokio::test]
async fn more_deletions_than_the_guard_lets_pass_are_left_to_a_run_that_asks() {
    let hook = Hook::new().await;
    let ids: Vec<String> = (0..30)
        .map(|number| format!("{number:08x}-0a5b-4c3d-9e8f-102938475610"))
        .collect();
    for id in &ids {
        hook.book.write(id, Entry::Member("Ek", 1));
        hook.told(&context(id)).await;
    }
    for id in &ids {
        hook.book.tear_out(id);
    }
    let mut removed = 0;
    for id in &ids {
        let mut gone = context(id);
        gone["MessageName"] = "Delete".into();
        let event = hook.told(&gone).await;
        removed += event["rows"]["removed"].as_u64().unwrap();
        if event["rows"]["left"] == 1 {
            assert_eq!(event["state"], "applied");
            assert!(hook.name_of(id).await.is_some());
        }
    }
    // The guard of the integration: twenty rows, or a tenth of what is linked.
    assert_eq!(removed, 20);
    let runs = hook.world.get(&format!("{INTEGRATION}/runs")).await.json();
    assert_eq!(runs["items"][0]["trigger"], "webhook");
    hook.world.clock.advance(Duration::from_secs(24 * 3600));
    let mut gone = context(&ids[29]);
    gone["Depth"] = 2.into();
    assert_eq!(hook.told(&gone).await["rows"]["removed"], 1);
}

#[tokio::test]
async fn each_accepted_webhook_ends_in_one_of_four_ways_and_says_why() {
    let hook = Hook::new().await;
    let state = |event: &Value| event["state"].as_str().unwrap().to_owned();
    let mut account = context(ROW);
    account["PrimaryEntityName"] = "account".into();
    let ignored = hook.told(&account).await;
    assert_eq!(
        (state(&ignored), &ignored["reason"]),
        ("ignored".to_owned(), &json!("not_mapped"))
    );
    hook.book.write(OTHER, Entry::Faulty);
    let quarantined = hook.told(&context(OTHER)).await;
    assert_eq!(state(&quarantined), "quarantined");
    let waits = hook.world.get(&format!("{INTEGRATION}/quarantine")).await.json();
    assert_eq!(waits["items"][0]["webhookEvent"], quarantined["eventId"]);
    let unreadable = hook
        .told(&json!({ "PrimaryEntityName": "contact", "PrimaryEntityId": "canary" }))
        .await;
    assert_eq!(
        (state(&unreadable), &unreadable["cause"]),
        ("dead_lettered".to_owned(), &json!("mapping"))
    );
    assert!(!unreadable.to_string().contains("canary"), "{unreadable}");
    hook.book.write(ROW, Entry::Hidden);
    let hidden = hook.told(&context(ROW)).await;
    assert_eq!(
        (state(&hidden), &hidden["rows"]["hidden"]),
        ("applied".to_owned(), &json!(1))
    );
    for (number, (kind, cause)) in [
        (ErrorKind::PermissionDenied, "credential"),
        (ErrorKind::NotFound, "mapping"),
        (ErrorKind::Malformed, "system"),
    ]
    .into_iter()
    .enumerate()
    {
        hook.book.fails_with(Some(kind));
        let mut context = context(ROW);
        context["Depth"] = (number + 2).into();
        let dead = hook.told(&context).await;
        assert_eq!(
            (state(&dead), &dead["cause"]),
            ("dead_lettered".to_owned(), &json!(cause)),
            "{kind:?}"
        );
        assert!(dead["failure"]["nextAction"].is_string());
    }
}

#[tokio::test]
async fn an_integration_that_rests_is_told_of_and_asked_for_nothing() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    hook.world
        .post(&format!("{INTEGRATION}/pause"), &Value::Null)
        .await;
    let paused = hook.told(&context(ROW)).await;
    assert_eq!(
        (&paused["state"], &paused["reason"]),
        (&json!("ignored"), &json!("paused"))
    );
    assert_eq!(hook.book.asked_for(ROW), 0);
    hook.world
        .post(&format!("{INTEGRATION}/resume"), &Value::Null)
        .await;
    // Whoever is gone by the time that it is worked.
    assert_eq!(hook.send(&context(OTHER)).await.status, 202);
    assert_eq!(hook.world.delete(INTEGRATION).await.status, 204);
    work_all(&hook.world, &hook.book).await;
    assert_eq!(hook.book.asked_for(OTHER), 0);
    assert_eq!(hook.send(&context(OTHER)).await.status, 202, "known for a minute");
    hook.world.clock.advance(Duration::from_secs(61));
    assert_eq!(hook.send(&context(OTHER)).await.status, 401);
    // Who connects anew opens endpoints anew.
    hook.world.put(INTEGRATION, &configuration()).await;
    assert_eq!(hook.send(&context(OTHER)).await.status, 401);
    let list = hook.world.get(&format!("{INTEGRATION}/webhooks")).await;
    assert_eq!(list.json()["items"], json!([]));
}

#[tokio::test]
async fn a_credential_that_is_refused_twice_puts_the_integration_at_rest() {
    let hook = Hook::new().await;
    hook.book.fails_with(Some(ErrorKind::Unauthenticated));
    assert_eq!(hook.told(&context(ROW)).await["state"], "received");
    hook.later(Duration::from_secs(60)).await;
    let dead = hook.newest().await;
    assert_eq!(
        (&dead["state"], &dead["cause"]),
        (&json!("dead_lettered"), &json!("credential"))
    );
    let status = hook.world.get(INTEGRATION).await.json();
    assert_eq!(status["state"], "needs_reauthorization");
    let next = hook.told(&context(OTHER)).await;
    assert_eq!(next["cause"], "credential");
}

#[tokio::test]
async fn a_system_that_is_down_is_tried_for_hours_and_then_given_up() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    hook.book.fails_with(Some(ErrorKind::Unavailable));
    let waits = hook.told(&context(ROW)).await;
    assert_eq!(
        (&waits["state"], &waits["attempts"]),
        (&json!("received"), &json!(1))
    );
    assert!(waits["resumeAt"].is_string() && waits["failure"]["code"] == "unavailable");
    hook.book.fails_with(None);
    hook.later(Duration::from_secs(60)).await;
    assert_eq!(hook.newest().await["state"], "applied");
    hook.book.fails_with(Some(ErrorKind::Unavailable));
    hook.told(&context(OTHER)).await;
    for _ in 0..40 {
        hook.later(Duration::from_secs(20 * 60)).await;
    }
    let dead = hook.newest().await;
    assert_eq!(
        (&dead["state"], &dead["cause"]),
        (&json!("dead_lettered"), &json!("system"))
    );
}

#[tokio::test]
async fn an_id_under_which_something_else_was_signed_is_not_followed_and_is_seen() {
    let hook = Hook::new().await;
    let standard = json!({ "name": "standard", "scheme": { "type": "standard" },
        "records": [{ "kind": "member", "id": "/id" }] });
    let opened = open(&hook.world, &standard).await.json();
    let id = opened["endpointId"].as_str().unwrap();
    let secret = opened["secret"].as_str().unwrap().to_owned().into();
    let send = async |body: &'static str| {
        hook.world.clock.advance(Duration::from_millis(1));
        let now = hook.world.clock.now();
        let scheme = crate::webhook::profile::check(&json!({ "type": "standard" })).unwrap();
        let raw = scheme.sign(&secret, "msg_1", body.into(), now).unwrap();
        let mut ask = ask(Method::POST, &format!("/v1/webhooks/dynamics365/{id}"));
        for (name, value) in &raw.headers {
            ask = ask.header(name.as_str(), value.to_str().unwrap());
        }
        let ask = ask.header("content-type", "application/json").body(body);
        assert_eq!(hook.world.answer(ask.by(None)).await.status, 202);
        work_all(&hook.world, &hook.book).await;
    };
    hook.book.write("1", Entry::Member("Ek", 1));
    hook.book.write("2", Entry::Member("Berg", 1));
    send(r#"{"id":"1"}"#).await;
    for _ in 0..3 {
        send(r#"{"id":"2"}"#).await;
    }
    let events = hook.events().await;
    let states: Vec<_> = events
        .iter()
        .map(|event| (event["state"].as_str(), event["cause"].as_str()))
        .collect();
    assert_eq!(
        states,
        [
            (Some("dead_lettered"), Some("signature")),
            (Some("applied"), None)
        ]
    );
    assert_eq!(hook.name_of("1").await.as_deref(), Some("Ek"));
    assert_eq!(hook.name_of("2").await, None);
}

#[tokio::test]
async fn what_has_ended_is_replayed_one_by_one_and_by_what_it_has_in_common_after_a_preview() {
    let hook = Hook::new().await;
    hook.book.fails_with(Some(ErrorKind::NotFound));
    for number in 0..12 {
        let id = format!("{number:08x}-0a5b-4c3d-9e8f-102938475610");
        hook.book.write(&id, Entry::Member("Ek", 1));
        hook.told(&context(&id)).await;
    }
    hook.book.fails_with(None);
    let dead = json!({ "state": "dead_lettered", "cause": "mapping", "preview": true });
    assert_eq!(
        hook.replay(dead.clone()).await,
        json!({ "selected": 12, "replayed": 0 })
    );
    assert!(hook.events().await.iter().all(|event| event["replays"] == 0));
    let one = hook.newest().await["eventId"].as_str().unwrap().to_owned();
    let path = format!("{INTEGRATION}/webhook-events/{one}/replay");
    for _ in 0..2 {
        assert_eq!(hook.world.post(&path, &Value::Null).await.status, 202);
    }
    work_all(&hook.world, &hook.book).await;
    let event = hook
        .world
        .get(&format!("{INTEGRATION}/webhook-events/{one}"))
        .await
        .json();
    assert_eq!(
        (&event["state"], &event["replays"]),
        (&json!("applied"), &json!(1))
    );
    let replayed = hook.replay(json!({ "state": "dead_lettered" })).await;
    assert_eq!(replayed, json!({ "selected": 11, "replayed": 11 }));
    hook.later(Duration::from_secs(1)).await;
    assert!(
        hook.events()
            .await
            .iter()
            .all(|event| event["state"] == "applied")
    );
    let none = hook.replay(json!({ "until": "2026-01-01T00:00:00Z" })).await;
    assert_eq!(none["selected"], 0);
    let all = hook
        .replay(json!({ "since": "2026-01-31T00:00:00Z", "preview": true }))
        .await;
    assert_eq!(all["selected"], 12);
    let wrong = hook
        .world
        .post(
            &format!("{INTEGRATION}/webhook-events/replay"),
            &json!({ "endpointId": "x" }),
        )
        .await;
    assert_eq!(wrong.fields(), ["endpointId"]);
}

#[tokio::test]
async fn what_could_not_be_read_is_read_again_by_the_settings_of_now() {
    let hook = Hook::new().await;
    let mut custom = context(ROW);
    custom["PrimaryEntityId"] = "not an id".into();
    let dead = hook.told(&custom).await;
    assert_eq!(dead["cause"], "mapping");
    let path = format!(
        "{INTEGRATION}/webhook-events/{}/replay",
        dead["eventId"].as_str().unwrap()
    );
    hook.world.post(&path, &Value::Null).await;
    work_all(&hook.world, &hook.book).await;
    let again = hook.newest().await;
    assert_eq!(
        (&again["cause"], &again["replays"]),
        (&json!("mapping"), &json!(1))
    );
}

#[tokio::test]
async fn whoever_dies_at_any_write_leaves_a_webhook_that_is_followed_once() {
    let mut died = 0;
    for nth in 1..20 {
        for side in [Side::Before, Side::After] {
            let hook = Hook::new().await;
            hook.book.write(ROW, Entry::Member("Ek", 1));
            assert_eq!(hook.send(&context(ROW)).await.status, 202);
            let (dying, breaking) = hook.world.dying(nth, side);
            let received = hook.world.queue.receive(System::Dynamics365).unwrap();
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            let done = work(&worker(&dying, &hook.book), &job).await;
            if done.is_ok() && !breaking.died() {
                assert!(died > 6, "{died}");
                return;
            }
            died += 1;
            // The dead acknowledge nothing; the queue delivers again, and reconcile looks at what is due.
            hook.later(Duration::from_secs(16 * 60)).await;
            let events = hook.events().await;
            assert_eq!(
                (events.len(), &events[0]["state"]),
                (1, &json!("applied")),
                "{nth} {side:?}"
            );
            assert_eq!(hook.name_of(ROW).await.as_deref(), Some("Ek"));
        }
    }
    panic!("it never came through");
}

#[tokio::test]
async fn a_webhook_of_which_everybody_dies_is_put_aside() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    for _ in 0..8 {
        // Whoever receives it dies right after the claim.
        let (dying, _) = hook.world.dying(1, Side::After);
        while let Some(received) = hook.world.queue.receive(System::Dynamics365) {
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            let _dead = work(&worker(&dying, &hook.book), &job).await;
            hook.world.queue.ack(&received);
        }
        hook.world.clock.advance(Duration::from_secs(16 * 60));
        hook.world.reconcile().await;
    }
    work_all(&hook.world, &hook.book).await;
    let dead = hook.newest().await;
    assert_eq!(
        (&dead["state"], &dead["cause"]),
        (&json!("dead_lettered"), &json!("ours"))
    );
}

#[tokio::test]
async fn a_webhook_during_a_sync_is_not_held_up_and_the_newer_version_wins() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    let run = hook.world.post(&format!("{INTEGRATION}/sync"), &json!({})).await;
    assert_eq!(run.status, 202);
    let _slice = hook
        .world
        .queue
        .receive(System::Dynamics365)
        .expect("the run's first slice is in flight");
    let event = hook.told(&context(ROW)).await;
    assert_eq!(event["state"], "applied");
    let id = ROW.parse().unwrap();
    let key = records::record_key(&integration().organization, Kind::Member, &id);
    assert!(hook.world.ports.store.get(&[key]).await.unwrap()[0].is_some());
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
        (subscription.header.as_str(), subscription.secret.expose_secret()),
        (HEADER, &*secret)
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

#[tokio::test]
async fn of_fifty_deliveries_that_are_worked_at_once_one_is_followed() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    let received = hook.world.queue.receive(System::Dynamics365).unwrap();
    let job: Job = serde_json::from_str(&received.message.body).unwrap();
    let worker = worker(&hook.world, &hook.book);
    let worked = futures::future::join_all((0..50).map(|_| work(&worker, &job))).await;
    assert!(worked.iter().all(Result::is_ok));
    assert_eq!((hook.events().await.len(), hook.book.asked_for(ROW)), (1, 2));
}

#[tokio::test]
async fn a_refusal_opens_no_secret_once_the_endpoint_is_known() {
    let hook = Hook::new().await;
    let others: Arc<dyn crate::keys::Keys> = Arc::new(MemoryKeys::new());
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    // The keys are gone: what was opened before goes on counting, and a forgery is refused as ever.
    let receiver = hook.world.receiver.clone().with_keys(others);
    let api = Api::new(webhook_routes(WebhookState { receiver }), &hook.world.ports);
    for _ in 0..2 {
        let request = http::Request::post(&hook.path).header("content-type", "application/json");
        let request = request
            .header(HEADER, "wrong")
            .body(context(ROW).to_string().into())
            .unwrap();
        assert_eq!(api.answer(request).await.status(), 401);
        hook.world.clock.advance(Duration::from_secs(61));
    }
}

#[tokio::test]
async fn a_page_that_is_older_than_what_a_webhook_brought_overwrites_nothing_and_revives_nothing() {
    let hook = Hook::new().await;
    for (row, name) in [(ROW, "Ny"), (OTHER, "Borte")] {
        hook.book.write(row, Entry::Member(name, 2));
        hook.told(&context(row)).await;
    }
    hook.book.tear_out(OTHER);
    let mut gone = context(OTHER);
    gone["MessageName"] = "Delete".into();
    assert_eq!(hook.told(&gone).await["rows"]["removed"], 1);
    // The run read its page before all that.
    *hook.book.page.lock().unwrap() = vec![(ROW, "Gammel", 1), (OTHER, "Borte", 2)];
    let run = hook.world.post(&format!("{INTEGRATION}/sync"), &json!({})).await;
    work_all(&hook.world, &hook.book).await;
    let run = format!("{INTEGRATION}/runs/{}", run.json()["runId"].as_str().unwrap());
    let run = hook.world.get(&run).await.json();
    assert_eq!(
        (hook.name_of(ROW).await.as_deref(), hook.name_of(OTHER).await),
        (Some("Ny"), None),
        "{run}"
    );
    assert_eq!(run["state"], "succeeded", "{run}");
}
