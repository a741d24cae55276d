//! Filters: `field`, `field_in`, `field_gt`, `field_gte`, `field_lt`, and `field_lte`, all of which must hold.
//!
//! That filters are named so is known; which fields can be filtered by is inferred but for the few that public clients use.

use std::cmp::Ordering;

use async_graphql::dynamic::{InputObject, InputValue, TypeRef};
use serde_json::{Map, Value};

use super::call::{id, list};
use super::kind::{Column, Kind};
use crate::xledger::ledger::line::money;

const COMPARISONS: [&str; 4] = ["gte", "gt", "lte", "lt"];

/// Returns the input of a filter.
pub(super) fn input(name: &str, columns: &[Column]) -> InputObject {
    columns
        .iter()
        .fold(InputObject::new(name), |input, &(column, kind)| {
            let several = InputValue::new(format!("{column}_in"), TypeRef::named_nn_list(kind.scalar()));
            let input = input.field(kind.input(column)).field(several);
            let ordered = !matches!(kind, Kind::Text | Kind::Flag);
            COMPARISONS
                .iter()
                .filter(|_| ordered)
                .fold(input, |input, comparison| {
                    input.field(kind.input(format!("{column}_{comparison}")))
                })
        })
}

/// Returns whether a row passes a filter.
pub(super) fn passes(row: &Map<String, Value>, filter: &Map<String, Value>, columns: &[Column]) -> bool {
    filter.iter().all(|(condition, wanted)| {
        let found = columns.iter().find_map(|&(column, kind)| {
            let operator = condition.strip_prefix(column)?;
            let operator = operator
                .strip_prefix('_')
                .or_else(|| operator.is_empty().then_some(""))?;
            Some((row.get(column), kind, operator))
        });
        found.is_none_or(|(value, kind, operator)| holds(value, kind, operator, wanted))
    })
}

fn holds(value: Option<&Value>, kind: Kind, operator: &str, wanted: &Value) -> bool {
    let value = value.unwrap_or(&Value::Null);
    let order = |wanted: &Value| compare(value, wanted, kind);
    match operator {
        "in" => list(Some(wanted))
            .iter()
            .any(|wanted| order(wanted) == Some(Ordering::Equal)),
        "gte" => order(wanted).is_some_and(Ordering::is_ge),
        "gt" => order(wanted).is_some_and(Ordering::is_gt),
        "lte" => order(wanted).is_some_and(Ordering::is_le),
        "lt" => order(wanted).is_some_and(Ordering::is_lt),
        _ => order(wanted) == Some(Ordering::Equal),
    }
}

fn compare(value: &Value, wanted: &Value, kind: Kind) -> Option<Ordering> {
    if value.is_null() || wanted.is_null() {
        return (value.is_null() && wanted.is_null()).then_some(Ordering::Equal);
    }
    match kind {
        Kind::Int | Kind::Id => Some(id(value)?.cmp(&id(wanted)?)),
        Kind::Money => Some(money(value.as_str()?)?.cmp(&money(wanted.as_str()?)?)),
        Kind::Number => value.as_f64()?.partial_cmp(&wanted.as_f64()?),
        _ => Some(value.as_str()?.cmp(wanted.as_str()?)),
    }
}
