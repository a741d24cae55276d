//! Mutations of the import queue.
//!
//! Whether a call with one wrong node is taken in part is not stated; by default the nodes before the wrong one are kept.
//! Nothing keeps two lines from having one `extIdentifier`: what is sent twice is there twice. Answers come in another order
//! than the nodes were sent in, since only `clientId` says which is which.

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, TypeRef};
use serde_json::{Map, Value, json};

use super::call::{Call, arguments, id, list};
use super::error::Refusal;
use super::kind::Kind::{Row, Rows, Text};
use super::kind::object;
use super::{add, webhooks};
use crate::xledger::ledger::Ledger;

const OBJECT: &str = "GLImportItem";

type Resolver = fn(&ResolverContext<'_>) -> async_graphql::Result<Value>;

/// Returns the mutation root.
pub(super) fn root() -> Object {
    let inputs = |kind: &str| InputValue::new("inputs", TypeRef::named_nn_list_nn(kind));
    let ids = || InputValue::new("dbIds", TypeRef::named_nn_list_nn("Int64String"));
    Object::new("Mutation")
        .field(
            field("addGLImportItems", "GLImportItemPayload", add_lines)
                .argument(inputs("AddGLImportItemsInput")),
        )
        .field(
            field("updateGLImportItems", "GLImportItemPayload", update_lines)
                .argument(inputs("UpdateGLImportItemsInput")),
        )
        .field(field("removeGLImportItems", "Removal", remove_lines).argument(ids()))
        .field(field("addWebhooks", "WebhookPayload", webhooks::add).argument(inputs("AddWebhooksInput")))
        .field(field("removeWebhooks", "Removal", webhooks::remove).argument(ids()))
}

/// Returns what mutations answer with.
pub(super) fn payloads() -> Vec<Object> {
    vec![
        object(
            "GLImportItemPayload",
            &[("edges", Rows("GLImportItemPayloadEdge"))],
        ),
        object(
            "GLImportItemPayloadEdge",
            &[("clientId", Text), ("node", Row(OBJECT))],
        ),
        object("WebhookPayload", &[("edges", Rows("WebhookPayloadEdge"))]),
        object(
            "WebhookPayloadEdge",
            &[("clientId", Text), ("node", Row("Webhook"))],
        ),
    ]
}

fn field(name: &str, returned: &str, resolver: Resolver) -> Field {
    Field::new(name, TypeRef::named(returned), move |context| {
        FieldFuture::new(async move { Ok(Some(FieldValue::owned_any(resolver(&context)?))) })
    })
}

fn add_lines(context: &ResolverContext<'_>) -> async_graphql::Result<Value> {
    let (call, inputs) = read(context)?;
    let mut ledger = call.ledger();
    check_size(&ledger, inputs.len())?;
    let mut lines = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let path = format!("inputs[{at}].node");
        let line =
            add::node(input, &path).and_then(|node| add::line(&ledger, &call.token.entity, &node, &path));
        match line {
            Ok(line) => lines.push((input["clientId"].clone(), line)),
            Err(refusal) => {
                if !ledger.settings.atomic {
                    for (_, line) in lines {
                        ledger.enqueue(line, call.now);
                    }
                }
                return Err(refusal.into());
            }
        }
    }
    let added: Vec<(Value, i64)> = lines
        .into_iter()
        .map(|(client_id, line)| (client_id, ledger.enqueue(line, call.now)))
        .collect();
    Ok(answer(&ledger, &added))
}

fn update_lines(context: &ResolverContext<'_>) -> async_graphql::Result<Value> {
    let (call, inputs) = read(context)?;
    let mut ledger = call.ledger();
    check_size(&ledger, inputs.len())?;
    let mut updated = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let path = format!("inputs[{at}].node");
        let node = add::node(input, &path)?;
        let db_id = node.get("dbId").and_then(id).unwrap_or_default();
        let root = &call.token.entity;
        let found = ledger.queue.iter().position(|line| line.db_id == db_id);
        let found = found.filter(|&at| ledger.registers.is_within(&ledger.queue[at].entity, root));
        let found =
            found.ok_or_else(|| Refusal::invalid_value(&format!("{path}.dbId"), "There is no such line."))?;
        let mut line = ledger.queue[found].clone();
        add::apply(&ledger, root, &mut line, &node, &path)?;
        line.modified_at = call.now;
        ledger.queue[found] = line;
        ledger.changed("glImportItemsMutated", db_id);
        updated.push((input["clientId"].clone(), db_id));
    }
    Ok(answer(&ledger, &updated))
}

fn remove_lines(context: &ResolverContext<'_>) -> async_graphql::Result<Value> {
    let call = Call::of(context)?;
    call.may_write(OBJECT)?;
    let mut ledger = call.ledger();
    let ids: Vec<i64> = list(arguments(context).get("dbIds"))
        .iter()
        .filter_map(id)
        .collect();
    check_size(&ledger, ids.len())?;
    let mut skipped = Vec::new();
    for id in &ids {
        let root = &call.token.entity;
        let found = ledger.queue.iter().position(|line| line.db_id == *id);
        match found.filter(|&at| ledger.registers.is_within(&ledger.queue[at].entity, root)) {
            Some(at) => {
                ledger.queue.remove(at);
                ledger.errors.retain(|error| error.line != *id);
            }
            None => skipped.push(*id),
        }
    }
    Ok(json!({ "numAffected": ids.len() - skipped.len(), "skippedDbIds": skipped }))
}

fn read<'a>(context: &ResolverContext<'a>) -> async_graphql::Result<(&'a Call, Vec<Value>)> {
    let call = Call::of(context)?;
    call.may_write(OBJECT)?;
    let inputs = list(arguments(context).get("inputs"));
    call.count(inputs.len());
    Ok((call, inputs))
}

fn check_size(ledger: &Ledger, nodes: usize) -> Result<(), Refusal> {
    let most = ledger.settings.largest_mutation;
    if nodes <= most {
        return Ok(());
    }
    Err(Refusal::invalid_value(
        "inputs",
        &format!("A mutation may have {most} nodes."),
    ))
}

fn answer(ledger: &Ledger, done: &[(Value, i64)]) -> Value {
    let edges = done.iter().rev().map(|(client_id, id)| {
        let line = ledger.queue.iter().rev().find(|line| line.db_id == *id);
        let node: Option<Map<String, Value>> = line.map(|line| line.to_node(ledger.owner(&line.entity)));
        json!({ "clientId": client_id, "node": node })
    });
    json!({ "edges": edges.collect::<Vec<Value>>() })
}
