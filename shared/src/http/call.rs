//! A request, and how much may be spent on it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

/// How long a call may take and how much it may answer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first look-up of the name to the last byte of the answer.
    pub total: Duration,
    /// The most bytes of the answer's body, after decompression.
    pub body: usize,
}

impl Limits {
    /// What a page or a batch of rows may take.
    pub const PAGE: Self = Self {
        total: Duration::from_secs(50),
        body: 64 << 20,
    };

    /// What the description of a table may take.
    pub const METADATA: Self = Self {
        total: Duration::from_secs(20),
        body: 4 << 20,
    };

    /// What a short list may take.
    pub const LIST: Self = Self {
        total: Duration::from_secs(10),
        body: 4 << 20,
    };

    /// What an answer may take that must be known: a server may need a minute.
    pub const PATIENT: Self = Self {
        total: Duration::from_secs(65),
        body: 64 << 10,
    };

    /// What a short answer may take that somebody waits for.
    pub const QUICK: Self = Self {
        total: Duration::from_secs(3),
        body: 64 << 10,
    };

    /// What a token or another short answer may take.
    pub const SHORT: Self = Self {
        total: Duration::from_secs(10),
        body: 64 << 10,
    };
}

/// A request to be sent.
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers; those with secrets are marked as sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How much may be spent.
    pub limits: Limits,
}

/// Shows the host only: paths and queries may hold keys of records.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}
