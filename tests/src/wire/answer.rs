use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;

use super::gzip::{self, Fragment};

/// Bodies smaller than this are sent as they are, since gzip would not shorten them.
const SMALLEST_COMPRESSED: usize = 256;

/// Carries one HTTP answer and how it reaches the caller.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body before compression.
    pub body: Body,
    /// How the answer is delivered.
    pub delivery: Delivery,
}

/// Holds a body in the form that is cheapest to produce.
#[derive(Debug, Clone)]
pub enum Body {
    /// Bytes of their own.
    Bytes(Bytes),
    /// A page of rows between its links.
    Page(Page),
}

/// Holds a listing: rows that are shared between callers, and what surrounds them.
#[derive(Debug, Clone)]
pub struct Page {
    /// Everything before the rows.
    pub head: Bytes,
    /// The rows, separated by commas.
    pub rows: Arc<Fragment>,
    /// Everything after the rows.
    pub tail: Bytes,
    /// The number of rows.
    pub count: usize,
}

/// Says how an answer travels, so that faults of the network can be told from faults of the system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Whole.
    #[default]
    Whole,
    /// The connection is reset and nothing is sent.
    Reset,
    /// A whole message whose payload ends early.
    Truncated,
    /// The declared length is never reached.
    TooShort,
    /// The first half is sent and then nothing, with the connection open.
    Stalled,
    /// One byte at a time.
    Dripped(Duration),
    /// As many bytes of padding as asked, without a length.
    Padded(u64),
}

impl Answer {
    /// Returns an answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self::bytes(status, Bytes::new())
    }

    /// Returns an answer with these bytes and no content type.
    pub fn bytes(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let body = Body::Bytes(body.into());
        Self {
            status,
            headers: HeaderMap::new(),
            body,
            delivery: Delivery::Whole,
        }
    }

    /// Returns an answer with a JSON body.
    pub fn json(status: StatusCode, value: &Value) -> Self {
        Self::bytes(status, value.to_string())
            .with("content-type", "application/json; odata.metadata=minimal")
    }

    /// Returns the answer with one more header.
    ///
    /// # Panics
    ///
    /// Panics when the name or the value is not valid in HTTP.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("header names are valid");
        self.headers.insert(
            name,
            HeaderValue::from_str(value).expect("header values are valid"),
        );
        self
    }

    /// Returns the answer with this time in its `Date` header.
    ///
    /// # Panics
    ///
    /// Panics when the year has more than four digits.
    #[must_use]
    pub fn dated(self, at: Timestamp) -> Self {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
        self.with("date", &date.expect("years have four digits"))
    }

    /// Returns the answer with the `Date` header of another one.
    #[must_use]
    pub(crate) fn dated_as(mut self, other: &Self) -> Self {
        if let Some(date) = other.headers.get("date") {
            self.headers.insert("date", date.clone());
        }
        self
    }

    /// Returns the answer, delivered in another way.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Returns the body as JSON where it is JSON.
    pub fn to_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body.to_plain()).ok()
    }

    /// Fixes the body as it travels, compressed where the caller takes gzip and it pays.
    #[must_use]
    pub fn sealed(mut self, gzip: bool) -> Self {
        if gzip && self.body.len() >= SMALLEST_COMPRESSED {
            self.body = Body::Bytes(self.body.to_gzip());
            return self
                .with("content-encoding", "gzip")
                .with("vary", "Accept-Encoding");
        }
        self.body = Body::Bytes(self.body.to_plain());
        self
    }
}

impl Body {
    /// Returns the number of plain bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Page(page) => page.head.len() + page.rows.plain().len() + page.tail.len(),
        }
    }

    /// Returns whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the plain bytes.
    pub fn to_plain(&self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Page(page) => [&page.head[..], page.rows.plain(), &page.tail].concat().into(),
        }
    }

    fn to_gzip(&self) -> Bytes {
        match self {
            Self::Bytes(bytes) => gzip::join(&[], &Fragment::new(bytes.clone()), &[]),
            Self::Page(page) => gzip::join(&page.head, &page.rows, &page.tail),
        }
    }
}
