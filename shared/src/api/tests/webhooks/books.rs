//! Webhooks of a system that keeps books: what it has taken is looked at.

use bytes::Bytes;
use http::Method;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::super::world::{Answer, World, ask};
use super::{Arc, Book, Duration, work_all};
use crate::clock::Clock as _;
use crate::export::{Revision, intent_key};
use crate::model::IntegrationId;
use crate::store::{Content, Due, Expect, Write};
use crate::webhook::{Scheme, profile};

const XLEDGER: &str = "/v1/organizations/hlf/integrations/xledger";
const TOKEN: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
const OTHER_TOKEN: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA";
const REFERENCE: &str = "RE-5ZPX21XKG8XK1RB1RZ-0";

/// An integration with Xledger, an endpoint that it sends to, and a voucher that it has taken.
struct Ledger {
    world: World,
    book: Arc<Book>,
    id: String,
}

fn configuration() -> Value {
    json!({
        "displayName": "Books", "direction": "pull",
        "settings": {
            "environment": "demo", "protocol": "graphql",
            "booking": {
                "voucherType": "GL", "counterAccount": "2910", "currencies": ["NOK"], "timeZone": "Europe/Oslo",
                "text": "{reimbursement}", "expenseTypes": { "travel": { "account": "7140" } },
            },
        },
        "credentials": { "apiToken": TOKEN },
    })
}

fn xledger() -> IntegrationId {
    "hlf:xledger".parse().unwrap()
}

impl Ledger {
    async fn new() -> Self {
        let world = World::new();
        let answer = world.put(XLEDGER, &configuration()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let wanted =
            json!({ "name": "books", "registers": true, "scheme": { "type": "xledger" }, "secret": TOKEN });
        let opened = world.post(&format!("{XLEDGER}/webhooks"), &wanted).await;
        assert_eq!(opened.status, 201, "{}", opened.body);
        let ledger = Self {
            id: opened.json()["endpointId"].as_str().unwrap().to_owned(),
            book: Arc::default(),
            world,
        };
        ledger.accepted("4711").await;
        ledger
    }

    /// Keeps that a voucher was accepted a while ago, and is looked at tomorrow.
    async fn accepted(&self, reimbursement: &str) {
        let now = self.world.clock.now();
        let intent = json!({
            "reimbursement": reimbursement, "revision": 0, "purpose": "booking", "reference": REFERENCE, "number": 1,
            "route": "graphql", "source": "s", "voucher": "v", "total": "101.00 NOK", "state": "accepted",
            "openedAt": now, "openedBy": "treasurer", "changedAt": now - SignedDuration::from_hours(1),
        });
        let key = intent_key(&xledger(), &reimbursement.parse().unwrap(), Revision::FIRST);
        let content = Content::of(&intent).due_at(now + SignedDuration::from_hours(24));
        let write = Write::put(key, Expect::Absent, content);
        self.world.ports.store.write(vec![write]).await.unwrap();
    }

    async fn due(&self) -> usize {
        let now = self.world.clock.now();
        let due = self
            .world
            .ports
            .store
            .due(Due::Reconcile, now, 100)
            .await
            .unwrap();
        due.iter()
            .filter(|key| key.sort.starts_with("export#xledger#"))
            .count()
    }

    /// Sends a webhook as Xledger does, signed by a token.
    async fn send(&self, token: &str, body: &Value) -> Answer {
        let secret = SecretString::from(token);
        let scheme: Scheme = profile::check(&json!({ "type": "xledger" })).unwrap();
        let bytes = Bytes::from(body.to_string());
        let signed = scheme
            .sign(&secret, "", bytes.clone(), self.world.clock.now())
            .unwrap();
        let mut ask = ask(Method::POST, &format!("/v1/webhooks/xledger/{}", self.id)).body(bytes);
        for name in ["date", "x-xl-webhook-signature"] {
            ask = ask.header(name, signed.headers[name].to_str().unwrap());
        }
        let ask = ask.header("content-type", "application/json");
        self.world.answer(ask.by(None)).await
    }

    async fn newest(&self) -> Value {
        let events = self.world.get(&format!("{XLEDGER}/webhook-events")).await.json();
        events["items"][0].clone()
    }
}

fn lines(names: &[&str]) -> Value {
    let edges: Vec<_> = names
        .iter()
        .map(|name| json!({ "syncVersion": "42", "node": { "dbId": 1, "extIdentifier": name } }))
        .collect();
    json!({ "data": { "importQueue": { "edges": edges } } })
}

#[tokio::test]
async fn a_change_of_our_lines_has_what_is_accepted_looked_at() {
    let ledger = Ledger::new().await;
    assert_eq!(ledger.due().await, 0);
    let answer = ledger.send(TOKEN, &lines(&[&format!("{REFERENCE}-1")])).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    work_all(&ledger.world, &ledger.book).await;
    assert_eq!(ledger.newest().await["state"], "applied");
    assert_eq!(ledger.due().await, 1);
}

#[tokio::test]
async fn a_change_of_somebody_elses_lines_has_nothing_looked_at() {
    let ledger = Ledger::new().await;
    assert_eq!(ledger.send(TOKEN, &lines(&["payroll"])).await.status, 202);
    work_all(&ledger.world, &ledger.book).await;
    let event = ledger.newest().await;
    assert_eq!(
        (&event["state"], &event["reason"]),
        (&json!("ignored"), &json!("not_mapped"))
    );
    assert_eq!(ledger.due().await, 0);
}

#[tokio::test]
async fn a_webhook_that_another_token_signs_is_refused() {
    let ledger = Ledger::new().await;
    let body = lines(&[&format!("{REFERENCE}-1")]);
    assert_eq!(ledger.send(OTHER_TOKEN, &body).await.status, 401);
    // While one token takes the place of another, both count.
    let path = format!("{XLEDGER}/webhooks/{}/rotate", ledger.id);
    let rotated = ledger.world.post(&path, &json!({ "secret": OTHER_TOKEN })).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    ledger.world.clock.advance(Duration::from_secs(61));
    for token in [TOKEN, OTHER_TOKEN] {
        assert_eq!(ledger.send(token, &body).await.status, 202);
    }
}

#[tokio::test]
async fn a_registration_that_was_mended_has_all_looked_at_that_is_open() {
    let ledger = Ledger::new().await;
    ledger.world.clock.advance(Duration::from_secs(1));
    ledger.world.reconcile().await;
    work_all(&ledger.world, &ledger.book).await;
    let path = format!("{XLEDGER}/webhooks/{}", ledger.id);
    let shown = ledger.world.get(&path).await.json();
    assert_eq!(shown["registration"]["mended"], json!(["missing"]), "{shown}");
    assert!(shown["registration"]["failure"].is_null());
    let subscription = ledger
        .book
        .subscriptions
        .lock()
        .unwrap()
        .get(&ledger.id)
        .cloned()
        .unwrap();
    assert_eq!(
        (subscription.header, subscription.secret.expose_secret()),
        (None, TOKEN)
    );
    assert_eq!(ledger.due().await, 1);
    let runs = ledger.world.get(&format!("{XLEDGER}/runs")).await.json();
    assert_eq!(runs["items"], json!([]), "there are no records to read");
}

#[tokio::test]
async fn the_secret_is_the_token_and_the_scheme_the_systems_own() {
    let ledger = Ledger::new().await;
    let open = async |wanted: Value| {
        ledger
            .world
            .post(&format!("{XLEDGER}/webhooks"), &wanted)
            .await
            .fields()
    };
    let name = "another";
    let xledger = json!({ "type": "xledger" });
    assert_eq!(
        open(json!({ "name": name, "registers": true, "scheme": xledger })).await,
        ["secret"]
    );
    let header = json!({ "type": "dataverse", "header": "x-webhook-secret" });
    assert_eq!(
        open(json!({ "name": name, "registers": true, "scheme": header })).await,
        ["registers"]
    );
}
