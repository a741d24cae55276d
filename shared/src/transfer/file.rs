//! A file of an integration as it is kept: what it is for, and how far it is.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{FieldError, FileId, FilePurpose, FileRowKey, IntegrationId};
use crate::publish::ResultEvent;
use crate::store::{Content, Expect, Key, Table, Write};
use crate::sync::outbox;

/// Begins the place of every file.
pub(crate) const PREFIX: &str = "file#";

/// How long a settled file is known, in days: as long as what is written about who settled it.
const KNOWN_DAYS: i64 = 400;

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileDirection {
    /// From the platform: a human imports it into the system.
    Out,
    /// From the system: a human has exported it there.
    In,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Out: it takes rows.
    Collecting,
    /// Out: it takes no more rows, and is being rendered.
    Closing,
    /// Out: it can be downloaded, and waits for a human to say what became of it.
    Ready,
    /// Out: its rows cannot be written as the system wants them.
    Failed,
    /// Out: a human has imported it into the system.
    Imported,
    /// In: it may be uploaded.
    Announced,
    /// In: it was read to its end, and the next run takes it.
    Accepted,
    /// In: it cannot be taken.
    Refused,
    /// In: a run has taken it.
    Done,
    /// It is not to be used: rows that were to go out by it can be collected again.
    Discarded,
}

/// What a human decided about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    /// Who decided.
    pub by: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// When.
    pub at: Timestamp,
}

/// A file that waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingFile {
    /// Which file.
    pub file: FileId,
    /// Since when.
    pub since: Timestamp,
}

/// Something wrong with a row of a file; nothing of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowFault {
    /// The number of the row, the first after the header is 1; 0 is the file as a whole.
    pub row: u64,
    /// The line of the file that the row begins on, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column, as the file's header calls it.
    pub column: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What was announced of a file that comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    /// The profile, as [`crate::csv::Profile::check`] reads it.
    pub profile: serde_json::Value,
    /// Whether it holds all that there is, so that what is not in it is gone.
    pub complete: bool,
    /// How many rows were refused.
    #[serde(default)]
    pub refused_rows: u64,
}

/// A file, and how far it is.
///
/// # Shape
///
/// ```json
/// {"id":"0190…","direction":"out","purpose":"gl02b","state":"ready","name":"hlf_gl02b_0190….csv","object":"hlf/…",
///  "contentType":"text/csv","rows":2,"bytes":311,"sha256":"…","totals":{"amount":"0.00"},"openedAt":"…",
///  "closedAt":"…","changedAt":"…"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Which file.
    pub id: FileId,
    /// Which way it goes.
    pub direction: FileDirection,
    /// What its rows are for.
    pub purpose: FilePurpose,
    /// How far it is.
    pub state: FileState,
    /// What it is called; none before it is rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The key of its object; none before it is rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How many rows it has; of one that comes in, those that were read without fault.
    pub rows: u64,
    /// How long it is; while it collects, how long its rows are.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Control totals, by name, as exact decimal text.
    #[serde(default)]
    pub totals: BTreeMap<String, String>,
    /// What is wrong with it, or with its rows, as far as it is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<RowFault>,
    /// What was announced of it, where it comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Announced>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By whom, where it comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<Box<str>>,
    /// Since when it takes no more rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// What a human decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// When this was last written.
    pub changed_at: Timestamp,
    /// The last of its rows that has been told when to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retired_to: Option<FileRowKey>,
}

impl FileState {
    /// Every state.
    pub const ALL: &[Self] = &[
        Self::Collecting,
        Self::Closing,
        Self::Ready,
        Self::Failed,
        Self::Imported,
        Self::Announced,
        Self::Accepted,
        Self::Refused,
        Self::Done,
        Self::Discarded,
    ];

    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collecting => "collecting",
            Self::Closing => "closing",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Imported => "imported",
            Self::Announced => "announced",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Done => "done",
            Self::Discarded => "discarded",
        }
    }

    /// Says whether nothing goes on with it until a human does something.
    #[must_use]
    pub const fn waits_for_a_human(self) -> bool {
        matches!(self, Self::Ready | Self::Failed)
    }

    /// Says whether the next run takes it.
    const fn waits_for_a_run(self) -> bool {
        matches!(self, Self::Accepted)
    }
}

impl File {
    /// Opens a file.
    pub(super) fn new(
        direction: FileDirection,
        purpose: &FilePurpose,
        state: FileState,
        now: Timestamp,
    ) -> Self {
        Self {
            id: FileId::at(now),
            direction,
            purpose: purpose.clone(),
            state,
            name: None,
            object: None,
            content_type: None,
            rows: 0,
            bytes: 0,
            sha256: None,
            totals: BTreeMap::new(),
            faults: Vec::new(),
            announced: None,
            opened_at: now,
            opened_by: None,
            closed_at: None,
            decided: None,
            changed_at: now,
            retired_to: None,
        }
    }

    /// Says whether it comes in and holds all that there is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.announced
            .as_ref()
            .is_some_and(|announced| announced.complete)
    }

    /// Returns the write of the file, where it got from `before` to where it is, and what else is written with it: the
    /// word to the platform, its place among those that wait for a human, and its place among those that wait for a run.
    pub(super) fn writes(
        &self,
        integration: &IntegrationId,
        before: Option<(FileState, u64)>,
        due: Option<Timestamp>,
    ) -> Vec<Write> {
        let expect = before.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
        let version = before.map_or(1, |(_, version)| version + 1);
        let mut content = Content::of(self);
        content = match (due, self.known_until()) {
            (Some(due), _) => content.due_at(due),
            (None, Some(until)) => content.expires_at(until),
            (None, None) => content,
        };
        let mut writes = vec![Write::put(file_key(integration, &self.id), expect, content)];
        let was = before.map(|(state, _)| state);
        if was == Some(self.state) {
            return writes;
        }
        writes.extend(self.place(integration, was, FileState::waits_for_a_human, waiting_key));
        writes.extend(self.place(integration, was, FileState::waits_for_a_run, accepted_key));
        if let Some(event) = self.event(integration, version) {
            let name = format!("file.{}.{version:010}", self.id);
            writes.push(outbox::post(integration, &name, &event, self.changed_at));
        }
        writes
    }

    /// Returns the write that puts it among those that wait for somebody, or takes it out.
    fn place(
        &self,
        integration: &IntegrationId,
        was: Option<FileState>,
        waits: fn(FileState) -> bool,
        place: fn(&IntegrationId, &Self) -> Key,
    ) -> Option<Write> {
        let place = place(integration, self);
        let content = WaitingFile {
            file: self.id.clone(),
            since: self.changed_at,
        };
        match (was.is_some_and(waits), waits(self.state)) {
            (false, true) => Some(Write::put(place, Expect::Anything, Content::of(&content))),
            (true, false) => Some(Write::delete(place, Expect::Anything)),
            _ => None,
        }
    }

    /// Says until when it is known, once nothing becomes of it any more.
    fn known_until(&self) -> Option<Timestamp> {
        let days = match self.state {
            FileState::Imported | FileState::Discarded | FileState::Done | FileState::Refused => KNOWN_DAYS,
            // Nobody has uploaded it.
            FileState::Announced => 7,
            _ => return None,
        };
        self.changed_at.checked_add((days * 24).hours()).ok()
    }

    /// Tells that it can be downloaded, or what became of it; holds no personal data.
    fn event(&self, integration: &IntegrationId, version: u64) -> Option<ResultEvent> {
        let mut detail = json!({
            "organizationId": integration.organization,
            "integrationType": integration.system,
            "fileId": self.id,
            "purpose": self.purpose,
            "rows": self.rows,
            "sha256": self.sha256,
        });
        let detail_type = match (self.direction, self.state) {
            (FileDirection::Out, FileState::Ready) => {
                detail["bytes"] = self.bytes.into();
                detail["totals"] = json!(self.totals);
                "file.ready.v1"
            }
            (FileDirection::Out, FileState::Imported | FileState::Discarded) => {
                detail["decision"] = json!(self.state);
                "file.decided.v1"
            }
            _ => return None,
        };
        Some(ResultEvent {
            event_id: format!("{}.{version}", self.id),
            detail_type: detail_type.to_owned(),
            time: self.changed_at,
            detail,
        })
    }
}

impl RowFault {
    /// Says what is wrong with a row.
    #[must_use]
    pub fn new(row: u64, fault: FieldError) -> Self {
        Self {
            row,
            line: None,
            column: fault.field,
            reason: fault.reason,
        }
    }
}

fn key(integration: &IntegrationId, sort: String) -> Key {
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns where a file is kept.
#[must_use]
pub fn file_key(integration: &IntegrationId, id: &FileId) -> Key {
    key(integration, format!("{PREFIX}{}#{id}", integration.system))
}

pub(super) fn waiting_prefix(integration: &IntegrationId) -> String {
    format!("file-waiting#{}#", integration.system)
}

fn waiting_key(integration: &IntegrationId, file: &File) -> Key {
    let prefix = waiting_prefix(integration);
    key(integration, format!("{prefix}{}", file.id))
}

pub(super) fn accepted_prefix(integration: &IntegrationId, purpose: &FilePurpose) -> String {
    format!("file-accepted#{}#{purpose}#", integration.system)
}

fn accepted_key(integration: &IntegrationId, file: &File) -> Key {
    let prefix = accepted_prefix(integration, &file.purpose);
    key(integration, format!("{prefix}{}", file.id))
}

/// Returns what the places of an integration's files begin with.
pub(crate) fn files_prefix(integration: &IntegrationId) -> String {
    format!("{PREFIX}{}#", integration.system)
}
