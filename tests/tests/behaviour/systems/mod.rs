//! What differs from system to system: how a human there makes, changes and deletes rows, and what they look like.

use serde_json::{Map, Value};
use shared::model::Kind;

use crate::subject::compared;

pub(crate) mod cornerstone;
pub(crate) mod dynamics365;
pub(crate) mod register;
pub(crate) mod xledger;

/// Returns the fields of a row that are compared, each from where the system has it.
fn fields(kind: Kind, row: &Value, place: impl Fn(&str) -> &'static str) -> Value {
    let fields = compared(kind).iter().map(|field| {
        let value = row.pointer(place(field)).cloned();
        ((*field).to_owned(), value.unwrap_or_default())
    });
    Value::Object(Map::from_iter(fields))
}
