//! The platform's records: how they are kept, linked and marked for sending.
//!
//! | row | partition | place |
//! | --- | --- | --- |
//! | record | `{organization}#{kind}` | record id |
//! | link | `{organization}#{system}#link#{kind}` | the system's id |
//! | pending | `{organization}#{system}#pending` | `{kind}#{record id}` |
//! | reimbursement | `{organization}#reimbursement` | record id |
//!
//! A pending row says that the platform changed a record which the system has not been told of. It is written in one
//! transaction with the record, and removed on its own version, so that a change made meanwhile is never lost.

mod bulk;
mod list;
mod put;
mod reimbursement;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub use bulk::{Line, LineResult, bulk};
pub use list::{RecordPage, list, read};
pub use put::{Put, PutError, PutOutcome, StoredRecord, Wish, delete, put};
pub use reimbursement::{
    ReimbursementPage, StoredReimbursement, approved, delete_reimbursement, list_reimbursements,
    put_reimbursement, read_reimbursement, read_reimbursements, reimbursement_key,
};

use crate::model::{Fields, IntegrationId, Kind, OrganizationId, Origin, Record, RecordId, System};
use crate::store::{Content, Expect, Key, Row, StoreError, Table, Write};

/// For how long it is remembered that a record was deleted.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a deletion is kept of a record that went out in a file and that no system has told of: as long as by which file.
const ON_ITS_WAY: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A record's row.
///
/// # Shape
///
/// `{"fields":{"lastName":"…"},"modifiedAt":"2026-01-31T10:00:00Z","modifiedBy":"platform","links":{"dynamics365":"…"}}`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    fields: &'a Fields,
    modified_at: Timestamp,
    modified_by: Origin,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    links: &'a BTreeMap<System, Box<str>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    handed_to: &'a BTreeSet<System>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<&'a RecordId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    fields: Map<String, Json>,
    modified_at: Timestamp,
    modified_by: Origin,
    #[serde(default)]
    links: BTreeMap<System, Box<str>>,
    #[serde(default)]
    handed_to: BTreeSet<System>,
    deleted_at: Option<Timestamp>,
    merged_into: Option<RecordId>,
}

/// Returns where a record is kept.
#[must_use]
pub fn record_key(organization: &OrganizationId, kind: Kind, id: &RecordId) -> Key {
    Key::new(Table::Records, record_partition(organization, kind), id.as_str())
}

/// Returns the partition of an organization's records of one kind.
#[must_use]
pub fn record_partition(organization: &OrganizationId, kind: Kind) -> String {
    format!("{organization}#{kind}")
}

/// Returns where a link is kept.
#[must_use]
pub fn link_key(integration: &IntegrationId, kind: Kind, external: &str) -> Key {
    Key::new(Table::Records, link_partition(integration, kind), external)
}

/// Returns the partition of an integration's links of one kind.
#[must_use]
pub fn link_partition(integration: &IntegrationId, kind: Kind) -> String {
    format!("{}#{}#link#{kind}", integration.organization, integration.system)
}

/// Returns where it is kept that the system has not been told of a change.
#[must_use]
pub fn pending_key(integration: &IntegrationId, kind: Kind, id: &RecordId) -> Key {
    Key::new(
        Table::Records,
        pending_partition(integration),
        format!("{kind}#{id}"),
    )
}

/// Returns the partition of an integration's pending rows.
#[must_use]
pub fn pending_partition(integration: &IntegrationId) -> String {
    format!("{}#{}#pending", integration.organization, integration.system)
}

/// Returns the write that marks a record as one that the system must be told of.
///
/// Each one raises the row's version, so that a mark made while an older one is being sent is not lost.
#[must_use]
pub fn pend(integration: &IntegrationId, kind: Kind, id: &RecordId) -> Write {
    let content = Content {
        body: "{}".to_owned(),
        fence: None,
        due: None,
        expires_at: None,
    };
    Write::put(pending_key(integration, kind, id), Expect::Anything, content)
}

impl Record {
    /// Makes a record without fields, to be filled.
    #[must_use]
    pub fn new(id: RecordId, fields: Fields, modified_at: Timestamp, modified_by: Origin) -> Self {
        let (links, deleted_at, merged_into) = (BTreeMap::new(), None, None);
        Self {
            id,
            fields,
            modified_at,
            modified_by,
            links,
            handed_to: BTreeSet::new(),
            deleted_at,
            merged_into,
        }
    }

    /// Says whether the record is there, and not only its deletion.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// Returns what is left of the record when it is deleted: that it was there.
    #[must_use]
    pub fn tombstone(&self, now: Timestamp, by: Origin, merged_into: Option<RecordId>) -> Self {
        let fields = Fields::new(self.fields.kind());
        let (id, links) = (self.id.clone(), self.links.clone());
        Self {
            id,
            fields,
            modified_at: now,
            modified_by: by,
            links,
            handed_to: self.handed_to.clone(),
            deleted_at: Some(now),
            merged_into,
        }
    }

    /// Returns the record as the content of its row.
    ///
    /// That of a deleted one goes by itself when its time is up, but not while a system has a row of it: without it, that
    /// row would be taken for a new one.
    #[must_use]
    pub fn content(&self) -> Content {
        let content = self.written();
        match self.deleted_at {
            Some(at) if self.links.is_empty() && self.handed_to.is_empty() => {
                content.expires_at(at.checked_add(REMEMBERED).unwrap_or(at))
            }
            Some(at) if self.links.is_empty() => content.expires_at(at.checked_add(ON_ITS_WAY).unwrap_or(at)),
            _ => content,
        }
    }

    fn written(&self) -> Content {
        Content::of(&Written {
            fields: &self.fields,
            modified_at: self.modified_at,
            modified_by: self.modified_by,
            links: &self.links,
            handed_to: &self.handed_to,
            deleted_at: self.deleted_at,
            merged_into: self.merged_into.as_ref(),
        })
    }

    /// Reads a record from its row.
    ///
    /// # Errors
    ///
    /// `Malformed`, where the row is not a record of this kind.
    pub fn from_row(kind: Kind, row: &Row) -> Result<Self, StoreError> {
        let malformed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Malformed {
            sort: row.key.sort.clone(),
            source,
        };
        let kept: Kept = row.decode()?;
        let id = row.key.sort.parse().map_err(|error| malformed(Box::new(error)))?;
        let fields = Fields::from_json(kind, &kept.fields)
            .map_err(|errors| malformed(errors.into_iter().next().map_or_else(|| "".into(), Into::into)))?;
        let Kept {
            modified_at,
            modified_by,
            links,
            handed_to,
            deleted_at,
            merged_into,
            ..
        } = kept;
        Ok(Self {
            id,
            fields,
            modified_at,
            modified_by,
            links,
            handed_to,
            deleted_at,
            merged_into,
        })
    }
}
