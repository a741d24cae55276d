//! One resource of a profile: how records of one kind are read, asked for one by one, and written.
//!
//! # Shape
//!
//! ```json
//! {
//!   "read": {
//!     "path": "/v1/members", "method": "GET", "query": { "expand": "address" },
//!     "list": "/data", "id": "/id", "key": "/number", "version": "/revision", "modified": "/updatedAt",
//!     "deleted": { "pointer": "/deleted", "equals": [true] }, "absent": "unknown",
//!     "paging": { "style": "page", "parameter": "page", "first": 1, "sizeParameter": "size", "size": 200, "total": "/total" },
//!     "changes": { "parameter": "updatedSince", "format": "rfc3339", "overlapSeconds": 900 }
//!   },
//!   "get": { "path": "/v1/members/{id}", "row": "" },
//!   "lookup": { "path": "/v1/members", "query": { "number": "{key}" }, "list": "/data" },
//!   "fields": {
//!     "lastName": "/name/last", "birthDate": { "pointer": "/born", "format": "dd.MM.yyyy" },
//!     "gender": { "pointer": "/sex", "values": { "female": "K", "male": "M" } }
//!   },
//!   "write": {
//!     "create": { "method": "POST", "path": "/v1/members", "key": "/number", "row": "" },
//!     "update": { "method": "PATCH", "path": "/v1/members/{id}", "ifMatch": "\"{version}\"", "row": "" },
//!     "remove": { "method": "DELETE", "path": "/v1/members/{id}" }
//!   }
//! }
//! ```
//!
//! | member | says |
//! | --- | --- |
//! | `list`, `row` | where the rows, or the row, stand in an answer |
//! | `id`, `key`, `version`, `modified`, `fields` | where something stands in a row; `version` may be `content` |
//! | `paging.style` | `none`, `page`, `offset`, `cursor` (with `next` and `parameter`), `link` or `nextLink` (with `next`) |
//! | `paging.total`, `paging.more` | where an answer says how many rows there are, and whether more follow |
//! | `changes.format` | `rfc3339`, `unix` or `date` |
//! | `absent` | whether a member that is not there says nothing (`unknown`), or that the field is `empty` |
//! | `create.key` | where the platform's id goes; a creation needs a `lookup` by it |
//! | `create.id` | where the answer tells the new id alone, or `location`; `row` where it shows the row |
//! | `update.method` | `PATCH` sends what has changed, `PUT` the row as it was read with that laid over it |
//! | `ifMatch` | how a version is sent along; without, the row is read before it is written, and compared |
//! | `remove` | without, a record that is deleted here stays as it is there |
//! | `body`, `under` | what is always sent, and where the row stands in it |

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::answers::condition;
use super::fields::{self, FieldMap};
use super::pointer::Pointer;
use super::profile::{Changes, InstantForm, Paging, Question, Read, Resource, Row, Shown, Style, Version};
use super::template::{Address, Slot, Template};
use super::writes;
use crate::model::{Group, Kind};
use crate::settings::Section;

/// How far a reading looks back unless the profile says otherwise: clocks are off, and transactions end late.
const OVERLAP: i64 = 900;
const LONGEST_OVERLAP: u64 = 7 * 24 * 60 * 60;
/// The most rows that a page is asked for.
const LARGEST_PAGE: u64 = 5_000;

/// Reads a resource.
pub(super) fn read(section: &Section<'_>, kind: Kind, excluded: &[Group]) -> Option<Resource> {
    let reading = required_section(section, "read").and_then(|one| listing(&one));
    let get = required_section(section, "get").and_then(|one| question(&one, Slot::Id));
    let lookup = section.section("lookup").map(|one| question(&one, Slot::Key));
    let fields = fields::read(section, kind, excluded);
    let write = section.section("write").map(|one| writes::read(&one));
    section.finish();
    if write.is_some() {
        fields::check_writable(section, fields.as_deref().unwrap_or_default());
    }
    let resource = Resource {
        kind,
        read: reading?,
        get: get?,
        lookup: all(lookup)?,
        fields: fields?,
        write: all(write)?,
    };
    check(section, &resource).then_some(resource)
}

/// Turns something that may be left out and could not be read into nothing at all.
fn all<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(None) => None,
        Some(Some(read)) => Some(Some(read)),
        None => Some(None),
    }
}

/// Checks what one part says against the others.
fn check(section: &Section<'_>, resource: &Resource) -> bool {
    let row = &resource.read.row;
    let creates = resource.write.as_ref().and_then(|write| write.create.as_ref());
    let mut sound = true;
    let mut fault = |name: &str, reason: &str| {
        section.fault(name, reason);
        sound = false;
    };
    if resource.lookup.is_some() && row.key.is_none() {
        fault("read.key", "is required: what a lookup finds is held against it");
    }
    if creates.is_some() && resource.lookup.is_none() {
        fault("lookup", "is required: a row is made only where there is none");
    }
    let written = |map: &&FieldMap| {
        let keys = [Some(&row.id), row.key.as_ref()];
        keys.into_iter().flatten().any(|key| key.overlaps(&map.pointer))
    };
    for map in resource.fields.iter().filter(written) {
        fault(
            &format!("fields.{}", map.field.name),
            "must not be a key: keys are not written",
        );
    }
    sound
}

pub(super) fn required_section<'a>(section: &Section<'a>, name: &'static str) -> Option<Section<'a>> {
    if section.get(name).is_none() {
        section.fault(name, "is required");
    }
    section.section(name)
}

fn listing(section: &Section<'_>) -> Option<Read> {
    let method = section.text("method", |text| match text {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        _ => Err("must be GET or POST".to_owned()),
    });
    let address = address(section, &[]);
    let body = section.get("body").cloned();
    let list = section.required("list", Pointer::parse);
    let row = row(section);
    let paging = section.section("paging");
    let has_paging = section.get("paging").is_some();
    if !has_paging {
        section.fault(
            "paging",
            "is required, with the style none where there is but one page",
        );
    }
    let paging = paging.and_then(|one| paged(&one));
    let changes = section.section("changes").map(|one| changed(&one));
    section.finish();
    let method = method.unwrap_or(Method::GET);
    if body.is_some() && method == Method::GET {
        section.fault("body", "is for the method POST only");
    }
    Some(Read {
        method,
        address: address?,
        body,
        list: list?,
        row: row?,
        paging: paging?,
        changes: all(changes)?,
    })
}

fn row(section: &Section<'_>) -> Option<Row> {
    let id = section.required("id", Pointer::parse);
    let key = section.text("key", Pointer::parse);
    let version = section.text("version", |text| match text {
        "content" => Ok(Version::Content),
        _ => Pointer::parse(text)
            .map(Version::At)
            .map_err(|reason| format!("{reason}, or content")),
    });
    let modified = section.text("modified", Pointer::parse);
    let deleted = section.section("deleted").map(|one| {
        let condition = condition(&one);
        if condition.is_none() && one.get("pointer").is_none() {
            one.fault("pointer", "is required");
        }
        one.finish();
        condition
    });
    let absent_is_empty = section.text("absent", |text| match text {
        "unknown" => Ok(false),
        "empty" => Ok(true),
        _ => Err("must be unknown or empty".to_owned()),
    });
    Some(Row {
        id: id?,
        key,
        version: version.unwrap_or(Version::None),
        modified,
        deleted: deleted.flatten(),
        absent_is_empty: absent_is_empty.unwrap_or(false),
    })
}

fn paged(section: &Section<'_>) -> Option<Paging> {
    let style = section.required("style", |text| {
        let known = ["none", "page", "offset", "cursor", "link", "nextLink"];
        let known = known.into_iter().find(|known| *known == text);
        known.ok_or_else(|| "must be none, page, offset, cursor, link or nextLink".to_owned())
    })?;
    let parameter = || section.required("parameter", parameter_name);
    let next = || section.required("next", Pointer::parse);
    let read = match style {
        "none" => Some(Style::None),
        "page" => {
            let first = section.number("first", 0, 1).unwrap_or(1);
            parameter().map(|parameter| Style::Page { parameter, first })
        }
        "offset" => parameter().map(|parameter| Style::Offset { parameter }),
        "cursor" => {
            let (parameter, next) = (parameter(), next());
            parameter
                .zip(next)
                .map(|(parameter, next)| Style::Cursor { parameter, next })
        }
        "link" => Some(Style::Link),
        _ => next().map(|next| Style::NextLink { next }),
    };
    let counted = matches!(style, "page" | "offset");
    let size_parameter = section.text("sizeParameter", parameter_name);
    let size = section.number("size", 1, LARGEST_PAGE);
    let size = match (size_parameter, size) {
        (Some(parameter), Some(size)) => Some((parameter, size)),
        (None, None) => None,
        _ => {
            section.fault("size", "and sizeParameter go together");
            None
        }
    };
    let total = counted.then(|| section.text("total", Pointer::parse)).flatten();
    let more = (style != "none")
        .then(|| section.text("more", Pointer::parse))
        .flatten();
    section.finish();
    Some(Paging {
        style: read?,
        size,
        total,
        more,
    })
}

fn changed(section: &Section<'_>) -> Option<Changes> {
    let parameter = section.required("parameter", parameter_name);
    let format = section.required("format", |text| match text {
        "rfc3339" => Ok(InstantForm::Rfc3339),
        "unix" => Ok(InstantForm::UnixSeconds),
        "date" => Ok(InstantForm::Date),
        _ => Err("must be rfc3339, unix or date".to_owned()),
    });
    let overlap = section.number("overlapSeconds", 0, LONGEST_OVERLAP);
    section.finish();
    let overlap = overlap.and_then(|seconds| i64::try_from(seconds).ok());
    Some(Changes {
        parameter: parameter?,
        format: format?,
        overlap: SignedDuration::from_secs(overlap.unwrap_or(OVERLAP)),
    })
}

fn question(section: &Section<'_>, wanted: Slot) -> Option<Question> {
    let address = address(section, &[wanted]);
    let row = section.text("row", Pointer::parse);
    let list = section.text("list", Pointer::parse);
    section.finish();
    if let Some(address) = address.as_ref().filter(|address| !address.has(wanted)) {
        let place = if wanted == Slot::Id { "{id}" } else { "{key}" };
        let told = if address.query.is_empty() { "path" } else { "query" };
        section.fault(told, format!("must have a place {place}"));
    }
    let answer = match (row, list) {
        (Some(_), Some(_)) => {
            section.fault("row", "is one too many beside list: give one of them");
            return None;
        }
        (Some(row), None) => Shown::Row(row),
        (None, Some(list)) => Shown::Among(list),
        (None, None) => Shown::Row(Pointer::whole()),
    };
    Some(Question {
        address: address?,
        answer,
    })
}

/// Reads `path` and `query`, which have these places and no others.
pub(super) fn address(section: &Section<'_>, allowed: &[Slot]) -> Option<Address> {
    let fits = |template: Template| {
        let stray = [Slot::Id, Slot::Key]
            .into_iter()
            .any(|slot| template.has(slot) && !allowed.contains(&slot));
        match stray {
            true => Err("has a place for what is not known here".to_owned()),
            false => Ok(template),
        }
    };
    let path = section.required("path", |text| Template::path(text).and_then(fits));
    let mut query = Vec::new();
    if let Some(parameters) = section.section("query") {
        for (name, value) in parameters.entries() {
            let value = value.as_str().ok_or_else(|| "must be a text".to_owned());
            let value = value.and_then(Template::parse).and_then(fits);
            match (parameter_name(name), value) {
                (Ok(name), Ok(value)) => query.push((name, value)),
                (Err(reason), _) | (_, Err(reason)) => parameters.fault(name, reason),
            }
        }
    }
    Some(Address { path: path?, query })
}

fn parameter_name(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("must be the name of a parameter, such as pageSize".to_owned()),
    }
}

/// Returns the empty body.
pub(super) fn no_body() -> Value {
    json!({})
}
