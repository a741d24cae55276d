//! Which calls make up an operation.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::client::Client;
use super::config::Settings;
use super::map::Vocabulary;
use super::names::Names;
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, Finding, Found, From, KindCapability, Outcome,
    Pulled, Pushed, References, Result, Subscribed, Subscription, Usage,
};
use crate::http::HttpCounts;
use crate::model::{Kind, System};

/// One organization's portal.
#[derive(Debug)]
pub(in crate::adapters) struct Cornerstone {
    pub(super) settings: Settings,
    pub(super) client: Client,
    pub(super) names: tokio::sync::Mutex<Names>,
    taken: Mutex<HttpCounts>,
}

impl Cornerstone {
    pub(super) fn new(settings: Settings, client: Client) -> Self {
        Self {
            settings,
            client,
            names: tokio::sync::Mutex::default(),
            taken: Mutex::default(),
        }
    }

    fn counts(&self) -> HttpCounts {
        self.client.http.counters().read()
    }
}

impl Settings {
    pub(super) const fn vocabulary(&self) -> Vocabulary<'_> {
        Vocabulary {
            statuses: &self.statuses,
            training_types: &self.training_types,
        }
    }
}

fn check(kind: Kind) -> Result<()> {
    match kind {
        Kind::CourseEnrollment => Ok(()),
        _ => Err(
            Error::new(ErrorKind::Unsupported, "Cornerstone keeps nothing of this kind").with("kind", kind),
        ),
    }
}

#[async_trait]
impl Adapter for Cornerstone {
    fn system(&self) -> System {
        System::Cornerstone
    }

    /// Removals are told as changes are: a registration that was taken off a transcript stays in the view.
    fn capability(&self) -> Capability {
        Capability {
            kinds: vec![KindCapability {
                kind: Kind::CourseEnrollment,
                mapped: self.settings.columns.mapped,
                tracks_changes: true,
                pushes: true,
                references: References::ByKey,
                lag: self.settings.overlap.unsigned_abs(),
            }],
            push_batch: super::PUSH_BATCH,
            find_batch: super::FIND_BATCH,
            pushes_unread: false,
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (counts, before) = (self.counts(), *taken);
        *taken = counts;
        Usage {
            requests: counts.requests - before.requests,
            bytes_received: counts.received_bytes - before.received_bytes,
        }
    }

    async fn probe(&self) -> Vec<Finding> {
        self.ask_everything().await
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        check(kind)?;
        self.pull_page(from).await
    }

    /// Nothing is kept back until it is.
    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        check(kind)?;
        let outcomes = self.push_all(changes).await?;
        Ok(Pushed::all_made(outcomes))
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        check(kind)?;
        self.find_all(ids).await
    }

    /// Webhooks are set up in the portal's administration alone.
    async fn subscribe(&self, _: &Subscription) -> Result<Subscribed> {
        Ok(Subscribed::ByHand)
    }

    async fn unsubscribe(&self, _: &str) -> Result<()> {
        Ok(())
    }
}
