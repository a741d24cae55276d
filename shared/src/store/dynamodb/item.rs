//! Rows and keys as DynamoDB's items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::store::{Key, Row, StoreError, Table};

pub(super) type Item = HashMap<String, AttributeValue>;

/// The attributes that make up a [`Row`].
pub(super) const ROW: &str = "pk, sk, version, fence, body";

#[derive(Debug, thiserror::Error)]
#[error("the attribute {0} is absent or of another type")]
struct Unreadable(&'static str);

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn key_item(partition: impl Into<String>, sort: impl Into<String>) -> Item {
    Item::from([("pk".to_owned(), text(partition)), ("sk".to_owned(), text(sort))])
}

pub(super) fn key(table: Table, item: &mut Item) -> Result<Key, StoreError> {
    let sort = take_text(item, "sk", "")?;
    let partition = take_text(item, "pk", &sort)?;
    Ok(Key {
        table,
        partition,
        sort,
    })
}

pub(super) fn row(table: Table, mut item: Item) -> Result<Row, StoreError> {
    let key = key(table, &mut item)?;
    let version = read_number(&item, "version").ok_or_else(|| malformed("version", &key.sort))?;
    let body = take_text(&mut item, "body", &key.sort)?;
    let fence = read_number(&item, "fence");
    Ok(Row {
        key,
        version,
        fence,
        body,
    })
}

fn take_text(item: &mut Item, name: &'static str, sort: &str) -> Result<String, StoreError> {
    match item.remove(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(malformed(name, sort)),
    }
}

fn read_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn malformed(name: &'static str, sort: &str) -> StoreError {
    StoreError::Malformed {
        sort: sort.to_owned(),
        source: Box::new(Unreadable(name)),
    }
}
