//! Who asks, as the authorizer found out; nothing that the request itself says.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use uuid::Uuid;

use crate::model::OrganizationId;
use crate::registry::Scopes;

/// Who asks. A function puts it into the request's extensions; a request without one is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Arc<str>,
    system: Option<Uuid>,
    organizations: Organizations,
    scopes: Scopes,
}

/// Which organizations a caller was let into.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Organizations {
    All,
    These(BTreeSet<OrganizationId>),
}

/// The request, as the logs and the gateway name it.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// From where a request comes, as the gateway saw it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RemoteAddress(pub Arc<str>);

impl Caller {
    /// Makes the caller that may do everything in every organization, such as whoever may invoke the function itself.
    pub fn unrestricted(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            system: None,
            organizations: Organizations::All,
            scopes: Scopes::administrator(),
        }
    }

    /// Reads the caller from what the authorizer said: `{"caller":"…","organizations":"*","scopes":"…"}`, with names of
    /// organizations, comma-separated, or `*` for all; and `system` where it is an integration system.
    ///
    /// Anything else is nobody: the door fails closed. A scope that is not known here is one of a later deployment.
    #[must_use]
    pub fn from_context(context: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| context.get(name)?.as_str();
        let name = text("caller").filter(|name| !name.is_empty())?;
        let organizations = match text("organizations")? {
            "*" => Organizations::All,
            names => Organizations::These(names.split(',').map(str::parse).collect::<Result<_, _>>().ok()?),
        };
        let system = match context.get("system") {
            None => None,
            Some(system) => Some(system.as_str()?.parse().ok()?),
        };
        Some(Self {
            name: name.into(),
            system,
            organizations,
            scopes: Scopes::known_in(text("scopes")?),
        })
    }

    /// Returns the integration system that asks, if one does.
    #[must_use]
    pub const fn system(&self) -> Option<Uuid> {
        self.system
    }

    /// Returns what the caller may do.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Returns the name that rows and logs carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says whether the caller was let into an organization by its name.
    #[must_use]
    pub fn is_limited_to(&self, organization: &OrganizationId) -> bool {
        matches!(&self.organizations, Organizations::These(these) if these.contains(organization))
    }

    /// Says whether the caller was let into an organization.
    #[must_use]
    pub fn may_see(&self, organization: &OrganizationId) -> bool {
        match &self.organizations {
            Organizations::All => true,
            Organizations::These(these) => these.contains(organization),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(context: &Value) -> Option<Caller> {
        Caller::from_context(context.as_object().unwrap())
    }

    #[test]
    fn a_caller_sees_and_does_what_the_authorizer_says_and_no_more() {
        let hlf = "hlf".parse().unwrap();
        let all = serde_json::json!({ "caller": "administrator", "organizations": "*", "scopes": "" });
        assert!(caller(&all).unwrap().may_see(&hlf));
        let other =
            serde_json::json!({ "caller": "x", "organizations": "a,b", "scopes": "sync:trigger later:on" });
        let other = caller(&other).unwrap();
        assert!(!other.may_see(&hlf));
        assert!(other.may_see(&"b".parse().unwrap()));
        assert_eq!(other.scopes().to_string(), "sync:trigger");
    }

    #[test]
    fn a_context_that_does_not_say_all_is_nobody() {
        for context in [
            serde_json::json!({}),
            serde_json::json!({ "caller": "x" }),
            serde_json::json!({ "caller": "x", "organizations": "*" }),
            serde_json::json!({ "caller": "", "organizations": "*", "scopes": "" }),
            serde_json::json!({ "caller": "x", "organizations": ["*"], "scopes": "" }),
            serde_json::json!({ "caller": "x", "organizations": "", "scopes": "" }),
            serde_json::json!({ "caller": "x", "organizations": "hlf,*", "scopes": "" }),
            serde_json::json!({ "caller": "x", "organizations": "*", "scopes": [] }),
            serde_json::json!({ "caller": "x", "organizations": "*", "scopes": "", "system": "x" }),
        ] {
            assert_eq!(caller(&context), None, "{context}");
        }
    }
}
