//! What is known about one run: where it is, what it did, what it cost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::position::Position;
use super::totals::{Cost, Totals};
use crate::model::{IntegrationId, Kind, RunId};
use crate::queue::Message;
use crate::store::{Content, Expect, Key, Query, Row, Store, StoreError, Table, Write};

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What has changed since the last run; everything, where there was none.
    #[default]
    Delta,
    /// Everything, and then what is no longer there.
    Full,
    /// Only what is in quarantine.
    Retry,
    /// Only the deletions that a review has approved.
    Approved,
}

/// Who or what started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Somebody, over HTTP.
    Api,
    /// Somebody, by invoking the function.
    Direct,
    /// A schedule.
    Schedule,
    /// A webhook, or what was found out about webhooks.
    Webhook,
}

/// What state a run is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its first slice.
    Queued,
    /// Is being worked on.
    Running,
    /// Waits until [`Run::resume_at`]: the system wants to be left alone, or is down.
    Waiting,
    /// Finished; both sides are equal.
    Succeeded,
    /// Finished; some records are in quarantine or under review.
    Partial,
    /// Stopped for good, with a cause.
    Failed,
    /// Stopped because somebody asked for it.
    Cancelled,
}

/// Why a run failed or waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// A stable word, such as `unauthenticated`.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What a human does about it.
    pub next_action: String,
}

/// One execution of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose records.
    pub integration: IntegrationId,
    /// What it reads.
    pub mode: Mode,
    /// Whether it only counts what it would do.
    pub dry_run: bool,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it.
    pub requested_by: String,
    /// What state it is in.
    pub state: RunState,
    /// Whether somebody asked for it to stop.
    pub cancel_requested: bool,
    /// The number of its next slice.
    pub slice: u32,
    /// Where it is.
    pub position: Position,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// When it goes on, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Timestamp>,
    /// Why it failed or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What an operator should know.
    pub warnings: Vec<String>,
    /// The kinds of which everything was read.
    pub listed: BTreeSet<Kind>,
    /// The version of the field map by which each kind began to be read.
    #[serde(default)]
    pub mappings: BTreeMap<Kind, u32>,
    /// How many records of each kind were linked when it began to be read.
    #[serde(default)]
    pub linked: BTreeMap<Kind, u64>,
    /// The kinds whose reading began anew, since the system had forgotten where it was.
    #[serde(default)]
    pub restarted: BTreeSet<Kind>,
    /// What it did, by kind.
    pub totals: BTreeMap<Kind, Totals>,
    /// What it cost.
    pub cost: Cost,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// Whose records.
    pub integration: IntegrationId,
    /// What to read.
    pub mode: Mode,
    /// Whether only to count what would be done.
    pub dry_run: bool,
    /// What asks.
    pub trigger: Trigger,
    /// Who asks.
    pub requested_by: String,
}

/// The message that has one slice worked.
///
/// # Shape
///
/// `{"run":"0190…","integration":"hlf:dynamics365","slice":3}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceMessage {
    /// The run.
    pub run: RunId,
    /// Whose records.
    pub integration: IntegrationId,
    /// The slice; one that was worked already is passed over.
    pub slice: u32,
}

/// Why a run was not found or not changed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such run.
    #[error("there is no such run")]
    Missing,
    /// It has ended.
    #[error("the run has ended")]
    Ended,
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Run {
    /// Makes the run that was asked for.
    #[must_use]
    pub fn new(request: RunRequest, position: Position, now: Timestamp) -> Self {
        Self {
            id: RunId::at(now),
            integration: request.integration,
            mode: request.mode,
            dry_run: request.dry_run,
            trigger: request.trigger,
            requested_by: request.requested_by,
            state: RunState::Queued,
            cancel_requested: false,
            slice: 0,
            position,
            attempts: 0,
            resume_at: None,
            failure: None,
            warnings: Vec::new(),
            listed: BTreeSet::new(),
            mappings: BTreeMap::new(),
            linked: BTreeMap::new(),
            restarted: BTreeSet::new(),
            totals: BTreeMap::new(),
            cost: Cost::default(),
            opened_at: now,
            finished_at: None,
        }
    }

    /// Says whether nothing more will happen in it.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.finished_at.is_some()
    }

    /// Returns the message that has its next slice worked.
    ///
    /// `wake` tells messages for the same slice apart, so that the queue does not take a second call for the first.
    #[must_use]
    pub fn message(&self, wake: &str) -> Message {
        let body = SliceMessage {
            run: self.id.clone(),
            integration: self.integration.clone(),
            slice: self.slice,
        };
        Message {
            system: self.integration.system,
            group: format!("{}#{wake}", self.integration),
            deduplication: format!("{}-{}-{wake}", self.id, self.slice),
            body: Content::of(&body).body,
        }
    }

    /// Returns where the run is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        run_key(&self.integration, &self.id)
    }
}

pub(super) fn run_key(integration: &IntegrationId, run: &RunId) -> Key {
    let sort = format!("{}{run}", runs_prefix(integration));
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

pub(super) fn last_key(integration: &IntegrationId) -> Key {
    let sort = format!("last#{}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Reads a run.
///
/// # Errors
///
/// `Missing`, and those of the store.
pub async fn read_run(store: &dyn Store, integration: &IntegrationId, id: &RunId) -> Result<Run, RunError> {
    read_row(store, run_key(integration, id))
        .await?
        .map_or(Err(RunError::Missing), |row| Ok(row.decode()?))
}

/// Reads the last run that has ended, if any has.
///
/// # Errors
///
/// Those of the store.
pub async fn read_last(store: &dyn Store, integration: &IntegrationId) -> Result<Option<Run>, StoreError> {
    let Some(row) = read_row(store, last_key(integration)).await? else {
        return Ok(None);
    };
    let last: super::lease::Last = row.decode()?;
    let run = read_row(store, run_key(integration, &last.run)).await?;
    run.map(|row| row.decode()).transpose()
}

/// Lists runs, the newest first, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list_runs(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Run>, Option<String>), StoreError> {
    let organization = integration.organization.as_str();
    let query = Query::new(Table::Control, organization, runs_prefix(integration), limit);
    list(store, &query.after(after).newest_first()).await
}

/// Returns what the places of an integration's runs begin with.
pub(crate) fn runs_prefix(integration: &IntegrationId) -> String {
    format!("run#{}#", integration.system)
}

/// Reads one page of rows, with the place to go on after.
pub(super) async fn list<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    query: &Query,
) -> Result<(Vec<T>, Option<String>), StoreError> {
    let page = store.query(query).await?;
    let rows = page.rows.iter().map(Row::decode).collect::<Result<_, _>>()?;
    Ok((rows, page.next))
}

/// Asks a run to stop at its next checkpoint.
///
/// # Errors
///
/// `Missing`, `Ended`, and those of the store.
pub async fn cancel(store: &dyn Store, integration: &IntegrationId, id: &RunId) -> Result<Run, RunError> {
    loop {
        let row = read_row(store, run_key(integration, id))
            .await?
            .ok_or(RunError::Missing)?;
        let mut run: Run = row.decode()?;
        if run.has_ended() {
            return Err(RunError::Ended);
        }
        run.cancel_requested = true;
        let write = Write::put(row.key.clone(), Expect::Version(row.version), Content::of(&run));
        match store.write(vec![write]).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return answer.map(|()| run).map_err(RunError::from),
        }
    }
}

pub(super) async fn read_row(store: &dyn Store, key: Key) -> Result<Option<Row>, StoreError> {
    Ok(store.get(&[key]).await?.pop().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    /// While a deployment is under way, old code and new code read each other's rows.
    #[test]
    fn rows_as_the_first_version_wrote_them_are_read() {
        let run = r#"{"id":"01900000-0000-7000-8000-000000000000","integration":"hlf:dynamics365","mode":"delta",
            "dryRun":false,"trigger":"api","requestedBy":"administrator","state":"running","cancelRequested":false,
            "slice":3,"position":{"step":"push","kind":"member","after":null},"attempts":0,"warnings":[],
            "listed":["member"],"totals":{"member":{"read":5,"created":5,"linked":5}},
            "cost":{"requests":2,"bytesReceived":10,"rowsRead":1,"rowsWritten":2,"milliseconds":3,"slices":1},
            "openedAt":"2026-01-31T10:00:00Z"}"#;
        let run: Run = serde_json::from_str(run).expect("the run is read");
        assert_eq!((run.slice, run.totals[&Kind::Member].unlinked), (3, 0));
        let link = r#"{"record":"100234","etag":"W/\"915244\"","base":"","active":true}"#;
        let link: Link = serde_json::from_str(link).expect("the link is read");
        assert_eq!(link.mapping, 0);
    }

    #[test]
    fn rows_of_a_later_version_are_read_without_what_is_not_known_yet() {
        let run = Run::new(
            RunRequest {
                integration: "hlf:dynamics365".parse().expect("an id"),
                mode: Mode::Full,
                dry_run: false,
                trigger: Trigger::Api,
                requested_by: "administrator".to_owned(),
            },
            Position::Done,
            Timestamp::UNIX_EPOCH,
        );
        let mut row = serde_json::to_value(&run).expect("a run is JSON");
        row["notKnownYet"] = true.into();
        assert_eq!(serde_json::from_value::<Run>(row).expect("the run is read"), run);
    }
}
