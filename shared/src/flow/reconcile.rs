//! Does what should have been done and was not: hands over runs that nobody works on, publishes events that nobody did.

use std::sync::Arc;

use serde::Serialize;

use super::{Ports, schedule};
use crate::integration;
use crate::publish::Publish;
use crate::schedule::PREFIX as SCHEDULE;
use crate::scheduler::Scheduler;
use crate::store::{Key, StoreError};
use crate::sync::{self, Woken, outbox};

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
    /// Schedules that were looked at.
    pub schedules: u32,
    /// Rows that could not be dealt with this time.
    pub failed: u32,
}

/// Looks through what is due; one row that fails does not keep the others waiting.
///
/// # Errors
///
/// If the tables do not say what is due.
pub async fn sweep(
    ports: &Ports,
    publish: &Arc<dyn Publish>,
    scheduler: &Arc<dyn Scheduler>,
) -> Result<Mended, StoreError> {
    let mut mended = Mended::default();
    let mut due = ports.store.due(ports.now(), BATCH).await?;
    // Runs first: they do not wait for a bus that is down.
    due.sort_by_key(|key| {
        (
            key.sort.starts_with(outbox::PREFIX),
            key.sort.starts_with(SCHEDULE),
        )
    });
    for key in due {
        let place = key.sort.clone();
        let done = if place.starts_with(SCHEDULE) {
            mended.schedules += 1;
            schedule::look(ports, scheduler, &key).await.map(drop)
        } else {
            mend(ports, publish, key, &mut mended).await.map_err(Into::into)
        };
        if let Err(error) = done {
            tracing::error!(row = %place, %error, "could not mend");
            mended.failed += 1;
        }
    }
    Ok(mended)
}

async fn mend(
    ports: &Ports,
    publish: &Arc<dyn Publish>,
    key: Key,
    mended: &mut Mended,
) -> Result<(), StoreError> {
    if key.sort.starts_with(outbox::PREFIX) {
        let done = outbox::publish(&*ports.store, &**publish, key, ports.now()).await?;
        mended.published += u32::from(done);
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
    match ports.queue.send(run.message(&wake)).await {
        Ok(()) => mended.woken += 1,
        Err(error) => {
            tracing::warn!(run.id = %run.id, ?error, "the queue did not take the slice");
            mended.failed += 1;
        }
    }
    Ok(())
}
