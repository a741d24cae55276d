//! Webhooks: one, that tells of changes to the import queue, which is also where the ledger says that it has posted a line.
//!
//! It is known by its description, which has the name of the endpoint, and a code of the API token: Xledger signs by the token
//! that a webhook was made with, and goes on doing so when there is another. A webhook cannot be changed, and one that has
//! given up does not begin again by itself: what is not as it should be is made anew, and then removed.
//!
//! The token needs to read and write `Webhook`.
//!
//! Source: github.com/xledger/graphql-samples, `Webhooks-CSharp`, read 2026-11-21. That they can be listed, and the name of the
//! subscription, follow from the rules by which everything is named.

use ring::hmac;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::adapter::Xledger;
use super::client::{Client, Listing, WRITE};
use super::error::Effect;
use super::route::unfit;
use super::wire::{Added, DbId, Rows, Webhook};
use crate::adapter::{Result, Subscribed, Subscription};

const WEBHOOKS: Listing = Listing::of("webhooks", "dbId description url state{code} serializedPayload");

/// What is told; [`super::webhook`] reads it.
const PAYLOAD: &str = r#"{ "query": "subscription { importQueue: glImportItemsMutated { edges { syncVersion node { dbId extIdentifier } } } }" }"#;

const ADD: &str = "mutation($description:String,$url:String,$serializedPayload:String){rows:addWebhooks(inputs:[{node:{\
                   description:$description,url:$url,serializedPayload:$serializedPayload}}]){edges{node{dbId}}}}";
const REMOVE: &str = "mutation($dbIds:[Int64String!]!){rows:removeWebhooks(dbIds:$dbIds){numAffected}}";

/// What a webhook is to be.
struct Wanted {
    description: String,
    url: String,
}

impl Xledger {
    /// Sees to it that there is one webhook of a name, and that it tells; says what was wrong.
    pub(super) async fn see_to(&self, wanted: &Subscription) -> Result<Subscribed> {
        let client = self.ways.client()?;
        check_name(&wanted.name)?;
        check_secret(client, wanted)?;
        let name = &wanted.name;
        let wanted = Wanted {
            description: format!("{}{}", mark(name), code(client)),
            url: wanted.url.to_string(),
        };
        let mut wrong = Vec::new();
        let (mut good, mut bad) = (0_usize, Vec::new());
        for webhook in registered(client, name).await? {
            match fault(&webhook, &wanted) {
                None if good == 0 => good += 1,
                None => {
                    wrong.push("a second one was there".to_owned());
                    bad.push(webhook.db_id);
                }
                Some(fault) => {
                    wrong.push(fault);
                    bad.push(webhook.db_id);
                }
            }
        }
        if good == 0 {
            add(client, &wanted).await?;
            if wrong.is_empty() {
                wrong.push("missing".to_owned());
            }
        }
        remove(client, &bad).await?;
        Ok(match wrong.is_empty() {
            true => Subscribed::Running,
            false => Subscribed::Mended(wrong),
        })
    }

    /// Removes every webhook of a name.
    pub(super) async fn remove_all(&self, name: &str) -> Result<()> {
        check_name(name)?;
        let client = self.ways.client()?;
        let found = registered(client, name).await?;
        let ids: Vec<DbId> = found.iter().map(|webhook| webhook.db_id).collect();
        remove(client, &ids).await
    }
}

fn check_name(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match (1..=128).contains(&name.len()) && name.bytes().all(plain) {
        true => Ok(()),
        false => Err(unfit(
            "the name of a subscription is 1 to 128 of A-Z, a-z, 0-9, '-', '_' and '.'",
        )),
    }
}

/// What is signed by one secret and checked by another is refused, all of it.
fn check_secret(client: &Client, wanted: &Subscription) -> Result<()> {
    if wanted.header.is_some() {
        return Err(unfit(
            "Xledger shows no secret in a header: open an endpoint with the scheme xledger",
        ));
    }
    let (ours, theirs) = (wanted.secret.expose_secret(), client.token.expose_secret());
    // A token is padded or not, and is the same.
    let [ours, theirs] = [ours, theirs].map(|token| token.trim_end_matches('='));
    match bool::from(ours.as_bytes().ct_eq(theirs.as_bytes())) {
        true => Ok(()),
        false => Err(unfit(
            "the endpoint's secret is another than the API token, by which Xledger signs: rotate it to the token",
        )),
    }
}

/// Begins the description of the webhooks of a name.
fn mark(name: &str) -> String {
    format!("{name}: kept by the service that it calls. Token: ")
}

/// Tells one token from another, and nothing else of it.
fn code(client: &Client) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, client.token.expose_secret().as_bytes());
    let tag = hmac::sign(&key, b"the token of a webhook");
    let bytes = tag.as_ref().iter().take(8);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

async fn registered(client: &Client, name: &str) -> Result<Vec<Webhook>> {
    let mark = mark(name);
    let all: Vec<Webhook> = client.read_all(&WEBHOOKS).await?;
    let ours = |webhook: &Webhook| {
        let description = webhook.description.as_deref().unwrap_or_default();
        description.starts_with(&mark)
    };
    Ok(all.into_iter().filter(ours).collect())
}

/// Says what is wrong with a webhook.
fn fault(webhook: &Webhook, wanted: &Wanted) -> Option<String> {
    if webhook.url.as_deref() != Some(&wanted.url) {
        return Some("it told another address".to_owned());
    }
    if webhook.description.as_deref() != Some(&wanted.description) {
        return Some("it was made with another API token".to_owned());
    }
    if webhook.serialized_payload.as_deref() != Some(PAYLOAD) {
        return Some("it told something else".to_owned());
    }
    let state = webhook.state.as_ref().and_then(|state| state.code.as_deref());
    match state {
        // It tries again by itself.
        Some("RUNNING" | "RECOVERING") => None,
        Some("PAUSED") => Some("it was PAUSED".to_owned()),
        Some("FAULTED") => Some("it was FAULTED".to_owned()),
        _ => Some("it was in a state that nobody knows".to_owned()),
    }
}

async fn add(client: &Client, wanted: &Wanted) -> Result<()> {
    let variables =
        json!({ "description": wanted.description, "url": wanted.url, "serializedPayload": PAYLOAD });
    let added: Rows<Added> = client.ask(ADD, &variables, Effect::Writes, WRITE).await?;
    match added.rows.edges.len() {
        1 => Ok(()),
        _ => Err(Effect::Writes.misread("the answer names other webhooks than were made")),
    }
}

async fn remove(client: &Client, ids: &[DbId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = ids.iter().map(DbId::to_string).collect();
    let removed: Rows<Value> = client
        .ask(REMOVE, &json!({ "dbIds": ids }), Effect::Writes, WRITE)
        .await?;
    drop(removed);
    Ok(())
}
