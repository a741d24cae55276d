//! What a request ends in that got no answer, or one that nobody can read: sorted by whether it may have changed something.

use crate::adapter::{Error, ErrorKind};
use crate::http::{Cause, Failure};

/// Whether a request that was not answered may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Writes,
}

impl Effect {
    /// Returns what a request that left and was not carried out as far as is known ends in.
    pub(super) const fn unanswered(self) -> ErrorKind {
        match self {
            Self::Reads => ErrorKind::Unavailable,
            Self::Writes => ErrorKind::Unknown,
        }
    }

    /// Returns what an answer ends in that says nothing we understand.
    pub(super) const fn unreadable(self) -> ErrorKind {
        match self {
            Self::Reads => ErrorKind::Malformed,
            Self::Writes => ErrorKind::Unknown,
        }
    }
}

/// Says what a request that got no answer ends in; `who` is the one who gave none, such as `the portal`.
pub(super) fn unanswered(who: &str, failure: &Failure, effect: Effect) -> Error {
    let kind = match failure.may_have_been_sent() {
        true => effect.unanswered(),
        false => ErrorKind::Unavailable,
    };
    let plain = |text: &str| text.to_owned();
    let (kind, cause, message) = match failure.cause() {
        Cause::Forbidden => (
            ErrorKind::Malformed,
            "configuration",
            plain("the address may not be called"),
        ),
        Cause::Name => (kind, "name", format!("{who}'s name leads nowhere")),
        Cause::Tls => (kind, "tls", format!("{who}'s certificate was not accepted")),
        Cause::Identity => (kind, "tls", format!("{who} wants a certificate of the caller")),
        Cause::Network if failure.may_have_been_sent() => {
            (kind, "network", plain("the connection broke before the answer"))
        }
        Cause::Network => (kind, "network", format!("{who} cannot be reached")),
        Cause::Timeout => (kind, "network", format!("{who} did not answer in time")),
        Cause::TooLarge => (
            effect.unreadable(),
            "system",
            plain("the answer is larger than is read"),
        ),
        Cause::Encoding => (
            effect.unreadable(),
            "system",
            plain("the answer's compression cannot be read"),
        ),
    };
    Error::new(kind, message).with("cause", cause)
}
