//! Where a thing waits that only a human can decide: too many deletions, or a conflict.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lease::{OpenError, open_at};
use super::position::Position;
use super::quarantine::{self, FoundBy, Quarantined, Side};
use super::run::{self, Mode, Run, RunRequest, read_row};
use crate::integration::audit;
use crate::model::{Group, IntegrationId, Kind, Link, RecordId, RunId};
use crate::records;
use crate::store::{Content, Expect, Key, Query, Store, StoreError, Table, Write};

/// What is to be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Subject {
    /// More rows are gone than the guard lets pass.
    Deletions {
        /// The kind of record.
        kind: Kind,
        /// How many.
        count: u64,
        /// In how many lists they are kept.
        lists: u32,
        /// The run that found them.
        found_by: RunId,
    },
    /// Both sides changed the same groups of a record.
    Conflict {
        /// The kind of record.
        kind: Kind,
        /// The platform's id.
        record: RecordId,
        /// The system's id.
        external: Box<str>,
        /// The groups.
        groups: Vec<Group>,
    },
}

impl Subject {
    /// Returns what may be decided about it.
    #[must_use]
    pub const fn decisions(&self) -> [&'static str; 2] {
        match self {
            Self::Deletions { .. } => ["approve", "reject"],
            Self::Conflict { .. } => ["external", "platform"],
        }
    }
}

/// A thing that waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// What is to be decided.
    #[serde(flatten)]
    pub subject: Subject,
    /// Since when.
    pub opened_at: Timestamp,
}

/// What a human decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The deletions are right.
    Approve,
    /// They are not; the records stay.
    Reject,
    /// The system's values are right.
    External,
    /// The platform's values are right.
    Platform,
}

impl Decision {
    /// Returns the word for it in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::External => "external",
            Self::Platform => "platform",
        }
    }
}

/// Why a review was not decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such review; perhaps somebody has decided it.
    #[error("there is no such review")]
    Missing,
    /// The decision is not one for this subject.
    #[error("deletions are approved or rejected; a conflict is decided for external or platform")]
    Unfit,
    /// A run is active: decide when it has ended.
    #[error("the run {0} is active")]
    Active(RunId),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpenError> for DecideError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Active(run) => Self::Active(run),
            OpenError::Store(error) => Self::Store(error),
        }
    }
}

impl Review {
    /// Returns the name under which it is decided.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.subject {
            Subject::Deletions { kind, found_by, .. } => format!("deletions.{kind}.{found_by}"),
            Subject::Conflict { kind, record, .. } => conflict_id(*kind, record),
        }
    }
}

/// Returns what the places of what waits begin with.
pub(crate) fn prefix(integration: &IntegrationId) -> String {
    format!("review#{}#", integration.system)
}

fn key(integration: &IntegrationId, id: &str) -> Key {
    let sort = format!("{}{id}", prefix(integration));
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns the write that lets a thing wait.
pub(crate) fn write(integration: &IntegrationId, review: &Review) -> Write {
    Write::put(
        key(integration, &review.id()),
        Expect::Anything,
        Content::of(review),
    )
}

/// Returns the write that takes the review of a record back, since there is nothing left to decide.
pub(super) fn remove(integration: &IntegrationId, kind: Kind, record: &RecordId) -> Write {
    Write::delete(key(integration, &conflict_id(kind, record)), Expect::Anything)
}

fn conflict_id(kind: Kind, record: &RecordId) -> String {
    format!("conflict.{kind}.{record}")
}

/// Lists what waits, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Review>, Option<String>), StoreError> {
    let organization = integration.organization.as_str();
    let query = Query::new(Table::Control, organization, prefix(integration), limit);
    run::list(store, &query.after(after)).await
}

/// Carries out a decision; returns the run that does the work, where it takes one.
///
/// `guard` is insisted on where a run is opened.
///
/// Approved deletions are made by a run of their own, which asks the system for each row once more; it is opened in
/// one transaction with the removal of the review.
///
/// # Errors
///
/// `Missing`, `Unfit`, `Active`, and those of the store.
pub async fn decide(
    store: &dyn Store,
    request: RunRequest,
    id: &str,
    decision: Decision,
    guard: Option<Write>,
    now: Timestamp,
) -> Result<Option<Run>, DecideError> {
    let integration = request.integration.clone();
    let row = read_row(store, key(&integration, id))
        .await?
        .ok_or(DecideError::Missing)?;
    let review: Review = row.decode()?;
    let parts = [id, decision.as_str()];
    let audited = audit::write(&integration, &request.requested_by, "decide_review", &parts, now);
    let mut writes = vec![Write::delete(row.key, Expect::Version(row.version)), audited];
    match (review.subject, decision) {
        (
            Subject::Deletions {
                kind,
                lists,
                found_by,
                ..
            },
            Decision::Approve,
        ) => {
            let position = Position::Delete {
                kind,
                since: None,
                lists,
                list: 0,
                found_by,
                approved: true,
            };
            let request = RunRequest {
                mode: Mode::Approved,
                ..request
            };
            writes.extend(guard);
            match open_at(store, request, position, writes, now).await {
                Err(OpenError::Store(StoreError::Refused { .. })) => Err(DecideError::Missing),
                answer => Ok(Some(answer?)),
            }
        }
        (Subject::Deletions { .. }, Decision::Reject) => finish(store, writes).await.map(|()| None),
        (
            Subject::Conflict {
                kind,
                record,
                external,
                groups,
            },
            Decision::External | Decision::Platform,
        ) => {
            let groups: BTreeSet<Group> = groups.into_iter().collect();
            writes.extend(settle(store, &integration, kind, &external, &groups, decision).await?);
            writes.push(match decision {
                Decision::Platform => records::pend(&integration, kind, &record),
                _ => take_again(&integration, kind, external, now),
            });
            finish(store, writes).await.map(|()| None)
        }
        _ => Err(DecideError::Unfit),
    }
}

/// Lets go of held groups.
///
/// For the platform's values nothing more is needed: they differ from what was agreed, and so they are sent. For the
/// system's, the row is marked to win, and to be compared although it has not changed.
async fn settle(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
    external: &str,
    groups: &BTreeSet<Group>,
    decision: Decision,
) -> Result<Vec<Write>, DecideError> {
    let key = records::link_key(integration, kind, external);
    let Some(row) = read_row(store, key).await? else {
        return Ok(Vec::new());
    };
    let mut link: Link = row.decode()?;
    link.held.retain(|group| !groups.contains(group));
    if decision == Decision::External {
        link.etag = None;
        link.settled = groups.clone();
    }
    Ok(vec![Write::put(
        row.key,
        Expect::Version(row.version),
        Content::of(&link),
    )])
}

/// Has a row read once more, though it has not changed.
fn take_again(integration: &IntegrationId, kind: Kind, external: Box<str>, now: Timestamp) -> Write {
    let message = "a review decided for the system's values: they are taken over by the next run".to_owned();
    let (side, found_by) = (Side::Pull, FoundBy::Run(RunId::at(now)));
    let entry = Quarantined {
        kind,
        side,
        id: external,
        field: "review".to_owned(),
        message,
        waits_for_another: false,
        found_by,
        since: now,
    };
    quarantine::put(integration, &entry)
}

async fn finish(store: &dyn Store, writes: Vec<Write>) -> Result<(), DecideError> {
    match store.write(writes).await {
        Err(StoreError::Refused { .. }) => Err(DecideError::Missing),
        answer => Ok(answer?),
    }
}
