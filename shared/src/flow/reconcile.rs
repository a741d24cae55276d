//! Does what should have been done and was not: hands over runs that nobody works on, publishes events that nobody did,
//! and tells of credentials that are about to expire.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use serde::Serialize;

use super::{Ports, book, compare, files, orphans, schedule};
use crate::export::{INTENTS, notice};
use crate::inbox;
use crate::integration;
use crate::objects::Objects;
use crate::publish::Publish;
use crate::queue::Message;
use crate::schedule::PREFIX as SCHEDULE;
use crate::scheduler::Scheduler;
use crate::store::{Due, Key, StoreError};
use crate::sync::{self, Woken, outbox};
use crate::transfer;

/// How many due rows are looked at in one go.
const BATCH: usize = 1_000;

/// What was mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mended {
    /// Slices put on their queue once more.
    pub woken: u32,
    /// Runs of integrations that are gone.
    pub abandoned: u32,
    /// Events published.
    pub published: u32,
    /// Webhooks put on their queue once more.
    pub webhooks: u32,
    /// Registrations of webhooks that were due to be looked at.
    pub registrations: u32,
    /// Vouchers, reimbursements and comparisons that were due.
    pub books: u32,
    /// Credentials of which was told that they are about to expire.
    pub expiring: u32,
    /// Schedules that were looked at.
    pub schedules: u32,
    /// Files that were closed, or whose rows were told when to go.
    pub files: u32,
    /// Calls by the clock that were ended, since no schedule asks for them.
    pub orphans: u32,
    /// Rows that could not be dealt with this time.
    pub failed: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Looks through what is due; one row that fails does not keep the others waiting.
///
/// # Errors
///
/// If the tables do not say what is due.
pub async fn sweep(
    ports: &Ports,
    publish: &Arc<dyn Publish>,
    scheduler: &Arc<dyn Scheduler>,
    objects: &dyn Objects,
) -> Result<Mended, StoreError> {
    let mut mended = Mended::default();
    let mut due = ports.store.due(Due::Reconcile, ports.now(), BATCH).await?;
    // Runs first: they do not wait for a bus that is down.
    due.sort_by_key(|key| {
        (
            key.sort.starts_with(outbox::PREFIX),
            key.sort.starts_with(inbox::EVENTS),
            key.sort.starts_with(SCHEDULE),
            key.sort.starts_with(transfer::PREFIX),
        )
    });
    for key in due {
        let place = key.sort.clone();
        let done = async {
            if place.starts_with(SCHEDULE) {
                mended.schedules += 1;
                schedule::look(ports, scheduler, &key).await.map(drop)
            } else if place.starts_with(transfer::PREFIX) {
                mended.files += u32::from(files::mend(ports, objects, &key).await?);
                Ok(())
            } else {
                mend(ports, publish, key, &mut mended).await
            }
        };
        mended.failed += u32::from(!went_well(&place, done).await);
    }
    if orphans::is_time(ports.now()) {
        let done = async {
            mended.orphans = orphans::end(ports, scheduler).await?;
            Ok(())
        };
        mended.failed += u32::from(!went_well("orphans", done).await);
    }
    Ok(mended)
}

/// Says whether what was done succeeded; what fails, or panics, does not keep the others waiting.
async fn went_well(place: &str, done: impl Future<Output = Result<(), Failure>>) -> bool {
    let failure = match AssertUnwindSafe(done).catch_unwind().await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => error,
        Err(_) => "it panicked".into(),
    };
    tracing::error!(failed = true, row = %place, error = %failure, "could not mend");
    false
}

fn is_of_books(key: &Key) -> bool {
    [INTENTS, notice::PREFIX, compare::PREFIX]
        .iter()
        .any(|prefix| key.sort.starts_with(prefix))
}

/// Returns the message about books that a due row calls for, if it still does.
async fn books(ports: &Ports, key: &Key) -> Result<Option<Message>, StoreError> {
    match &key.sort {
        place if place.starts_with(INTENTS) => book::wake_voucher(ports, key).await,
        place if place.starts_with(notice::PREFIX) => book::wake_notice(ports, key).await,
        _ => compare::wake(ports, key).await,
    }
}

async fn mend(
    ports: &Ports,
    publish: &Arc<dyn Publish>,
    key: Key,
    mended: &mut Mended,
) -> Result<(), Failure> {
    if key.sort.starts_with(outbox::PREFIX) {
        let done = outbox::publish(&*ports.store, &**publish, key, ports.now()).await?;
        mended.published += u32::from(done);
        return Ok(());
    }
    if key.sort.starts_with(integration::EXPIRY) {
        mended.expiring += u32::from(integration::announce(ports, &key).await?);
        return Ok(());
    }
    if key.sort.starts_with(inbox::EVENTS) {
        if let Some(message) = inbox::wake(&*ports.store, &key, ports.now()).await? {
            ports.queue.send(message).await?;
            mended.webhooks += 1;
        }
        return Ok(());
    }
    if key.sort.starts_with(inbox::ENDPOINTS) {
        if let Some(message) = inbox::watch_due(&*ports.store, &key, ports.now()).await? {
            ports.queue.send(message).await?;
            mended.registrations += 1;
        }
        return Ok(());
    }
    if is_of_books(&key) {
        if let Some(message) = books(ports, &key).await? {
            ports.queue.send(message).await?;
            mended.books += 1;
        }
        return Ok(());
    }
    let Some(Woken { run, wake }) = sync::wake(&*ports.store, &key, ports.now()).await? else {
        return Ok(());
    };
    if integration::read(&*ports.store, &run.integration)
        .await?
        .is_none()
    {
        sync::abandon(&*ports.store, &run, ports.now()).await?;
        mended.abandoned += 1;
        return Ok(());
    }
    ports.queue.send(run.message(&wake)).await?;
    mended.woken += 1;
    Ok(())
}
