//! Access tokens.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::Family;

/// Says what an access token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The app that asked.
    pub client_id: String,
    /// The user in whose name it acts, if it does not act in its own.
    pub user: Option<String>,
    /// The system that the token is meant for.
    pub audience: String,
    /// What the token allows.
    pub scopes: Vec<String>,
    /// When the token ends.
    pub expires_at: Timestamp,
    family: Option<Uuid>,
}

impl Grant {
    /// Returns what an app may do in its own name.
    pub(crate) fn to_client(client_id: &str, audience: &str, scopes: Vec<String>) -> Self {
        Self {
            client_id: client_id.to_owned(),
            user: None,
            audience: audience.to_owned(),
            scopes,
            expires_at: Timestamp::UNIX_EPOCH,
            family: None,
        }
    }

    /// Returns what an app may do in the name of a user, as long as the family lives.
    pub(crate) fn to_family(family: &Family, audience: &str, scopes: Vec<String>) -> Self {
        Self {
            user: Some(family.user.clone()),
            family: Some(family.id),
            ..Self::to_client(&family.client_id, audience, scopes)
        }
    }

    /// Returns who acts: the user, or else the app.
    pub fn subject(&self) -> &str {
        self.user.as_deref().unwrap_or(&self.client_id)
    }

    /// Returns whether the token allows something.
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|allowed| allowed == scope)
    }
}

/// Keeps the access tokens that were given.
#[derive(Debug, Default)]
pub(super) struct AccessTokens(HashMap<String, Grant>);

impl AccessTokens {
    pub(super) fn keep(&mut self, token: String, grant: Grant, now: Timestamp) {
        self.0.retain(|_, grant| now < grant.expires_at);
        self.0.insert(token, grant);
    }

    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.0.get(token).filter(|grant| now < grant.expires_at)
    }

    pub(super) fn end_family(&mut self, family: Uuid) {
        self.0.retain(|_, grant| grant.family != Some(family));
    }

    pub(super) fn end_all(&mut self) {
        self.0.clear();
    }
}
