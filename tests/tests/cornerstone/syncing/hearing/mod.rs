//! What the portal tells by itself: from its webhook over HTTP to the record on the platform, with the real adapter.

use std::sync::Arc;

use axum::body::Bytes;
use http::{Method, Request};
use shared::api::{Api, Caller, Integrations, WebhookState, integration_routes, webhook_routes};
use shared::flow::receive::Receiver;
use shared::flow::work::{Job, work};
use shared::integration::Vault;
use shared::model::System;
use shared::objects::Objects;
use shared::secrets::MemorySecrets;
use tests::cornerstone::{Delivered, Subscription};

use self::door::{Door, Message, Way};
use super::*;

mod door;
mod following;
mod receiving;
mod waiting;

/// Where the integration is, for whoever configures it.
const INTEGRATION: &str = "/v1/organizations/hlf/integrations/cornerstone";

/// The header that the portal shows the secret in.
const HEADER: &str = "x-api-key";

/// An organization, its portal, and an endpoint that the portal sends webhooks to.
struct Hearing {
    pair: Pair,
    door: Door,
    /// What whoever configures the integration asks.
    api: Api,
    url: String,
    key: String,
}

impl Hearing {
    /// An endpoint that the portal knows of.
    async fn new() -> Self {
        let hearing = Self::of(World::new().await).await;
        hearing.subscribe(&hearing.key);
        hearing
    }

    async fn of(world: World) -> Self {
        let (pair, door) = (Pair::with(world, |_| {}).await, Door::new().await);
        let (ports, keys) = (&pair.worker.ports, &pair.worker.registrar.keys);
        let receiver = Receiver::new(ports.clone(), Arc::clone(keys), pair.worker.exceptions.clone());
        door.lead_to(Api::new(webhook_routes(WebhookState { receiver }), ports));
        let routes = integration_routes(Integrations {
            ports: ports.clone(),
            vault: Vault::new(Arc::new(MemorySecrets::new()), "tests/"),
            scheduler: Arc::clone(&pair.nobody),
            exceptions: pair.worker.exceptions.clone(),
            keys: Arc::clone(keys),
            api_url: door.origin.parse().unwrap(),
            objects: Arc::clone(&pair.objects) as Arc<dyn Objects>,
        });
        let api = Api::new(routes, ports);
        let mut hearing = Self {
            pair,
            door,
            api,
            url: String::new(),
            key: String::new(),
        };
        let wanted = json!({ "name": "portal", "scheme": { "type": "cornerstone", "header": HEADER } });
        let opened = hearing.ask(Method::POST, "/webhooks", &wanted).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (hearing.url, hearing.key) = (text(&opened["setup"]["url"]), text(&opened["secret"]));
        hearing
    }

    /// Asks as somebody who configures the integration.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("{INTEGRATION}{path}"));
        let request = request.header("content-type", "application/json");
        let body = match body {
            Value::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Caller::unrestricted("tests"));
        let answer = self.api.answer(request).await;
        let (status, body) = (answer.status(), answer.into_body());
        assert!(
            status.is_success(),
            "{status}: {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).unwrap()
    }

    fn portal(&self) -> &tests::cornerstone::Cornerstone {
        self.pair.world.portal()
    }

    /// Has the portal send webhooks, and show a key with them.
    fn subscribe(&self, key: &str) {
        let subscription = Subscription::new(&self.url).with(HEADER, key);
        self.portal().subscribe(subscription);
    }

    /// Has the portal send what there is to tell.
    async fn deliver(&self) -> Delivered {
        // The id of an event sorts by the millisecond.
        let simulation = &self.pair.world.simulation;
        simulation.advance(SignedDuration::from_millis(1));
        self.portal().deliver_webhooks().await.pop().unwrap()
    }

    /// Has the portal tell, works what it told, and returns what became of it.
    async fn told(&self) -> Value {
        assert_eq!(self.deliver().await.status, Some(202));
        self.work().await;
        self.newest().await
    }

    /// Sends a body of our own making, with the key.
    fn message(&self, body: &Value) -> Message {
        let path = self.url.strip_prefix(&self.door.origin).unwrap();
        Message::new(
            path,
            &[(HEADER, &self.key), ("content-type", "application/json")],
            body,
        )
    }

    async fn let_in(&self, message: Message) -> u16 {
        let simulation = &self.pair.world.simulation;
        simulation.advance(SignedDuration::from_millis(1));
        self.door.let_in(message).await.status().as_u16()
    }

    /// Works the queue until nothing is on it.
    async fn work(&self) {
        while let Some(received) = self.pair.queue.receive(System::Cornerstone) {
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            work(&self.pair.worker, &job).await.unwrap();
            self.pair.queue.ack(&received);
        }
    }

    /// Lets time pass, and has done what is due then.
    async fn later(&self, duration: SignedDuration) {
        self.pair.pass(duration).await;
        self.work().await;
    }

    /// Returns what was told, the newest first.
    async fn events(&self) -> Vec<Value> {
        let listed = self.ask(Method::GET, "/webhook-events", &Value::Null).await;
        listed["items"].as_array().unwrap().clone()
    }

    async fn newest(&self) -> Value {
        self.events().await.first().unwrap().clone()
    }

    async fn status(&self, member: &str, course: Uuid) -> Value {
        said(&self.pair.enrollment(member, course).await, "status")
    }

    async fn runs(&self) -> usize {
        let listed = self.ask(Method::GET, "/runs", &Value::Null).await;
        listed["items"].as_array().unwrap().len()
    }
}
