//! Reads the platform's records.

use super::put::StoredRecord;
use super::{record_key, record_partition};
use crate::model::{Kind, OrganizationId, RecordId};
use crate::store::{Query, Store, StoreError, Table};

/// Some records, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records; deleted ones are left out, so a page may be short.
    pub records: Vec<StoredRecord>,
    /// The place to go on after; `None` at the end.
    pub next: Option<String>,
}

/// Reads a record; `None` where there is none, or none any more.
///
/// # Errors
///
/// Those of the store.
pub async fn read(
    store: &dyn Store,
    organization: &OrganizationId,
    kind: Kind,
    id: &RecordId,
) -> Result<Option<StoredRecord>, StoreError> {
    let row = store
        .get(&[record_key(organization, kind, id)])
        .await?
        .pop()
        .flatten();
    let stored = row.map(|row| StoredRecord::from_row(kind, &row)).transpose()?;
    Ok(stored.filter(|stored| stored.record.is_live()))
}

/// Lists records of one kind.
///
/// # Errors
///
/// Those of the store.
pub async fn list(
    store: &dyn Store,
    organization: &OrganizationId,
    kind: Kind,
    after: Option<String>,
    limit: usize,
) -> Result<RecordPage, StoreError> {
    let query = Query::new(Table::Records, record_partition(organization, kind), "", limit).after(after);
    let page = store.query(&query).await?;
    let records: Vec<_> = page
        .rows
        .iter()
        .map(|row| StoredRecord::from_row(kind, row))
        .collect::<Result<_, _>>()?;
    let records = records
        .into_iter()
        .filter(|stored| stored.record.is_live())
        .collect();
    Ok(RecordPage {
        records,
        next: page.next,
    })
}
