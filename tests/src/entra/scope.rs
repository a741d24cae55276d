//! What the scopes of Entra ID mean.

use crate::sign_in::{GENERAL, Reason, RequestFault};

/// The one permission that Dataverse has for apps that act in the name of a user.
pub(super) const DELEGATED: &str = "user_impersonation";

/// Reads the system out of `{system}/.default`, the only scope that client credentials take.
pub(super) fn of_client(scope: &str) -> Result<&str, Reason> {
    let system = scope
        .strip_suffix("/.default")
        .filter(|system| system.contains("://"));
    let system = system.ok_or_else(|| RequestFault::Scope(scope.to_owned()))?;
    Ok(system.trim_end_matches('/'))
}

/// Returns the system of a scope that a user is asked for, and its words that name the system.
pub(super) fn of_user(scope: &str) -> Result<(&str, Vec<&str>), Reason> {
    let words: Vec<&str> = scope
        .split_whitespace()
        .filter(|word| !GENERAL.contains(word))
        .collect();
    let mut system = None;
    for word in &words {
        let parts = word.rsplit_once('/').filter(|(system, _)| system.contains("://"));
        let (named, permission) = parts.ok_or_else(|| RequestFault::Scope((*word).to_owned()))?;
        if permission != DELEGATED {
            return Err(RequestFault::UnknownScope((*word).to_owned()).into());
        }
        if *system.get_or_insert(named) != named {
            return Err(RequestFault::SeveralSystems.into());
        }
    }
    let system = system.ok_or_else(|| RequestFault::Scope(scope.to_owned()))?;
    Ok((system.trim_end_matches('/'), words))
}
