//! Bookmarks of this adapter.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::adapter::{Cursor, Error, ErrorKind};

/// Where a reading stands.
///
/// # Shape
///
/// `{"at":"page","link":"https://…","began":"2026-…Z","newest":"2026-…Z"}` or `{"at":"mark","newest":"2026-…Z"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "lowercase")]
pub(super) enum Bookmark {
    /// The next page, by the portal's own link, and what was seen before it.
    Page {
        link: String,
        #[serde(flatten)]
        seen: Seen,
    },
    /// The end of a reading.
    Mark { newest: Option<Timestamp> },
}

/// What a reading has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// When it began, by the clock that is behind, ours or the portal's.
    pub(super) began: Timestamp,
    /// When the newest row was changed.
    pub(super) newest: Option<Timestamp>,
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

impl Seen {
    /// Returns the bookmark of the end.
    ///
    /// A row that changes behind the reader, and one whose time lies ahead, must not move the mark past what was not read:
    /// it is never later than the beginning.
    pub(super) fn mark(self) -> Bookmark {
        Bookmark::Mark {
            newest: self.newest.map(|newest| newest.min(self.began)),
        }
    }
}

/// Returns the filter of a reading that follows one whose newest row is this; the views are behind, and not evenly.
pub(super) fn filter(column: &str, newest: Timestamp, overlap: SignedDuration) -> String {
    let since = newest.checked_sub(overlap).unwrap_or(Timestamp::MIN);
    format!("{column} ge {since:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_bookmark_reads_back_as_written() {
        let newest = Some(at("2026-01-31T12:00:00Z"));
        let seen = Seen {
            began: at("2026-01-31T12:30:00Z"),
            newest,
        };
        for bookmark in [
            Bookmark::Page {
                link: "https://x/?a=1".to_owned(),
                seen,
            },
            Bookmark::Mark { newest },
            Bookmark::Mark { newest: None },
        ] {
            assert_eq!(Bookmark::read(&bookmark.cursor()).unwrap(), bookmark);
        }
        for foreign in ["", "{}", "https://x/", r#"{"at":"link"}"#] {
            let error = Bookmark::read(&Cursor(foreign.to_owned())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CursorExpired);
        }
    }

    #[test]
    fn a_mark_is_never_later_than_the_beginning() {
        let began = at("2026-01-31T12:00:00Z");
        let mark = |newest: &str| {
            let newest = Some(at(newest));
            match (Seen { began, newest }).mark() {
                Bookmark::Mark { newest } => newest.unwrap(),
                Bookmark::Page { .. } => panic!("it is the end"),
            }
        };
        assert_eq!(mark("2026-01-31T13:00:00Z"), began);
        assert_eq!(mark("2026-01-31T11:00:00Z"), at("2026-01-31T11:00:00Z"));
        let filter = filter("m", began, SignedDuration::from_mins(20));
        assert_eq!(filter, "m ge 2026-01-31T11:40:00Z");
    }
}
