//! Mutations of webhooks.

use async_graphql::dynamic::{InputObject, InputValue, ResolverContext, TypeRef};
use serde_json::{Value, json};
use url::Url;

use super::call::{Call, arguments, id, list};
use super::error::Refusal;
use super::kind::Kind;
use super::subscription;
use crate::xledger::webhook::Webhook;

/// Returns the inputs.
pub(super) fn inputs() -> [InputObject; 2] {
    let text = |name: &str| Kind::Text.input(name);
    [
        InputObject::new("WebhookInput")
            .field(text("description"))
            .field(text("url"))
            .field(text("serializedPayload")),
        InputObject::new("AddWebhooksInput")
            .field(text("clientId"))
            .field(InputValue::new("node", TypeRef::named_nn("WebhookInput"))),
    ]
}

pub(super) fn add(context: &ResolverContext<'_>) -> async_graphql::Result<Value> {
    let call = Call::of(context)?;
    call.may_write("Webhook")?;
    let inputs = list(arguments(context).get("inputs"));
    let mut edges = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let text = |name: &str| input["node"][name].as_str().unwrap_or_default().to_owned();
        let path = |name: &str| format!("inputs[{at}].node.{name}");
        let (url, payload) = (text("url"), text("serializedPayload"));
        let is_url = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_url {
            return Err(Refusal::invalid_value(&path("url"), "It is no URL.").into());
        }
        let query = subscription::check(&call.schema, &payload)
            .map_err(|why| Refusal::invalid_value(&path("serializedPayload"), &why))?;
        let mut ledger = call.ledger();
        let id = ledger.next_id();
        let webhook = Webhook::new(id, text("description"), url, payload, query, &call.token.token);
        edges.push(json!({ "clientId": input["clientId"], "node": webhook.to_node() }));
        ledger.webhooks.push(webhook);
    }
    Ok(json!({ "edges": edges }))
}

pub(super) fn remove(context: &ResolverContext<'_>) -> async_graphql::Result<Value> {
    let call = Call::of(context)?;
    call.may_write("Webhook")?;
    let ids: Vec<i64> = list(arguments(context).get("dbIds"))
        .iter()
        .filter_map(id)
        .collect();
    let mut ledger = call.ledger();
    let known = |id: &i64| ledger.webhooks.iter().any(|webhook| webhook.db_id == *id);
    let (known, skipped): (Vec<i64>, Vec<i64>) = ids.into_iter().partition(known);
    ledger.webhooks.retain(|webhook| !known.contains(&webhook.db_id));
    Ok(json!({ "numAffected": known.len(), "skippedDbIds": skipped }))
}
