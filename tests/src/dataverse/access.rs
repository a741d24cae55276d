//! Application users and what they may do.

use std::collections::HashSet;

use http::StatusCode;
use uuid::Uuid;

use super::error::{Outcome, Refusal};

/// Names what a user may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Privilege {
    /// Reading every row of the organization.
    Read,
    /// Creating rows.
    Create,
    /// Changing rows.
    Write,
    /// Deleting rows.
    Delete,
}

/// Stands for an app registration, or for a user of the tenant, inside the organization.
#[derive(Debug, Clone)]
pub(crate) struct ApplicationUser {
    /// The app's id or the user's name, whichever tokens are given to.
    pub(crate) subject: String,
    pub(crate) user: Uuid,
    /// Without a role nothing is allowed.
    pub(crate) has_role: bool,
}

/// Knows the application users and the privileges that were taken away.
#[derive(Debug)]
pub(crate) struct Access {
    users: Vec<ApplicationUser>,
    revoked: HashSet<(String, Privilege)>,
}

impl Privilege {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Create => "Create",
            Self::Write => "Write",
            Self::Delete => "Delete",
        }
    }
}

impl Access {
    pub(crate) fn new(users: Vec<ApplicationUser>) -> Self {
        Self {
            users,
            revoked: HashSet::new(),
        }
    }

    /// Returns the user that whoever holds a token acts as.
    pub(crate) fn user(&self, subject: &str) -> Outcome<ApplicationUser> {
        let user = self.users.iter().find(|user| user.subject == subject).cloned();
        let message = "The user is not a member of the organization.";
        user.ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, "0x80072560", message))
    }

    pub(crate) fn check(&self, user: &ApplicationUser, table: &str, privilege: Privilege) -> Outcome<()> {
        if user.has_role && !self.revoked.contains(&(table.to_owned(), privilege)) {
            return Ok(());
        }
        let (name, id, of) = (privilege.name(), user.user, schema_name(table));
        let message = format!(
            "Principal user (Id={id}, type=8, roleCount=1) is missing prv{name}{of} privilege on entity '{table}'."
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, "0x80040220", message))
    }

    pub(crate) fn revoke(&mut self, table: &str, privilege: Privilege) {
        self.revoked.insert((table.to_owned(), privilege));
    }

    pub(crate) fn grant(&mut self, table: &str, privilege: Privilege) {
        self.revoked.remove(&(table.to_owned(), privilege));
    }
}

/// Returns a table's name as privileges have it.
fn schema_name(table: &str) -> &str {
    match table {
        "serviceendpoint" => "ServiceEndpoint",
        "sdkmessage" => "SdkMessage",
        "sdkmessagefilter" => "SdkMessageFilter",
        "sdkmessageprocessingstep" => "SdkMessageProcessingStep",
        table => table,
    }
}
