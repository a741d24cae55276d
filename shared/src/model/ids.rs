//! Identifiers: each is its own type, checked where it enters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Says why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct IdError {
    pub(super) what: &'static str,
    pub(super) rule: &'static str,
}

impl IdError {
    pub(crate) const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $accept:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Returns the identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let accept: fn(&u8) -> bool = $accept;
                let fits = !text.is_empty() && text.len() <= $max && text.bytes().all(|byte| accept(&byte));
                if fits { Ok(Self(text.into())) } else { Err(IdError { what: $what, rule: $rule }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A tenant of the platform.
    OrganizationId,
    "organizationId",
    64,
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-',
    "1 to 64 of a-z, 0-9 and -"
);
text_id!(
    /// The platform's own name of a record; unique within its organization and kind.
    RecordId,
    "record id",
    100,
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
    "1 to 100 of A-Z, a-z, 0-9, '-', '_' and '.'"
);
text_id!(
    /// One execution of a sync; sorts by the time at which it was opened.
    RunId,
    "run id",
    36,
    |byte| byte.is_ascii_hexdigit() || *byte == b'-',
    "a UUID in lower case"
);

text_id!(
    /// A webhook that was accepted; sorts by the time at which it was.
    EventId,
    "event id",
    36,
    |byte| byte.is_ascii_hexdigit() || *byte == b'-',
    "a UUID in lower case"
);

text_id!(
    /// A file of an integration; sorts by the time at which it was opened.
    FileId,
    "file id",
    36,
    |byte| byte.is_ascii_hexdigit() || *byte == b'-',
    "a UUID in lower case"
);
text_id!(
    /// What the rows of a file are for, such as `gl02b` or `transcript:online_course`.
    FilePurpose,
    "file purpose",
    64,
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b':'),
    "1 to 64 of a-z, 0-9, '-', '_' and ':'"
);
text_id!(
    /// What a row of a file is about: an id of the platform's or a reference, and nothing of a person.
    FileRowKey,
    "file row key",
    200,
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'),
    "1 to 200 of A-Z, a-z, 0-9, '-', '_', '.' and ':'"
);

/// A kind of outside system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum System {
    /// Microsoft Dynamics 365, by the Dataverse Web API.
    Dynamics365,
    /// Xledger: the accounts.
    Xledger,
    /// Cornerstone OnDemand: courses.
    Cornerstone,
    /// Consio, by a profile or by files.
    Consio,
    /// Any other system with a REST API that a profile describes.
    Rest,
}

impl System {
    /// Every system that has an adapter.
    pub const ALL: &[Self] = &[
        Self::Dynamics365,
        Self::Xledger,
        Self::Cornerstone,
        Self::Consio,
        Self::Rest,
    ];

    /// Says whether it keeps books, so that reimbursements are exported to it.
    #[must_use]
    pub const fn keeps_books(self) -> bool {
        matches!(self, Self::Xledger)
    }

    /// Returns the name that the API, rows and metrics use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dynamics365 => "dynamics365",
            Self::Xledger => "xledger",
            Self::Cornerstone => "cornerstone",
            Self::Consio => "consio",
            Self::Rest => "rest",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for System {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let known = Self::ALL.iter().find(|system| system.as_str() == text);
        known.copied().ok_or(IdError {
            what: "integrationType",
            rule: "dynamics365, xledger, cornerstone, consio or rest",
        })
    }
}

/// One organization's link to one system, written `{organizationId}:{integrationType}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationId {
    /// The tenant.
    pub organization: OrganizationId,
    /// The system on the other side.
    pub system: System,
}

impl IntegrationId {
    /// Joins an organization and a system.
    #[must_use]
    pub const fn new(organization: OrganizationId, system: System) -> Self {
        Self { organization, system }
    }
}

impl fmt::Display for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.organization, self.system)
    }
}

impl FromStr for IntegrationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = IdError {
            what: "integrationId",
            rule: "{organizationId}:{integrationType}",
        };
        let (organization, system) = text.split_once(':').ok_or(malformed)?;
        Ok(Self::new(organization.parse()?, system.parse()?))
    }
}

impl TryFrom<String> for IntegrationId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<IntegrationId> for String {
    fn from(id: IntegrationId) -> Self {
        id.to_string()
    }
}

impl RunId {
    /// Makes a new id from the time at which the run opens.
    #[must_use]
    pub fn at(now: jiff::Timestamp) -> Self {
        Self(since(now).to_string().into())
    }
}

impl EventId {
    /// Makes a new id from the time at which the webhook was accepted.
    #[must_use]
    pub fn at(now: jiff::Timestamp) -> Self {
        Self(since(now).to_string().into())
    }
}

impl FileId {
    /// Makes a new id from the time at which the file is opened.
    #[must_use]
    pub fn at(now: jiff::Timestamp) -> Self {
        Self(since(now).to_string().into())
    }
}

/// Returns a new id that sorts by time.
fn since(now: jiff::Timestamp) -> uuid::Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_id_is_short_and_plain() {
        assert!("hlf".parse::<OrganizationId>().is_ok());
        for bad in ["", "HLF", "a/b", "a#b", "å", "../x", &"a".repeat(65)] {
            assert!(bad.parse::<OrganizationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_integration_id_reads_back_as_written() {
        let id: IntegrationId = "hlf:dynamics365".parse().unwrap();
        assert_eq!(id.to_string(), "hlf:dynamics365");
        assert!("hlf:unknown".parse::<IntegrationId>().is_err());
        assert!("hlf".parse::<IntegrationId>().is_err());
    }

    #[test]
    fn a_run_id_sorts_by_the_time_it_was_opened() {
        let first = RunId::at("2026-01-01T00:00:00Z".parse().unwrap());
        let later = RunId::at("2026-01-01T00:00:01Z".parse().unwrap());
        assert!(first < later);
    }
}
