//! What a profile says, once it was read.

use http::{HeaderName, HeaderValue, Method};
use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use super::answers::Answers;
use super::fields::FieldMap;
use super::pointer::Pointer;
use super::template::{Address, Fill};
use crate::adapter::Result;
use crate::model::Kind;

/// How one system is reached, and what stands where in what it says.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) base_url: Url,
    pub(super) auth: Auth,
    /// Headers that go with every request, such as the version of the API.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) answers: Answers,
    pub(super) resources: Vec<Resource>,
}

/// What is shown to the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Auth {
    ApiKey { header: HeaderName },
    Bearer,
    Basic,
    Oidc { issued: Issued, scope: String },
}

/// Where tokens are issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issued {
    At(Url),
    /// By an issuer that says itself where.
    By(Url),
}

/// Where records of one kind stand.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) kind: Kind,
    pub(super) read: Read,
    /// Asks for one row by its id.
    pub(super) get: Question,
    /// Asks for one row by the platform's id.
    pub(super) lookup: Option<Question>,
    pub(super) fields: Vec<FieldMap>,
    pub(super) write: Option<Writes>,
}

/// How everything is read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) method: Method,
    pub(super) address: Address,
    /// What is sent along, where it is asked for by `POST`.
    pub(super) body: Option<Value>,
    /// Where the rows stand.
    pub(super) list: Pointer,
    pub(super) row: Row,
    pub(super) paging: Paging,
    pub(super) changes: Option<Changes>,
}

/// What stands where in a row, beside its fields.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: Pointer,
    pub(super) key: Option<Pointer>,
    pub(super) version: Version,
    pub(super) modified: Option<Pointer>,
    pub(super) deleted: Option<Condition>,
    /// Whether a member that is not there says that the field has no value; else it says nothing.
    pub(super) absent_is_empty: bool,
}

/// How two states of a row are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Version {
    /// Not at all.
    None,
    /// By what stands there.
    At(Pointer),
    /// By everything that is mapped.
    Content,
}

/// Something that is so where one of some values stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) pointer: Pointer,
    pub(super) equals: Vec<Value>,
}

impl Condition {
    pub(super) fn holds(&self, value: &Value) -> bool {
        self.pointer
            .of(value)
            .is_some_and(|found| self.equals.contains(found))
    }
}

/// How a listing goes on after a page.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    pub(super) style: Style,
    /// The parameter that says how many rows a page is to have, and how many.
    pub(super) size: Option<(String, u64)>,
    /// Where it says how many rows there are in all.
    pub(super) total: Option<Pointer>,
    /// Where it says whether there are more.
    pub(super) more: Option<Pointer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    None,
    Page { parameter: String, first: u64 },
    Offset { parameter: String },
    Cursor { parameter: String, next: Pointer },
    Link,
    NextLink { next: Pointer },
}

/// How changes since an instant are asked for.
#[derive(Debug, Clone)]
pub(super) struct Changes {
    pub(super) parameter: String,
    pub(super) format: InstantForm,
    /// How far a reading looks back behind the one before it.
    pub(super) overlap: SignedDuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InstantForm {
    Rfc3339,
    UnixSeconds,
    Date,
}

/// How one row is asked for.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) address: Address,
    pub(super) answer: Shown,
}

/// Where an answer shows a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    Row(Pointer),
    /// Among others, or not at all.
    Among(Pointer),
}

/// How rows are written.
#[derive(Debug, Clone)]
pub(super) struct Writes {
    pub(super) create: Option<Create>,
    pub(super) update: Option<Update>,
    pub(super) remove: Option<Remove>,
}

/// How a row is made.
#[derive(Debug, Clone)]
pub(super) struct Create {
    pub(super) method: Method,
    pub(super) address: Address,
    pub(super) body: Body,
    /// Where the platform's id goes.
    pub(super) key: Option<Place>,
    pub(super) told: Told,
}

/// How a row is changed.
#[derive(Debug, Clone)]
pub(super) struct Update {
    pub(super) method: Method,
    pub(super) address: Address,
    pub(super) body: Body,
    /// Whether the whole row is sent, and not only what has changed.
    pub(super) whole: bool,
    /// What stands before and after the version in `If-Match`, where the system takes one.
    pub(super) if_match: Option<(String, String)>,
    pub(super) row: Option<Pointer>,
}

/// How a row is taken out of use.
#[derive(Debug, Clone)]
pub(super) struct Remove {
    pub(super) method: Method,
    pub(super) address: Address,
    pub(super) body: Option<Value>,
    pub(super) if_match: Option<(String, String)>,
}

/// What is sent around the fields.
#[derive(Debug, Clone)]
pub(super) struct Body {
    /// What is always sent.
    pub(super) fixed: Value,
    /// Where the row stands in it.
    pub(super) under: Pointer,
}

/// A place that something is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pointer: Pointer,
    pub(super) as_number: bool,
}

/// Where the answer to a creation tells the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// In the row that it shows.
    Row(Pointer),
    /// Alone.
    Id(Pointer),
    /// At the end of the header `Location`.
    Location,
    /// Not at all: it is looked up.
    Nowhere,
}

impl Profile {
    pub(super) fn resource(&self, kind: Kind) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.kind == kind)
    }
}

impl Resource {
    /// Returns the bits of the fields that are mapped.
    pub(super) fn mapped(&self) -> u64 {
        self.fields
            .iter()
            .fold(0, |bits, field| bits | 1 << field.position)
    }
}

impl Question {
    pub(super) fn url(&self, base: &Url, fill: Fill<'_>) -> Result<Url> {
        self.address.url(base, fill)
    }
}
