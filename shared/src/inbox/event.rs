//! Events: webhooks that were accepted, and what became of each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KEPT;
use super::delivery::Say;
use super::endpoint::EndpointId;
use crate::adapter::Why;
use crate::model::{EventId, IntegrationId};
use crate::store::{Content, Key, Query, Row, Store, StoreError, Table};
use crate::sync::{Failure, Hinted};

/// Begins the place of every event.
pub(crate) const PREFIX: &str = "event#";

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// It is being worked on, or waits for that.
    Received,
    /// What it hinted at was looked at, and is the same on both sides.
    Applied,
    /// Nothing was to be done about it.
    Ignored,
    /// A row that it hinted at was refused, and waits in quarantine.
    Quarantined,
    /// It could not be followed: a human looks at the cause, and has it replayed.
    DeadLettered,
}

/// What keeps an event from being followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its sender has signed something else under the same id.
    Signature,
    /// It says nothing that can be read, or what it says is not known to the system by the settings that there are.
    Mapping,
    /// The integration's credential does not work, or may not do this.
    Credential,
    /// The system did not answer as it should, for hours.
    System,
    /// A fault of this service.
    Ours,
}

/// A webhook that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Where it was sent to.
    pub endpoint: EndpointId,
    /// Whose records it is about.
    pub integration: IntegrationId,
    /// Where it stands.
    pub state: EventState,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// When it was signed, where that is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Its sender's id of it, where that is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<Box<str>>,
    /// What it says.
    pub say: Say,
    /// How often somebody began to work on it without an end.
    #[serde(default)]
    pub claims: u32,
    /// How often it was tried in vain.
    #[serde(default)]
    pub attempts: u32,
    /// How often somebody had it replayed.
    #[serde(default)]
    pub replays: u32,
    /// Until when whoever began to work on it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<Timestamp>,
    /// When it is tried again, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Timestamp>,
    /// Why nothing was done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// What kept it from being followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What went wrong the last time, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What became of the rows that it hinted at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Hinted>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// An event with its row's version.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// The version of its row.
    pub version: u64,
}

impl Event {
    /// Returns where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        key(&self.integration, &self.id)
    }

    /// Returns the content of its row, which is kept for a while from `now` on.
    pub(super) fn content(&self, now: Timestamp) -> Content {
        Content::of(self).expires_at(now + KEPT)
    }
}

/// Returns what the places of an integration's events begin with.
pub(crate) fn prefix(integration: &IntegrationId) -> String {
    format!("{PREFIX}{}#", integration.system)
}

pub(super) fn key(integration: &IntegrationId, id: &EventId) -> Key {
    let sort = format!("{}{id}", prefix(integration));
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

impl StoredEvent {
    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            event: row.decode()?,
            version: row.version,
        })
    }
}

/// Reads an event.
///
/// # Errors
///
/// Those of the store.
pub async fn read_event(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &EventId,
) -> Result<Option<StoredEvent>, StoreError> {
    let row = store.get(&[key(integration, id)]).await?.pop().flatten();
    row.as_ref().map(StoredEvent::of).transpose()
}

/// Lists events, the newest first, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list_events(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Event>, Option<String>), StoreError> {
    let organization = integration.organization.as_str();
    let query = Query::new(Table::Control, organization, prefix(integration), limit);
    let page = store.query(&query.after(after).newest_first()).await?;
    let events = page.rows.iter().map(Row::decode).collect::<Result<_, _>>()?;
    Ok((events, page.next))
}
