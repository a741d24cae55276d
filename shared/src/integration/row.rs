//! Where an integration is kept: `integration#{system}` in its organization's control partition.

use super::Integration;
use crate::model::{IntegrationId, OrganizationId, System};
use crate::store::{Key, Row, Store, StoreError, Table};

/// An integration as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What is configured.
    pub integration: Integration,
    /// The version of its row.
    pub version: u64,
}

impl TryFrom<Row> for Stored {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (integration, version) = (row.decode()?, row.version);
        Ok(Self { integration, version })
    }
}

/// Returns where an integration is kept.
#[must_use]
pub fn integration_key(id: &IntegrationId) -> Key {
    let sort = format!("integration#{}", id.system);
    Key::new(Table::Control, id.organization.as_str(), sort)
}

/// Reads an integration.
///
/// # Errors
///
/// Those of the store.
pub async fn read(store: &dyn Store, id: &IntegrationId) -> Result<Option<Stored>, StoreError> {
    let row = store.get(&[integration_key(id)]).await?.pop().flatten();
    row.map(Stored::try_from).transpose()
}

/// Lists the integrations of an organization.
///
/// # Errors
///
/// Those of the store.
pub async fn list(store: &dyn Store, organization: &OrganizationId) -> Result<Vec<Stored>, StoreError> {
    let key = |system: &System| integration_key(&IntegrationId::new(organization.clone(), *system));
    let keys: Vec<_> = System::ALL.iter().map(key).collect();
    let rows = store.get(&keys).await?.into_iter().flatten();
    rows.map(Stored::try_from).collect()
}
