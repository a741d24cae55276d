//! The tables on DynamoDB.
//!
//! | attribute    | type | what                                                                   |
//! | ------------ | ---- | ---------------------------------------------------------------------- |
//! | `pk`, `sk`   | S    | the key: partition and place                                           |
//! | `version`    | N    | up by one with each write                                              |
//! | `fence`      | N    | of the last claimed work that wrote the row; absent if none did        |
//! | `body`       | S    | JSON                                                                   |
//! | `due_at`     | N    | milliseconds since the epoch; only on the control table                |
//! | `due`        | S    | the list of a row with a `due_at`: `due`, for `reconcile`, or `tokens` |
//! | `expires_at` | N    | seconds since the epoch, as the table's time to live wants it          |
//! | `attempt`    | S    | which single write last put the row, so that its repetition is known   |
//!
//! The control table has a sparse index `due`, keys only: hash `due`, range `due_at`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use jiff::Timestamp;

use super::counts::Counter;
use super::limits::{self, Unacceptable};
use super::{Counts, Due, Key, Page, Query, Row, Store, StoreError, Table, Write};
use crate::config::Tables;

mod batch;
mod conflict;
mod expression;
mod failure;
mod item;
mod list;
mod single;
mod transaction;

/// The names that the tables have in this deployment: of those that a function works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames(BTreeMap<Table, String>);

impl<const N: usize> From<[(Table, &str); N]> for TableNames {
    fn from(names: [(Table, &str); N]) -> Self {
        Self(names.map(|(table, name)| (table, name.to_owned())).into())
    }
}

impl From<Tables> for TableNames {
    fn from(tables: Tables) -> Self {
        [
            (Table::Control, &*tables.control),
            (Table::Records, &*tables.records),
        ]
        .into()
    }
}

impl TableNames {
    /// Adds a table.
    #[must_use]
    pub fn and(mut self, table: Table, name: String) -> Self {
        self.0.insert(table, name);
        self
    }
}

/// Keeps rows in DynamoDB; clones share the connections and the counts.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    tables: TableNames,
    counter: Arc<Counter>,
}

impl DynamoStore {
    /// Keeps rows through `client`, whose retries also take up transactions that met another.
    #[must_use]
    pub fn new(client: &Client, tables: TableNames) -> Self {
        let config = client.config().to_builder();
        let config = config.retry_classifier(conflict::RetryConflicts).build();
        Self {
            client: Client::from_conf(config),
            tables,
            counter: Arc::default(),
        }
    }

    /// Returns what was asked of the tables so far; units as DynamoDB reports them, which it does not for a
    /// write that it refuses.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counter.counts()
    }

    /// A table that the function was not told of has no name, and DynamoDB refuses it.
    fn name(&self, table: Table) -> &str {
        self.tables.0.get(&table).map_or("", String::as_str)
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        keys.iter().try_for_each(limits::check_key)?;
        self.get_all(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        limits::check_query(query)?;
        self.list(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        limits::check_writes(&writes)?;
        if writes.is_empty() {
            return Ok(());
        }
        match <[Write; 1]>::try_from(writes) {
            Ok([write]) => self.write_one(write).await,
            Err(writes) => self.transact(writes).await,
        }
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        if limit == 0 {
            return Err(Unacceptable::Limit.into());
        }
        self.list_due(list, now, limit).await
    }
}

fn units<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    consumed
        .into_iter()
        .filter_map(ConsumedCapacity::capacity_units)
        .sum()
}
