//! A wrapper that asks again what can be asked again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Adapter, Capability, Change, Cursor, ErrorKind, Finding, Found, From, Outcome, Pulled, Result,
    Subscribed, Subscription, Usage,
};
use crate::clock::Clock;
use crate::model::{Kind, System};

/// How often a read is tried: more would only hide that a system is down.
const ATTEMPTS: u32 = 3;
/// The longest wait before the second attempt; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(400);

/// Repeats reads that ended in `Unavailable`, while there is time.
///
/// Writes are never repeated here: whether one may be is known to who can look up what became of the first.
#[derive(Debug)]
pub struct Retry<A> {
    inner: A,
    clock: Arc<dyn Clock>,
    until: Timestamp,
}

impl<A: Adapter> Retry<A> {
    /// Wraps an adapter.
    pub fn new(inner: A, clock: Arc<dyn Clock>, until: Timestamp) -> Self {
        Self { inner, clock, until }
    }

    async fn repeat<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        call: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        for attempt in 1..ATTEMPTS {
            match call().await {
                // Where changes go another way, it has been down for long: nothing is gained by asking at once.
                Err(error) if self.inner.capability().pushes_unread => return Err(error),
                Err(error) if error.kind() == ErrorKind::Unavailable && self.wait(attempt).await => {
                    tracing::info!(attempt, %error, "asking again");
                }
                end => return end,
            }
        }
        call().await
    }

    /// Waits before the next attempt; says whether there is time for one.
    async fn wait(&self, attempt: u32) -> bool {
        let wait = jitter(FIRST_WAIT * 2_u32.pow(attempt - 1));
        let in_time = self
            .clock
            .now()
            .checked_add(wait * 2)
            .is_ok_and(|then| then < self.until);
        if in_time {
            self.clock.sleep(wait).await;
        }
        in_time
    }
}

/// Takes between half and all of a wait, so that many who failed together do not return together.
fn jitter(most: Duration) -> Duration {
    let [random, ..] = Uuid::new_v4().into_bytes();
    most / 2 + most / 2 * u32::from(random) / u32::from(u8::MAX)
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Adapter> Adapter for Retry<A> {
    fn system(&self) -> System {
        self.inner.system()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    fn usable(&self) -> Result<()> {
        self.inner.usable()
    }

    fn take_usage(&self) -> Usage {
        self.inner.take_usage()
    }

    async fn probe(&self) -> Vec<Finding> {
        self.inner.probe().await
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        self.repeat(|| self.inner.pull(kind, from)).await
    }

    async fn acknowledge(&self, kind: Kind, since: &Cursor) -> Result<()> {
        self.inner.acknowledge(kind, since).await
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        self.inner.push(kind, changes).await
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        self.repeat(|| self.inner.find(kind, ids)).await
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        self.inner.subscribe(wanted).await
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        self.inner.unsubscribe(name).await
    }
}
