//! Values: what a column's content says in the platform's words, and the reverse.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::table::{Column, Holds};
use crate::model::Value;

/// What stands in one column of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Whole(i64),
    Text(Cow<'a, str>),
    /// Anything that no mapped column holds: a fraction, a list, an object.
    Other,
}

/// Reads what a column holds.
///
/// # Errors
///
/// What is wrong and what to do, without what it holds.
pub(super) fn read(column: &Column, cell: &Cell<'_>) -> Result<Option<Value>, String> {
    match (&column.holds, cell) {
        (_, Cell::Null) => Ok(None),
        (Holds::Bool, Cell::Bool(truth)) => Ok(Some(Value::Bool(*truth))),
        (Holds::Text, Cell::Text(text)) => parse(column, text),
        (Holds::Date, Cell::Text(text)) => parse(column, text.strip_suffix("T00:00:00Z").unwrap_or(text)),
        (Holds::Choice(words), Cell::Whole(number)) => word(words, *number).map(Some),
        (Holds::Lookup { .. }, Cell::Text(text)) => match guid(text) {
            Some(id) => Ok(Some(Value::Text(id))),
            None => Err(format!(
                "the column {} does not hold the id of a row",
                column.name
            )),
        },
        _ => Err(format!(
            "the column {} does not hold {}",
            column.name,
            expected(&column.holds)
        )),
    }
}

fn parse(column: &Column, text: &str) -> Result<Option<Value>, String> {
    let told = |error: crate::model::FieldError| format!("the column {} {}", column.name, error.reason);
    Value::from_text(column.field, text).map_err(told)
}

fn word(words: &[(String, i64)], number: i64) -> Result<Value, String> {
    let known = words.iter().find(|(_, known)| *known == number);
    let known = known.map(|(word, _)| Value::Text(word.as_str().into()));
    known.ok_or_else(|| "holds a choice that the settings have no word for: add it to `values`".to_owned())
}

const fn expected(holds: &Holds) -> &'static str {
    match holds {
        Holds::Text => "text: map its choices under `values`, or map another column",
        Holds::Date => "a date",
        Holds::Bool => "true or false",
        Holds::Choice(_) => "a choice",
        Holds::Lookup { .. } => "a lookup",
    }
}

/// Puts a field into the body of a write.
///
/// # Errors
///
/// What is wrong and what to do, without the value.
pub(super) fn write(
    column: &Column,
    value: Option<&Value>,
    body: &mut Map<String, Json>,
) -> Result<(), String> {
    let json = match (&column.holds, value) {
        (Holds::Lookup { bind, entity_set }, value) => {
            let target = bound(entity_set, value)?;
            body.insert(format!("{bind}@odata.bind"), target);
            return Ok(());
        }
        (_, None) => Json::Null,
        (Holds::Choice(words), Some(Value::Text(text))) => number(words, text)?,
        (_, Some(Value::Text(text))) => Json::from(&**text),
        (_, Some(Value::Date(date))) => Json::from(date.to_string()),
        (_, Some(Value::Bool(truth))) => Json::from(*truth),
    };
    body.insert(column.name.clone(), json);
    Ok(())
}

fn bound(entity_set: &str, value: Option<&Value>) -> Result<Json, String> {
    match value {
        None => Ok(Json::Null),
        Some(Value::Text(text)) => match guid(text) {
            Some(id) => Ok(format!("{entity_set}({id})").into()),
            None => Err("must be the id of a row in the system".to_owned()),
        },
        Some(_) => Err("must be a reference".to_owned()),
    }
}

fn number(words: &[(String, i64)], text: &str) -> Result<Json, String> {
    let known = words.iter().find(|(word, _)| word == text);
    let known = known.map(|(_, number)| Json::from(*number));
    known.ok_or_else(|| "is a word that the settings have no choice for: add it to `values`".to_owned())
}

/// Returns a row's id in its canonical form.
pub(super) fn guid(text: &str) -> Option<Box<str>> {
    let canonical = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    if text.len() == 36 && text.bytes().enumerate().all(canonical) {
        return Some(text.into());
    }
    Uuid::try_parse(text).ok().map(|id| id.to_string().into())
}

/// Returns the id in a text such as `contacts(guid)`, or the text itself where it is one.
pub(super) fn guid_in_parentheses(text: &str) -> Option<Box<str>> {
    let inner = text.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    guid(inner.unwrap_or(text))
}

/// Returns the instant that a column such as `modifiedon` holds.
pub(super) fn instant(cell: &Cell<'_>) -> Option<Timestamp> {
    match cell {
        Cell::Text(text) => text.parse().ok(),
        _ => None,
    }
}
