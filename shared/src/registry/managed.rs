//! Which integrations a system manages: while there is one, the system stays.

use uuid::Uuid;

use super::system::{self, RegistryError};
use super::{key, mark};
use crate::model::IntegrationId;
use crate::store::{Expect, Key, Query, Store, StoreError, Table, Write};

/// What the places of managed integrations begin with.
const INTEGRATION: &str = "integration#";

fn managed_key(system: Uuid, integration: &IntegrationId) -> Key {
    key(system::partition(system), format!("{INTEGRATION}{integration}"))
}

/// The writes by which an integration passes from one system to another; part of the transaction that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Managed(Vec<Write>);

impl Managed {
    /// Looks the next system up, and returns the writes: they insist that it stays as it was read.
    ///
    /// # Errors
    ///
    /// `UnknownSystem`, `Leaving`, and those of the store.
    pub async fn pass(
        store: &dyn Store,
        integration: &IntegrationId,
        (before, next): (Option<Uuid>, Option<Uuid>),
    ) -> Result<Self, RegistryError> {
        let mut writes = Vec::new();
        if before == next {
            return Ok(Self(writes));
        }
        if let Some(next) = next {
            let (version, _) = system::staying(store, next).await?;
            writes.push(system::unchanged(next, version));
            writes.push(Write::put(
                managed_key(next, integration),
                Expect::Anything,
                mark(),
            ));
        }
        if let Some(before) = before {
            writes.push(Write::delete(managed_key(before, integration), Expect::Anything));
        }
        Ok(Self(writes))
    }

    /// Returns the writes.
    #[must_use]
    pub fn writes(self) -> Vec<Write> {
        self.0
    }
}

/// Says whether a system manages any integration.
pub(super) async fn manages(store: &dyn Store, system: Uuid) -> Result<bool, StoreError> {
    let query = Query::new(Table::Registry, system::partition(system), INTEGRATION, 1);
    Ok(!store.query(&query).await?.rows.is_empty())
}
