//! Tables that a process dies on, before or after a write of its choice; and tables that let others go first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Write};

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
        Self {
            store,
            nth,
            side,
            seen: AtomicUsize::new(0),
        }
    }

    /// Says whether the process got as far as to die.
    pub(super) fn died(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.nth
    }

    fn alive(&self) -> Result<(), StoreError> {
        let dead = self.seen.load(Ordering::SeqCst) >= self.nth;
        if dead {
            Err(StoreError::Unavailable("dead".into()))
        } else {
            Ok(())
        }
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

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.alive()?;
        self.store.due(list, now, limit).await
    }
}

/// Lets others go first at each call, so that what runs at once meets.
#[derive(Debug)]
pub(super) struct Yielding(pub(super) MemoryStore);

#[async_trait]
impl Store for Yielding {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        tokio::task::yield_now().await;
        self.0.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        tokio::task::yield_now().await;
        self.0.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        self.0.write(writes).await
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        tokio::task::yield_now().await;
        self.0.due(list, now, limit).await
    }
}

/// Panics whenever it is asked.
#[derive(Debug)]
pub(super) struct Panicking;

#[async_trait]
impl Store for Panicking {
    async fn get(&self, _: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        panic!("canary")
    }

    async fn query(&self, _: &Query) -> Result<Page, StoreError> {
        panic!("canary")
    }

    async fn write(&self, _: Vec<Write>) -> Result<(), StoreError> {
        panic!("canary")
    }

    async fn due(&self, _: Due, _: Timestamp, _: usize) -> Result<Vec<Key>, StoreError> {
        panic!("canary")
    }
}
