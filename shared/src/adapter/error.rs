//! What an adapter's call can end in, sorted by what the caller does next.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use jiff::Timestamp;

/// The result of an adapter's call.
pub type Result<T> = std::result::Result<T, Error>;

/// What the caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The adapter cannot do this: fix the caller.
    Unsupported,
    /// The credential does not work, also after one renewal: a human gives another.
    Unauthenticated,
    /// The credential works and may not do this: a human grants it.
    PermissionDenied,
    /// There is no such row, table or route.
    NotFound,
    /// The row has changed since it was read: read it again and decide again.
    Conflict,
    /// The system refuses the content: correct it; sending it again will not do.
    Rejected,
    /// The system wants to be left alone until then.
    RateLimited {
        /// The first instant at which it may be asked again.
        until: Timestamp,
    },
    /// The system is down, slow or unreachable, and has not done what it was asked: try later.
    Unavailable,
    /// The answer is not what the system's documentation says: a human looks.
    Malformed,
    /// The request left and no answer came: it may have been done.
    Unknown,
    /// The system no longer knows the cursor: read everything again.
    CursorExpired,
}

impl ErrorKind {
    /// Returns the name that rows, events and metrics carry; never changed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::CursorExpired => "cursor_expired",
        }
    }

    /// Says whether the same call may succeed later without anybody's doing.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable | Self::Unknown)
    }
}

/// Why an adapter's call did not do what it was asked.
///
/// The message is for operators: it holds no secret and nothing of any record.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    facts: Vec<(&'static str, String)>,
    field: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error: a lower-case sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            facts: Vec::new(),
            field: None,
            source: None,
        }))
    }

    /// Adds a fact, such as the status of an answer.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl fmt::Display) -> Self {
        self.0.facts.push((name, fact.to_string()));
        self
    }

    /// Names the field of the record that is at fault.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Adds what lies behind.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says what the caller does next.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the field of the record that is at fault, where one is known.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// Returns a fact that was added.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.0
            .facts
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, fact)| fact.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (position, (name, fact)) in self.0.facts.iter().enumerate() {
            write!(f, "{}{name}={fact}", if position == 0 { " (" } else { ", " })?;
        }
        f.write_str(if self.0.facts.is_empty() { "" } else { ")" })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.kind().as_str())?;
        self.0
            .source
            .as_ref()
            .map_or(Ok(()), |source| write!(f, ": {source:?}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}
