//! Who asks, as the authorizer found out; nothing that the request itself says.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::model::OrganizationId;

/// Who asks. A function puts it into the request's extensions; a request without one is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Arc<str>,
    organizations: Organizations,
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

impl Caller {
    /// Makes the caller that may see every organization, such as whoever may invoke the function itself.
    pub fn unrestricted(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            organizations: Organizations::All,
        }
    }

    /// Reads the caller from what the authorizer said: `{"caller":"…","organizations":"*"}`, or names, comma-separated.
    ///
    /// Anything else is nobody: the door fails closed.
    #[must_use]
    pub fn from_context(context: &Map<String, Value>) -> Option<Self> {
        let name = context.get("caller")?.as_str().filter(|name| !name.is_empty())?;
        let organizations = match context.get("organizations")?.as_str()? {
            "*" => Organizations::All,
            names => Organizations::These(names.split(',').map(str::parse).collect::<Result<_, _>>().ok()?),
        };
        Some(Self {
            name: name.into(),
            organizations,
        })
    }

    /// Returns the name that rows and logs carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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
    fn a_caller_sees_what_the_authorizer_says_and_no_more() {
        let hlf = "hlf".parse().unwrap();
        let all = caller(&serde_json::json!({ "caller": "administrator", "organizations": "*" })).unwrap();
        assert!(all.may_see(&hlf));
        let other = caller(&serde_json::json!({ "caller": "x", "organizations": "a,b" })).unwrap();
        assert!(!other.may_see(&hlf));
        assert!(other.may_see(&"b".parse().unwrap()));
    }

    #[test]
    fn a_context_that_does_not_name_both_is_nobody() {
        for context in [
            serde_json::json!({}),
            serde_json::json!({ "caller": "x" }),
            serde_json::json!({ "caller": "", "organizations": "*" }),
            serde_json::json!({ "caller": "x", "organizations": ["*"] }),
            serde_json::json!({ "caller": "x", "organizations": "" }),
            serde_json::json!({ "caller": "x", "organizations": "hlf,*" }),
        ] {
            assert_eq!(caller(&context), None, "{context}");
        }
    }
}
