//! Who sends: one for each scheme, with an endpoint of its own.

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::adapters::webhook_support;
use shared::inbox::{self, WantedEndpoint};
use shared::webhook::{RawWebhook, Scheme, profile};

use crate::world::{World, id};

/// The API token that Xledger signs by.
const API_TOKEN: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// Somebody who sends webhooks to an endpoint.
pub(crate) struct Sender {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) scheme: Scheme,
    pub(crate) secret: SecretString,
}

/// The id of the row that a webhook is about.
pub(crate) fn row(webhook: u64) -> String {
    format!("{webhook:08x}-0a5b-4c3d-9e8f-102938475610")
}

fn body(webhook: u64) -> Bytes {
    json!({ "type": "member.changed", "id": row(webhook), "navn": "Åse" })
        .to_string()
        .into()
}

impl Sender {
    pub(crate) async fn all(world: &World) -> Vec<Self> {
        let schemes = [
            json!({ "type": "standard" }),
            json!({ "type": "xledger" }),
            json!({ "type": "dataverse", "header": "x-webhook-secret" }),
            json!({ "type": "dataverse", "query": "code" }),
            json!({ "type": "cornerstone", "header": "x-webhook-secret" }),
            json!({ "type": "hmac", "header": "x-signature", "prefix": "sha256=", "encoding": "hex" }),
            json!({ "type": "hmac", "header": "x-signature", "encoding": "base64", "algorithm": "sha512" }),
        ];
        let mut senders = Vec::new();
        for (number, scheme) in schemes.into_iter().enumerate() {
            senders.push(Self::new(world, number, scheme).await);
        }
        senders
    }

    async fn new(world: &World, number: usize, scheme: Value) -> Self {
        let name = format!("{number} {}", scheme["type"].as_str().unwrap());
        let mut wanted =
            json!({ "name": name, "scheme": scheme.clone(), "records": [{ "kind": "member", "id": "/id" }] });
        if scheme["type"] == "xledger" {
            wanted["secret"] = API_TOKEN.into();
        }
        let support = webhook_support(id().system);
        let wanted = WantedEndpoint::read(wanted.as_object().unwrap(), support).unwrap();
        let opened = inbox::open(&world.ports, &*world.keys, &id(), wanted, "test", None)
            .await
            .unwrap();
        Self {
            name,
            endpoint: opened.stored.endpoint.id.to_string(),
            scheme: profile::check(&scheme).unwrap(),
            secret: opened.secret.unwrap(),
        }
    }

    /// Signs a webhook, as its sender does each time that it sends it.
    pub(crate) fn webhook(&self, webhook: u64, now: Timestamp) -> RawWebhook {
        self.sign(&self.secret, webhook, now)
    }

    pub(crate) fn sign(&self, secret: &SecretString, webhook: u64, now: Timestamp) -> RawWebhook {
        let name = format!("msg_{webhook}");
        self.scheme.sign(secret, &name, body(webhook), now).unwrap()
    }
}
