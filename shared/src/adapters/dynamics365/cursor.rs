//! Bookmarks of this adapter.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::adapter::{Cursor, Error, ErrorKind};

/// How far a listing by time of change looks back: rows whose transaction ended after that of a later row.
const LOOK_BACK: SignedDuration = SignedDuration::from_mins(5);

/// Where a reading stands.
///
/// # Shape
///
/// `{"at":"link","link":"https://…$deltatoken=…"}`, `{"at":"scan","link":"https://…","newest":"2026-…Z"}` or
/// `{"at":"mark","newest":"2026-…Z"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "lowercase")]
pub(super) enum Bookmark {
    /// The system's own link: the next page, or what has changed since.
    Link { link: String },
    /// The next page of a listing by time of change, and the newest row so far.
    Scan { link: String, newest: Option<Timestamp> },
    /// The end of such a listing.
    Mark { newest: Option<Timestamp> },
}

impl Bookmark {
    /// Reads a bookmark; one that is not ours is as good as expired.
    pub(super) fn read(cursor: &Cursor) -> Result<Self, Error> {
        let expired = |_| Error::new(ErrorKind::CursorExpired, "the cursor is not one of this adapter");
        serde_json::from_str(&cursor.0).map_err(expired)
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).expect("a bookmark is plain JSON"))
    }
}

/// Returns the time from which a listing begins that follows one whose newest row is this.
pub(super) fn since(newest: Timestamp) -> Timestamp {
    newest.checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_reads_back_as_written() {
        let newest = Some("2026-01-31T12:00:00Z".parse().unwrap());
        for bookmark in [
            Bookmark::Link {
                link: "https://x/?a=1".to_owned(),
            },
            Bookmark::Scan {
                link: "https://x/".to_owned(),
                newest,
            },
            Bookmark::Mark { newest: None },
        ] {
            assert_eq!(Bookmark::read(&bookmark.cursor()).unwrap(), bookmark);
        }
    }

    #[test]
    fn a_cursor_of_somebody_else_has_expired() {
        for foreign in ["", "{}", "https://x/", r#"{"at":"page"}"#] {
            let error = Bookmark::read(&Cursor(foreign.to_owned())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CursorExpired);
        }
    }
}
