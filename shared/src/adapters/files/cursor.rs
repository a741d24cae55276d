//! Bookmarks of readings by files.

use serde::{Deserialize, Serialize};

use crate::adapter::{Cursor, Error, ErrorKind};
use crate::model::FileId;

/// Where a reading stands.
///
/// # Shape
///
/// `{"files":["0190…"],"after":1000,"complete":true,"taken":["018f…"]}`; at the end of a reading `{"taken":["018f…"]}`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bookmark {
    /// What is left to be read, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<FileId>,
    /// The last row that was read of the first of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) after: u64,
    /// Whether what is in none of them is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) complete: bool,
    /// What was read, or passed over since a later listing holds all of it.
    pub(super) taken: Vec<FileId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Bookmark {
    /// Reads a bookmark; one that is not ours is as good as expired.
    pub(super) fn read(cursor: &Cursor) -> Result<Self, Error> {
        let expired = |_| Error::new(ErrorKind::CursorExpired, "the cursor is not one of files");
        serde_json::from_str(&cursor.0).map_err(expired)
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).expect("a bookmark is plain JSON"))
    }
}
