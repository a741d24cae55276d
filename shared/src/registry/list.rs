//! What there is: all systems, and what belongs to one.

use uuid::Uuid;

use super::credential::{self, Credential};
use super::key;
use super::system::{IntegrationSystem, RegistryError};
use crate::store::{Key, Query, Row, Store, StoreError, Table};

/// The partition of the list of all systems.
const ALL: &str = "systems";

/// How many rows are read in one go.
const PAGE: usize = 1_000;

/// Some of the systems, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemPage {
    /// The systems.
    pub systems: Vec<IntegrationSystem>,
    /// How many there are, all in all.
    pub total: usize,
}

pub(super) fn partition(id: Uuid) -> String {
    format!("system#{id}")
}

pub(super) fn entry_key(id: Uuid) -> Key {
    key(ALL.to_owned(), id.to_string())
}

/// Lists systems, from a position on.
///
/// The list is read whole to be counted: a thousand entries cost as much as a few systems.
///
/// # Errors
///
/// Those of the store.
pub async fn list_systems(
    store: &dyn Store,
    first: usize,
    offset: usize,
) -> Result<SystemPage, RegistryError> {
    let ids = sorts(store, ALL.to_owned(), "").await?;
    let keys: Vec<Key> = ids
        .iter()
        .skip(offset)
        .take(first)
        .map(|id| key(format!("system#{id}"), "system"))
        .collect();
    let mut systems = Vec::with_capacity(keys.len());
    if !keys.is_empty() {
        // One that was unregistered since it was listed is left out.
        for row in store.get(&keys).await?.into_iter().flatten() {
            systems.push(row.decode()?);
        }
    }
    Ok(SystemPage {
        systems,
        total: ids.len(),
    })
}

/// Returns the credentials of a system, in the order of their ids.
///
/// # Errors
///
/// Those of the store.
pub async fn credentials_of(store: &dyn Store, system: Uuid) -> Result<Vec<Credential>, RegistryError> {
    let ids = credential_ids(store, system).await?;
    let keys: Vec<Key> = ids.iter().map(|id| credential::credential_key(*id)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = store.get(&keys).await?;
    Ok(rows
        .iter()
        .flatten()
        .map(Row::decode)
        .collect::<Result<_, StoreError>>()?)
}

pub(super) async fn credential_ids(store: &dyn Store, system: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let prefix = credential::HOLDING;
    let sorts = sorts(store, partition(system), prefix).await?;
    Ok(sorts
        .iter()
        .filter_map(|sort| sort.strip_prefix(prefix)?.parse().ok())
        .collect())
}

/// Says whether a system manages any integration.
pub(super) async fn manages(store: &dyn Store, system: Uuid) -> Result<bool, StoreError> {
    let query = Query::new(Table::Registry, partition(system), "integration#", 1);
    Ok(!store.query(&query).await?.rows.is_empty())
}

/// Returns the places of a partition that begin with a prefix.
async fn sorts(store: &dyn Store, partition: String, prefix: &str) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let query = Query::new(Table::Registry, partition.clone(), prefix, PAGE).after(after);
        let page = store.query(&query).await?;
        found.extend(page.rows.into_iter().map(|row| row.key.sort));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
