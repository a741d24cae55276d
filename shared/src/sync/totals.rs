//! What a run did, and what it cost.

use serde::{Deserialize, Serialize};

/// What a run did with the records of one kind.
///
/// `read = created + updated + unchanged + quarantined + reviewed + deleted`, or the run fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Totals {
    /// Rows and deletions that the system told.
    pub read: u64,
    /// Records made on the platform.
    pub created: u64,
    /// Records changed on the platform.
    pub updated: u64,
    /// Rows that said nothing new.
    pub unchanged: u64,
    /// Rows that were refused, and wait in quarantine.
    pub quarantined: u64,
    /// Rows about which a human decides.
    pub reviewed: u64,
    /// Deletions that the system told: made, or waiting for review.
    pub deleted: u64,
    /// Records whose row was missing from a complete listing: made, or waiting for review.
    pub absent: u64,
    /// Records that were removed on the platform, of those two.
    pub removed: u64,
    /// Links made between the two sides.
    pub linked: u64,
    /// Links taken away, since the record is gone on both sides.
    pub unlinked: u64,
    /// Changes of the platform that were sent.
    pub sent: u64,
    /// Rows made on the other side.
    pub pushed_created: u64,
    /// Rows changed on the other side.
    pub pushed_updated: u64,
    /// Rows taken out of use on the other side.
    pub pushed_removed: u64,
    /// Changes that were put into files: the system has them once somebody has imported those.
    pub handed_over: u64,
    /// Changes that were not sent, and stay to be: a warning says what they wait for.
    pub waiting: u64,
    /// Changes that the system refused, and that wait in quarantine.
    pub push_refused: u64,
    /// Changes that a webhook should have told of, and that nobody knew before this run.
    pub missed: u64,
}

/// What a run cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cost {
    /// Requests sent to the system.
    pub requests: u64,
    /// Bytes received from the system, as they travelled.
    pub bytes_received: u64,
    /// Rows read from the tables.
    pub rows_read: u64,
    /// Rows written to the tables.
    pub rows_written: u64,
    /// Time spent working.
    pub milliseconds: u64,
    /// Slices that were worked.
    pub slices: u32,
}

impl Totals {
    /// Says whether everything that was read is accounted for.
    #[must_use]
    pub const fn agree(&self) -> bool {
        let accounted =
            self.created + self.updated + self.unchanged + self.quarantined + self.reviewed + self.deleted;
        self.read == accounted
    }

    /// Adds what another part of the run did.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.quarantined += other.quarantined;
        self.reviewed += other.reviewed;
        self.deleted += other.deleted;
        self.absent += other.absent;
        self.removed += other.removed;
        self.linked += other.linked;
        self.unlinked += other.unlinked;
        self.sent += other.sent;
        self.pushed_created += other.pushed_created;
        self.pushed_updated += other.pushed_updated;
        self.pushed_removed += other.pushed_removed;
        self.handed_over += other.handed_over;
        self.waiting += other.waiting;
        self.push_refused += other.push_refused;
        self.missed += other.missed;
    }
}
