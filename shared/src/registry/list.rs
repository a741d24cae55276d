//! What there is: all systems, and what belongs to one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::credential::{self, Credential, Used};
use super::key;
use super::system::{IntegrationSystem, RegistryError, system_key};
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
    let ids = entries(store).await?;
    let asked = ids.iter().skip(offset).take(first);
    let keys: Vec<Key> = asked.map(|id| system_key(*id)).collect();
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

/// A credential as it is kept, and when it was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The credential.
    pub credential: Credential,
    /// When a token of it was last shown, to within an hour.
    pub last_used_at: Option<Timestamp>,
}

/// Returns the credentials of some systems, by their ids; one that cannot be read fails alone.
///
/// # Errors
///
/// Those of the store.
pub async fn held_by(
    store: &dyn Store,
    systems: &[IntegrationSystem],
) -> Result<BTreeMap<Uuid, Result<Held, StoreError>>, RegistryError> {
    let ids: Vec<Uuid> = systems
        .iter()
        .flat_map(|system| system.credentials.iter().copied())
        .collect();
    let rows = rows_of(store, &ids).await?;
    let held = ids.into_iter().zip(rows);
    Ok(held
        .filter_map(|(id, (row, used))| Some((id, Held::read(&row?, used.as_ref()))))
        .collect())
}

async fn rows_of(store: &dyn Store, ids: &[Uuid]) -> Result<Vec<(Option<Row>, Option<Row>)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Key> = ids.iter().copied().map(credential::credential_key).collect();
    let used: Vec<Key> = ids.iter().copied().map(credential::used_key).collect();
    let mut rows = store.get(&[keys, used].concat()).await?;
    let used = rows.split_off(ids.len());
    Ok(rows.into_iter().zip(used).collect())
}

impl Held {
    fn read(row: &Row, used: Option<&Row>) -> Result<Self, StoreError> {
        Ok(Self {
            credential: row.decode()?,
            last_used_at: used.map(Row::decode::<Used>).transpose()?.map(|used| used.at),
        })
    }
}

/// Returns the ids of all systems, in order.
async fn entries(store: &dyn Store) -> Result<Vec<Uuid>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let query = Query::new(Table::Registry, ALL, "", PAGE).after(after);
        let page = store.query(&query).await?;
        let ids = page
            .rows
            .iter()
            .filter_map(|row| row.key.sort.parse::<Uuid>().ok());
        found.extend(ids);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
