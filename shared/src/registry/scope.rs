//! What a caller may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that a caller may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Look at integration systems.
    IntegrationSystemRead,
    /// Register, change and unregister integration systems, and their credentials.
    IntegrationSystemWrite,
    /// Read the secrets of credentials.
    IntegrationSystemAuthsRead,
    /// Look at integrations, schedules, runs, quarantine and reviews.
    IntegrationRead,
    /// Connect, change, test, pause, resume, schedule and disconnect integrations; retry and drop what is quarantined;
    /// decide reviews.
    IntegrationWrite,
    /// Start and cancel runs.
    SyncTrigger,
    /// Export reimbursements.
    ExportWrite,
    /// Read the platform's records.
    RecordRead,
    /// Write the platform's records.
    RecordWrite,
    /// Have a token refreshed.
    TokenRefresh,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::IntegrationSystemRead,
        Self::IntegrationSystemWrite,
        Self::IntegrationSystemAuthsRead,
        Self::IntegrationRead,
        Self::IntegrationWrite,
        Self::SyncTrigger,
        Self::ExportWrite,
        Self::RecordRead,
        Self::RecordWrite,
        Self::TokenRefresh,
    ];

    /// Returns its name in tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntegrationSystemRead => "integration_system:read",
            Self::IntegrationSystemWrite => "integration_system:write",
            Self::IntegrationSystemAuthsRead => "integration_system.auths:read",
            Self::IntegrationRead => "integration:read",
            Self::IntegrationWrite => "integration:write",
            Self::SyncTrigger => "sync:trigger",
            Self::ExportWrite => "export:write",
            Self::RecordRead => "record:read",
            Self::RecordWrite => "record:write",
            Self::TokenRefresh => "token:refresh",
        }
    }
}

/// Names that clients of the API which this one follows ask for, and that mean nothing here: they are taken, and not
/// granted.
const INHERITED: [&str; 21] = [
    "application.auths:read",
    "application.application_template:read",
    "application.local_tenant_id:write",
    "application:read",
    "application:write",
    "application_template.webhooks:read",
    "application_template:read",
    "application_template:write",
    "automatic_scenario_assignment:read",
    "formation.state:write",
    "formation:read",
    "formation:write",
    "formation_template.webhooks:read",
    "formation_template:read",
    "integration_system.auths:read",
    "internal_visibility:read",
    "label_definition:read",
    "label_definition:write",
    "runtime:read",
    "runtime:write",
    "webhook:write",
];

/// There is no such scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let known = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        known.ok_or(UnknownScope)
    }
}

/// What a caller may do, all in all: names with a space between them, in tokens and in rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// What the administrator may do: everything.
    #[must_use]
    pub fn administrator() -> Self {
        Self(Scope::ALL.into())
    }

    /// What an integration system may do: everything but what makes credentials, or shows them.
    #[must_use]
    pub fn integration_system() -> Self {
        let kept = [Scope::IntegrationSystemWrite, Scope::IntegrationSystemAuthsRead];
        Self(
            Scope::ALL
                .into_iter()
                .filter(|scope| !kept.contains(scope))
                .collect(),
        )
    }

    /// Returns what a client asks for that was given `self`; names that are inherited count as nothing.
    ///
    /// # Errors
    ///
    /// Where it asks for what there is not, or for more than it was given.
    pub fn asked(&self, text: &str) -> Result<Self, UnknownScope> {
        let names = text.split(' ').filter(|name| !name.is_empty());
        let ours = names.filter(|name| self.knows(name) || !INHERITED.contains(name));
        let asked: Self = ours.map(str::parse).collect::<Result<_, _>>()?;
        if self.include(&asked) {
            Ok(asked)
        } else {
            Err(UnknownScope)
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// Returns all that a client with these may ask for, names that are inherited among them.
    #[must_use]
    pub fn requestable(&self) -> String {
        let names: BTreeSet<&str> = self.names().chain(INHERITED).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    }

    /// Reads those names that are scopes of ours, and passes over the others.
    #[must_use]
    pub fn known_in(text: &str) -> Self {
        text.split(' ').filter_map(|name| name.parse().ok()).collect()
    }

    /// Returns the names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|scope| scope.as_str())
    }

    /// Says whether something is allowed.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Returns what both allow.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Says whether everything in `other` is allowed.
    #[must_use]
    pub fn include(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split(' ')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect()
    }
}

impl TryFrom<String> for Scopes {
    type Error = UnknownScope;

    fn try_from(text: String) -> Result<Self, UnknownScope> {
        text.parse()
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.names().enumerate() {
            let between = if position == 0 { "" } else { " " };
            write!(f, "{between}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let all = Scopes::administrator();
        assert_eq!(all.to_string().parse(), Ok(all.clone()));
        assert_eq!("".parse(), Ok(Scopes::default()));
        assert_eq!(
            "sync:trigger sync:trigger".parse(),
            Ok(Scopes::from_iter([Scope::SyncTrigger]))
        );
        assert_eq!("sync:trigger sync:*".parse::<Scopes>(), Err(UnknownScope));
    }

    #[test]
    fn inherited_names_are_taken_and_not_granted() {
        let given = Scopes::integration_system();
        let asked = given.asked("application:read integration_system:read integration_system.auths:read");
        assert_eq!(asked, Ok(Scopes::from_iter([Scope::IntegrationSystemRead])));
        let administrator = Scopes::administrator().asked("integration_system.auths:read");
        assert!(administrator.unwrap().allow(Scope::IntegrationSystemAuthsRead));
        for refused in ["integration_system:write", "everything", "application:*"] {
            assert_eq!(given.asked(refused), Err(UnknownScope), "{refused}");
        }
        assert!(given.requestable().contains("sync:trigger") && given.requestable().contains("runtime:read"));
    }

    #[test]
    fn only_the_administrator_makes_credentials_and_sees_their_secrets() {
        let (ours, theirs) = (Scopes::administrator(), Scopes::integration_system());
        for scope in [Scope::IntegrationSystemWrite, Scope::IntegrationSystemAuthsRead] {
            assert!(ours.allow(scope) && !theirs.allow(scope));
        }
        assert!(theirs.allow(Scope::SyncTrigger) && ours.include(&theirs) && !theirs.include(&ours));
    }
}
