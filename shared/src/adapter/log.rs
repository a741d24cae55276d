//! A wrapper that tells of every call, once it is over.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Adapter, Capability, Change, Cursor, Finding, Found, From, Outcome, Pulled, Result, Subscribed,
    Subscription, Usage,
};
use crate::clock::Clock;
use crate::model::{Kind, System};

/// Writes one line for each call: what, how much, how long, and what it ended in.
#[derive(Debug)]
pub struct Log<A> {
    inner: A,
    clock: Arc<dyn Clock>,
}

impl<A: Adapter> Log<A> {
    /// Wraps an adapter.
    pub fn new(inner: A, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    fn tell<T>(
        &self,
        call: &'static str,
        kind: Kind,
        began: Timestamp,
        end: &Result<T>,
        count: impl Fn(&T) -> usize,
    ) {
        let (system, duration_ms) = (
            self.system().as_str(),
            self.clock.now().duration_since(began).as_millis(),
        );
        match end {
            Ok(done) => tracing::info!(
                system,
                call,
                kind = kind.as_str(),
                count = count(done),
                duration_ms,
                "called"
            ),
            Err(error) => {
                let outcome = error.kind().as_str();
                tracing::warn!(system, call, kind = kind.as_str(), outcome, %error, duration_ms, "call failed");
            }
        }
    }

    fn tell_subscription<T: Debug>(&self, call: &'static str, began: Timestamp, end: &Result<T>) {
        let (system, duration_ms) = (
            self.system().as_str(),
            self.clock.now().duration_since(began).as_millis(),
        );
        match end {
            Ok(stands) => tracing::info!(system, call, ?stands, duration_ms, "called"),
            Err(error) => {
                let outcome = error.kind().as_str();
                tracing::warn!(system, call, outcome, %error, duration_ms, "call failed");
            }
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Adapter> Adapter for Log<A> {
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
        let findings = self.inner.probe().await;
        let failed = findings.iter().filter(|finding| !finding.works).count();
        tracing::info!(
            system = self.system().as_str(),
            call = "probe",
            count = findings.len(),
            failed,
            "called"
        );
        findings
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        let began = self.clock.now();
        let end = self.inner.pull(kind, from).await;
        self.tell("pull", kind, began, &end, |pulled| pulled.items.len());
        end
    }

    async fn acknowledge(&self, kind: Kind, since: &Cursor) -> Result<()> {
        let began = self.clock.now();
        let end = self.inner.acknowledge(kind, since).await;
        self.tell("acknowledge", kind, began, &end, |()| 1);
        end
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let began = self.clock.now();
        let end = self.inner.push(kind, changes).await;
        self.tell("push", kind, began, &end, |outcomes| {
            outcomes.iter().filter(|outcome| outcome.is_ok()).count()
        });
        end
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let began = self.clock.now();
        let end = self.inner.find(kind, ids).await;
        self.tell("find", kind, began, &end, Vec::len);
        end
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        let began = self.clock.now();
        let end = self.inner.subscribe(wanted).await;
        self.tell_subscription("subscribe", began, &end);
        end
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        let began = self.clock.now();
        let end = self.inner.unsubscribe(name).await;
        self.tell_subscription("unsubscribe", began, &end);
        end
    }
}
