//! Tables that take their time, and that die, or fail once, at the call that a test names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::clock::ManualClock;
use shared::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Write};

/// What happens at the call that a test names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is gone: nothing that it asks afterwards is answered.
    Death,
    /// That one call is not answered; the next one is.
    Blip,
}

#[derive(Debug)]
pub(crate) struct Mortal {
    pub(crate) rows: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    /// Points passed so far; a write has one before it and one after it.
    passed: AtomicU64,
    /// The point of the fault; zero is never.
    at: AtomicU64,
    dies: AtomicU64,
    /// How long a call takes, in milliseconds.
    takes: AtomicU64,
}

impl Mortal {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            rows: Arc::default(),
            clock,
            passed: AtomicU64::new(0),
            at: AtomicU64::new(0),
            dies: AtomicU64::new(0),
            takes: AtomicU64::new(0),
        }
    }

    /// Lets the fault happen so many points from now.
    pub(crate) fn fail_at(&self, point: u64, fault: Fault) {
        self.passed.store(0, SeqCst);
        self.dies.store(u64::from(fault == Fault::Death), SeqCst);
        self.at.store(point, SeqCst);
    }

    /// Makes everything answer from now on; says whether the fault has happened.
    pub(crate) fn heal(&self) -> bool {
        let at = self.at.swap(0, SeqCst);
        self.passed.load(SeqCst) >= at
    }

    /// Says whether a fault is about to happen, or has happened.
    pub(crate) fn is_faulty(&self) -> bool {
        self.at.load(SeqCst) != 0
    }

    /// Lets each call take some time from now on.
    pub(crate) fn take(&self, time: Duration) {
        self.takes.store(u64::try_from(time.as_millis()).unwrap(), SeqCst);
    }

    fn point(&self) -> Result<(), StoreError> {
        let at = self.at.load(SeqCst);
        if at == 0 {
            return Ok(());
        }
        let passed = self.passed.fetch_add(1, SeqCst) + 1;
        if passed == at || passed > at && self.dies.load(SeqCst) == 1 {
            Err(StoreError::Unavailable("nobody answers".into()))
        } else {
            Ok(())
        }
    }

    fn call(&self) -> Result<(), StoreError> {
        self.clock.advance(Duration::from_millis(self.takes.load(SeqCst)));
        self.point()
    }
}

#[async_trait]
impl Store for Mortal {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.call()?;
        self.rows.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.call()?;
        self.rows.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.call()?;
        let answer = self.rows.write(writes).await;
        self.point()?;
        answer
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.call()?;
        self.rows.due(list, now, limit).await
    }
}
