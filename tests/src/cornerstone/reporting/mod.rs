//! The Reporting API: views by `OData`, as the warehouse has them.
//!
//! Rows come in the order of their keys unless `$orderby` says otherwise, in pages that are continued behind an opaque link, which
//! stands for its query. A link that is not known, or was made invalid, is refused.
//!
//! Source: csod.dev, "OData Queries" of the Reporting API, read 2026-11-21; `cast` and `$count` are from public clients.

mod cell;
mod filter;
mod paging;
mod query;
mod views;

use std::collections::{BTreeMap, HashMap};

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use self::paging::{Cursor, Page, View};
use self::query::{Names, Query};
use self::views::{Seen, TRAINING, TRANSCRIPT, USER};
use super::answer::{Outcome, Refusal, json_answer};
use super::history::History;
use super::record::{Key, Registration};
use super::resource::VIEWS;
use super::server::parameters;
use super::store::Store;
use crate::sign_in::unguessable;
use crate::wire::{Answer, Request};

/// Knows the next links that were given.
#[derive(Debug, Default)]
pub(super) struct Cursors(HashMap<String, Cursor>);

impl Cursors {
    /// Makes every next link invalid.
    pub(super) fn expire(&mut self) {
        self.0.clear();
    }
}

/// Answers `GET /services/api/x/odata/api/views/{view}`.
pub(super) fn list(
    store: &mut Store,
    base_url: &str,
    name: &str,
    request: &Request,
    now: Timestamp,
) -> Outcome<Answer> {
    let page = match name {
        "vw_rpt_transcript" => {
            let (columns, keys) = (TRANSCRIPT, 3);
            let rows = registrations(&store.registrations, now);
            View { name, columns, keys }.answer(rows, store, request)?
        }
        "vw_rpt_user" => {
            let (columns, keys) = (USER, 1);
            View { name, columns, keys }.answer(seen(store.users.values(), now), store, request)?
        }
        "vw_rpt_training" => {
            let (columns, keys) = (TRAINING, 1);
            View { name, columns, keys }.answer(seen(store.objects.values(), now), store, request)?
        }
        _ => {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                format!("There is no view '{name}'."),
            ));
        }
    };
    let mut body =
        json!({ "@odata.context": format!("{base_url}{VIEWS}$metadata#{name}"), "value": page.rows });
    if let Some(count) = page.count {
        body["@odata.count"] = json!(count);
    }
    if let Some(cursor) = page.next {
        let token = unguessable();
        body["@odata.nextLink"] = json!(format!("{base_url}{VIEWS}{name}?$skiptoken={token}"));
        store.cursors.0.insert(token, cursor);
    }
    Ok(json_answer(StatusCode::OK, &body).with("odata-version", "4.0"))
}

/// Words a refusal as `OData` does.
pub(super) fn refuse(refusal: &Refusal) -> Answer {
    let code = refusal.status.as_str();
    let body = json!({ "error": { "code": code, "message": refusal.message } });
    json_answer(refusal.status, &body)
}

impl<T> View<'_, T> {
    fn answer(&self, rows: Vec<Seen<'_, T>>, store: &Store, request: &Request) -> Outcome<Page> {
        let form = parameters(request)?;
        let cursor = match form.get("$skiptoken") {
            None => None,
            Some(token) => {
                let known = store
                    .cursors
                    .0
                    .get(token)
                    .filter(|cursor| cursor.view == self.name);
                let known = known.ok_or_else(|| Refusal::bad("The skip token is not valid or has expired."));
                Some(known?)
            }
        };
        let names = Names {
            view: self.name,
            columns: self
                .columns
                .iter()
                .map(|column| (column.name, column.kind))
                .collect(),
        };
        let query = match cursor {
            Some(cursor) => cursor.query.clone(),
            None => Query::read(request, &form, &names)?,
        };
        Ok(self.page(rows, query, cursor, &store.settings))
    }
}

fn seen<'a, T: 'a>(all: impl Iterator<Item = &'a History<T>>, now: Timestamp) -> Vec<Seen<'a, T>> {
    let seen = all.filter_map(|history| history.seen(now));
    let seen = seen.map(|version| Seen {
        record: &version.record,
        touched: version.visible_at,
        is_latest: true,
    });
    seen.collect()
}

/// Returns registrations with what is the latest of each user for each learning object.
fn registrations(all: &BTreeMap<Key, History<Registration>>, now: Timestamp) -> Vec<Seen<'_, Registration>> {
    let mut rows = seen(all.values(), now);
    let keys: Vec<Key> = rows.iter().map(|row| row.record.key()).collect();
    for (row, next) in rows.iter_mut().zip(keys.iter().skip(1)) {
        row.is_latest = (row.record.user, row.record.learning_object) != (next.0, next.1);
    }
    rows
}
