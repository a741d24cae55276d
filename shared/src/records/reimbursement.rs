//! Reimbursements as the platform keeps them. They have lines, and go one way, into the books: so that they are no
//! [`Kind`](crate::model::Kind), and have no links.
//!
//! Every write leaves a notice ([`crate::export::notice`]) for each integration that keeps books, in one transaction: whether
//! something is to be booked, or undone, is seen to afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::REMEMBERED;
use super::put::{PutError, PutOutcome};
use crate::export::notice;
use crate::flow::Ports;
use crate::integration::{self, Precondition, State};
use crate::model::{OrganizationId, RecordId, Reimbursement};
use crate::store::{Content, Expect, Key, Query, Row, Store, StoreError, Table, Write};

/// A reimbursement's row.
///
/// # Shape
///
/// `{"reimbursement":{"claimant":{…},"lines":[…],…},"modifiedAt":"2026-02-17T09:30:00Z"}`, without `reimbursement` and with
/// `deletedAt` where it was deleted
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reimbursement: Option<Value>,
    modified_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
}

/// A reimbursement with the version of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReimbursement {
    /// The reimbursement.
    pub reimbursement: Reimbursement,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// The version.
    pub version: u64,
}

/// Some reimbursements, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReimbursementPage {
    /// The reimbursements; deleted ones are left out, so a page may be short.
    pub reimbursements: Vec<StoredReimbursement>,
    /// The place to go on after; `None` at the end.
    pub next: Option<String>,
}

/// Returns where a reimbursement is kept.
#[must_use]
pub fn reimbursement_key(organization: &OrganizationId, id: &RecordId) -> Key {
    Key::new(Table::Records, partition(organization), id.as_str())
}

fn partition(organization: &OrganizationId) -> String {
    format!("{organization}#reimbursement")
}

/// Has a reimbursement say what is wanted.
///
/// # Errors
///
/// `Precondition`, and those of the store.
pub async fn put_reimbursement(
    ports: &Ports,
    organization: &OrganizationId,
    wanted: &Reimbursement,
    precondition: Precondition,
) -> Result<(StoredReimbursement, PutOutcome), PutError> {
    let key = reimbursement_key(organization, &wanted.id);
    loop {
        let before = row(&*ports.store, &key).await?;
        let live = before.as_ref().map(live).transpose()?.flatten();
        if !precondition.accepts(live.as_ref().map(|stored| stored.version)) {
            return Err(PutError::Precondition);
        }
        let outcome = match live {
            Some(stored) if stored.reimbursement == *wanted => return Ok((stored, PutOutcome::Unchanged)),
            Some(_) => PutOutcome::Updated,
            None => PutOutcome::Created,
        };
        let now = ports.now();
        let content = Content::of(&Kept {
            reimbursement: Some(json(wanted)),
            modified_at: now,
            deleted_at: None,
        });
        let version = before.as_ref().map(|row| row.version);
        if write(ports, organization, &wanted.id, &key, version, content).await? {
            let stored = StoredReimbursement {
                reimbursement: wanted.clone(),
                modified_at: now,
                version: version.unwrap_or(0) + 1,
            };
            return Ok((stored, outcome));
        }
    }
}

/// Takes note that a reimbursement was approved: it is looked at again.
///
/// What it says, where that was told too, counts only where nothing newer is kept, not even that it was deleted: the word may come
/// late, and more than once.
///
/// # Errors
///
/// Those of the store.
pub async fn approved(
    ports: &Ports,
    organization: &OrganizationId,
    id: &RecordId,
    says: Option<&Reimbursement>,
    told_at: Option<Timestamp>,
) -> Result<(), PutError> {
    if let Some(says) = says {
        let kept = row(&*ports.store, &reimbursement_key(organization, id)).await?;
        let before = kept.as_ref().map(Row::decode::<Kept>).transpose()?;
        let is_news = |before: &Kept| told_at.is_some_and(|told| told > before.modified_at);
        let live = kept.as_ref().map(live).transpose()?.flatten();
        let unchanged = live.map_or(Precondition::Absent, |live| Precondition::Version(live.version));
        if before.as_ref().is_none_or(is_news) {
            match put_reimbursement(ports, organization, says, unchanged).await {
                // Somebody was faster, and knows better.
                Ok(_) | Err(PutError::Precondition) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let notices = notices(ports, organization, id).await?;
    if !notices.is_empty() {
        ports.store.write(notices).await?;
    }
    Ok(())
}

/// Deletes a reimbursement; one that is deleted stays so, and what was booked of it is undone.
///
/// # Errors
///
/// `Missing`, `Precondition`, and those of the store.
pub async fn delete_reimbursement(
    ports: &Ports,
    organization: &OrganizationId,
    id: &RecordId,
    precondition: Precondition,
) -> Result<(), PutError> {
    let key = reimbursement_key(organization, id);
    loop {
        let Some(before) = row(&*ports.store, &key).await? else {
            return Err(PutError::Missing);
        };
        let kept: Kept = before.decode()?;
        if kept.deleted_at.is_some() {
            return Ok(());
        }
        if !precondition.accepts(Some(before.version)) {
            return Err(PutError::Precondition);
        }
        let now = ports.now();
        let content = Content::of(&Kept {
            reimbursement: None,
            modified_at: now,
            deleted_at: Some(now),
        });
        let content = content.expires_at(now.checked_add(REMEMBERED).unwrap_or(now));
        if write(ports, organization, id, &key, Some(before.version), content).await? {
            return Ok(());
        }
    }
}

/// Writes the row, and a notice for each integration that keeps books; false where it has changed meanwhile.
async fn write(
    ports: &Ports,
    organization: &OrganizationId,
    id: &RecordId,
    key: &Key,
    version: Option<u64>,
    content: Content,
) -> Result<bool, StoreError> {
    let expect = version.map_or(Expect::Absent, Expect::Version);
    let mut writes = vec![Write::put(key.clone(), expect, content)];
    writes.extend(notices(ports, organization, id).await?);
    match ports.store.write(writes).await {
        Ok(()) => Ok(true),
        Err(StoreError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns a notice for each integration that keeps books.
async fn notices(
    ports: &Ports,
    organization: &OrganizationId,
    id: &RecordId,
) -> Result<Vec<Write>, StoreError> {
    let connected = integration::list(&*ports.store, organization).await?;
    let told = connected
        .into_iter()
        .map(|stored| stored.integration)
        .filter(|integration| integration.keeps_books() && integration.state != State::Disconnecting);
    Ok(told
        .map(|integration| notice::write(&integration.id, id, ports.now()))
        .collect())
}

/// Reads a reimbursement; `None` where there is none, or none any more.
///
/// # Errors
///
/// Those of the store.
pub async fn read_reimbursement(
    store: &dyn Store,
    organization: &OrganizationId,
    id: &RecordId,
) -> Result<Option<StoredReimbursement>, StoreError> {
    let row = row(store, &reimbursement_key(organization, id)).await?;
    Ok(row.as_ref().map(live).transpose()?.flatten())
}

/// Reads some reimbursements, in the order of these ids.
///
/// # Errors
///
/// Those of the store.
pub async fn read_reimbursements(
    store: &dyn Store,
    organization: &OrganizationId,
    ids: &[RecordId],
) -> Result<Vec<Option<StoredReimbursement>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| reimbursement_key(organization, id)).collect();
    let rows = store.get(&keys).await?;
    let read = |row: Option<Row>| Ok(row.as_ref().map(live).transpose()?.flatten());
    rows.into_iter().map(read).collect()
}

/// Lists reimbursements.
///
/// # Errors
///
/// Those of the store.
pub async fn list_reimbursements(
    store: &dyn Store,
    organization: &OrganizationId,
    after: Option<String>,
    limit: usize,
) -> Result<ReimbursementPage, StoreError> {
    let query = Query::new(Table::Records, partition(organization), "", limit).after(after);
    let page = store.query(&query).await?;
    let read: Result<Vec<_>, _> = page.rows.iter().map(live).collect();
    Ok(ReimbursementPage {
        reimbursements: read?.into_iter().flatten().collect(),
        next: page.next,
    })
}

async fn row(store: &dyn Store, key: &Key) -> Result<Option<Row>, StoreError> {
    Ok(store.get(std::slice::from_ref(key)).await?.pop().flatten())
}

/// Reads a row; `None` where it only says that there was one.
fn live(row: &Row) -> Result<Option<StoredReimbursement>, StoreError> {
    let malformed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Malformed {
        sort: row.key.sort.clone(),
        source,
    };
    let kept: Kept = row.decode()?;
    let Some(value) = kept.reimbursement else {
        return Ok(None);
    };
    let id = row.key.sort.parse().map_err(|error| malformed(Box::new(error)))?;
    let reimbursement = Reimbursement::from_json(id, &value)
        .map_err(|errors| malformed(errors.into_iter().next().map_or_else(|| "".into(), Into::into)))?;
    Ok(Some(StoredReimbursement {
        reimbursement,
        modified_at: kept.modified_at,
        version: row.version,
    }))
}

/// # Panics
///
/// Never: a reimbursement is always JSON.
fn json(reimbursement: &Reimbursement) -> Value {
    serde_json::to_value(reimbursement).expect("a reimbursement has text keys only")
}
