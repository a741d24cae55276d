//! Works what comes from the queue of a system; one slice of a run is worked in three steps.
//!
//! | step | a crash right after it leaves | mended by |
//! | --- | --- | --- |
//! | 1 claim | a lease that nobody works under | `reconcile`, when the lease has run out |
//! | 2 work, up to a checkpoint that hands over, waits or ends | as the checkpoint says | the next slice |
//! | 3 enqueue the next slice, or publish the result event | a run that nobody works on, or an event in the outbox | `reconcile`, when they are due |

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::book::{self, NoticeJob, VoucherJob};
use super::compare::CompareJob;
use super::watch::{self, Registrar, Watch};
use super::{Ports, process};
use crate::adapter::{self, Adapter, ErrorKind};
use crate::export::Books;
use crate::http::Exceptions;
use crate::inbox::{Delivery, Wake};
use crate::integration::{self, Integration};
use crate::publish::Publish;
use crate::store::StoreError;
use crate::sync::{self, ClaimError, Engine, SliceMessage, Worked, outbox};

/// The failure that only another credential mends.
const UNAUTHENTICATED: &str = ErrorKind::Unauthenticated.as_str();

/// Sets up adapters.
#[async_trait]
pub trait Connect: Debug + Send + Sync + 'static {
    /// Returns the adapter of an integration; where it cannot be set up, one that says why.
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter>;

    /// Returns the books of an integration.
    ///
    /// # Errors
    ///
    /// `Unsupported` where its system keeps none, and why they cannot be set up.
    async fn books(&self, integration: &Integration) -> adapter::Result<Arc<dyn Books>> {
        let message = format!("{} keeps no books", integration.id.system);
        Err(adapter::Error::new(ErrorKind::Unsupported, message))
    }
}

/// What a slice is worked with.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The tables, the queues and the time.
    pub ports: Ports,
    /// The bus.
    pub publish: Arc<dyn Publish>,
    /// The adapters.
    pub connect: Arc<dyn Connect>,
    /// Origins outside the rules that the settings of an integration may name.
    pub exceptions: Exceptions,
    /// What webhooks are registered with.
    pub registrar: Registrar,
}

/// What comes from the queue of a system.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Job {
    /// A slice of a run.
    Slice(SliceMessage),
    /// A webhook.
    Delivery(Box<Delivery>),
    /// An event that waits.
    Wake(Wake),
    /// A registration that is to be looked at.
    Watch(Watch),
    /// A voucher that is to be carried on.
    Voucher(VoucherJob),
    /// A reimbursement that was approved, changed or deleted.
    Notice(NoticeJob),
    /// Books that are to be compared with what we say of them.
    Compare(CompareJob),
}

/// Works what comes from the queue.
///
/// # Errors
///
/// Those of the store: the queue delivers it again.
pub async fn work(worker: &Worker, job: &Job) -> Result<(), StoreError> {
    match job {
        Job::Slice(message) => slice(worker, message).await,
        Job::Delivery(delivery) => process::delivered(worker, delivery).await,
        Job::Wake(wake) => process::woken(worker, wake).await,
        Job::Watch(one) => watch::watch(worker, one).await,
        Job::Voucher(one) => book::voucher(worker, one).await,
        Job::Notice(one) => book::noticed(worker, one).await,
        Job::Compare(one) => book::comparison(worker, one).await,
    }
}

/// Works the slice that a message asks for; one that nobody wants any more is passed over.
///
/// # Errors
///
/// Those of the store: the lease runs out, and `reconcile` has the slice worked again.
pub async fn slice(worker: &Worker, message: &SliceMessage) -> Result<(), StoreError> {
    let store = &*worker.ports.store;
    let Some(stored) = integration::read(store, &message.integration).await? else {
        tracing::info!(integration.id = %message.integration, "passed over a run of no integration");
        return Ok(());
    };
    let claim = match sync::claim(
        store,
        &message.integration,
        &message.run,
        message.slice,
        worker.ports.now(),
    )
    .await
    {
        Ok(claim) => claim,
        Err(ClaimError::Store(error)) => return Err(error),
        Err(reason @ (ClaimError::Held(_) | ClaimError::Stale)) => {
            tracing::info!(run.id = %message.run, slice = message.slice, %reason, "passed over a slice");
            return Ok(());
        }
    };
    let adapter = worker.connect.connect(&stored.integration).await;
    let engine = Engine::new(store, &*adapter, &*worker.ports.clock, &stored.integration);
    follow(worker, Box::pin(engine.work(claim)).await?).await
}

/// Does what comes after a slice; what fails here is due, and `reconcile` does it.
async fn follow(worker: &Worker, worked: Worked) -> Result<(), StoreError> {
    match worked {
        Worked::More(run) => {
            tracing::info!(run.id = %run.id, slice = run.slice, cost = ?run.cost, "the run goes on");
            if let Err(error) = worker.ports.queue.send(run.message("next")).await {
                tracing::warn!(run.id = %run.id, ?error, "left the run to reconcile");
            }
        }
        Worked::Waits(run) => {
            tracing::warn!(run.id = %run.id, resume_at = ?run.resume_at, failure = ?run.failure, "the run waits");
        }
        Worked::Ended(run, event) => {
            tracing::info!(run.id = %run.id, state = ?run.state, totals = ?run.totals, cost = ?run.cost, failure = ?run.failure, "the run has ended");
            let missed: u64 = run.totals.values().map(|totals| totals.missed).sum();
            if missed > 0 {
                tracing::warn!(run.id = %run.id, missed_webhooks = missed, "webhooks did not tell of all that has changed");
            }
            if let Some(failure) = run
                .failure
                .as_ref()
                .filter(|failure| failure.code == UNAUTHENTICATED)
            {
                let (id, as_of) = (&run.integration, run.opened_at);
                integration::needs_reauthorization(&worker.ports, id, as_of, &failure.message).await?;
            }
            if let Some(key) = outbox::key_of(&run.integration, &event) {
                outbox::publish(&*worker.ports.store, &*worker.publish, key, worker.ports.now()).await?;
            }
        }
        Worked::Lost => tracing::warn!("another worker has the run"),
    }
    Ok(())
}
