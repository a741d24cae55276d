//! Since when a system tells changes of a kind, and how many rows of it are linked.

use serde::{Deserialize, Serialize};

use super::run::read_row;
use crate::adapter::Cursor;
use crate::model::{IntegrationId, Kind};
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

/// What the last complete reading of a kind left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    pub(super) cursor: Cursor,
    /// The configuration under which it was read; under another one it is worthless.
    pub(super) mapping_version: u32,
    /// How many records are linked.
    pub(super) linked: u64,
}

fn key(integration: &IntegrationId, kind: Kind) -> Key {
    let sort = format!("cursor#{}#{kind}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

pub(super) async fn read(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
) -> Result<Option<Known>, StoreError> {
    read_row(store, key(integration, kind))
        .await?
        .map(|row| row.decode())
        .transpose()
}

/// Returns the write that keeps it; only ever part of a transaction that carries the fence.
pub(super) fn write(integration: &IntegrationId, kind: Kind, known: &Known) -> Write {
    Write::put(key(integration, kind), Expect::Anything, Content::of(known))
}
