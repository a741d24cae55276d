//! Finding files: one, the newest, and those that wait for somebody.

use super::TransferError;
use super::file::{File, FileState, WaitingFile, accepted_prefix, file_key, files_prefix, waiting_prefix};
use crate::model::{FileId, FilePurpose, IntegrationId};
use crate::store::{Key, Query, Row, Store, StoreError, Table};

/// Returns a file with the version of its row, none where there is no such file.
pub(super) async fn find(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
) -> Result<Option<(File, u64)>, StoreError> {
    let key = file_key(integration, id);
    let row = store.get(std::slice::from_ref(&key)).await?.pop().flatten();
    row.map(|row| Ok((row.decode()?, row.version))).transpose()
}

pub(super) async fn demand(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
) -> Result<(File, u64), TransferError> {
    find(store, integration, id).await?.ok_or(TransferError::Missing)
}

/// Returns a file.
///
/// # Errors
///
/// `Missing`, `Store`.
pub async fn read_file(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
) -> Result<File, TransferError> {
    demand(store, integration, id).await.map(|(file, _)| file)
}

/// Returns some files of an integration, the newest first, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list_files(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<File>, Option<String>), StoreError> {
    let prefix = files_prefix(integration);
    let query = Query::new(Table::Control, integration.organization.as_str(), prefix, limit);
    let page = store.query(&query.newest_first().after(after)).await?;
    let files: Result<Vec<File>, _> = page.rows.iter().map(Row::decode).collect();
    Ok((files?, page.next))
}

/// Returns the files that wait for a human, the oldest first, up to `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn list_waiting_files(
    store: &dyn Store,
    integration: &IntegrationId,
    limit: usize,
) -> Result<Vec<WaitingFile>, StoreError> {
    waiting(store, integration, waiting_prefix(integration), limit).await
}

/// Returns the uploads that a run can take, the oldest first, up to `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn list_accepted_files(
    store: &dyn Store,
    integration: &IntegrationId,
    purpose: &FilePurpose,
    limit: usize,
) -> Result<Vec<File>, StoreError> {
    let prefix = accepted_prefix(integration, purpose);
    let accepted = waiting(store, integration, prefix, limit).await?;
    let places: Vec<Key> = accepted
        .iter()
        .map(|waiting| file_key(integration, &waiting.file))
        .collect();
    let rows = store.get(&places).await?;
    rows.iter().flatten().map(Row::decode).collect()
}

/// Returns the uploads for a purpose that were accepted, or taken, the newest first and back to the last complete listing;
/// says whether there was one.
///
/// # Errors
///
/// Those of the store.
pub async fn list_back_to_complete(
    store: &dyn Store,
    integration: &IntegrationId,
    purpose: &FilePurpose,
) -> Result<(Vec<File>, bool), StoreError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (files, next) = list_files(store, integration, after, 100).await?;
        for file in files {
            let is_taken = matches!(file.state, FileState::Accepted | FileState::Done);
            if is_taken && file.purpose == *purpose {
                let complete = file.is_complete();
                found.push(file);
                if complete {
                    return Ok((found, true));
                }
            }
        }
        after = next;
        if after.is_none() {
            return Ok((found, false));
        }
    }
}

async fn waiting(
    store: &dyn Store,
    integration: &IntegrationId,
    prefix: String,
    limit: usize,
) -> Result<Vec<WaitingFile>, StoreError> {
    let query = Query::new(Table::Control, integration.organization.as_str(), prefix, limit);
    let page = store.query(&query).await?;
    page.rows.iter().map(Row::decode).collect()
}
