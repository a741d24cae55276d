use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::dynamic::{ResolverContext, Schema};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::Refusal;
use crate::xledger::ledger::Ledger;
use crate::xledger::token::ApiToken;

/// Says who asks, and when.
pub(in crate::xledger) struct Call {
    pub(in crate::xledger) ledger: Arc<Mutex<Ledger>>,
    pub(in crate::xledger) schema: Schema,
    pub(in crate::xledger) token: ApiToken,
    pub(in crate::xledger) now: Timestamp,
    /// The rows that were sent or read.
    pub(in crate::xledger) rows: Arc<AtomicU64>,
}

impl Call {
    pub(super) fn of<'a>(context: &ResolverContext<'a>) -> async_graphql::Result<&'a Self> {
        context.data::<Self>()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(super) fn may_read(&self, object: &str) -> Result<(), Refusal> {
        let allowed = self.token.read.holds(object);
        allowed
            .then_some(())
            .ok_or_else(|| Refusal::out_of_scope("read", object))
    }

    pub(super) fn may_write(&self, object: &str) -> Result<(), Refusal> {
        let allowed = self.token.write.holds(object);
        allowed
            .then_some(())
            .ok_or_else(|| Refusal::out_of_scope("write", object))
    }
}

/// Returns the arguments of a field with their variables filled in, but for those that are null.
pub(super) fn arguments(context: &ResolverContext<'_>) -> Map<String, Value> {
    let arguments = context.args.iter();
    arguments
        .filter_map(|(name, value)| Some((name.to_string(), value.as_value().clone().into_json().ok()?)))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// Returns a list where GraphQL lets one item stand for a list of one.
pub(super) fn list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(item) => vec![item.clone()],
    }
}

/// Returns an id that was sent as a number or as text.
pub(super) fn id(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
