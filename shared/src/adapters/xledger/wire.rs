//! The JSON of GraphQL, and nothing more.

use std::fmt;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer.
///
/// # Shape
///
/// `{"data":{…}}`, or `{"errors":[{"message":"…","code":"BAD_REQUEST.…","extensions":{…}}]}`, both with status 200.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) data: Option<Value>,
    #[serde(default)]
    pub(super) errors: Option<Vec<GraphqlError>>,
}

/// An error. It is looked at, and never shown: it repeats what was sent.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct GraphqlError(Value);

/// A page of a connection.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    pub(super) edges: Vec<Edge<T>>,
    pub(super) page_info: PageInfo,
}

/// One row of a page, and its place.
#[derive(Deserialize)]
pub(super) struct Edge<T> {
    pub(super) cursor: String,
    pub(super) node: T,
}

/// Whether there are more rows; `endCursor` is in no public client.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
}

/// An answer whose one field is called `rows`.
#[derive(Deserialize)]
pub(super) struct Rows<T> {
    pub(super) rows: T,
}

/// What a mutation answers with; in any order.
#[derive(Deserialize)]
pub(super) struct Added {
    pub(super) edges: Vec<AddedEdge>,
}

/// One thing that was added.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddedEdge {
    #[serde(default)]
    pub(super) client_id: Option<String>,
    #[serde(rename = "node")]
    pub(super) _node: Node,
}

/// A row of which only the id is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Node {
    #[serde(rename = "dbId")]
    pub(super) _db_id: DbId,
}

/// An id, which is written as a number or as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) struct DbId(i64);

/// A line in the import queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueueLine {
    pub(super) db_id: DbId,
    pub(super) ext_identifier: Option<String>,
    pub(super) tr_reg_number: Option<i64>,
    pub(super) amount: Option<String>,
}

/// A line in the books.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JournalLine {
    pub(super) ext_identifier: Option<String>,
    pub(super) transaction_number: Option<i64>,
    pub(super) amount: Option<String>,
}

/// What is wrong with a line in the import queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportError {
    pub(super) transaction_db_id: Option<DbId>,
    pub(super) message: Option<String>,
}

/// A row of a register.
#[derive(Deserialize)]
pub(super) struct Coded {
    pub(super) code: Option<String>,
}

/// A webhook as it is registered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    pub(super) db_id: DbId,
    pub(super) description: Option<String>,
    pub(super) url: Option<String>,
    pub(super) state: Option<Coded>,
    pub(super) serialized_payload: Option<String>,
}

impl Envelope {
    /// Reads an answer; what is not one is `None`.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // A list would be read for the object whose members it has in their order.
        let object = bytes.trim_ascii_start().starts_with(b"{");
        object.then(|| serde_json::from_slice(bytes).ok()).flatten()
    }

    /// Says whether there is anything beside the errors.
    pub(super) fn has_data(&self) -> bool {
        match &self.data {
            None | Some(Value::Null) => false,
            Some(Value::Object(fields)) => fields.values().any(|value| !value.is_null()),
            Some(_) => true,
        }
    }
}

impl GraphqlError {
    pub(super) fn message(&self) -> &str {
        self.text("/message").unwrap_or_default()
    }

    /// Returns the code beside the message, which says more than the one inside the extensions.
    pub(super) fn code(&self) -> Option<&str> {
        self.text("/code").or_else(|| self.text("/extensions/code"))
    }

    pub(super) fn reset_at(&self) -> Option<&str> {
        self.text("/extensions/resetAt")
    }

    /// Returns the codes that would have been taken.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = &str> {
        let offered = self.0.pointer("/extensions/exampleValidInputs");
        let offered = offered.and_then(Value::as_array).into_iter().flatten();
        offered.filter_map(|one| one.get("code").and_then(Value::as_str))
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }
}

impl fmt::Debug for GraphqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphqlError").finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for DbId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
        }
        let id = match Written::deserialize(deserializer)? {
            Written::Number(id) => Some(id),
            Written::Text(text) => text.parse().ok(),
        };
        id.map(Self).ok_or_else(|| D::Error::custom("no id"))
    }
}

impl fmt::Display for DbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
