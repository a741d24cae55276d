//! Reading pages.

use jiff::Timestamp;
use url::Url;

use super::adapter::Dynamics365;
use super::cursor::{self, Bookmark};
use super::error::{self, Effect};
use super::rows::Rows;
use super::table::Table;
use super::wire::{self, Page};
use crate::adapter::{Error, ErrorKind, From, Item, Next, Pulled, Result};
use crate::http::Answer;

/// A reading that goes by time of change, for tables whose changes are not tracked.
#[derive(Debug, Clone, Copy)]
struct Scan {
    newest: Option<Timestamp>,
}

/// What to read, and how.
struct Reading {
    url: Url,
    scan: Option<Scan>,
}

impl Dynamics365 {
    pub(super) async fn pull_page(&self, table: &Table, from: &From) -> Result<Pulled> {
        let user = self.client.user().await?;
        let reading = self.reading(table, from)?;
        let answer = self.client.get_page(reading.url, &self.prefer(table)).await?;
        let mut rows = Rows::new(table, Some(user));
        let page = wire::page(&answer.body, &mut rows).map_err(error::misread)?;
        let warnings = warnings(&rows);
        let (items, links) = self.check(page, &answer, reading.scan)?;
        Ok(Pulled {
            items,
            next: links,
            warnings,
        })
    }

    fn reading(&self, table: &Table, from: &From) -> Result<Reading> {
        let bookmark = match from {
            From::Start => None,
            From::Since(cursor) | From::Page(cursor) => Some(Bookmark::read(cursor)?),
        };
        match bookmark {
            None if table.tracks_changes => Ok(Reading {
                url: self.listing(table)?,
                scan: None,
            }),
            None => self.scan(table, None),
            Some(Bookmark::Mark { newest }) => self.scan(table, newest),
            Some(Bookmark::Link { link }) => Ok(Reading {
                url: self.stored_link(&link)?,
                scan: None,
            }),
            Some(Bookmark::Scan { link, newest }) => Ok(Reading {
                url: self.stored_link(&link)?,
                scan: Some(Scan { newest }),
            }),
        }
    }

    /// Follows a link that we kept; where the environment has moved since, it is worth nothing.
    fn stored_link(&self, link: &str) -> Result<Url> {
        let moved = |_| Error::new(ErrorKind::CursorExpired, "the cursor is of another environment");
        self.client.follow(link).map_err(moved)
    }

    fn listing(&self, table: &Table) -> Result<Url> {
        self.client
            .url(&format!("{}?$select={}", table.entity_set, table.select()))
    }

    /// Ties are no danger: the listing goes on through the system's own links, not by time.
    fn scan(&self, table: &Table, newest: Option<Timestamp>) -> Result<Reading> {
        let since = newest.map(|newest| format!("&$filter=modifiedon ge {:.0}", cursor::since(newest)));
        let resource = format!(
            "{}?$select={}{}&$orderby=modifiedon asc,{} asc",
            table.entity_set,
            table.select(),
            since.unwrap_or_default(),
            table.primary_key
        );
        Ok(Reading {
            url: self.client.url(&resource)?,
            scan: Some(Scan { newest }),
        })
    }

    /// Returns what is asked for along with every page of one listing, the same on each.
    fn prefer(&self, table: &Table) -> String {
        let size = format!("odata.maxpagesize={}", self.settings.page_size);
        match table.tracks_changes {
            true => format!("odata.track-changes,{size}"),
            false => size,
        }
    }

    /// Refuses a page that does not say what comes after it: that is no end.
    fn check(&self, page: Page, answer: &Answer, scan: Option<Scan>) -> Result<(Vec<Item>, Next)> {
        if let Some(body) = page.error {
            let refused = self.client.refused(answer, Effect::Reads);
            return Err(self.client.shutting(refused.with_body(Some(&body), None)));
        }
        let malformed = |message| Err(Error::new(ErrorKind::Malformed, message));
        let Some(items) = page.items else {
            return malformed("the page has no member `value`");
        };
        for link in [&page.next, &page.delta].into_iter().flatten() {
            self.client.follow(link)?;
        }
        let newest = scan.and_then(|scan| newest(&items).max(scan.newest));
        let next = match (page.next, page.delta, scan) {
            (Some(link), None, None) => Next::Page(Bookmark::Link { link }.cursor()),
            (Some(link), None, Some(_)) => Next::Page(Bookmark::Scan { link, newest }.cursor()),
            (None, Some(link), None) => Next::End(Bookmark::Link { link }.cursor()),
            (None, None, Some(_)) => Next::End(Bookmark::Mark { newest }.cursor()),
            (Some(_), Some(_), _) => {
                return malformed("the page says both that more follows and that it is the last");
            }
            (None, _, _) => {
                return malformed("the listing was cut short: the page names neither a next one nor an end");
            }
        };
        Ok((items, next))
    }
}

fn newest(items: &[Item]) -> Option<Timestamp> {
    let modified = items.iter().filter_map(|item| match item {
        Item::Row(row) => row.modified_at,
        Item::Deleted { .. } | Item::Faulty { .. } => None,
    });
    modified.max()
}

fn warnings(rows: &Rows<'_>) -> Vec<String> {
    let lacking = rows
        .table
        .columns
        .iter()
        .enumerate()
        .filter(|(index, _)| rows.lacking >> index & 1 == 1);
    let told = |column: &str| {
        format!(
            "the column {column} of {} is missing from what is read",
            rows.table.logical_name
        )
    };
    lacking.map(|(_, column)| told(&column.name)).collect()
}
