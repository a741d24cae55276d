//! The tables of a measured sync: everything goes over the wire, and the control rows are remembered too.
//!
//! The stand-in has nothing to read, so that the engine's own rows (runs, leases, lanes, cursors) are kept in memory as
//! well: whatever is insisted on of them is checked, and they are what is read. Record rows are only sent.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::store::{
    Action, Counts, Due, DynamoStore, Key, MemoryStore, Page, Query, Row, Store, StoreError, Table, Write,
};

use crate::price;

/// Keeps control rows, and sends all rows.
#[derive(Debug)]
pub(crate) struct SplitStore {
    control: MemoryStore,
    tables: DynamoStore,
    write_units: AtomicU64,
}

impl SplitStore {
    pub(crate) fn new(tables: DynamoStore) -> Self {
        let (control, write_units) = (MemoryStore::new(), AtomicU64::new(0));
        Self {
            control,
            tables,
            write_units,
        }
    }

    /// Returns what went over the wire.
    pub(crate) fn counts(&self) -> Counts {
        self.tables.counts()
    }

    pub(crate) fn write_units(&self) -> u64 {
        self.write_units.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Store for SplitStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        if keys.iter().all(|key| key.table == Table::Control) {
            self.control.get(keys).await
        } else {
            self.tables.get(keys).await
        }
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        match query.table {
            Table::Control => self.control.query(query).await,
            Table::Records | Table::Registry => self.tables.query(query).await,
        }
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let ours = |write: &&Write| write.key.table == Table::Control;
        let control: Vec<Write> = writes.iter().filter(ours).map(remembered).collect();
        if !control.is_empty() {
            self.control
                .write(control)
                .await
                .map_err(|error| in_place(error, &writes))?;
        }
        self.write_units
            .fetch_add(price::of_writes(&writes), Ordering::Relaxed);
        self.tables.write(writes).await
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.control.due(list, now, limit).await
    }
}

/// Returns a write as memory keeps it: what a page held is for the next run, and would only count as memory of this one.
fn remembered(write: &Write) -> Write {
    let mut write = write.clone();
    if let Action::Put(content) = &mut write.action
        && write.key.sort.starts_with("seen#")
    {
        // Not cloned into the text that is there: that would keep its room.
        content.body = "{}".to_owned();
    }
    write
}

/// Names the refused parts by their places in the whole transaction.
fn in_place(error: StoreError, writes: &[Write]) -> StoreError {
    let places = writes
        .iter()
        .enumerate()
        .filter(|(_, write)| write.key.table == Table::Control);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    match error {
        StoreError::Refused { parts } => StoreError::Refused {
            parts: parts.into_iter().map(|part| places[part]).collect(),
        },
        error => error,
    }
}
