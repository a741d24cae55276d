//! What a human says became of a file, and what follows for its rows.

use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use super::TransferError;
use super::file::{Decided, File, FileDirection, FileState};
use super::list::demand;
use super::render::Render;
use super::rows::{Filed, filed_key, items};
use crate::export::Reason;
use crate::integration::audit;
use crate::model::{FileId, FileRowKey, IntegrationId, Kind};
use crate::objects::Objects;
use crate::records;
use crate::store::{Content, Expect, Key, Store, StoreError, Write};

/// How long the rows of a settled file are kept, in days: what they hold may be personal data.
const ROWS_KEPT_DAYS: i64 = 30;

/// How long it is known by which file a row went out, in days; of what it said, there is a fingerprint only.
const FILED_DAYS: i64 = 400;

/// How many rows are dealt with in one transaction, and how many transactions in one go.
const BATCH: usize = 30;
const BATCHES: usize = 100;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileDecision {
    /// The system has it.
    Imported,
    /// It is not to be used. The system does not have it, and will not get it.
    Discarded,
}

/// A decision, with who took it and why.
#[derive(Debug, Clone, Copy)]
pub struct FileVerdict<'a> {
    /// What is decided.
    pub decision: FileDecision,
    /// Why.
    pub reason: &'a Reason,
    /// Who decided it.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

impl FileDecision {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Discarded => "discarded",
        }
    }

    const fn state(self) -> FileState {
        match self {
            Self::Imported => FileState::Imported,
            Self::Discarded => FileState::Discarded,
        }
    }

    const fn fits(self, state: FileState) -> bool {
        match self {
            Self::Imported => matches!(state, FileState::Ready),
            Self::Discarded => matches!(
                state,
                FileState::Ready
                    | FileState::Failed
                    | FileState::Announced
                    | FileState::Accepted
                    | FileState::Refused
            ),
        }
    }
}

/// Carries out a decision, and keeps who took it and why; what is so decided already stays as it is.
///
/// # Errors
///
/// `Missing`; `Unfit` where the file is not so far, or was decided otherwise; `Store`.
pub async fn decide(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
    verdict: &FileVerdict<'_>,
) -> Result<File, TransferError> {
    loop {
        let (mut file, version) = demand(store, integration, id).await?;
        if file.state == verdict.decision.state() {
            return Ok(file);
        }
        if !verdict.decision.fits(file.state) {
            return Err(TransferError::Unfit(file.state));
        }
        let before = (file.state, version);
        file.state = verdict.decision.state();
        file.changed_at = verdict.now;
        file.decided = Some(Decided {
            by: verdict.by.into(),
            reason: verdict.reason.as_str().into(),
            at: verdict.now,
        });
        let due = (file.direction == FileDirection::Out).then_some(verdict.now);
        let mut writes = file.writes(integration, Some(before), due);
        let parts = [
            file.id.as_str(),
            verdict.decision.as_str(),
            verdict.reason.as_str(),
        ];
        let audit = audit::write(integration, verdict.by, "decide_file", &parts, verdict.now);
        writes.push(audit);
        match store.write(writes).await {
            Ok(()) => return Ok(file),
            Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Deletes the object of a file that came in and is not to be used; where that fails, the bucket drops it after 90 days.
pub async fn put_away(objects: &dyn Objects, file: &File) {
    let is_ours = file.direction == FileDirection::In && file.state == FileState::Discarded;
    let Some(key) = file.object.as_deref().filter(|_| is_ours) else {
        return;
    };
    if let Err(error) = objects.delete(key).await {
        tracing::warn!(file = %file.id, %error, "left the object to the bucket");
    }
}

/// Tells the rows of a settled file when to go, some of them at a time; says whether all have been told.
pub(super) async fn retire(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
    render: Option<&dyn Render>,
    now: Timestamp,
) -> Result<bool, TransferError> {
    let (mut file, version) = demand(store, integration, id).await?;
    if !matches!(file.state, FileState::Imported | FileState::Discarded) {
        return Ok(true);
    }
    let before = (file.state, version);
    let decision = match file.state {
        FileState::Imported => FileDecision::Imported,
        _ => FileDecision::Discarded,
    };
    let again = render.and_then(|render| render.again(&file.purpose, decision));
    let mut told = 0;
    while told < BATCHES {
        let after = file.retired_to.clone();
        match retire_batch(store, integration, &file, again, after.as_ref()).await {
            Ok(Some(last)) => file.retired_to = Some(last),
            Ok(None) => {
                let writes = file.writes(integration, Some(before), None);
                return finish(store, writes).await.map(|()| true);
            }
            // One of the rows is being collected again.
            Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        told += 1;
    }
    let writes = file.writes(integration, Some(before), Some(now));
    finish(store, writes).await.map(|()| false)
}

/// Whoever is refused leaves it to whoever was faster: it is all the same.
async fn finish(store: &dyn Store, writes: Vec<Write>) -> Result<(), TransferError> {
    match store.write(writes).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns the last row that was told; none where there is none any more.
async fn retire_batch(
    store: &dyn Store,
    integration: &IntegrationId,
    file: &File,
    again: Option<Kind>,
    after: Option<&FileRowKey>,
) -> Result<Option<FileRowKey>, StoreError> {
    let rows = items(store, integration, &file.id, after, BATCH).await?;
    let Some(last) = rows.last().map(|(item, _)| item.key.clone()) else {
        return Ok(None);
    };
    let settled = file
        .decided
        .as_ref()
        .map_or(file.changed_at, |decided| decided.at);
    let until = |days: i64| settled.checked_add((days * 24).hours()).unwrap_or(settled);
    let keys: Vec<Key> = rows
        .iter()
        .map(|(item, _)| filed_key(integration, &file.purpose, &item.key))
        .collect();
    let mut writes = Vec::with_capacity(3 * rows.len());
    for (filed, (item, _)) in store.get(&keys).await?.into_iter().zip(&rows) {
        let Some(filed) = filed else { continue };
        let says: Filed = filed.decode()?;
        // It went into another file since: that one tells it.
        if says.file == file.id {
            let content = Content::of(&says).expires_at(until(FILED_DAYS));
            writes.push(Write::put(filed.key, Expect::Version(filed.version), content));
            let record = again.zip(item.key.as_str().parse().ok());
            writes.extend(record.map(|(kind, record)| records::pend(integration, kind, &record)));
        }
    }
    for (item, row) in &rows {
        let content = Content::of(item).expires_at(until(ROWS_KEPT_DAYS));
        writes.push(Write::put(row.key.clone(), Expect::Version(row.version), content));
    }
    store.write(writes).await.map(|()| Some(last))
}
