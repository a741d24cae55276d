//! A wrapper that cuts calls off before their caller's time is up.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, Finding, Found, From, Outcome, Pulled, Result,
    Subscribed, Subscription, Usage,
};
use crate::clock::Clock;
use crate::model::{Kind, System};

/// Cuts every call off at one instant.
#[derive(Debug)]
pub struct Deadline<A> {
    inner: A,
    clock: Arc<dyn Clock>,
    until: Timestamp,
}

impl<A: Adapter> Deadline<A> {
    /// Wraps an adapter.
    pub fn new(inner: A, clock: Arc<dyn Clock>, until: Timestamp) -> Self {
        Self { inner, clock, until }
    }

    fn left(&self) -> Option<Duration> {
        let left = self.until.duration_since(self.clock.now());
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    }

    /// Ends in `cut` what does not end in time; what cannot even begin has done nothing.
    async fn within<T>(&self, cut: ErrorKind, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let Some(left) = self.left() else {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "there was no time left to ask",
            ));
        };
        let late = |_| Err(Error::new(cut, "the time was up before the answer came"));
        tokio::time::timeout(left, call).await.unwrap_or_else(late)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Adapter> Adapter for Deadline<A> {
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
        let probe = async { Ok(self.inner.probe().await) };
        self.within(ErrorKind::Unavailable, probe)
            .await
            .unwrap_or_else(|error| vec![late(&error)])
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        self.within(ErrorKind::Unavailable, self.inner.pull(kind, from))
            .await
    }

    async fn acknowledge(&self, kind: Kind, since: &Cursor) -> Result<()> {
        self.within(ErrorKind::Unavailable, self.inner.acknowledge(kind, since))
            .await
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        self.within(ErrorKind::Unknown, self.inner.push(kind, changes))
            .await
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        self.within(ErrorKind::Unavailable, self.inner.find(kind, ids))
            .await
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        self.within(ErrorKind::Unknown, self.inner.subscribe(wanted))
            .await
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        self.within(ErrorKind::Unknown, self.inner.unsubscribe(name))
            .await
    }
}

fn late(error: &Error) -> Finding {
    Finding {
        question: "answer in time".to_owned(),
        works: false,
        cause: Some("network"),
        answer: error.to_string(),
    }
}
