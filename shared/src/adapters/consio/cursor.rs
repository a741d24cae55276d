//! Bookmarks of this adapter, and how a listing that goes in circles is told from one that ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::adapter::{Cursor, Error, ErrorKind, Result};

/// The most pages of one listing: at a hundred rows each, five million.
const MOST_PAGES: u32 = 50_000;

/// Where a reading stands.
///
/// # Shape
///
/// `{"at":"page","next":{"number":3},"begun":"2026-…Z","since":"2026-…Z","rows":200,"laps":{"pages":2,"mark":17,"until":4}}`
/// or `{"at":"mark","begun":"2026-…Z"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "lowercase")]
pub(super) enum Bookmark {
    /// In the middle of a listing.
    Page(Listing),
    /// At the end of one that began then, by the system's clock.
    Mark { begun: Timestamp },
}

/// A listing that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// The page to be read; none is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<Place>,
    /// When its first page was answered, by the system's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<Timestamp>,
    /// Since when changes are asked for; none asks for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// How many rows were read so far.
    #[serde(default)]
    pub(super) rows: u64,
    #[serde(default)]
    pub(super) laps: Laps,
}

/// How a page is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    Number(u64),
    Cursor(String),
    Link(String),
}

/// Looks for pages that come again, in the room of one of them: a page is remembered, then one twice as far on.
///
/// Source: R. P. Brent, "An improved Monte Carlo factorization algorithm" (BIT 20, 1980).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Laps {
    pages: u32,
    mark: u64,
    /// The page at which another one is remembered.
    until: u32,
}

impl Laps {
    /// Takes note of a page.
    ///
    /// # Errors
    ///
    /// `Malformed` where it has come before, or the listing has more pages than any.
    pub(super) fn pass(&mut self, page: u64) -> Result<()> {
        if self.pages > 0 && page == self.mark {
            let message = "the listing goes in circles: a page has come again. Check `paging`";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        self.pages += 1;
        if self.pages > MOST_PAGES {
            let message = "the listing does not end: it has more pages than are read. Check `paging`";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        if self.pages >= self.until {
            self.mark = page;
            self.until = self.pages * 2;
        }
        Ok(())
    }
}

impl Bookmark {
    /// Reads a bookmark; one that is not ours is as good as expired.
    pub(super) fn read(cursor: &Cursor) -> Result<Self> {
        let expired = |_| Error::new(ErrorKind::CursorExpired, "the cursor is not one of this adapter");
        serde_json::from_str(&cursor.0).map_err(expired)
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).expect("a bookmark is plain JSON"))
    }
}

impl Listing {
    pub(super) fn new(since: Option<Timestamp>) -> Self {
        Self {
            next: None,
            begun: None,
            since,
            rows: 0,
            laps: Laps::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bookmark_reads_back_as_written() {
        let begun: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let mut laps = Laps::default();
        laps.pass(u64::MAX).unwrap();
        let places = [
            Place::Number(2),
            Place::Cursor("a".to_owned()),
            Place::Link("https://x/".to_owned()),
        ];
        let pages = places.into_iter().map(|next| {
            Bookmark::Page(Listing {
                next: Some(next),
                begun: Some(begun),
                since: Some(begun),
                rows: 7,
                laps: laps.clone(),
            })
        });
        for bookmark in pages.chain([Bookmark::Mark { begun }, Bookmark::Page(Listing::new(None))]) {
            assert_eq!(Bookmark::read(&bookmark.cursor()).unwrap(), bookmark);
        }
    }

    #[test]
    fn a_cursor_of_somebody_else_has_expired() {
        for foreign in ["", "{}", "https://x/", r#"{"at":"link","link":"x"}"#] {
            let error = Bookmark::read(&Cursor(foreign.to_owned())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CursorExpired);
        }
    }

    #[test]
    fn a_listing_without_an_end_ends_in_an_error() {
        let mut laps = Laps::default();
        let failed = (0..=u64::from(MOST_PAGES)).find(|page| laps.pass(*page).is_err());
        assert_eq!(failed, Some(u64::from(MOST_PAGES)));
    }

    proptest! {
        #[test]
        fn every_circle_is_found_before_it_was_gone_round_four_times(before in 0_u64..50, length in 1_u64..50) {
            let mut laps = Laps::default();
            let page = |step: u64| if step < before { step } else { before + (step - before) % length };
            let found = (0..).find(|step| laps.pass(page(*step)).is_err()).unwrap();
            prop_assert!(found >= length && found <= 4 * (before + length));
        }

        #[test]
        fn no_listing_whose_pages_differ_is_taken_for_a_circle(pages in 1_u64..1_000) {
            let mut laps = Laps::default();
            prop_assert!((0..pages).all(|page| laps.pass(page).is_ok()));
        }
    }
}
