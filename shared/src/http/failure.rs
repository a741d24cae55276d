//! Why a call got no answer, or only a part of one.

use std::error::Error;
use std::{fmt, io};

use super::Reason;
use super::resolver::NotPublic;

/// What stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The address is not one that may be called.
    Forbidden,
    /// The name is not known, or leads to no public address.
    Name,
    /// The other side did not prove who it is.
    Tls,
    /// The connection was refused, reset or never made.
    Network,
    /// The time was up.
    Timeout,
    /// The answer is larger than is read.
    TooLarge,
    /// The answer's compression is broken or unknown.
    Encoding,
}

/// Says why a call got no answer.
#[derive(Debug, Clone)]
pub struct Failure {
    cause: Cause,
    sent: bool,
}

impl Failure {
    pub(super) const fn unsent(cause: Cause) -> Self {
        Self { cause, sent: false }
    }

    pub(super) const fn after_sending(cause: Cause) -> Self {
        Self { cause, sent: true }
    }

    /// Returns what stood in the way.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// Says whether the request may have reached the other side.
    #[must_use]
    pub const fn may_have_been_sent(&self) -> bool {
        self.sent
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::Forbidden => "the address is not one that may be called",
            Cause::Name => "the name is not known or leads to no public address",
            Cause::Tls => "the other side's certificate was not accepted",
            Cause::Network if self.sent => "the connection broke",
            Cause::Network => "no connection could be made",
            Cause::Timeout if self.sent => "no answer came in time",
            Cause::Timeout => "no connection was made in time",
            Cause::TooLarge => "the answer is larger than is read",
            Cause::Encoding => "the answer's compression is broken or unknown",
        })
    }
}

impl Error for Failure {}

impl From<Reason> for Failure {
    fn from(_: Reason) -> Self {
        Self::unsent(Cause::Forbidden)
    }
}

/// A request that never got a connection was not sent; of any other that is not known.
impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self {
            cause: cause(&error),
            sent: !error.is_connect() && !error.is_dns() && !error.is_builder(),
        }
    }
}

fn cause(error: &reqwest::Error) -> Cause {
    if error.is_dns() || lies_behind::<NotPublic>(error) {
        Cause::Name
    } else if lies_behind::<rustls::Error>(error) {
        Cause::Tls
    } else if error.is_timeout() {
        Cause::Timeout
    } else if error.is_builder() {
        Cause::Forbidden
    } else {
        Cause::Network
    }
}

/// An I/O error passes over what it wraps when it is asked for its source, and may wrap another one.
fn lies_behind<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<E>()
        || wrapped.is_some_and(|wrapped| lies_behind::<E>(wrapped))
        || error.source().is_some_and(lies_behind::<E>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_however_deep_it_lies() {
        let deep = io::Error::other(io::Error::other(NotPublic));
        assert!(lies_behind::<NotPublic>(&deep));
        assert!(!lies_behind::<rustls::Error>(&deep));
    }
}
