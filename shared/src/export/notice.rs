//! Notices: that a reimbursement was approved, changed or deleted, until it was seen to.
//!
//! A notice is written in one transaction with the reimbursement, and is due at once. Whoever sees to it
//! (`flow::book`) compares what the reimbursement says with what is booked of it, and removes the notice on its own
//! version: one that was written meanwhile is another, and stays. A crash in between leaves it due. What only a human can
//! settle is kept as a [`Waiting`] among the reviews, in its place.

#![expect(
    clippy::disallowed_types,
    reason = "what serde derives for a tag names every type of number"
)]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::intent::waiting_key;
use super::reason::Reason;
use crate::integration::audit;
use crate::model::{IntegrationId, RecordId};
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

/// Begins the place of every notice.
pub const PREFIX: &str = "export-notice#";

/// That a reimbursement is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// What a human has decided about it, if one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Settlement>,
    /// Since when.
    pub at: Timestamp,
}

/// What a human decides about a reimbursement that differs from what is booked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// It is looked at once more, and booked if it can be.
    Retry,
    /// What is booked is undone, and booked anew where it still is wanted.
    Correct,
    /// It stays as it is.
    Leave,
}

/// Why a reimbursement waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Cause {
    /// It was approved, and cannot be booked as it is.
    NotExportable {
        /// Every reason.
        faults: Vec<Fault>,
    },
    /// It says something else than what is booked.
    ChangedAfterExport,
    /// It was deleted, and is booked.
    DeletedAfterExport,
}

/// A reimbursement that waits for a human, in its place among the reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Which.
    pub noticed: RecordId,
    /// Why.
    #[serde(flatten)]
    pub cause: Cause,
    /// Since when.
    pub opened_at: Timestamp,
}

/// Returns where a notice is kept.
#[must_use]
pub fn notice_key(integration: &IntegrationId, reimbursement: &RecordId) -> Key {
    let sort = format!("{PREFIX}{}#{reimbursement}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns whose notice is kept at a place.
#[must_use]
pub fn place(key: &Key) -> Option<(IntegrationId, RecordId)> {
    let (system, reimbursement) = key.sort.strip_prefix(PREFIX)?.split_once('#')?;
    let organization = key.partition.parse().ok()?;
    let id = IntegrationId::new(organization, system.parse().ok()?);
    Some((id, reimbursement.parse().ok()?))
}

/// Returns the write that leaves a notice; each raises the version, so that one left meanwhile is not taken for this one.
pub(crate) fn write(integration: &IntegrationId, reimbursement: &RecordId, now: Timestamp) -> Write {
    leave(integration, reimbursement, None, now)
}

fn leave(
    integration: &IntegrationId,
    reimbursement: &RecordId,
    decided: Option<Settlement>,
    now: Timestamp,
) -> Write {
    let content = Content::of(&Notice { decided, at: now }).due_at(now);
    Write::put(notice_key(integration, reimbursement), Expect::Anything, content)
}

/// Reads a notice, with its version.
///
/// # Errors
///
/// Those of the store.
pub async fn read(
    store: &dyn Store,
    integration: &IntegrationId,
    reimbursement: &RecordId,
) -> Result<Option<(Notice, u64)>, StoreError> {
    let key = notice_key(integration, reimbursement);
    let row = store.get(&[key]).await?.pop().flatten();
    row.map(|row| Ok((row.decode()?, row.version))).transpose()
}

/// Takes a notice away that was seen to; what is kept in its place waits for a human.
///
/// # Errors
///
/// Those of the store. A notice that was left meanwhile stays, and is no error.
pub async fn settle(
    store: &dyn Store,
    integration: &IntegrationId,
    reimbursement: &RecordId,
    version: u64,
    waiting: Option<Waiting>,
) -> Result<(), StoreError> {
    let place = waiting_key(integration, reimbursement);
    let kept = match waiting {
        Some(waiting) => Write::put(place, Expect::Anything, Content::of(&waiting)),
        None => Write::delete(place, Expect::Anything),
    };
    let gone = Write::delete(notice_key(integration, reimbursement), Expect::Version(version));
    match store.write(vec![gone, kept]).await {
        Err(StoreError::Refused { .. }) => Ok(()),
        answer => answer,
    }
}

/// Has a notice looked at later.
///
/// # Errors
///
/// As for [`settle`].
pub async fn postpone(
    store: &dyn Store,
    integration: &IntegrationId,
    reimbursement: &RecordId,
    (notice, version): (&Notice, u64),
    until: Timestamp,
) -> Result<(), StoreError> {
    let content = Content::of(notice).due_at(until);
    let key = notice_key(integration, reimbursement);
    match store
        .write(vec![Write::put(key, Expect::Version(version), content)])
        .await
    {
        Err(StoreError::Refused { .. }) => Ok(()),
        answer => answer,
    }
}

/// What came of a decision about a reimbursement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It is carried out.
    Done,
    /// It does not wait, or no more.
    Missing,
    /// It is not a decision for why it waits.
    Unfit,
}

/// Carries out what a human decides about a reimbursement that waits.
///
/// # Errors
///
/// Those of the store.
pub async fn decide(
    store: &dyn Store,
    integration: &IntegrationId,
    reimbursement: &RecordId,
    (settlement, reason): (Settlement, &Reason),
    by: &str,
    now: Timestamp,
) -> Result<Decided, StoreError> {
    let key = waiting_key(integration, reimbursement);
    let Some(row) = store.get(std::slice::from_ref(&key)).await?.pop().flatten() else {
        return Ok(Decided::Missing);
    };
    let waiting: Waiting = row.decode()?;
    if !waiting.cause.decisions().contains(&settlement) {
        return Ok(Decided::Unfit);
    }
    let parts = [reimbursement.as_str(), settlement.as_str(), reason.as_str()];
    let mut writes = vec![
        Write::delete(key, Expect::Version(row.version)),
        audit::write(integration, by, "decide_reimbursement", &parts, now),
    ];
    if settlement != Settlement::Leave {
        writes.push(leave(integration, reimbursement, Some(settlement), now));
    }
    match store.write(writes).await {
        Ok(()) => Ok(Decided::Done),
        Err(StoreError::Refused { .. }) => Ok(Decided::Missing),
        Err(error) => Err(error),
    }
}

impl Settlement {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Correct => "correct",
            Self::Leave => "leave",
        }
    }
}

impl Cause {
    /// Returns what may be decided about it.
    #[must_use]
    pub const fn decisions(&self) -> &'static [Settlement] {
        match self {
            Self::NotExportable { .. } => &[Settlement::Retry, Settlement::Leave],
            Self::ChangedAfterExport | Self::DeletedAfterExport => &[Settlement::Correct, Settlement::Leave],
        }
    }
}
