//! Credentials: an id and a secret with which a system gets tokens. Several live side by side; that is how they rotate.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::issuer::Client;
use super::scope::Scopes;
use super::secret::{ClientSecret, Verifier};
use super::system::{self, IntegrationSystem, RegistryError, system_key};
use super::{Registry, audit, key, mend, read};
use crate::keys::{Keys, Sealed};
use crate::model::OrganizationId;
use crate::store::{Content, Expect, Key, Store, StoreError, Write};

/// The most credentials of one system: enough to rotate many of them, and few enough to be shown together.
pub const MAX_CREDENTIALS: usize = 10;

/// A credential; its id is the client id.
///
/// # Shape
///
/// `{"id":"5c1e…","system":"0f9b…","scopes":"sync:trigger","verifier":"…","sealed":"…","issuedAt":"…","issuedBy":"…"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Its id, which is the client's id.
    pub id: Uuid,
    /// Whose it is.
    pub system: Uuid,
    /// What it may do.
    pub scopes: Scopes,
    /// For which organizations; none is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizations: Option<BTreeSet<OrganizationId>>,
    /// What its secret is checked against.
    pub verifier: Verifier,
    /// Its secret, for those who may see it again.
    pub sealed: Sealed,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Who had it issued.
    pub issued_by: String,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is being deleted.
    #[serde(default)]
    pub ended: bool,
}

/// What a credential is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRequest {
    /// For which system.
    pub system: Uuid,
    /// What it may do.
    pub scopes: Scopes,
    /// For which organizations; none is for all.
    pub organizations: Option<BTreeSet<OrganizationId>>,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// Who asks.
    pub by: String,
}

/// A credential with its secret.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The credential.
    pub credential: Credential,
    /// Its secret.
    pub secret: ClientSecret,
}

/// When a token of a credential was last shown.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Used {
    pub(super) at: Timestamp,
}

pub(super) fn credential_key(id: Uuid) -> Key {
    key(format!("credential#{id}"), "credential")
}

pub(super) fn used_key(id: Uuid) -> Key {
    key(format!("used#{id}"), "used")
}

impl Credential {
    /// Says whether it is of use at a time.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.ended && self.expires_at.is_none_or(|end| now < end)
    }

    /// Opens its secret.
    ///
    /// # Errors
    ///
    /// Those of the key.
    pub async fn secret(&self, keys: &dyn Keys) -> Result<ClientSecret, RegistryError> {
        let opened = keys.open(&self.id.to_string(), &self.sealed).await?;
        Ok(ClientSecret::known(opened.expose_secret()))
    }
}

/// Issues a credential, by the steps that [the module](super) describes.
///
/// # Errors
///
/// `UnknownSystem`, `Leaving`, `TooMany`, `TakenBack`, and those of the issuer, the key and the store.
pub async fn issue_credential(
    registry: &Registry,
    request: CredentialRequest,
) -> Result<Issued, RegistryError> {
    let (_, system) = system::staying(&*registry.store, request.system).await?;
    room_in(&system)?;
    let intent = Uuid::new_v4();
    let begin = mend::issuing(intent, registry.now());
    registry.store.write(vec![begin]).await?;
    let issued = issue(registry, intent, request).await;
    match &issued {
        Ok(_) => {}
        // What is on its way may still arrive, and what was not answered may be done: the clock knows later.
        Err(RegistryError::Issuer(error)) if error.may_be_done() => {}
        Err(RegistryError::Store(StoreError::Unavailable(_))) => {}
        Err(_) => {
            if let Err(error) = mend::withdraw(registry, intent).await {
                tracing::warn!(?error, "left an issuing to be mended");
            }
        }
    }
    issued
}

fn room_in(system: &IntegrationSystem) -> Result<(), RegistryError> {
    if system.credentials.len() < MAX_CREDENTIALS {
        Ok(())
    } else {
        Err(RegistryError::TooMany)
    }
}

async fn issue(
    registry: &Registry,
    intent: Uuid,
    request: CredentialRequest,
) -> Result<Issued, RegistryError> {
    let made = registry
        .issuer
        .create(intent, ClientSecret::new()?, &request.scopes)
        .await?;
    let Client { id, secret } = made;
    let plain = SecretString::from(secret.expose());
    let credential = Credential {
        id,
        system: request.system,
        scopes: request.scopes,
        organizations: request.organizations,
        verifier: secret.verifier(),
        sealed: registry.keys.seal(&id.to_string(), &plain).await?,
        issued_at: registry.now(),
        issued_by: request.by,
        expires_at: request.expires_at,
        ended: false,
    };
    keep(registry, intent, &credential).await?;
    Ok(Issued { credential, secret })
}

async fn keep(registry: &Registry, intent: Uuid, credential: &Credential) -> Result<(), RegistryError> {
    loop {
        let (version, mut system) = system::staying(&*registry.store, credential.system).await?;
        room_in(&system)?;
        system.credentials.insert(credential.id);
        let by = &credential.issued_by;
        let writes = vec![
            system::put(&system, version),
            mend::issued(intent),
            Write::put(
                credential_key(credential.id),
                Expect::Absent,
                Content::of(credential),
            ),
            audit::write(
                system.id,
                by,
                "issue_credential",
                &[credential.id],
                credential.issued_at,
            ),
        ];
        match registry.store.write(writes).await {
            Err(StoreError::Refused { parts }) if parts.contains(&1) => return Err(RegistryError::TakenBack),
            Err(StoreError::Refused { parts }) if parts == [0] => {}
            answer => return Ok(answer?),
        }
    }
}

/// Finds a credential, whoever's it is.
///
/// # Errors
///
/// Those of the store.
pub async fn find_credential(store: &dyn Store, id: Uuid) -> Result<Option<Credential>, RegistryError> {
    let known = read(store, credential_key(id)).await?;
    Ok(known.map(|(_, credential)| credential))
}

/// Deletes a credential, and returns what it was: tokens that were got with it end at once. One that went half way is
/// deleted by asking again.
///
/// # Errors
///
/// `UnknownCredential`, and those of the issuer and the store.
pub async fn delete_credential(registry: &Registry, id: Uuid, by: &str) -> Result<Credential, RegistryError> {
    let ended = end(registry, id, by).await?;
    let ended = ended.ok_or(RegistryError::UnknownCredential)?;
    finish(registry, id).await?;
    Ok(ended)
}

/// Deletes a credential that a system's row names; where only the name is left, it goes.
pub(super) async fn remove(
    registry: &Registry,
    (system, id): (Uuid, Uuid),
    by: &str,
) -> Result<(), RegistryError> {
    match end(registry, id, by).await? {
        Some(_) => finish(registry, id).await,
        None => forget(registry, system, id).await,
    }
}

/// Marks a credential, so that it opens nothing any more.
async fn end(registry: &Registry, id: Uuid, by: &str) -> Result<Option<Credential>, RegistryError> {
    let now = registry.now();
    loop {
        let known = read::<Credential>(&*registry.store, credential_key(id)).await?;
        let Some((version, mut credential)) = known else {
            return Ok(None);
        };
        if credential.ended {
            return Ok(Some(credential));
        }
        credential.ended = true;
        let writes = vec![
            Write::put(
                credential_key(id),
                Expect::Version(version),
                Content::of(&credential),
            ),
            mend::deleting(id, now),
            audit::write(credential.system, by, "delete_credential", &[id], now),
        ];
        match registry.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer.map(|()| Some(credential))?),
        }
    }
}

/// Removes a credential that has ended, first at the issuer.
pub(super) async fn finish(registry: &Registry, id: Uuid) -> Result<(), RegistryError> {
    let Some(credential) = find_credential(&*registry.store, id).await? else {
        return Ok(registry.store.write(vec![mend::ended(id)]).await?);
    };
    registry.issuer.delete(id).await?;
    forget(registry, credential.system, id).await
}

/// Removes all that is kept of a credential.
async fn forget(registry: &Registry, system: Uuid, id: Uuid) -> Result<(), RegistryError> {
    loop {
        let mut writes = vec![
            Write::delete(credential_key(id), Expect::Anything),
            Write::delete(used_key(id), Expect::Anything),
            mend::ended(id),
        ];
        let system = read::<IntegrationSystem>(&*registry.store, system_key(system)).await?;
        if let Some((version, mut system)) = system {
            system.credentials.remove(&id);
            writes.push(system::put(&system, version));
        }
        match registry.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer?),
        }
    }
}
