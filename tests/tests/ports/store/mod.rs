//! [`Store`](shared::store::Store): the same behaviour in memory and on DynamoDB.

mod behaviour;
mod dynamodb;
mod likeness;
mod lists;
mod races;

use std::sync::Arc;

use shared::store::{Content, Expect, Key, Row, Store, StoreError, Table, Write};

/// Runs each behaviour in memory and on DynamoDB.
macro_rules! in_memory_and_on_dynamodb {
    ($($behaviour:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                let store = shared::store::MemoryStore::new();
                super::$behaviour(std::sync::Arc::new(store)).await;
            })*
        }

        mod on_dynamodb {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                let dynamo = crate::dynamo::Dynamo::start().await;
                super::$behaviour(std::sync::Arc::new(dynamo.store())).await;
            })*
        }
    };
}
pub(crate) use in_memory_and_on_dynamodb;

fn key(sort: &str) -> Key {
    Key::new(Table::Control, "hlf", sort)
}

fn put(sort: &str, expect: Expect, value: u64) -> Write {
    Write::put(key(sort), expect, Content::of(&value))
}

/// Returns the row at `sort`.
async fn read(store: &dyn Store, sort: &str) -> Option<Row> {
    let rows = store.get(&[key(sort)]).await.unwrap();
    rows.into_iter().next().unwrap()
}

/// Returns the number that the row at `sort` holds.
async fn value(store: &dyn Store, sort: &str) -> Option<u64> {
    read(store, sort).await.map(|row| row.decode().unwrap())
}

/// Returns the parts that a write was refused for; none if it was made.
fn refused_parts(outcome: Result<(), StoreError>) -> Vec<usize> {
    match outcome {
        Ok(()) => Vec::new(),
        Err(StoreError::Refused { parts }) => parts,
        Err(other) => panic!("{other:?}"),
    }
}

/// Writes one row after the other, each as its own.
async fn write_all(store: &Arc<dyn Store>, writes: Vec<Write>) {
    for write in writes {
        store.write(vec![write]).await.unwrap();
    }
}
