//! Endpoints, what is sent to them, and what becomes of it.

mod books;
mod ending;
mod following;
mod opening;
mod receiving;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::book::{Book, work_all};
use super::world::{Answer, INTEGRATION, World, ask};

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
