//! Which requests make up an operation.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::client::Client;
use super::profile::{Profile, Resource};
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, Finding, Found, From, KindCapability, Outcome,
    Pulled, Pushed, References, Result, Subscribed, Subscription, Usage,
};
use crate::http::HttpCounts;
use crate::model::{Kind, System};

/// One organization's system, by its profile.
#[derive(Debug)]
pub(in crate::adapters) struct Rest {
    system: System,
    pub(super) profile: Profile,
    pub(super) client: Client,
    taken: Mutex<HttpCounts>,
}

impl Rest {
    pub(super) fn new(system: System, profile: Profile, client: Client) -> Self {
        Self {
            system,
            profile,
            client,
            taken: Mutex::default(),
        }
    }

    fn resource(&self, kind: Kind) -> Result<&Resource> {
        let missing = || {
            Error::new(
                ErrorKind::Unsupported,
                "the profile has no resource for this kind",
            )
            .with("kind", kind)
        };
        self.profile.resource(kind).ok_or_else(missing)
    }
}

fn capability(resource: &Resource) -> KindCapability {
    let read = &resource.read;
    KindCapability {
        kind: resource.kind,
        mapped: resource.mapped(),
        tracks_changes: read.changes.is_some() && read.row.deleted.is_some(),
        pushes: resource.write.is_some(),
        references: References::ByLink,
        lag: Duration::ZERO,
    }
}

#[async_trait]
impl Adapter for Rest {
    fn system(&self) -> System {
        self.system
    }

    fn capability(&self) -> Capability {
        Capability {
            kinds: self.profile.resources.iter().map(capability).collect(),
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
        let (counts, before) = (self.client.http.counters().read(), *taken);
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
        self.pull_page(self.resource(kind)?, from).await
    }

    /// Nothing is kept back until it is.
    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let outcomes = self.push_changes(self.resource(kind)?, changes).await?;
        Ok(Pushed::all_made(outcomes))
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        self.find_rows(self.resource(kind)?, ids).await
    }

    /// How webhooks are registered is no part of a profile.
    async fn subscribe(&self, _: &Subscription) -> Result<Subscribed> {
        Ok(Subscribed::ByHand)
    }

    async fn unsubscribe(&self, _: &str) -> Result<()> {
        Ok(())
    }
}
