//! What a webhook of Xledger says: that something happened to lines of the import queue.
//!
//! Nothing else of it is believed: whoever has the token can send anything. What is accepted and not posted yet is looked at.
//!
//! # Shape
//!
//! ```json
//! {"data":{"importQueue":{"edges":[{"syncVersion":"42","node":{"dbId":1,"extIdentifier":"RE-…-0-1"}}]}}}
//! ```
//!
//! The name before `edges` is what the subscription calls it. One that a human registered may leave `extIdentifier` out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::assemble;
use super::wire::DbId;
use crate::adapter::{ReadWebhook, Told, Why};
use crate::model::FieldError;

#[derive(Deserialize)]
struct Body {
    data: BTreeMap<String, Changes>,
}

#[derive(Deserialize)]
struct Changes {
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    node: Option<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    #[serde(rename = "dbId")]
    _db_id: DbId,
    /// Told as nothing is not the same as not told.
    #[serde(default, deserialize_with = "told")]
    ext_identifier: Option<Option<String>>,
}

fn told<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads the webhooks of one organization.
#[derive(Debug)]
pub(super) struct Changed;

impl ReadWebhook for Changed {
    fn read(&self, body: &[u8]) -> Result<Told, FieldError> {
        // A list would be read for the object whose members it has in their order.
        let object = Some(body).filter(|body| body.trim_ascii_start().starts_with(b"{"));
        let body = object.and_then(|body| serde_json::from_slice::<Body>(body).ok());
        let body = body.ok_or_else(|| {
            let reason =
                "must be what a subscription tells: data, a name, and edges with a node that has a dbId";
            FieldError::new("body", reason)
        })?;
        let nodes = body.data.into_values().flat_map(|changes| changes.edges);
        let nodes: Vec<_> = nodes.filter_map(|edge| edge.node).collect();
        if nodes.is_empty() {
            return Ok(Told::Nothing(Why::NoRows));
        }
        match nodes.iter().any(Node::may_be_ours) {
            true => Ok(Told::Books),
            false => Ok(Told::Nothing(Why::NotMapped)),
        }
    }
}

impl Node {
    /// Says whether it may be a line that we sent: all are that do not say what they are called.
    fn may_be_ours(&self) -> bool {
        match &self.ext_identifier {
            None => true,
            Some(name) => name.as_deref().is_some_and(|name| assemble::name(name).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Result<Told, FieldError> {
        Changed.read(body.to_string().as_bytes())
    }

    fn lines(nodes: &[Value]) -> Value {
        let edges: Vec<_> = nodes
            .iter()
            .map(|node| json!({ "syncVersion": "42", "node": node }))
            .collect();
        json!({ "data": { "importQueue": { "edges": edges } } })
    }

    #[test]
    fn a_change_of_a_line_that_may_be_ours_is_about_the_books() {
        let ours = json!({ "dbId": 1, "extIdentifier": "RE-5ZPX21XKG8XK1RB1RZ-0-1" });
        let other = json!({ "dbId": "2", "extIdentifier": "payroll" });
        for nodes in [
            &[ours.clone()][..],
            &[other.clone(), ours],
            &[json!({ "dbId": 3 })],
        ] {
            assert_eq!(read(&lines(nodes)), Ok(Told::Books), "{nodes:?}");
        }
        let unnamed = json!({ "dbId": 2, "extIdentifier": null });
        assert_eq!(read(&lines(&[other, unnamed])), Ok(Told::Nothing(Why::NotMapped)));
        for nothing in [lines(&[]), lines(&[Value::Null])] {
            assert_eq!(read(&nothing), Ok(Told::Nothing(Why::NoRows)));
        }
    }

    #[test]
    fn the_published_vector_is_read_whatever_its_name() {
        let body = br#"{"data":{"projects":{"edges":[{"syncVersion":"42","node":{"dbId":1}}]}}}"#;
        assert_eq!(Changed.read(body), Ok(Told::Books));
    }

    #[test]
    fn what_is_no_change_is_told_and_not_shown() {
        for body in [
            json!({}),
            json!({ "data": "canary" }),
            json!({ "data": { "lines": { "edges": [{ "node": { "dbId": "canary" } }] } } }),
            json!({ "data": { "lines": { "edges": [{ "node": {} }] } } }),
            json!([{ "lines": { "edges": [] } }]),
        ] {
            let fault = read(&body).unwrap_err();
            assert!(!fault.to_string().contains("canary"), "{fault}");
        }
    }
}
