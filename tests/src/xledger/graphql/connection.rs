//! Connections: pages of rows, by cursor.
//!
//! `pageInfo` has no `endCursor`, which appears in no public client: the next page begins after the last edge's cursor.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::error::Refusal;

/// Says which page is asked for.
#[derive(Debug, Default)]
pub(super) struct Ask {
    first: Option<i64>,
    last: Option<i64>,
    before: Option<i64>,
    after: Option<i64>,
}

impl Ask {
    pub(super) fn read(arguments: &Map<String, Value>, field: &str) -> Result<Self, Refusal> {
        let number = |name: &str| arguments.get(name).and_then(Value::as_i64);
        let cursor = |name: &str| {
            let text = arguments.get(name).and_then(Value::as_str);
            let read = |text| {
                place(field, text)
                    .ok_or_else(|| Refusal::invalid_value(name, "It is no cursor of this connection."))
            };
            text.map(read).transpose()
        };
        let ask = Self {
            first: number("first"),
            last: number("last"),
            before: cursor("before")?,
            after: cursor("after")?,
        };
        if ask.first.is_some() && ask.last.is_some() {
            return Err(Refusal::invalid_value("last", "It cannot be used with 'first'."));
        }
        match ask.first.or(ask.last) {
            Some(..1) => Err(Refusal::invalid_value("first", "It must be positive.")),
            _ => Ok(ask),
        }
    }

    /// Returns the page of these rows, which are ordered by id.
    pub(super) fn page(
        &self,
        field: &str,
        mut rows: Vec<Map<String, Value>>,
        largest: usize,
        default: usize,
    ) -> Result<Value, Refusal> {
        let size = self
            .first
            .or(self.last)
            .map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        if size.is_some_and(|size| size > largest) {
            return Err(Refusal::timed_out());
        }
        let all = rows.len();
        rows.retain(|row| self.after.is_none_or(|after| db_id(row) > after));
        let before_range = rows.len() < all;
        let inside = rows.len();
        rows.retain(|row| self.before.is_none_or(|before| db_id(row) < before));
        let after_range = rows.len() < inside;
        let surplus = rows.len().saturating_sub(size.unwrap_or(default));
        let (cut_front, cut_back) = if self.last.is_some() {
            (surplus, 0)
        } else {
            (0, surplus)
        };
        rows.drain(..cut_front);
        rows.truncate(rows.len() - cut_back);
        let edges: Vec<Value> = rows
            .into_iter()
            .map(|row| json!({ "cursor": cursor(field, db_id(&row)), "node": row }))
            .collect();
        Ok(json!({
            "edges": edges,
            "pageInfo": {
                "hasNextPage": cut_back > 0 || after_range, "hasPreviousPage": cut_front > 0 || before_range,
            },
        }))
    }
}

fn db_id(row: &Map<String, Value>) -> i64 {
    row.get("dbId").and_then(Value::as_i64).unwrap_or_default()
}

fn cursor(field: &str, id: i64) -> String {
    STANDARD.encode(format!("{field}:{id}"))
}

fn place(field: &str, cursor: &str) -> Option<i64> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(field)?.strip_prefix(':')?.parse().ok()
}
