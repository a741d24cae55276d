//! Where a run is.

use serde::{Deserialize, Serialize};

use crate::adapter::{Cursor, From};
use crate::model::{Kind, RunId};

/// Where a run is: what its next slice begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Position {
    /// Looks up what to read of a kind.
    Begin {
        /// The kind.
        kind: Kind,
    },
    /// Reads the system's rows of a kind.
    Pull {
        /// The kind.
        kind: Kind,
        /// Where to read on.
        from: From,
        /// How many pages were read so far.
        page: u32,
        /// Whether everything is being read, so that what is missing is gone.
        listing: bool,
        /// Whether nothing was ever read of this kind.
        fresh: bool,
        /// How many lists of deletions there are.
        lists: u32,
    },
    /// Looks, after a complete listing, for links whose row was not in it.
    Sweep {
        /// The kind.
        kind: Kind,
        /// Since when later changes will be told.
        since: Cursor,
        /// How many pages the listing had.
        pages: u32,
        /// The link to go on after.
        after: Option<String>,
        /// How many lists of deletions there are.
        lists: u32,
    },
    /// Makes the deletions that were found, unless there are too many.
    Delete {
        /// The kind.
        kind: Kind,
        /// Since when later changes will be told; `None` where a review brought the deletions.
        since: Option<Cursor>,
        /// How many lists of deletions there are.
        lists: u32,
        /// The next list.
        list: u32,
        /// The run that found them.
        found_by: RunId,
        /// Whether a human has said that there are not too many.
        approved: bool,
    },
    /// Tries quarantined records of a kind once more.
    Retry {
        /// The kind.
        kind: Kind,
        /// The quarantine row to go on after.
        after: Option<String>,
    },
    /// Looks for records that the system has never been told of.
    Gather {
        /// The kind.
        kind: Kind,
        /// The record to go on after.
        after: Option<String>,
    },
    /// Writes the platform's changes of a kind to the system.
    Push {
        /// The kind.
        kind: Kind,
        /// The pending row to go on after.
        after: Option<String>,
    },
    /// Nothing is left to do.
    Done,
}
