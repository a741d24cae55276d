//! Where an integration's runs stand: the one that is active, and how the last ones ended.

use jiff::Timestamp;

use super::lease::{Last, Lease, lease_key};
use super::run::{Run, last_key, run_key};
use crate::model::{IntegrationId, RunId};
use crate::store::{Row, Store, StoreError};

/// Where an integration's runs stand.
#[derive(Debug, Clone, Default)]
pub struct RunsStanding {
    /// The run that is active.
    pub active: Option<Run>,
    /// Until when somebody works on it; absent between slices.
    pub held_until: Option<Timestamp>,
    /// The last run that has ended.
    pub last: Option<Run>,
    /// When a run last ended well.
    pub last_success_at: Option<Timestamp>,
    /// When a run last ended badly.
    pub last_failure_at: Option<Timestamp>,
}

/// Reads where an integration's runs stand.
///
/// # Errors
///
/// Those of the store.
pub async fn runs_standing(
    store: &dyn Store,
    integration: &IntegrationId,
) -> Result<RunsStanding, StoreError> {
    let rows = store
        .get(&[lease_key(integration), last_key(integration)])
        .await?;
    let lease: Option<Lease> = decode(rows.first())?;
    let last: Option<Last> = decode(rows.get(1))?;
    let (last_success_at, last_failure_at) = last
        .as_ref()
        .map_or((None, None), |last| (last.last_success_at, last.last_failure_at));
    Ok(RunsStanding {
        held_until: lease.as_ref().and_then(|lease| lease.until),
        active: read(store, integration, lease.and_then(|lease| lease.run)).await?,
        last: read(store, integration, last.map(|last| last.run)).await?,
        last_success_at,
        last_failure_at,
    })
}

fn decode<T: serde::de::DeserializeOwned>(row: Option<&Option<Row>>) -> Result<Option<T>, StoreError> {
    row.and_then(Option::as_ref).map(Row::decode).transpose()
}

async fn read(
    store: &dyn Store,
    integration: &IntegrationId,
    id: Option<RunId>,
) -> Result<Option<Run>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    let row = super::run::read_row(store, run_key(integration, &id)).await?;
    row.map(|row| row.decode()).transpose()
}
