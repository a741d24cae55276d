//! Subscriptions, which only webhooks use: what they may ask for, and what a change looks like to them.
//!
//! `projectsMutated` is the vendor's; `glImportItemsMutated` is named by its rule.

use async_graphql::Request;
use async_graphql::dynamic::{
    FieldValue, Object, Schema, Subscription, SubscriptionField, SubscriptionFieldFuture, TypeRef,
};
use futures::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};

use super::error::render;
use super::kind::Kind::{Row, Rows, Text};
use super::kind::object;
use crate::xledger::webhook::Change;

/// What a change is to the resolvers.
struct Told {
    stream: &'static str,
    edge: Value,
}

const STREAMS: [(&str, &str); 2] = [
    ("projectsMutated", "ProjectChanges"),
    ("glImportItemsMutated", "GLImportItemChanges"),
];

/// Returns the subscription root.
pub(super) fn root() -> Subscription {
    STREAMS
        .iter()
        .fold(Subscription::new("Subscription"), |root, &(name, changes)| {
            root.field(SubscriptionField::new(
                name,
                TypeRef::named(changes),
                move |context| {
                    SubscriptionFieldFuture::new(async move {
                        let told = context.data_opt::<Told>().filter(|told| told.stream == name);
                        let edges = told.map(|told| json!({ "edges": [told.edge] }));
                        Ok(stream::iter(edges.map(|edges| Ok(FieldValue::owned_any(edges)))))
                    })
                },
            ))
        })
}

/// Returns the types of what is told.
pub(super) fn types() -> Vec<Object> {
    vec![
        object("ProjectChanges", &[("edges", Rows("ProjectChange"))]),
        object(
            "ProjectChange",
            &[("syncVersion", Text), ("node", Row("Project"))],
        ),
        object(
            "GLImportItemChanges",
            &[("edges", Rows("GLImportItemChangeEdge"))],
        ),
        object(
            "GLImportItemChangeEdge",
            &[("syncVersion", Text), ("node", Row("GLImportItem"))],
        ),
    ]
}

/// Returns the document of a serialized payload, or says why it cannot be listened with.
pub(super) fn check(schema: &Schema, payload: &str) -> Result<String, String> {
    let payload: Value = serde_json::from_str(payload).map_err(|_| "It is not JSON.".to_owned())?;
    let query = payload["query"].as_str().ok_or("It has no query.")?;
    let document = async_graphql::parser::parse_query(query).map_err(|error| error.to_string())?;
    let all_listen = document
        .operations
        .iter()
        .all(|(_, operation)| operation.node.ty == async_graphql::parser::types::OperationType::Subscription);
    if !all_listen {
        return Err("It is no subscription.".to_owned());
    }
    let mut answers = schema.execute_stream(Request::new(query));
    let answer = answers.next().now_or_never().flatten();
    match answer.and_then(|answer| answer.errors.into_iter().next()) {
        Some(error) => Err(error.message),
        None => Ok(query.to_owned()),
    }
}

/// Returns the body that tells of a change; none where the subscription does not ask for it.
pub(in crate::xledger) fn render_change(
    schema: &Schema,
    query: &str,
    change: &Change,
    node: Value,
) -> Option<String> {
    let told = Told {
        stream: change.stream,
        edge: json!({ "syncVersion": change.sync_version.to_string(), "node": node }),
    };
    let mut answers = schema.execute_stream(Request::new(query).data(told));
    let answer = answers.next().now_or_never().flatten()?;
    Some(render(answer).to_string())
}
