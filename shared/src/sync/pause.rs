//! A system that wants to be left alone is left alone, by this process and by the next.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::run::read_row;
use crate::model::IntegrationId;
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

#[derive(Debug, Serialize, Deserialize)]
struct Pause {
    until: Timestamp,
}

fn key(integration: &IntegrationId) -> Key {
    let sort = format!("pause#{}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns until when nothing may be sent, if that is still to come.
pub(super) async fn until(
    store: &dyn Store,
    integration: &IntegrationId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(row) = read_row(store, key(integration)).await? else {
        return Ok(None);
    };
    let pause: Pause = row.decode()?;
    Ok((pause.until > now).then_some(pause.until))
}

/// Returns the write that keeps it.
pub(super) fn write(integration: &IntegrationId, until: Timestamp) -> Write {
    let content = Content::of(&Pause { until });
    let expires_at = until.checked_add(24.hours()).unwrap_or(until);
    Write::put(key(integration), Expect::Anything, content.expires_at(expires_at))
}
