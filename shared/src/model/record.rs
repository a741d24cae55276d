//! A record as the platform keeps it, and its link to an outside system.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fields, Group, RecordId, System};

/// Who changed a record last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody on the platform, over the API.
    Platform,
    /// A sync with this system.
    #[serde(untagged)]
    System(System),
}

/// A record as the platform keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The platform's name of it.
    pub id: RecordId,
    /// What it says.
    pub fields: Fields,
    /// When it was last changed, by the clock of the side that changed it.
    pub modified_at: Timestamp,
    /// Which side changed it last.
    pub modified_by: Origin,
    /// The id that each system knows it by.
    pub links: BTreeMap<System, Box<str>>,
    /// When it was deleted; its fields are gone, its row keeps the version.
    pub deleted_at: Option<Timestamp>,
    /// The record that it was merged into.
    pub merged_into: Option<RecordId>,
}

/// What both sides last agreed on about one linked record: the base of every later comparison.
///
/// # Shape
///
/// `{"record":"100234","etag":"W/\"915244\"","base":{"identity":"9f2c…"},"active":true}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The platform's id.
    pub record: RecordId,
    /// The system's version of the row, opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Box<str>>,
    /// The fingerprint of each group on which both sides agreed.
    pub base: BTreeMap<Group, u64>,
    /// Whether the row is in use on the other side; some systems refuse changes of one that is not.
    pub active: bool,
}
