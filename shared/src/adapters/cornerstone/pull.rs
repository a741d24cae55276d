//! Reading pages.

use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use url::Url;

use super::adapter::Cornerstone;
use super::columns::{MODIFIED, View};
use super::cursor::{self, Bookmark, Seen};
use super::error::is_forgotten;
use super::rows::Rows;
use crate::adapter::{Error, ErrorKind, From, Item, Next, Pulled, Result};
use crate::http::{Answer, Limits};

/// What to read.
struct Reading {
    url: Url,
    /// What was seen before; nothing at the beginning.
    seen: Option<Seen>,
    /// The newest row of the reading before.
    newest: Option<Timestamp>,
}

impl Cornerstone {
    pub(super) async fn pull_page(&self, from: &From) -> Result<Pulled> {
        let reading = self.reading(from)?;
        let asked_at = self.client.clock.now();
        let size = self.settings.page_size;
        let page = self
            .client
            .get_page(reading.url.clone(), size, Limits::PAGE)
            .await;
        let (page, answer) = page.map_err(|error| match from {
            From::Page(_) => forgotten(error),
            From::Start | From::Since(_) => error,
        })?;
        let Some(rows) = page.value else {
            return Err(Error::new(ErrorKind::Malformed, "the page has no member `value`"));
        };
        let rows = Rows::read(rows, &self.settings.columns);
        self.learn_names(&rows.registrations).await?;
        let seen = reading.seen.unwrap_or_else(|| Seen {
            began: by_both_clocks(asked_at, &answer),
            newest: reading.newest,
        });
        let seen = Seen {
            newest: seen.newest.max(rows.newest),
            ..seen
        };
        let next = match page.next {
            Some(link) => {
                self.client.next(&reading.url, &link)?;
                Next::Page(Bookmark::Page { link, seen }.cursor())
            }
            None => Next::End(seen.mark().cursor()),
        };
        Ok(Pulled {
            items: self.items(&rows).await,
            next,
            warnings: rows.warnings,
        })
    }

    async fn items(&self, rows: &Rows) -> Vec<Item> {
        let (names, words) = (self.names.lock().await, self.settings.vocabulary());
        let item = |one: &super::rows::Registration| one.item(&self.settings.columns, &words, &names);
        rows.registrations.iter().map(item).collect()
    }

    fn reading(&self, from: &From) -> Result<Reading> {
        let bookmark = match from {
            From::Start => Bookmark::Mark { newest: None },
            From::Since(cursor) | From::Page(cursor) => Bookmark::read(cursor)?,
        };
        match bookmark {
            Bookmark::Mark { newest } => {
                let filter = newest.map(|newest| cursor::filter(MODIFIED, newest, self.settings.overlap));
                let select = self.settings.columns.select(View::Transcript);
                Ok(Reading {
                    url: self.client.view(View::Transcript, &select, filter.as_deref())?,
                    seen: None,
                    newest,
                })
            }
            Bookmark::Page { link, seen } => {
                // Where the portal has moved since, the link is worth nothing.
                let moved = |_| Error::new(ErrorKind::CursorExpired, "the cursor is of another portal");
                Ok(Reading {
                    url: self.client.follow(&link).map_err(moved)?,
                    seen: Some(seen),
                    newest: None,
                })
            }
        }
    }
}

/// Links of pages are not known for ever: where one leads nowhere, the reading begins anew.
fn forgotten(error: Error) -> Error {
    let status = error.fact("status").and_then(|status| status.parse::<u16>().ok());
    let status = status.and_then(|status| http::StatusCode::from_u16(status).ok());
    match status.is_some_and(is_forgotten) {
        true => Error::new(
            ErrorKind::CursorExpired,
            "the portal no longer knows the page: everything is read again",
        ),
        false => error,
    }
}

/// Returns the earlier of our time and the portal's.
fn by_both_clocks(ours: Timestamp, answer: &Answer) -> Timestamp {
    let theirs = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
    let theirs = theirs.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    theirs.map_or(ours, |theirs| theirs.min(ours))
}
