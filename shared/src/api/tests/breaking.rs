//! Tables that a process dies on: before or after a write of its choice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::store::{Key, Page, Query, Row, Store, StoreError, Write};

/// On which side of a write the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Fails a write, and all that comes after it, as a process does that is no more.
#[derive(Debug)]
pub(super) struct Breaking {
    store: Arc<dyn Store>,
    nth: usize,
    side: Side,
    seen: AtomicUsize,
}

impl Breaking {
    pub(super) fn new(store: Arc<dyn Store>, nth: usize, side: Side) -> Self {
        Self { store, nth, side, seen: AtomicUsize::new(0) }
    }

    /// Says whether the process got as far as to die.
    pub(super) fn died(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.nth
    }

    fn alive(&self) -> Result<(), StoreError> {
        let dead = self.seen.load(Ordering::SeqCst) >= self.nth;
        if dead { Err(StoreError::Unavailable("dead".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Breaking {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.alive()?;
        self.store.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.alive()?;
        self.store.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.alive()?;
        let last = self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.nth;
        if last && self.side == Side::Before {
            return self.alive();
        }
        self.store.write(writes).await?;
        self.alive()
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.alive()?;
        self.store.due(now, limit).await
    }
}
