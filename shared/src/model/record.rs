//! A record as the platform keeps it, and its link to an outside system.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Base, Fields, Group, RecordId, System};

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
/// `{"record":"100234","etag":"W/\"915244\"","mapping":1,"base":"3q2-7w8Z…","active":true}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The platform's id.
    pub record: RecordId,
    /// The system's version of the row, opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Box<str>>,
    /// The version of the field map under which the row was last compared; 0 where it did not tell every field.
    #[serde(default)]
    pub mapping: u32,
    /// The fingerprints of what both sides agreed on.
    pub base: Base,
    /// Groups about which a human is deciding: they are neither read nor sent until then.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<Group>,
    /// Groups for which a human has decided that the system is right: it wins when they are next compared.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settled: BTreeSet<Group>,
    /// Whether the row is in use on the other side; some systems refuse changes of one that is not.
    pub active: bool,
    /// When the row was asked for, where it was a webhook that had it taken over and no run has since; of a system whose
    /// pages are behind, also when it was told of a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hinted_at: Option<Timestamp>,
    /// What was put into files and no reading has told back yet, the oldest first: fingerprints of all that each row said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed: Vec<Base>,
}

/// How many rows that went out and were not told back are known: a system that tells none of them back is not told apart from
/// one that has changed everything.
const MOST_HANDED: usize = 4;

impl Link {
    /// Takes note of what was put into a file.
    pub fn hand(&mut self, said: Base) {
        if self.handed.last() != Some(&said) {
            self.handed.push(said);
            let surplus = self.handed.len().saturating_sub(MOST_HANDED);
            self.handed.drain(..surplus);
        }
    }
}
