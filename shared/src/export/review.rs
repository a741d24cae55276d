//! What of the export waits for a human: a voucher of which nobody can say whether it is booked, or a reimbursement that
//! differs from what is booked of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::intent::{review_key, review_prefix};
use super::notice::Waiting;
use super::reference::Revision;
use crate::model::{IntegrationId, RecordId};
use crate::store::{Query, Row, Store, StoreError, Table};

/// Which intent waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unsettled {
    /// Of which reimbursement.
    pub reimbursement: RecordId,
    /// Which voucher of it.
    pub revision: Revision,
    /// Since when.
    pub opened_at: Timestamp,
}

/// What waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReviewRow {
    /// A voucher.
    Voucher(Unsettled),
    /// A reimbursement.
    Reimbursement(Waiting),
}

/// Returns which voucher waits for a human under a reference, if one does.
///
/// # Errors
///
/// Those of the store.
pub async fn read_review(
    store: &dyn Store,
    integration: &IntegrationId,
    reference: &str,
) -> Result<Option<Unsettled>, StoreError> {
    let Ok(reference) = reference.parse() else {
        return Ok(None);
    };
    let row = store
        .get(&[review_key(integration, &reference)])
        .await?
        .pop()
        .flatten();
    row.map(|row| row.decode()).transpose()
}

/// Returns some of what waits for a human, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list_reviews(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<ReviewRow>, Option<String>), StoreError> {
    let prefix = review_prefix(integration);
    let query = Query::new(Table::Control, integration.organization.as_str(), prefix, limit);
    let page = store.query(&query.after(after)).await?;
    let rows: Result<Vec<_>, _> = page.rows.iter().map(Row::decode).collect();
    Ok((rows?, page.next))
}
