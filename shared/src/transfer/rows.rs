//! The rows of a file that goes out, and what is known of each key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::file::{File, FileState, file_key};
use crate::model::{FileId, FilePurpose, FileRowKey, IntegrationId};
use crate::store::{Key, Query, Row, Store, StoreError, Table};

/// A row of a file; holds what the system is to get, which may be personal data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) key: FileRowKey,
    pub(super) value: Value,
}

/// By which file a row went out last. Of what it said there is a fingerprint only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filed {
    pub(super) file: FileId,
    pub(super) print: String,
}

/// By which file a row went out, and what became of that file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowStanding {
    /// The file that it went into last.
    pub file: FileId,
    /// How far that file is.
    pub state: FileState,
    /// When a human said what became of it.
    pub decided_at: Option<Timestamp>,
    print: String,
}

impl RowStanding {
    /// Says whether nobody has said yet what became of its file.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(
            self.state,
            FileState::Collecting | FileState::Closing | FileState::Ready | FileState::Failed
        )
    }

    /// Says whether the row said this.
    #[must_use]
    pub fn says(&self, value: &Value) -> bool {
        self.print == print(value)
    }
}

/// Tells a value from another without keeping it; the two look alike once in 10¹⁹ times.
pub(super) fn print(value: &Value) -> String {
    format!("{:016x}", xxh3_64(value.to_string().as_bytes()))
}

pub(super) fn items_prefix(integration: &IntegrationId, file: &FileId) -> String {
    format!("file-row#{}#{file}#", integration.system)
}

pub(super) fn item_key(integration: &IntegrationId, file: &FileId, key: &FileRowKey) -> Key {
    let sort = format!("{}{key}", items_prefix(integration, file));
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

pub(super) fn filed_key(integration: &IntegrationId, purpose: &FilePurpose, key: &FileRowKey) -> Key {
    let sort = format!("filed#{}#{purpose}#{key}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

pub(super) fn open_key(integration: &IntegrationId, purpose: &FilePurpose) -> Key {
    let sort = format!("file-open#{}#{purpose}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Says by which file a row went out, and what became of that file; none where it is in no file that is known.
///
/// A row whose file was discarded did not go out, and can be collected again.
///
/// # Errors
///
/// Those of the store.
pub async fn standing(
    store: &dyn Store,
    integration: &IntegrationId,
    purpose: &FilePurpose,
    key: &FileRowKey,
) -> Result<Option<RowStanding>, StoreError> {
    let standings = standings(store, integration, purpose, std::slice::from_ref(key)).await?;
    Ok(standings.into_iter().next().flatten())
}

/// Says it of many rows, in their order.
///
/// # Errors
///
/// Those of the store.
pub async fn standings(
    store: &dyn Store,
    integration: &IntegrationId,
    purpose: &FilePurpose,
    keys: &[FileRowKey],
) -> Result<Vec<Option<RowStanding>>, StoreError> {
    let places: Vec<Key> = keys
        .iter()
        .map(|key| filed_key(integration, purpose, key))
        .collect();
    let filed = store.get(&places).await?;
    let filed: Result<Vec<Option<Filed>>, _> = filed
        .iter()
        .map(|row| row.as_ref().map(Row::decode).transpose())
        .collect();
    let filed = filed?;
    let mut names: Vec<FileId> = filed.iter().flatten().map(|filed| filed.file.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let places: Vec<Key> = names.iter().map(|name| file_key(integration, name)).collect();
    let mut files: Vec<File> = Vec::with_capacity(names.len());
    for row in store.get(&places).await?.iter().flatten() {
        files.push(row.decode()?);
    }
    let stand = |filed: Option<Filed>| {
        let filed = filed?;
        let file = files.iter().find(|file| file.id == filed.file)?;
        Some(RowStanding {
            file: filed.file,
            state: file.state,
            decided_at: file.decided.as_ref().map(|decided| decided.at),
            print: filed.print,
        })
    };
    Ok(filed.into_iter().map(stand).collect())
}

/// Returns those of some purposes that there has ever been a file for.
///
/// # Errors
///
/// Those of the store.
pub async fn used(
    store: &dyn Store,
    integration: &IntegrationId,
    purposes: Vec<FilePurpose>,
) -> Result<Vec<FilePurpose>, StoreError> {
    let places: Vec<Key> = purposes
        .iter()
        .map(|purpose| open_key(integration, purpose))
        .collect();
    let rows = store.get(&places).await?;
    let used = purposes.into_iter().zip(rows).filter(|(_, row)| row.is_some());
    Ok(used.map(|(purpose, _)| purpose).collect())
}

/// Returns some rows of a file, in the order of their keys.
pub(super) async fn items(
    store: &dyn Store,
    integration: &IntegrationId,
    file: &FileId,
    after: Option<&FileRowKey>,
    limit: usize,
) -> Result<Vec<(Item, Row)>, StoreError> {
    let prefix = items_prefix(integration, file);
    let after = after.map(|key| format!("{prefix}{key}"));
    let query = Query::new(Table::Control, integration.organization.as_str(), prefix, limit);
    let page = store.query(&query.after(after)).await?;
    let read = |row: Row| Ok((row.decode()?, row));
    page.rows.into_iter().map(read).collect()
}
