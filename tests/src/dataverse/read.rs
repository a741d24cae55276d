//! `GET` of listings, deltas, counts, and single rows.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::access::Privilege;
use super::address::Locator;
use super::call::Call;
use super::error::{Outcome, Refusal};
use super::link::{Bookmark, Mode, Position, escape};
use super::query::{Query, select};
use super::render::Renderer;
use super::row::Row;
use super::schema::Table;
use super::server::Dataverse;
use super::store::{Rows, Store};
use super::tracking::{self, Tracked};
use super::write;
use crate::wire::{Answer, Body, Delivery, Page};

/// Holds a page before it is written.
struct Found {
    columns: Vec<usize>,
    rows: Vec<Arc<Row>>,
    deleted: Vec<Uuid>,
    count: Option<usize>,
    next: Option<Position>,
    mark: Option<Bookmark>,
    delta: bool,
}

impl Dataverse {
    pub(super) fn list(&self, call: &Call<'_>, set: &str) -> Outcome<Answer> {
        let (table, found) = {
            let store = self.store();
            let rows = self.readable(&store, call, set)?;
            (Arc::clone(&rows.table), self.find_page(call, rows)?)
        };
        self.recorder
            .count(|counters| counters.rows_served += (found.rows.len() + found.deleted.len()) as u64);
        Ok(self.page(call, &table, &found))
    }

    pub(super) fn count(&self, call: &Call<'_>, set: &str) -> Outcome<Answer> {
        let store = self.store();
        let rows = self.readable(&store, call, set)?;
        let number = match call.options.get("$deltatoken") {
            Some(token) => {
                let mark = self.seal.open_delta_token(set, None, token)?;
                tracking::check_age(rows, &mark, call.now, self.forgotten_before())?;
                rows.changes(mark.version, store.version()).count()
            }
            None => Query::parse(&rows.table, &call.options, &call.preferences)?.count(rows),
        };
        Ok(Answer::bytes(StatusCode::OK, format!("\u{feff}{number}")).with("content-type", "text/plain"))
    }

    pub(super) fn single(&self, call: &Call<'_>, set: &str, locator: &Locator) -> Outcome<Answer> {
        let store = self.store();
        let rows = self.readable(&store, call, set)?;
        let row = write::must_find(rows, &locator.resolve(rows)?)?;
        let known = call
            .request
            .header("if-none-match")
            .is_some_and(|etag| etag == row.etag());
        if known && call.preferences.annotations.is_none() {
            return Ok(Answer::empty(StatusCode::NOT_MODIFIED));
        }
        let body = entity(call, &rows.table, row)?;
        Ok(Answer::json(StatusCode::OK, &Value::Object(body)).with("etag", &row.etag()))
    }

    fn readable<'a>(&self, store: &'a Store, call: &Call<'_>, set: &str) -> Outcome<&'a Rows> {
        let position = store.position(set).ok_or_else(|| Refusal::unknown_segment(set))?;
        let rows = store.rows(position);
        self.access()
            .check(call.user, &rows.table.logical_name, Privilege::Read)?;
        Ok(rows)
    }

    fn find_page(&self, call: &Call<'_>, rows: &Rows) -> Outcome<Found> {
        let (options, set) = (&call.options, rows.table.entity_set.as_str());
        let position = options
            .get("$skiptoken")
            .map(|token| self.seal.open_skip_token(set, options, token));
        let position = position.transpose()?;
        let size = call.preferences.page_size();
        if position.as_ref().is_some_and(|position| position.size != size) {
            return Err(Refusal::bad_request(
                "The page size differs from that of the first page.",
            ));
        }
        let page = position.as_ref().map_or(1, |position| position.page);
        let mut found = match self.mode(call, rows, position)? {
            Some(mode) => self.tracked(call, rows, &mode, size)?,
            None => self.untracked(call, rows, None, size)?,
        };
        found.next.iter_mut().for_each(|next| next.page = page + 1);
        Ok(found)
    }

    /// Says which listing is wanted; `None` is the first page of an ordinary one.
    fn mode(&self, call: &Call<'_>, rows: &Rows, position: Option<Position>) -> Outcome<Option<Mode>> {
        if let Some(position) = position {
            return Ok(Some(position.mode));
        }
        if let Some(token) = call.options.get("$deltatoken") {
            let columns = call.options.get("$select").unwrap_or_default();
            let from = self
                .seal
                .open_delta_token(&rows.table.entity_set, Some(columns), token)?;
            tracking::check_age(rows, &from, call.now, self.forgotten_before())?;
            let to = self.bookmark(call, rows);
            return Ok(Some(Mode::Delta {
                from,
                to,
                done: from.version,
                deletes: false,
            }));
        }
        if !call.preferences.track_changes {
            return Ok(None);
        }
        tracking::check(rows, &call.options)?;
        let since = self.bookmark(call, rows);
        Ok(Some(Mode::Baseline {
            after: Uuid::nil(),
            since,
        }))
    }

    fn bookmark(&self, call: &Call<'_>, rows: &Rows) -> Bookmark {
        Bookmark {
            version: call.version,
            taken_at: call.now,
            metadata_version: rows.metadata_version,
        }
    }

    fn tracked(&self, call: &Call<'_>, rows: &Rows, mode: &Mode, size: usize) -> Outcome<Found> {
        let tracked = match mode {
            Mode::List { after, keys } => {
                return self.untracked(call, rows, Some((*after, keys.clone())), size);
            }
            Mode::Baseline { after, since } => tracking::baseline(rows, Some(*after), *since, size),
            Mode::Delta { .. } => tracking::delta(rows, mode, size),
        };
        let Tracked {
            rows: found,
            deleted,
            then,
        } = tracked;
        let mark = then.as_ref().err().copied();
        let next = then.ok().map(|mode| Position { page: 0, size, mode });
        let columns = select(&rows.table, &call.options)?;
        let delta = matches!(mode, Mode::Delta { .. });
        Ok(Found {
            columns,
            rows: found,
            deleted,
            count: None,
            next,
            mark,
            delta,
        })
    }

    fn untracked(
        &self,
        call: &Call<'_>,
        rows: &Rows,
        position: Option<(Uuid, Vec<Value>)>,
        size: usize,
    ) -> Outcome<Found> {
        let query = Query::parse(&rows.table, &call.options, &call.preferences)?;
        let count = query.count.then(|| query.count(rows));
        let listing = query.page(rows, position, size);
        let next = listing.next.map(|mode| Position { page: 0, size, mode });
        let (columns, deleted) = (query.columns, Vec::new());
        Ok(Found {
            columns,
            rows: listing.rows,
            deleted,
            count,
            next,
            mark: None,
            delta: false,
        })
    }

    fn page(&self, call: &Call<'_>, table: &Table, found: &Found) -> Answer {
        let renderer = Renderer::new(table, &found.columns, &call.preferences);
        let rows = self.pages.get(&renderer, &found.rows);
        let (head, tail) = (self.head(call, table, found), self.tail(call, table, found));
        let count = found.rows.len() + found.deleted.len();
        let body = Body::Page(Page {
            head: head.into(),
            rows,
            tail: tail.into(),
            count,
        });
        let headers = http::HeaderMap::new();
        let answer = Answer {
            status: StatusCode::OK,
            headers,
            body,
            delivery: Delivery::Whole,
        };
        let answer = answer.with("content-type", "application/json; odata.metadata=minimal");
        match call.preferences.applied() {
            Some(applied) => answer.with("preference-applied", &applied),
            None => answer,
        }
    }

    fn head(&self, call: &Call<'_>, table: &Table, found: &Found) -> String {
        let suffix = if found.delta { "/$delta" } else { "" };
        let context = quote(&context(call, table, suffix));
        let count = found
            .count
            .map(|count| format!(",\"@odata.count\":{count}"))
            .unwrap_or_default();
        let link = found
            .mark
            .as_ref()
            .map(|mark| quote(&self.delta_link(call, table, mark)));
        let link = link
            .map(|link| format!(",\"@odata.deltaLink\":{link}"))
            .unwrap_or_default();
        format!("{{\"@odata.context\":{context}{count}{link},\"value\":[")
    }

    fn tail(&self, call: &Call<'_>, table: &Table, found: &Found) -> String {
        let context = quote(&format!(
            "{}/$metadata#{}/$deletedEntity",
            call.root, table.entity_set
        ));
        let entry = |(at, id): (usize, &Uuid)| {
            let comma = if at > 0 || !found.rows.is_empty() { "," } else { "" };
            format!("{comma}{{\"@odata.context\":{context},\"id\":\"{id}\",\"reason\":\"deleted\"}}")
        };
        let deleted: String = found.deleted.iter().enumerate().map(entry).collect();
        let next = found
            .next
            .as_ref()
            .map(|next| quote(&self.next_link(call, table, next)));
        let next = next
            .map(|link| format!(",\"@odata.nextLink\":{link}"))
            .unwrap_or_default();
        format!("{deleted}]{next}}}")
    }

    fn next_link(&self, call: &Call<'_>, table: &Table, next: &Position) -> String {
        let token = self.seal.skip_token(&table.entity_set, &call.options, next);
        link(call, table, "$skiptoken", &token)
    }

    fn delta_link(&self, call: &Call<'_>, table: &Table, mark: &Bookmark) -> String {
        let columns = call.options.get("$select").unwrap_or_default();
        let token = self.seal.delta_token(&table.entity_set, columns, mark);
        link(call, table, "$deltatoken", &token)
    }
}

fn link(call: &Call<'_>, table: &Table, name: &str, token: &str) -> String {
    let options: String = call
        .options
        .lasting()
        .map(|(name, value)| format!("{name}={}&", escape(value)))
        .collect();
    format!("{}/{}?{options}{name}={token}", call.root, table.entity_set)
}

fn context(call: &Call<'_>, table: &Table, suffix: &str) -> String {
    let columns = call
        .options
        .get("$select")
        .map(|columns| format!("({columns})"))
        .unwrap_or_default();
    format!("{}/$metadata#{}{columns}{suffix}", call.root, table.entity_set)
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// Returns one row with its context, as single reads and representations show it.
pub(super) fn entity(call: &Call<'_>, table: &Table, row: &Row) -> Outcome<Map<String, Value>> {
    let columns = select(table, &call.options)?;
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        context(call, table, "/$entity").into(),
    );
    body.extend(Renderer::new(table, &columns, &call.preferences).object(row));
    Ok(body)
}
