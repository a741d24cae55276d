//! Everything that is left to chance, from one seed: and time, as the runtime pretends it to be.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::super::samples;
use crate::clock::Clock;
use crate::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Write};

#[derive(Debug)]
pub(super) struct Chance {
    dice: Mutex<fastrand::Rng>,
    faults: AtomicBool,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
            faults: AtomicBool::new(true),
        }
    }

    pub(super) fn below(&self, limit: u64) -> u64 {
        self.dice.lock().unwrap().u64(..limit)
    }

    pub(super) fn one_in(&self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    /// Says, while there are faults, whether one strikes.
    pub(super) fn fault(&self, chances: u64) -> bool {
        self.faults.load(SeqCst) && self.one_in(chances)
    }

    pub(super) fn calm(&self) {
        self.faults.store(false, SeqCst);
    }

    /// A point at which a worker may be held still, for moments or for longer than any claim.
    pub(super) async fn point(&self) {
        if self.fault(25) {
            sleep(Duration::from_secs(100 + self.below(7_000))).await;
        } else {
            sleep(Duration::from_millis(self.below(500))).await;
        }
    }
}

#[derive(Debug)]
pub(super) struct Virtual(Instant);

impl Virtual {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        samples::now() + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        sleep(duration).await;
    }
}

/// Tables that take their time, fail, and lose answers.
#[derive(Debug)]
pub(super) struct Chaos {
    pub(super) inner: MemoryStore,
    pub(super) chance: std::sync::Arc<Chance>,
}

impl Chaos {
    async fn pass(&self) -> Result<(), StoreError> {
        self.chance.point().await;
        if self.chance.fault(30) {
            return Err(StoreError::Unavailable("throttled".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Chaos {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.pass().await?;
        self.inner.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.pass().await?;
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.pass().await?;
        let answer = self.inner.write(writes).await;
        self.pass().await?;
        answer
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.inner.due(list, now, limit).await
    }
}
