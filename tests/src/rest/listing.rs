//! Listings, and how they are cut into pages.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::refusal::Refusal;
use super::server::Rest;
use super::settings::{Paging, Quirk, Settings};
use super::store::{Collection, Store};
use crate::wire::{Answer, Request};

/// The parameters that every listing takes.
const COMMON: [&str; 3] = ["updatedSince", "number", "size"];

/// What a listing is asked with.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(request: &Request, paging: Paging) -> Result<Self, Refusal> {
        let query = request.query.as_deref().unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let own = match paging {
            Paging::Page => "page",
            Paging::Offset => "offset",
            Paging::Cursor | Paging::Link | Paging::NextLink => "cursor",
            Paging::None => "size",
        };
        for (position, (name, _)) in pairs.iter().enumerate() {
            if !COMMON.contains(&name.as_str()) && name != own {
                return Err(Refusal::bad(format!("Unknown parameter {name}.")));
            }
            if pairs.iter().take(position).any(|(earlier, _)| earlier == name) {
                return Err(Refusal::bad(format!("{name} is given twice.")));
            }
        }
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let read = |text: &str| {
            let wrong = |_| Refusal::bad(format!("{name} must be a number, not {text}."));
            text.parse().map_err(wrong)
        };
        self.get(name).map(read).transpose()
    }

    /// Returns the query for the page that begins there.
    fn at(&self, cursor: &str) -> String {
        let others = self.0.iter().filter(|(name, _)| name != "cursor");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(others).append_pair("cursor", cursor);
        query.finish()
    }
}

impl Rest {
    pub(super) fn list(
        &self,
        store: &Store,
        settings: &Settings,
        collection: Collection,
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let query = Query::read(request, settings.paging)?;
        let rows = matching(store, settings, collection, &query)?;
        let size = query
            .number("size")?
            .unwrap_or(settings.page_cap)
            .clamp(1, settings.page_cap);
        let start = start(settings, &query, size)?;
        let rows = rows.as_slice();
        let (start, end) = bounds(settings, rows.len(), start, size);
        let page = rows.get(start..end).unwrap_or_default();
        let next = next(settings, rows.len(), start, end);
        let body = json!({ "data": page, "meta": self.meta(settings, request, &query, rows.len(), next) });
        let answer =
            Answer::json(StatusCode::OK, &body).with("content-type", "application/json; charset=utf-8");
        Ok(match (settings.paging, next) {
            (Paging::Link, Some(next)) => {
                let link = self.link(settings, request, &query, next);
                answer.with(
                    "link",
                    &format!("<{link}>; rel=\"next\", </rest/v1/>; rel=\"up\""),
                )
            }
            _ => answer,
        })
    }

    fn meta(
        &self,
        settings: &Settings,
        request: &Request,
        query: &Query,
        total: usize,
        next: Option<usize>,
    ) -> Value {
        let mut meta = Map::new();
        match settings.paging {
            Paging::Page | Paging::Offset => drop(meta.insert("total".to_owned(), json!(total))),
            Paging::Cursor => {
                meta.insert("next".to_owned(), json!(next.map(cursor)));
                meta.insert("more".to_owned(), json!(next.is_some()));
            }
            Paging::NextLink => {
                let link = next.map(|next| self.link(settings, request, query, next));
                meta.insert("next".to_owned(), json!(link));
            }
            Paging::None | Paging::Link => {}
        }
        Value::Object(meta)
    }

    fn link(&self, settings: &Settings, request: &Request, query: &Query, next: usize) -> String {
        let host = match settings.quirk {
            Some(Quirk::ForeignLinks) => "https://elsewhere.example",
            _ => &self.base_url,
        };
        format!("{host}{}?{}", request.path, query.at(&cursor(next)))
    }
}

/// Cursors are opaque, and need to be escaped in a query.
fn cursor(position: usize) -> String {
    format!("p/{position}=&")
}

fn position(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("p/")?.strip_suffix("=&")?.parse().ok()
}

fn matching(
    store: &Store,
    settings: &Settings,
    collection: Collection,
    query: &Query,
) -> Result<Vec<Value>, Refusal> {
    let since = match query.get("updatedSince") {
        Some(_) if !settings.changes => return Err(Refusal::bad("Unknown parameter updatedSince.")),
        Some(text) => {
            let since = text.parse::<Timestamp>();
            Some(since.map_err(|_| Refusal::bad("updatedSince must be a time."))?)
        }
        None => None,
    };
    let number = query.get("number");
    let fits = |content: &Value| number.is_none_or(|number| content["number"] == *number);
    let rows = store.all(collection).filter(|(_, row)| {
        fits(&row.content)
            && since.is_none_or(|since| row.updated_at >= since)
            && (!row.deleted || number.is_none())
    });
    Ok(rows.map(|(id, row)| row.shown(id)).collect())
}

fn start(settings: &Settings, query: &Query, size: usize) -> Result<usize, Refusal> {
    Ok(match settings.paging {
        Paging::None => 0,
        Paging::Page => match query.number("page")? {
            Some(0) => return Err(Refusal::bad("Pages begin with 1.")),
            page => (page.unwrap_or(1) - 1) * size,
        },
        Paging::Offset => query.number("offset")?.unwrap_or(0),
        Paging::Cursor | Paging::Link | Paging::NextLink => match query.get("cursor") {
            None => 0,
            Some(text) => position(text).ok_or_else(|| Refusal::bad("Unknown cursor."))?,
        },
    })
}

fn bounds(settings: &Settings, rows: usize, start: usize, size: usize) -> (usize, usize) {
    match settings.quirk {
        _ if settings.paging == Paging::None => (0, rows),
        Some(Quirk::FirstPageOnly) => (0, size.min(rows)),
        Some(Quirk::CutShort) if start > 0 => (start, start),
        Some(Quirk::Overlaps) if start > 0 => ((start - 1).min(rows), (start + size).min(rows)),
        Some(Quirk::Circles) if start >= rows => (size.min(rows), (2 * size).min(rows)),
        _ => (start.min(rows), (start + size).min(rows)),
    }
}

/// Returns where the next page begins.
fn next(settings: &Settings, rows: usize, start: usize, end: usize) -> Option<usize> {
    match settings.quirk {
        Some(Quirk::FirstPageOnly) => Some(end),
        Some(Quirk::Circles) => Some(if end >= rows { end - start } else { end }),
        _ => (end < rows).then_some(end),
    }
}
