//! From a credential to a token, and from a token to a caller.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::credential::{Credential, Used, credential_key, find_credential, used_key};
use super::issuer::Issuer;
use super::scope::Scopes;
use super::secret::ClientSecret;
use super::system::RegistryError;
use super::token::{Claims, LIFETIME, Tokens, VerifyError};
use super::{id_of, key, mark};
use crate::keys::KeyError;
use crate::model::OrganizationId;
use crate::store::{Content, Expect, Key, Row, Store, StoreError, Write};

/// How old the note of a credential's last use gets before it is written anew.
const NOTED: Duration = Duration::from_secs(60 * 60);

/// How long a caller waits for the note.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long a note is kept after the use that it tells of.
const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

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

fn revoked_key(token: Uuid) -> Key {
    key(format!("revoked#{token}"), "revoked")
}

/// Issues a token to a client that shows its secret; without `asked` it allows nothing but to be known.
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
    let scopes = credential
        .scopes
        .asked(asked)
        .map_err(|_| GrantError::InvalidScope)?;
    let token = tokens.issue(credential.id, scopes.clone(), now).await?;
    Ok(Granted {
        token,
        scopes,
        expires_in: LIFETIME,
    })
}

/// Returns the credential that a client shows the secret of.
///
/// Whatever is wrong with the client, the same is read and computed before it is refused.
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
    let id = id_of(client).unwrap_or(Uuid::nil());
    let found = find_credential(store, id).await?;
    let nobodys = ClientSecret::known("").verifier();
    let verifier = found.as_ref().map_or(&nobodys, |credential| &credential.verifier);
    let shown = verifier.is_of(secret);
    found
        .filter(|credential| shown && credential.is_live(now))
        .ok_or(GrantError::InvalidClient)
}

/// Says who shows a token; the credential is looked up each time, so that one that was deleted ends at once.
///
/// # Errors
///
/// `None` is nobody; the errors are those of the issuer and the tables.
pub async fn admit(
    store: &dyn Store,
    issuer: &dyn Issuer,
    token: &str,
    now: Timestamp,
) -> Result<Option<Admitted>, RegistryError> {
    let Some(presented) = issuer.inspect(token, now).await? else {
        return Ok(None);
    };
    let known = Known::of(store, presented.client, presented.token).await?;
    let Some(credential) = known.live(now)? else {
        return Ok(None);
    };
    if known.is_stale(now) {
        note_use(store, credential.id, now).await;
    }
    Ok(Some(Admitted {
        client: credential.id,
        system: credential.system,
        scopes: presented.scopes.within(&credential.scopes),
        organizations: credential.organizations,
    }))
}

/// What the tables know of a token's client.
struct Known {
    credential: Option<Row>,
    used: Option<Row>,
    revoked: bool,
}

impl Known {
    async fn of(store: &dyn Store, client: Uuid, token: Option<Uuid>) -> Result<Self, StoreError> {
        let mut keys = vec![credential_key(client), used_key(client)];
        keys.extend(token.map(revoked_key));
        let mut rows = store.get(&keys).await?.into_iter();
        Ok(Self {
            credential: rows.next().flatten(),
            used: rows.next().flatten(),
            revoked: rows.next().flatten().is_some(),
        })
    }

    fn live(&self, now: Timestamp) -> Result<Option<Credential>, StoreError> {
        let row = self.credential.as_ref().filter(|_| !self.revoked);
        let credential: Option<Credential> = row.map(Row::decode).transpose()?;
        Ok(credential.filter(|credential| credential.is_live(now)))
    }

    fn is_stale(&self, now: Timestamp) -> bool {
        let used = self.used.as_ref().and_then(|row| row.decode::<Used>().ok());
        used.is_none_or(|used| now.duration_since(used.at).unsigned_abs() >= NOTED)
    }
}

/// Nobody is refused because this cannot be written.
async fn note_use(store: &dyn Store, client: Uuid, now: Timestamp) {
    let forgotten = now.checked_add(KEPT).unwrap_or(now);
    let note = Content::of(&Used { at: now }).expires_at(forgotten);
    let note = Write::put(used_key(client), Expect::Anything, note);
    match tokio::time::timeout(PATIENCE, store.write(vec![note])).await {
        Ok(Ok(())) => {}
        outcome => tracing::warn!(?outcome, "the use of a credential was not noted"),
    }
}

/// Says what a token is good for, to the client that it was issued to; to all others it is good for nothing.
///
/// # Shape
///
/// `{"active":true,"scope":"sync:trigger","client_id":"5c1e…","sub":"5c1e…","aud":"https://…","iss":"https://…","exp":1769854500,"iat":1769853600,"jti":"…","token_type":"Bearer"}`
///
/// and for a token that is good for nothing `{"active":false}`
///
/// Source: RFC 7662, section 2.2.
///
/// # Errors
///
/// Those of the key and the tables.
pub async fn introspect(
    store: &dyn Store,
    tokens: &Tokens,
    asks: &Credential,
    token: &str,
    now: Timestamp,
) -> Result<Value, GrantError> {
    let inactive = json!({ "active": false });
    let Some(claims) = own(tokens, asks, token, now).await? else {
        return Ok(inactive);
    };
    let known = Known::of(store, claims.client_id, Some(claims.jti)).await;
    let live = known
        .and_then(|known| known.live(now))
        .map_err(RegistryError::from)?;
    Ok(match live {
        None => inactive,
        Some(credential) => json!({
            "active": true,
            "scope": claims.scope.within(&credential.scopes),
            "client_id": claims.client_id,
            "sub": claims.sub,
            "aud": claims.aud,
            "iss": claims.iss,
            "exp": claims.exp,
            "iat": claims.iat,
            "jti": claims.jti,
            "token_type": "Bearer",
        }),
    })
}

/// Ends a token of the client that asks; any other is left as it is, and it is not said which it was.
///
/// Source: RFC 7009, section 2.
///
/// # Errors
///
/// Those of the key and the tables.
pub async fn revoke(
    store: &dyn Store,
    tokens: &Tokens,
    asks: &Credential,
    token: &str,
    now: Timestamp,
) -> Result<(), GrantError> {
    if let Some(claims) = own(tokens, asks, token, now).await? {
        let end = Timestamp::from_second(claims.exp).unwrap_or(Timestamp::MAX);
        let row = mark().expires_at(end);
        let write = Write::put(revoked_key(claims.jti), Expect::Anything, row);
        store.write(vec![write]).await.map_err(RegistryError::from)?;
    }
    Ok(())
}

async fn own(
    tokens: &Tokens,
    asks: &Credential,
    token: &str,
    now: Timestamp,
) -> Result<Option<Claims>, GrantError> {
    match tokens.verify(token, now).await {
        Ok(claims) => Ok(Some(claims).filter(|claims| claims.client_id == asks.id)),
        Err(VerifyError::Refused(_)) => Ok(None),
        Err(VerifyError::Key(error)) => Err(error.into()),
    }
}
