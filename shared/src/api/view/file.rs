//! Files of an integration, as the API shows them: never with anything of a row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::objects::Link;
use crate::transfer::{Decided, File, FileDecision, FileDirection, FileState, RowFault};

/// What somebody says of a file before it is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = FileAnnouncement)]
pub(in crate::api) struct AnnouncementBody {
    /// What its rows are: `members`, `memberships` or `course-enrollments`.
    pub(in crate::api) purpose: String,
    /// How it is written: `{"dialect":{"audience":"people"},"columns":[{"name":"email","header":"E-post","type":"text"}]}`.
    /// Left out, the one by which the integration's own files go out, or would.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(in crate::api) profile: Option<Value>,
    /// Whether it holds all that there is, so that what is not in it is gone.
    #[serde(default)]
    pub(in crate::api) complete: bool,
    /// How long it is, in bytes: at most 64 MiB.
    pub(in crate::api) bytes: u64,
    /// Its SHA-256, in hex.
    pub(in crate::api) sha256: String,
}

/// What became of a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileDecisionRequest)]
pub(in crate::api) struct FileDecisionBody {
    /// `imported` or `discarded`.
    #[schema(value_type = String)]
    pub(in crate::api) decision: FileDecision,
    /// Why, in 1 to 500 characters; it is kept with who decided.
    pub(in crate::api) reason: String,
}

/// An address that is good for one file, for some minutes, without an account: do not pass it on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FileLink)]
pub(in crate::api) struct LinkView {
    /// Where to send the request.
    url: String,
    /// The method of the request.
    method: &'static str,
    /// The headers to send with it, as they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    headers: BTreeMap<String, String>,
    /// Until when it is taken.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A file, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = File)]
pub(in crate::api) struct FileView {
    /// Its id; it sorts by time.
    file_id: String,
    /// `out` or `in`.
    #[schema(value_type = String)]
    direction: FileDirection,
    /// What its rows are for.
    purpose: String,
    /// `collecting`, `closing`, `ready`, `failed`, `imported`, `announced`, `accepted`, `refused`, `done` or `discarded`.
    #[schema(value_type = String)]
    state: FileState,
    /// What it is called, once it is rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// How many rows it has, without those with faults.
    rows: u64,
    /// How long it is, in bytes, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// The SHA-256 of its bytes, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Control totals, by column: compare them with what the system shows on import.
    totals: BTreeMap<String, String>,
    /// Whether it holds all that there is, where it comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    /// How many rows were refused, where it comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_rows: Option<u64>,
    /// What is wrong with it: `row`, `line`, `column` and `reason`, 50 of them at the most. Row 0 is the whole file.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<RowFault>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Since when it takes no more rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// When it last got further.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// What became of it: `by`, `reason` and `at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    decided: Option<Decided>,
    /// Where to download it, while it may be used, for a caller who may read records.
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<LinkView>,
    /// Where to put it, in the one answer that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<LinkView>,
}

/// Files.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FileList {
    /// The newest first.
    pub(in crate::api) items: Vec<FileView>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        Self {
            url: link.url,
            method: link.method,
            headers: link.headers,
            expires_at: link.expires_at,
        }
    }
}

impl From<File> for FileView {
    fn from(file: File) -> Self {
        Self {
            file_id: file.id.to_string(),
            direction: file.direction,
            purpose: file.purpose.to_string(),
            state: file.state,
            name: file.name,
            rows: file.rows,
            bytes: file.sha256.is_some().then_some(file.bytes),
            sha256: file.sha256,
            totals: file.totals,
            complete: file.announced.as_ref().map(|announced| announced.complete),
            refused_rows: file.announced.as_ref().map(|announced| announced.refused_rows),
            faults: file.faults,
            opened_at: file.opened_at,
            closed_at: file.closed_at,
            changed_at: file.changed_at,
            decided: file.decided,
            download: None,
            upload: None,
        }
    }
}

impl FileView {
    /// Adds where to download it.
    pub(in crate::api) fn downloaded_at(self, link: Option<Link>) -> Self {
        Self {
            download: link.map(LinkView::from),
            ..self
        }
    }

    /// Adds where to put it.
    pub(in crate::api) fn put_at(self, link: Link) -> Self {
        Self {
            upload: Some(link.into()),
            ..self
        }
    }
}
