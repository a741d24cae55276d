//! Why no token was had.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire::Refusal;
use crate::adapter::{Error, ErrorKind};
use crate::http::{Cause, Failure};

/// Where it fails that a person's sign-in has ended, or never was.
pub(super) const SIGN_IN: &str = "sign_in";

/// What the one who wanted a token does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    kind: TokenErrorKind,
    cause: Cow<'static, str>,
    message: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
    /// Whether the request may have reached the server, which has not answered.
    #[serde(skip)]
    unanswered: bool,
    /// What the server's clock shows, where it does not believe ours.
    #[serde(skip)]
    servers_clock: Option<Timestamp>,
}

impl TokenError {
    /// Makes an error: a lower-case sentence without a full stop, and in a word where it fails.
    pub(crate) fn new(
        kind: TokenErrorKind,
        cause: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            cause: Cow::Borrowed(cause),
            message: message.into(),
            status: None,
            refusal: None,
            unanswered: false,
            servers_clock: None,
        }))
    }

    pub(super) fn malformed(message: &'static str) -> Self {
        Self::new(TokenErrorKind::Malformed, "system", message)
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn kind(&self) -> TokenErrorKind {
        self.0.kind
    }

    /// Says where it fails, in the words of [`Finding::cause`](crate::adapter::Finding::cause).
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.0.cause
    }

    /// Says what is wrong, in a sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Says whether nobody knows what the server did.
    pub(super) fn is_unanswered(&self) -> bool {
        self.0.unanswered
    }

    /// Says that the request may have reached the server, which has not answered.
    pub(super) fn unanswered(mut self, unanswered: bool) -> Self {
        self.0.unanswered = unanswered;
        self
    }

    /// Says whether it is the person's sign-in that is not good any more, and nothing that passes.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.kind == TokenErrorKind::Refused && self.0.cause == SIGN_IN
    }

    /// Adds what the server's clock shows.
    pub(super) fn by_clock(mut self, shows: Option<Timestamp>) -> Self {
        self.0.servers_clock = shows;
        self
    }

    /// Returns what the server's clock shows, where it does not believe ours.
    pub(super) fn servers_clock(&self) -> Option<Timestamp> {
        self.0.servers_clock
    }

    /// Says that it may be the end of a token of which nobody knows whether it was spent.
    pub(super) fn after_silence(mut self, since: Timestamp) -> Self {
        self.0.message = Cow::Owned(format!(
            "{}; the refresh token was shown at {since}, and no answer came: it may have been spent then",
            self.0.message
        ));
        self
    }

    /// Says whether the same request may succeed later without anybody's doing.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(
            self.0.kind,
            TokenErrorKind::RateLimited { .. } | TokenErrorKind::Unavailable
        )
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for TokenError {}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        let error = *error.0;
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
        let unanswered = failure.may_have_been_sent();
        let unavailable =
            |cause, message| Self::new(TokenErrorKind::Unavailable, cause, message).unanswered(unanswered);
        match failure.cause() {
            Cause::Forbidden => unavailable("configuration", "the sign-in address may not be called"),
            Cause::Name => unavailable("name", "the name of the sign-in server leads nowhere"),
            Cause::Tls => unavailable("tls", "the sign-in server's certificate was not accepted"),
            Cause::Identity => unavailable("tls", "the sign-in server wants a certificate of the caller"),
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
            _ if refusal.is("invalid_grant") => {
                refused(SIGN_IN, "the sign-in has ended: sign in again by `oauth/start`")
            }
            _ => refused("key", "the credential is refused"),
        };
        error.0.refusal = Some(refusal.plain());
        error
    }
}
