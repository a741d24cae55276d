//! Why no token was had.

use std::fmt;

use jiff::Timestamp;

use super::wire::Refusal;
use crate::adapter::{Error, ErrorKind};
use crate::http::{Cause, Failure};

/// What the one who wanted a token does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenErrorKind {
    /// The server refuses the credential: a human gives another.
    Refused,
    /// The server wants to be left alone until then.
    RateLimited {
        /// The first instant at which it may be asked again.
        until: Timestamp,
    },
    /// The server is down, slow or unreachable: try later.
    Unavailable,
    /// The answer is not one that a token endpoint gives: a human looks.
    Malformed,
}

/// Says why no token was had; holds neither the credential nor any text of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    kind: TokenErrorKind,
    cause: &'static str,
    message: &'static str,
    status: Option<u16>,
    refusal: Option<Refusal>,
}

impl TokenError {
    pub(super) const fn new(kind: TokenErrorKind, cause: &'static str, message: &'static str) -> Self {
        Self {
            kind,
            cause,
            message,
            status: None,
            refusal: None,
        }
    }

    pub(super) const fn malformed(message: &'static str) -> Self {
        Self::new(TokenErrorKind::Malformed, "system", message)
    }

    pub(super) const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub const fn kind(&self) -> TokenErrorKind {
        self.kind
    }

    /// Says where it fails, in the words of [`Finding::cause`](crate::adapter::Finding::cause).
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        self.cause
    }

    /// Says whether the same request may succeed later without anybody's doing.
    pub(super) const fn is_temporary(&self) -> bool {
        matches!(
            self.kind,
            TokenErrorKind::RateLimited { .. } | TokenErrorKind::Unavailable
        )
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for TokenError {}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        let kind = match error.kind {
            TokenErrorKind::Refused => ErrorKind::Unauthenticated,
            TokenErrorKind::RateLimited { until } => ErrorKind::RateLimited { until },
            TokenErrorKind::Unavailable => ErrorKind::Unavailable,
            TokenErrorKind::Malformed => ErrorKind::Malformed,
        };
        let mut told = Self::new(kind, error.message).with("cause", error.cause);
        if let Some(status) = error.status {
            told = told.with("status", status);
        }
        match error.refusal {
            Some(refusal) => told.with("error", &refusal),
            None => told,
        }
    }
}

impl From<Failure> for TokenError {
    fn from(failure: Failure) -> Self {
        let unavailable = |cause, message| Self::new(TokenErrorKind::Unavailable, cause, message);
        match failure.cause() {
            Cause::Forbidden => unavailable("configuration", "the sign-in address may not be called"),
            Cause::Name => unavailable("name", "the name of the sign-in server leads nowhere"),
            Cause::Tls => unavailable("tls", "the sign-in server's certificate was not accepted"),
            Cause::Network => unavailable("network", "the sign-in server cannot be reached"),
            Cause::Timeout => unavailable("network", "the sign-in server did not answer in time"),
            Cause::TooLarge | Cause::Encoding => {
                Self::malformed("the sign-in server's answer cannot be read")
            }
        }
    }
}

/// Sorts a refusal by its codes; its text is never looked at.
///
/// Source: Microsoft Learn, "Microsoft Entra authentication and authorization error codes".
impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        let refused = |cause, message| Self::new(TokenErrorKind::Refused, cause, message);
        let mut error = match refusal.codes().first() {
            _ if refusal.is("temporarily_unavailable") || refusal.is("server_error") => Self::new(
                TokenErrorKind::Unavailable,
                "system",
                "the sign-in server is not available",
            ),
            Some(7_000_215) => refused("key", "the client secret is wrong: give its value, not its id"),
            Some(7_000_222) => refused("key", "the client secret has expired: make a new one"),
            Some(700_016) => refused("key", "the client id is not known in this tenant"),
            Some(7_000_112) => refused("permission", "the application is disabled: enable it"),
            Some(53_003) => refused(
                "permission",
                "a conditional access policy refuses the application",
            ),
            Some(90_002 | 900_023) => refused(
                "configuration",
                "the tenant is not known: check `settings.tenant`",
            ),
            Some(70_011 | 500_011 | 1_002_012) => refused(
                "scope",
                "the tenant does not know this environment: check `settings.baseUrl`",
            ),
            Some(700_024) => refused("clock", "the sign-in server says that our clock is wrong"),
            _ if refusal.is("invalid_scope") => {
                refused("scope", "the scope is refused: check `settings.baseUrl`")
            }
            _ if refusal.is("invalid_client") => refused("key", "the client id or secret is refused"),
            _ => refused("key", "the credential is refused"),
        };
        error.refusal = Some(refusal);
        error
    }
}
