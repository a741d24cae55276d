//! What came back.

use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use super::Failure;

/// An answer: its head, and what came of its body.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed; all of it unless the answer was cut short.
    pub body: Vec<u8>,
    /// Why the body ends before its end, where it does.
    pub cut: Option<Failure>,
}

impl Answer {
    /// Returns the media type in lower case, without parameters.
    #[must_use]
    pub fn media_type(&self) -> String {
        let value = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media = value.and_then(|value| value.split(';').next());
        media.unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Returns the whole answer, or why there is none.
    ///
    /// # Errors
    ///
    /// The failure that cut it short.
    pub fn whole(self) -> Result<Self, Failure> {
        match self.cut {
            None => Ok(self),
            Some(failure) => Err(failure),
        }
    }
}

/// Shows how much there is, not what: bodies hold tokens and personal data.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}
