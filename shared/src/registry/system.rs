//! Integration systems: registered, changed, and unregistered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::name::{Fault, Input};
use super::{credential, key, list, secret};
use crate::keys::KeyError;
use crate::store::{Content, Expect, Key, Row, Store, StoreError, Write};

/// Somebody who may drive the service from outside.
///
/// # Shape
///
/// `{"id":"0f9b…","name":"likeperson","description":"…","leaving":false,"registeredAt":"2026-01-31T10:00:00Z"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationSystem {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether it is being unregistered.
    #[serde(default)]
    pub leaving: bool,
    /// Since when it is registered.
    pub registered_at: Timestamp,
}

/// Why the registry does not do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// What a system is to be called is wrong: everything that is, at once.
    #[error("the input is not valid")]
    Invalid(Vec<Fault>),
    /// Another system has the name.
    #[error("another system has this name")]
    NotUnique,
    /// There is no such system.
    #[error("there is no such system")]
    UnknownSystem,
    /// There is no such credential.
    #[error("there is no such credential")]
    UnknownCredential,
    /// The system manages integrations.
    #[error("the system manages integrations")]
    Manages,
    /// The key did not seal or open a secret.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No secret could be made.
    #[error(transparent)]
    Secret(#[from] secret::NoRandomness),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn system_key(id: Uuid) -> Key {
    key(list::partition(id), "system")
}

fn name_key(name: &str) -> Key {
    key(format!("name#{name}"), "name")
}

/// A row whose place says it all.
fn mark() -> Content {
    Content::of(&serde_json::json!({}))
}

/// Registers a system; of many with one name, one is registered.
///
/// # Errors
///
/// `Invalid`, `NotUnique`, and those of the store.
pub async fn register(
    store: &dyn Store,
    input: Input,
    now: Timestamp,
) -> Result<IntegrationSystem, RegistryError> {
    input.check().map_err(RegistryError::Invalid)?;
    let system = IntegrationSystem {
        id: Uuid::new_v4(),
        name: input.name,
        description: input.description,
        leaving: false,
        registered_at: now,
    };
    let writes = vec![
        Write::put(name_key(&system.name), Expect::Absent, mark()),
        Write::put(system_key(system.id), Expect::Absent, Content::of(&system)),
        Write::put(list::entry_key(system.id), Expect::Absent, mark()),
    ];
    match store.write(writes).await {
        Err(StoreError::Refused { .. }) => Err(RegistryError::NotUnique),
        answer => Ok(answer.map(|()| system)?),
    }
}

/// Gives a system another name and description; one that is left out is none. One that is leaving keeps the name that
/// goes with it.
///
/// # Errors
///
/// `Invalid`, `UnknownSystem`, `NotUnique`, and those of the store.
pub async fn update(store: &dyn Store, id: Uuid, input: Input) -> Result<IntegrationSystem, RegistryError> {
    input.check().map_err(RegistryError::Invalid)?;
    loop {
        let known = read(store, id).await?.filter(|(_, system)| !system.leaving);
        let (version, before) = known.ok_or(RegistryError::UnknownSystem)?;
        let renamed = before.name != input.name;
        let next = IntegrationSystem {
            name: input.name.clone(),
            description: input.description.clone(),
            ..before.clone()
        };
        let mut writes = vec![Write::put(
            system_key(id),
            Expect::Version(version),
            Content::of(&next),
        )];
        if renamed {
            writes.push(Write::put(name_key(&next.name), Expect::Absent, mark()));
            writes.push(Write::delete(name_key(&before.name), Expect::Anything));
        }
        match store.write(writes).await {
            Err(StoreError::Refused { parts }) if parts.contains(&0) => {}
            Err(StoreError::Refused { .. }) => return Err(RegistryError::NotUnique),
            answer => return Ok(answer.map(|()| next)?),
        }
    }
}

/// Finds a system.
///
/// # Errors
///
/// Those of the store.
pub async fn find_system(store: &dyn Store, id: Uuid) -> Result<Option<IntegrationSystem>, RegistryError> {
    Ok(read(store, id).await?.map(|(_, system)| system))
}

pub(super) async fn read(
    store: &dyn Store,
    id: Uuid,
) -> Result<Option<(u64, IntegrationSystem)>, StoreError> {
    let row = store.get(&[system_key(id)]).await?.pop().flatten();
    row.map(|row: Row| Ok((row.version, row.decode()?))).transpose()
}

/// Returns the part of a transaction that insists on a system that stays, as it was read.
pub(super) fn stays(id: Uuid, version: u64) -> Write {
    Write::check(system_key(id), Expect::Version(version))
}

/// Unregisters a system with all its credentials; one that went half way is unregistered by asking again.
///
/// # Errors
///
/// `UnknownSystem`, `Manages`, and those of the store.
pub async fn unregister(store: &dyn Store, id: Uuid) -> Result<IntegrationSystem, RegistryError> {
    let system = set_leaving(store, id, true).await?;
    if list::manages(store, id).await? {
        set_leaving(store, id, false).await?;
        return Err(RegistryError::Manages);
    }
    for credential in list::credential_ids(store, id).await? {
        credential::remove(store, id, credential).await?;
    }
    let writes = vec![
        Write::delete(system_key(id), Expect::Anything),
        Write::delete(name_key(&system.name), Expect::Anything),
        Write::delete(list::entry_key(id), Expect::Anything),
    ];
    store.write(writes).await?;
    Ok(system)
}

async fn set_leaving(store: &dyn Store, id: Uuid, leaving: bool) -> Result<IntegrationSystem, RegistryError> {
    loop {
        let (version, mut system) = read(store, id).await?.ok_or(RegistryError::UnknownSystem)?;
        if system.leaving == leaving {
            return Ok(system);
        }
        system.leaving = leaving;
        let write = Write::put(system_key(id), Expect::Version(version), Content::of(&system));
        match store.write(vec![write]).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer.map(|()| system)?),
        }
    }
}
