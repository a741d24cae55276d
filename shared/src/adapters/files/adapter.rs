//! Which steps make up an operation.

use async_trait::async_trait;

use super::{Files, Layout};
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Finding, Found, From, Outcome, Pulled, Result, Subscribed,
    Subscription, Usage,
};
use crate::model::{Kind, System};
use crate::transfer;

/// How many changes one push takes: as many as go into one transaction.
const PUSH_BATCH: usize = 40;
/// How many rows are looked up in one go: each time, uploads are read to their end.
const FIND_BATCH: usize = 500;
/// How many waiting files a probe counts.
const COUNTED: usize = 100;

#[async_trait]
impl<L: Layout> Adapter for Files<L> {
    fn system(&self) -> System {
        self.integration.system
    }

    fn capability(&self) -> Capability {
        Capability {
            kinds: self.layout.kinds(),
            push_batch: PUSH_BATCH,
            find_batch: FIND_BATCH,
            pushes_unread: true,
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        Usage::default()
    }

    async fn probe(&self) -> Vec<Finding> {
        let waiting = transfer::list_waiting_files(&*self.stores.store, &self.integration, COUNTED).await;
        let (works, answer) = match waiting {
            Ok(waiting) => (
                true,
                format!("records travel by files; {} wait for a human", waiting.len()),
            ),
            Err(error) => (
                false,
                format!("records travel by files, and those cannot be listed: {error}"),
            ),
        };
        vec![Finding {
            question: "exchange files".to_owned(),
            works,
            cause: (!works).then_some("system"),
            answer,
        }]
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        self.read(kind, from).await
    }

    async fn acknowledge(&self, _: Kind, since: &Cursor) -> Result<()> {
        self.settle(since).await
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        self.hand_over(kind, changes).await
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        self.look_up(kind, ids).await
    }

    /// A file tells of nothing by itself.
    async fn subscribe(&self, _: &Subscription) -> Result<Subscribed> {
        Ok(Subscribed::ByHand)
    }

    async fn unsubscribe(&self, _: &str) -> Result<()> {
        Ok(())
    }
}
