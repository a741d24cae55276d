//! Which calls make up an operation: Xledger keeps books, and no records of the platform.

use async_trait::async_trait;

use super::config::Settings;
use super::route::{Ways, unfit};
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Error, Finding, Found, From, Outcome, Pulled, Result, Subscribed,
    Subscription, Usage,
};
use crate::model::{Kind, System};

/// One organization's Xledger.
#[derive(Debug)]
pub(super) struct Xledger {
    pub(super) settings: Settings,
    pub(super) ways: Ways,
}

fn no_records() -> Error {
    unfit("Xledger keeps books, and no records of this kind")
}

#[async_trait]
impl Adapter for Xledger {
    fn system(&self) -> System {
        System::Xledger
    }

    fn capability(&self) -> Capability {
        Capability {
            kinds: Vec::new(),
            push_batch: 1,
            find_batch: 1,
            pushes_unread: false,
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        self.ways.meter.take()
    }

    async fn probe(&self) -> Vec<Finding> {
        self.ask_everything().await
    }

    async fn pull(&self, _: Kind, _: &From) -> Result<Pulled> {
        Err(no_records())
    }

    /// Nothing is kept back until it is.
    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, _: Kind, _: &[Change]) -> Result<Vec<Outcome>> {
        Err(no_records())
    }

    async fn find(&self, _: Kind, _: &[Box<str>]) -> Result<Vec<Found>> {
        Err(no_records())
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        self.see_to(wanted).await
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        self.remove_all(name).await
    }
}
