//! Which calls make up an operation.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::client::Client;
use super::config::Settings;
use super::table::Table;
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, Finding, Found, From, KindCapability, Outcome,
    Pulled, Pushed, References, Result, Subscribed, Subscription, Usage,
};
use crate::http::HttpCounts;
use crate::model::{Kind, System};

/// One organization's environment of Dynamics 365.
#[derive(Debug)]
pub(in crate::adapters) struct Dynamics365 {
    pub(super) settings: Settings,
    pub(super) client: Client,
    taken: Mutex<HttpCounts>,
}

impl Dynamics365 {
    pub(super) fn new(settings: Settings, client: Client) -> Self {
        Self {
            settings,
            client,
            taken: Mutex::default(),
        }
    }

    /// Returns what its calls have cost so far, those for tokens included.
    fn counts(&self) -> HttpCounts {
        self.client.http.counters().read()
    }

    fn table(&self, kind: Kind) -> Result<&Table> {
        let missing = || {
            Error::new(ErrorKind::Unsupported, "the settings map no table for this kind").with("kind", kind)
        };
        self.settings.table(kind).ok_or_else(missing)
    }
}

fn capability(table: &Table) -> KindCapability {
    KindCapability {
        kind: table.kind,
        mapped: table.mapped(),
        tracks_changes: table.tracks_changes,
        pushes: true,
        references: References::ByLink,
        lag: Duration::ZERO,
    }
}

#[async_trait]
impl Adapter for Dynamics365 {
    fn system(&self) -> System {
        System::Dynamics365
    }

    fn capability(&self) -> Capability {
        Capability {
            kinds: self.settings.tables.iter().map(capability).collect(),
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
        self.pull_page(self.table(kind)?, from).await
    }

    /// Nothing is kept back until it is.
    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let outcomes = self.push_changes(self.table(kind)?, changes).await?;
        Ok(Pushed::all_made(outcomes))
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        self.find_rows(self.table(kind)?, ids).await
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        self.see_to(wanted).await
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        self.remove_all(name).await
    }
}
