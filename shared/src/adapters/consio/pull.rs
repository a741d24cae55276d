//! Reading pages, and knowing of each whether it is the last.

use http::header::DATE;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;
use xxhash_rust::xxh3::Xxh3;

use super::adapter::Rest;
use super::answers::{Effect, Said, on_the_way};
use super::client::Ask;
use super::cursor::{Bookmark, Listing, Place};
use super::link;
use super::map;
use super::profile::{Changes, InstantForm, Resource, Style};
use super::template::Fill;
use crate::adapter::{Cursor, Error, ErrorKind, From, Item, Next, Pulled, Result};

/// A page as it was answered.
struct Page<'p> {
    url: &'p Url,
    said: &'p Said,
    json: &'p Value,
    rows: usize,
    /// What tells it from every other page.
    digest: u64,
}

impl Rest {
    pub(super) async fn pull_page(&self, resource: &Resource, from: &From) -> Result<Pulled> {
        let mut listing = listing(resource, from)?;
        let url = self.page_url(resource, &listing)?;
        let ask = Ask {
            method: resource.read.method.clone(),
            url: url.clone(),
            body: resource.read.body.clone(),
            if_match: None,
            effect: Effect::Reads,
        };
        let begins = listing.next.is_none() && listing.since.is_none();
        let read = self.client.read(&ask).await;
        let (said, json) = read.map_err(|error| if begins { error } else { on_the_way(error) })?;
        let rows = self.rows(resource, &json)?;
        listing.begun = listing.begun.or_else(|| Some(self.asked_at(&said)));
        let items = rows.iter().map(|row| map::row(resource, row));
        let items: Vec<Item> = items.collect::<Result<_>>()?;
        let page = Page {
            url: &url,
            said: &said,
            json: &json,
            rows: items.len(),
            digest: digest(&items),
        };
        let next = self.after(resource, listing, &page)?;
        Ok(Pulled {
            warnings: lacking(resource, rows),
            items,
            next,
        })
    }

    fn rows<'j>(&self, resource: &Resource, json: &'j Value) -> Result<&'j Vec<Value>> {
        let list = resource.read.list.of(json).and_then(Value::as_array);
        list.ok_or_else(|| {
            let message = "there is no list of rows where the profile says: check `list`";
            Error::new(ErrorKind::Malformed, message).with("kind", resource.kind)
        })
    }

    fn page_url(&self, resource: &Resource, listing: &Listing) -> Result<Url> {
        let read = &resource.read;
        if let Some(Place::Link(link)) = &listing.next {
            // Where the system has moved since, the link is worth nothing.
            let moved = |_| Error::new(ErrorKind::CursorExpired, "the cursor is of another system");
            return self.client.follow(&self.client.base_url, link).map_err(moved);
        }
        let mut url = read.address.url(&self.client.base_url, Fill::default())?;
        let mut parameters: Vec<(&str, String)> = Vec::new();
        if let Some((parameter, size)) = &read.paging.size {
            parameters.push((parameter, size.to_string()));
        }
        match (&read.paging.style, &listing.next) {
            (Style::Page { parameter, first }, next) => {
                let number = if let Some(Place::Number(number)) = next {
                    *number
                } else {
                    *first
                };
                parameters.push((parameter, number.to_string()));
            }
            (Style::Offset { parameter }, next) => {
                let number = if let Some(Place::Number(number)) = next {
                    *number
                } else {
                    0
                };
                parameters.push((parameter, number.to_string()));
            }
            (Style::Cursor { parameter, .. }, Some(Place::Cursor(cursor))) => {
                parameters.push((parameter, cursor.clone()));
            }
            _ => {}
        }
        if let Some((changes, since)) = read.changes.as_ref().zip(listing.since) {
            parameters.push((&changes.parameter, written(changes, since)));
        }
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(url)
    }

    /// Returns when the system answered, by its own clock where it shows one: changes bear its times. A clock that is
    /// ahead of ours is not believed, so that no change is passed over.
    fn asked_at(&self, said: &Said) -> Timestamp {
        let now = self.client.clock.now();
        let date = said.answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let theirs = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        theirs.map_or(now, |theirs| theirs.min(now))
    }

    /// Says what comes after a page.
    fn after(&self, resource: &Resource, mut listing: Listing, page: &Page<'_>) -> Result<Next> {
        listing.rows += page.rows as u64;
        let Some(place) = self.place_after(resource, &listing, page)? else {
            return Ok(Next::End(end(resource, &listing)));
        };
        let mut hash = Xxh3::new();
        hash.update(&page.digest.to_le_bytes());
        if let Place::Cursor(text) | Place::Link(text) = &place {
            hash.update(text.as_bytes());
        }
        listing.laps.pass(hash.digest())?;
        listing.next = Some(place);
        Ok(Next::Page(Bookmark::Page(listing).cursor()))
    }

    /// Returns the next page; none where this is the last. Where pages are counted, an empty one is the last: a page that
    /// has fewer rows than were asked for may only mean that the system gives no more at once.
    fn place_after(&self, resource: &Resource, listing: &Listing, page: &Page<'_>) -> Result<Option<Place>> {
        let paging = &resource.read.paging;
        let cut = |message| Err(Error::new(ErrorKind::Malformed, message));
        let more = match &paging.more {
            None => None,
            Some(pointer) => match pointer.of(page.json) {
                Some(Value::Bool(more)) => Some(*more),
                _ => return cut("the page does not say whether more follow: check `paging.more`"),
            },
        };
        let total = match &paging.total {
            None => None,
            Some(pointer) => match pointer.of(page.json).and_then(Value::as_u64) {
                Some(total) => Some(total),
                None => return cut("the page does not say how many rows there are: check `paging.total`"),
            },
        };
        if page.rows == 0 && (more == Some(true) || total.is_some_and(|total| total > listing.rows)) {
            return cut("the listing was cut short: more rows should follow, and none came");
        }
        let ends = match (more, total) {
            (Some(more), _) => !more,
            (None, Some(total)) => listing.rows >= total,
            (None, None) => page.rows == 0,
        };
        let number = |next: Option<&Place>| {
            if let Some(Place::Number(number)) = next {
                Some(*number)
            } else {
                None
            }
        };
        let place = match &paging.style {
            Style::None => return Ok(None),
            Style::Page { first, .. } => {
                (!ends).then(|| Place::Number(number(listing.next.as_ref()).unwrap_or(*first) + 1))
            }
            Style::Offset { .. } => (!ends).then_some(Place::Number(listing.rows)),
            Style::Cursor { next, .. } => text_at(next.of(page.json))?.map(Place::Cursor),
            Style::Link => match link::next(&page.said.answer.headers) {
                Some(link) => Some(self.link(page, link)?),
                None => None,
            },
            Style::NextLink { next } => match text_at(next.of(page.json))? {
                Some(link) => Some(self.link(page, &link)?),
                None => None,
            },
        };
        match (more, place) {
            (Some(true), None) => {
                cut("the listing was cut short: more should follow, and nothing says where")
            }
            (Some(false), _) => Ok(None),
            (_, place) => Ok(place),
        }
    }

    fn link(&self, page: &Page<'_>, link: &str) -> Result<Place> {
        self.client
            .follow(page.url, link)
            .map(|url| Place::Link(url.into()))
    }
}

/// Returns a cursor or a link; nothing where there is none.
fn text_at(found: Option<&Value>) -> Result<Option<String>> {
    match found {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() <= 4_000 => Ok(Some(text.clone())),
        Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
        Some(_) => {
            let message = "what names the next page is no text: check `paging.next`";
            Err(Error::new(ErrorKind::Malformed, message))
        }
    }
}

fn listing(resource: &Resource, from: &From) -> Result<Listing> {
    let expired = || Error::new(ErrorKind::CursorExpired, "the system tells no changes any more");
    let bookmark = match from {
        From::Start => return Ok(Listing::new(None)),
        From::Since(cursor) | From::Page(cursor) => Bookmark::read(cursor)?,
    };
    match (bookmark, &resource.read.changes) {
        (Bookmark::Page(listing), _) => Ok(listing),
        (Bookmark::Mark { begun }, Some(changes)) => {
            let since = begun.checked_sub(changes.overlap).unwrap_or(Timestamp::MIN);
            Ok(Listing::new(Some(since)))
        }
        (Bookmark::Mark { .. }, None) => Err(expired()),
    }
}

/// Changes are told from when a listing began: what changed while it was read is told again.
fn end(resource: &Resource, listing: &Listing) -> Cursor {
    match (&resource.read.changes, listing.begun) {
        (Some(_), Some(begun)) => Bookmark::Mark { begun }.cursor(),
        _ => Cursor::none(),
    }
}

/// A day is the system's own, in whatever zone: the one before is asked for too.
fn written(changes: &Changes, since: Timestamp) -> String {
    match changes.format {
        InstantForm::Rfc3339 => format!("{since:.0}"),
        InstantForm::UnixSeconds => since.as_second().to_string(),
        InstantForm::Date => {
            let before = since.checked_sub(SignedDuration::from_hours(24)).unwrap_or(since);
            before.to_zoned(TimeZone::UTC).date().to_string()
        }
    }
}

fn digest(items: &[Item]) -> u64 {
    let mut hash = Xxh3::new();
    for item in items {
        let (Item::Deleted { id, .. } | Item::Faulty { id, .. }) = item else {
            let Item::Row(row) = item else { continue };
            hash.update(row.id.as_bytes());
            hash.update(&[0]);
            continue;
        };
        hash.update(id.as_bytes());
        hash.update(&[1]);
    }
    hash.digest()
}

/// Names the mapped places that no row of a page has.
fn lacking(resource: &Resource, rows: &[Value]) -> Vec<String> {
    if rows.is_empty() || resource.read.row.absent_is_empty {
        return Vec::new();
    }
    let nowhere = resource
        .fields
        .iter()
        .filter(|map| rows.iter().all(|row| map.pointer.of(row).is_none()));
    let told = |pointer: &str| format!("nothing stands at {pointer} of {}", resource.kind.plural());
    nowhere.map(|map| told(map.pointer.as_str())).collect()
}
