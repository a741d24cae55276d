//! From a credential to a token, and from a token to a caller.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::credential::{Credential, find_credential};
use super::scope::Scopes;
use super::secret::ClientSecret;
use super::system::{self, RegistryError};
use super::token::{LIFETIME, Tokens, VerifyError};
use crate::keys::KeyError;
use crate::model::OrganizationId;
use crate::store::Store;

/// Why no token was issued.
///
/// Source: RFC 6749, section 5.2.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The client is not known, its secret is wrong, or it is no longer let in. It is not said which.
    #[error("the client is not known, or its secret is wrong")]
    InvalidClient,
    /// It asks for more than it was given.
    #[error("the scope is not known, or more than the client was given")]
    InvalidScope,
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The registry did not answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// A token, and what it is good for.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The token.
    pub token: SecretString,
    /// What it allows.
    pub scopes: Scopes,
    /// For how many seconds.
    pub expires_in: i64,
}

/// Who shows a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The client, which is its credential's id.
    pub client: Uuid,
    /// The integration system.
    pub system: Uuid,
    /// What it may do.
    pub scopes: Scopes,
    /// For which organizations; none is for all.
    pub organizations: Option<BTreeSet<OrganizationId>>,
}

/// Issues a token to a client that shows its secret; without `asked` it allows nothing but to be known.
///
/// Whatever is wrong with the client, the same is read and computed before it is refused.
///
/// # Errors
///
/// `InvalidClient`, `InvalidScope`, and those of the key and the registry.
pub async fn grant(
    store: &dyn Store,
    tokens: &Tokens,
    (client, secret): (&str, &ClientSecret),
    asked: &str,
    now: Timestamp,
) -> Result<Granted, GrantError> {
    let credential = authenticate(store, client, secret, now).await?;
    let scopes: Scopes = asked.parse().map_err(|_| GrantError::InvalidScope)?;
    if !credential.scopes.include(&scopes) {
        return Err(GrantError::InvalidScope);
    }
    let token = tokens.issue(&credential, scopes.clone(), now).await?;
    Ok(Granted {
        token,
        scopes,
        expires_in: LIFETIME,
    })
}

/// Returns the credential that a client shows the secret of.
///
/// # Errors
///
/// `InvalidClient`, and those of the registry.
pub async fn authenticate(
    store: &dyn Store,
    client: &str,
    secret: &ClientSecret,
    now: Timestamp,
) -> Result<Credential, GrantError> {
    // An id that is none is looked up like any other, and is not there.
    let id = client.parse().unwrap_or(Uuid::nil());
    let found = find_credential(store, id).await?;
    let system = found.as_ref().map_or(Uuid::nil(), |credential| credential.system);
    let stays = system::find_system(store, system)
        .await?
        .is_some_and(|system| !system.leaving);
    let nobodys = ClientSecret::known("").verifier();
    let verifier = found.as_ref().map_or(&nobodys, |credential| &credential.verifier);
    let shown = verifier.is_of(secret);
    found
        .filter(|credential| shown && stays && credential.is_live(now))
        .ok_or(GrantError::InvalidClient)
}

/// Says who shows a token; the credential is looked up each time, so that one that was deleted ends at once.
///
/// # Errors
///
/// `None` is nobody; the errors are those of the key and the registry.
pub async fn admit(
    store: &dyn Store,
    tokens: &Tokens,
    token: &str,
    now: Timestamp,
) -> Result<Option<Admitted>, GrantError> {
    let claims = match tokens.verify(token, now).await {
        Ok(claims) => claims,
        Err(VerifyError::Refused(_)) => return Ok(None),
        Err(VerifyError::Key(error)) => return Err(error.into()),
    };
    let found = find_credential(store, claims.client_id).await?;
    let Some(credential) = found.filter(|credential| credential.is_live(now)) else {
        return Ok(None);
    };
    let system = system::find_system(store, credential.system).await?;
    let stays = system.is_some_and(|system| !system.leaving);
    let admitted = Admitted {
        client: credential.id,
        system: credential.system,
        scopes: claims.scope.within(&credential.scopes),
        organizations: credential.organizations,
    };
    Ok(stays.then_some(admitted))
}
