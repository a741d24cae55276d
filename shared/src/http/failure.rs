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
    /// The other side does not accept our certificate, or wants one and got none.
    Identity,
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
            Cause::Identity => "the other side does not accept our certificate, or was shown none",
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

/// A request that never got a connection was not sent, and one whose sender was not accepted was not read: with TLS 1.3 a
/// client learns that after the handshake, when it may have written already. Of any other that is not known.
impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let cause = cause(&error);
        let unread = error.is_connect() || error.is_dns() || error.is_builder() || cause == Cause::Identity;
        Self { cause, sent: !unread }
    }
}

fn cause(error: &reqwest::Error) -> Cause {
    if error.is_dns() || find::<NotPublic>(error).is_some() {
        Cause::Name
    } else if let Some(error) = find::<rustls::Error>(error) {
        if is_about_our_certificate(error) {
            Cause::Identity
        } else {
            Cause::Tls
        }
    } else if error.is_timeout() {
        Cause::Timeout
    } else if error.is_builder() {
        Cause::Forbidden
    } else {
        Cause::Network
    }
}

/// Alerts that only a handshake ends in, before anything else is read.
///
/// Source: RFC 8446, section 6.2.
const fn is_about_our_certificate(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        error,
        rustls::Error::AlertReceived(
            Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::CertificateRequired
        )
    )
}

/// An I/O error passes over what it wraps when it is asked for its source, and may wrap another one.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let wrapped = || error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error
        .downcast_ref()
        .or_else(|| find(wrapped()?))
        .or_else(|| find(error.source()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_however_deep_it_lies() {
        let deep = io::Error::other(io::Error::other(NotPublic));
        assert!(find::<NotPublic>(&deep).is_some());
        assert!(find::<rustls::Error>(&deep).is_none());
    }

    #[test]
    fn an_alert_about_our_certificate_is_told_from_one_about_theirs() {
        use rustls::AlertDescription as Alert;
        for alert in [
            Alert::UnknownCA,
            Alert::CertificateRequired,
            Alert::CertificateExpired,
        ] {
            assert!(is_about_our_certificate(&rustls::Error::AlertReceived(alert)));
        }
        // What may come later than a handshake says nothing of what was read.
        for alert in [Alert::InternalError, Alert::AccessDenied, Alert::CloseNotify] {
            assert!(!is_about_our_certificate(&rustls::Error::AlertReceived(alert)));
        }
        let theirs = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(!is_about_our_certificate(&theirs));
    }
}
