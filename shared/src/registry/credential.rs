//! Credentials: an id and a secret with which a system gets tokens. Several live side by side; that is how they rotate.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::scope::Scopes;
use super::secret::{ClientSecret, Verifier};
use super::system::{self, RegistryError};
use super::{key, list};
use crate::keys::{Keys, Sealed};
use crate::model::OrganizationId;
use crate::store::{Content, Expect, Key, Store, StoreError, Write};

/// What the place of a credential in the list of its system begins with.
pub(super) const HOLDING: &str = "credential#";

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

pub(super) fn credential_key(id: Uuid) -> Key {
    key(format!("credential#{id}"), "credential")
}

fn holding_key(system: Uuid, id: Uuid) -> Key {
    key(list::partition(system), format!("{HOLDING}{id}"))
}

impl Credential {
    /// Says whether it is of use at a time.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Opens its secret.
    ///
    /// # Errors
    ///
    /// Those of the key.
    pub async fn secret(&self, keys: &dyn Keys) -> Result<ClientSecret, RegistryError> {
        let opened = keys.open(&self.id.to_string(), &self.sealed).await?;
        Ok(ClientSecret::known(secrecy::ExposeSecret::expose_secret(&opened)))
    }
}

/// Issues a credential.
///
/// One transaction insists on the system, and writes the credential and its place in the list: a crash leaves a
/// credential that is listed and can be deleted, or none.
///
/// # Errors
///
/// `UnknownSystem`, and those of the key and the store.
pub async fn issue_credential(
    store: &dyn Store,
    keys: &dyn Keys,
    request: CredentialRequest,
    now: Timestamp,
) -> Result<Issued, RegistryError> {
    let (id, secret) = (Uuid::new_v4(), ClientSecret::new()?);
    let plain = SecretString::from(secret.expose());
    let credential = Credential {
        id,
        system: request.system,
        scopes: request.scopes,
        organizations: request.organizations,
        verifier: secret.verifier(),
        sealed: keys.seal(&id.to_string(), &plain).await?,
        issued_at: now,
        issued_by: request.by,
        expires_at: request.expires_at,
    };
    loop {
        let known = system::read(store, credential.system).await?;
        let (version, _) = known
            .filter(|(_, system)| !system.leaving)
            .ok_or(RegistryError::UnknownSystem)?;
        let writes = vec![
            system::stays(credential.system, version),
            Write::put(credential_key(id), Expect::Absent, Content::of(&credential)),
            Write::put(
                holding_key(credential.system, id),
                Expect::Absent,
                Content::of(&serde_json::json!({})),
            ),
        ];
        match store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer.map(|()| Issued { credential, secret })?),
        }
    }
}

/// Finds a credential, whoever's it is.
///
/// # Errors
///
/// Those of the store.
pub async fn find_credential(store: &dyn Store, id: Uuid) -> Result<Option<Credential>, RegistryError> {
    let row = store.get(&[credential_key(id)]).await?.pop().flatten();
    Ok(row.map(|row| row.decode()).transpose()?)
}

/// Deletes a credential, and returns what it was: tokens that were got with it end at once.
///
/// # Errors
///
/// `UnknownCredential`, and those of the store.
pub async fn delete_credential(store: &dyn Store, id: Uuid) -> Result<Credential, RegistryError> {
    let credential = find_credential(store, id)
        .await?
        .ok_or(RegistryError::UnknownCredential)?;
    remove(store, credential.system, id).await?;
    Ok(credential)
}

pub(super) async fn remove(store: &dyn Store, system: Uuid, id: Uuid) -> Result<(), StoreError> {
    let writes = vec![
        Write::delete(credential_key(id), Expect::Anything),
        Write::delete(holding_key(system, id), Expect::Anything),
    ];
    store.write(writes).await
}
