//! Integration systems: registered, changed, and unregistered.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::issuer::IssuerError;
use super::name::{Fault, Input};
use super::{Registry, audit, credential, key, list, managed, mark, read, secret};
use crate::keys::KeyError;
use crate::store::{Content, Expect, Key, Store, StoreError, Write};

/// Somebody who may drive the service from outside.
///
/// # Shape
///
/// `{"id":"0f9b…","name":"likeperson","description":"…","leaving":false,"credentials":["5c1e…"],"registeredAt":"…"}`
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
    /// Which credentials it has.
    #[serde(default)]
    pub credentials: BTreeSet<Uuid>,
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
    /// The system is being unregistered, and that went half way.
    #[error("the system is being unregistered")]
    Leaving,
    /// The system manages integrations.
    #[error("the system manages integrations")]
    Manages,
    /// The system has as many credentials as one may have.
    #[error("the system has as many credentials as one may have")]
    TooMany,
    /// What was begun was given up on by others before it was done.
    #[error("it took too long, and was taken back")]
    TakenBack,
    /// The issuer did not do its part.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
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

/// Returns the partition of a system's row, and of what it manages.
pub(super) fn partition(id: Uuid) -> String {
    format!("system#{id}")
}

pub(super) fn system_key(id: Uuid) -> Key {
    key(partition(id), "system")
}

fn name_key(name: &str) -> Key {
    key(format!("name#{name}"), "name")
}

/// Returns the write that takes a name, and says for whom.
fn name(system: &IntegrationSystem) -> Write {
    let content = Content::of(&serde_json::json!({ "system": system.id }));
    Write::put(name_key(&system.name), Expect::Absent, content)
}

/// Registers a system; of many with one name, one is registered.
///
/// # Errors
///
/// `Invalid`, `NotUnique`, and those of the store.
pub async fn register(
    registry: &Registry,
    input: Input,
    by: &str,
) -> Result<IntegrationSystem, RegistryError> {
    input.check().map_err(RegistryError::Invalid)?;
    let now = registry.now();
    let system = IntegrationSystem {
        id: Uuid::new_v4(),
        name: input.name,
        description: input.description,
        leaving: false,
        credentials: BTreeSet::new(),
        registered_at: now,
    };
    let writes = vec![
        name(&system),
        Write::put(system_key(system.id), Expect::Absent, Content::of(&system)),
        Write::put(list::entry_key(system.id), Expect::Absent, mark()),
        audit::write(system.id, by, "register", &[], now),
    ];
    match registry.store.write(writes).await {
        Err(StoreError::Refused { .. }) => Err(RegistryError::NotUnique),
        answer => Ok(answer.map(|()| system)?),
    }
}

/// Gives a system another name and description; one that is left out is none. One that is leaving keeps the name that
/// goes with it.
///
/// # Errors
///
/// `Invalid`, `UnknownSystem`, `Leaving`, `NotUnique`, and those of the store.
pub async fn update(
    registry: &Registry,
    id: Uuid,
    input: Input,
    by: &str,
) -> Result<IntegrationSystem, RegistryError> {
    input.check().map_err(RegistryError::Invalid)?;
    loop {
        let (version, before) = staying(&*registry.store, id).await?;
        let renamed = before.name != input.name;
        let next = IntegrationSystem {
            name: input.name.clone(),
            description: input.description.clone(),
            ..before.clone()
        };
        let mut writes = vec![
            put(&next, version),
            audit::write(id, by, "update", &[], registry.now()),
        ];
        if renamed {
            writes.push(name(&next));
            writes.push(Write::delete(name_key(&before.name), Expect::Anything));
        }
        match registry.store.write(writes).await {
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
    Ok(read(store, system_key(id)).await?.map(|(_, system)| system))
}

/// Reads a system that is not leaving, with its version.
pub(super) async fn staying(store: &dyn Store, id: Uuid) -> Result<(u64, IntegrationSystem), RegistryError> {
    match read::<IntegrationSystem>(store, system_key(id)).await? {
        None => Err(RegistryError::UnknownSystem),
        Some((_, system)) if system.leaving => Err(RegistryError::Leaving),
        Some(known) => Ok(known),
    }
}

/// Returns the part of a transaction that insists on a system as it was read.
pub(super) fn unchanged(id: Uuid, version: u64) -> Write {
    Write::check(system_key(id), Expect::Version(version))
}

/// Returns the part of a transaction that keeps a system which was read.
pub(super) fn put(system: &IntegrationSystem, version: u64) -> Write {
    Write::put(
        system_key(system.id),
        Expect::Version(version),
        Content::of(system),
    )
}

/// Unregisters a system with all its credentials; one that went half way is unregistered by asking again.
///
/// # Errors
///
/// `UnknownSystem`, `Manages`, and those of the issuer and the store.
pub async fn unregister(registry: &Registry, id: Uuid, by: &str) -> Result<IntegrationSystem, RegistryError> {
    let system = set_leaving(registry, id, true, by).await?;
    if managed::manages(&*registry.store, id).await? {
        set_leaving(registry, id, false, by).await?;
        return Err(RegistryError::Manages);
    }
    remove(registry, id, by).await?;
    Ok(system)
}

/// Removes a system that is leaving, after its credentials; another who asked for the same may have found it managing
/// something meanwhile.
async fn remove(registry: &Registry, id: Uuid, by: &str) -> Result<(), RegistryError> {
    let store = &*registry.store;
    while let Some((version, system)) = read::<IntegrationSystem>(store, system_key(id)).await? {
        if !system.leaving {
            return Err(RegistryError::Manages);
        }
        if let Some(credential) = system.credentials.first() {
            credential::remove(registry, (system.id, *credential), by).await?;
            continue;
        }
        let writes = vec![
            Write::delete(system_key(id), Expect::Version(version)),
            Write::delete(name_key(&system.name), Expect::Anything),
            Write::delete(list::entry_key(id), Expect::Anything),
        ];
        match store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer?),
        }
    }
    Ok(())
}

async fn set_leaving(
    registry: &Registry,
    id: Uuid,
    leaving: bool,
    by: &str,
) -> Result<IntegrationSystem, RegistryError> {
    let did = if leaving {
        "unregister"
    } else {
        "refuse_to_unregister"
    };
    loop {
        let known = read::<IntegrationSystem>(&*registry.store, system_key(id)).await?;
        let (version, mut system) = known.ok_or(RegistryError::UnknownSystem)?;
        if system.leaving == leaving {
            return Ok(system);
        }
        system.leaving = leaving;
        let writes = vec![
            put(&system, version),
            audit::write(id, by, did, &[], registry.now()),
        ];
        match registry.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer.map(|()| system)?),
        }
    }
}
