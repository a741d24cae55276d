//! What is taken in, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::{HEADER, Hook, ROW, dataverse, open};
use crate::api::tests::book::{context, work_all};
use crate::api::tests::breaking::{Panicking, Side};
use crate::api::tests::world::{Answer, INTEGRATION, ask};
use crate::api::{Api, WebhookState, webhook_routes};
use crate::flow::Ports;
use crate::flow::receive::Receiver;
use crate::http::Exceptions;
use crate::keys::MemoryKeys;
use crate::queue::{Message, Queue, QueueError};

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
    let receiver = hook.world.receiver.clone();
    let api = Api::new(webhook_routes(WebhookState { receiver }), &hook.world.ports);
    for method in [
        Method::GET,
        Method::HEAD,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ] {
        let request = http::Request::builder().method(method.clone()).uri(&hook.path);
        let answer = Answer::from(api.answer(request.body("canary".into()).unwrap()).await);
        assert_eq!(answer.status, 405, "{method}");
        assert!(!answer.body.contains("canary"), "{method}");
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
    let untyped = ask(Method::POST, &hook.path)
        .header(HEADER, &hook.secret)
        .body(body.clone());
    assert_eq!(hook.world.answer(untyped.by(None)).await.status, 415);
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

#[tokio::test]
async fn a_path_that_is_nearly_one_leads_nowhere_whoever_is_behind_it() {
    let hook = Hook::new().await;
    let nobody = hook.path.replace(&hook.id, "hlf.AAAAAAAAAAAAAAAAAAAAAA");
    for nearly in [
        |path: &str| format!("{path}/"),
        |path: &str| format!("{path}/events"),
        |path: &str| path.replace("/v1/", "/V1/"),
        |path: &str| path.replace("/webhooks/", "//webhooks/"),
    ] {
        let mut answers = Vec::new();
        for path in [&hook.path, &nobody] {
            let ask = ask(Method::POST, &nearly(path)).json(&context(ROW));
            let answer = hook.world.answer(ask.header(HEADER, &hook.secret).by(None)).await;
            let mut body = answer.json();
            body.as_object_mut().unwrap().remove("instance");
            answers.push((answer.status.as_u16(), body));
        }
        assert_eq!(answers[0].0, 404, "{answers:?}");
        assert_eq!(answers[0], answers[1]);
    }
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
