//! Where a record waits that its system or we refused: with the field, the reason and what to do.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::engine::{Engine, Stop, Work};
use super::position::Position;
use super::run::{self, Mode};
use crate::adapter::{Found, Item};
use crate::integration::audit;
use crate::model::{EventId, IntegrationId, Kind, RunId};
use crate::records;
use crate::store::{Content, Expect, Key, MAX_WRITES, Query, Row, Store, StoreError, Table, Write};

/// The most records that may wait before a run is stopped: more are a fault of the configuration.
pub(super) const MOST: u64 = 10_000;

/// Which way the record was going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// From the system to the platform; its id is the system's.
    Pull,
    /// From the platform to the system; its id is the platform's.
    Push,
}

/// A record that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantined {
    /// The kind of record.
    pub kind: Kind,
    /// Which way it was going.
    pub side: Side,
    /// Its id, on the side that it came from.
    pub id: Box<str>,
    /// The field that is at fault.
    pub field: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// Whether every run tries it again: it waits only for another record.
    #[serde(default)]
    pub waits_for_another: bool,
    /// What put it here.
    #[serde(flatten)]
    pub found_by: FoundBy,
    /// When it did.
    pub since: Timestamp,
}

/// What finds that a record is to wait.
///
/// # Shape
///
/// `"run":"0190…"`, or `"webhookEvent":"0190…"`, beside the other members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FoundBy {
    /// A run.
    Run(RunId),
    /// The work on a webhook.
    WebhookEvent(EventId),
}

impl Side {
    /// Returns the name that rows and paths use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

/// Shortens a record to what tells it from all others that wait.
pub(super) fn mark(kind: Kind, side: Side, id: &str) -> String {
    format!("{kind}#{}#{id}", side.as_str())
}

/// Returns what the places of what waits begin with.
pub(crate) fn prefix(integration: &IntegrationId) -> String {
    format!("quarantine#{}#", integration.system)
}

fn key(integration: &IntegrationId, kind: Kind, side: Side, id: &str) -> Key {
    let sort = format!("{}{}", prefix(integration), mark(kind, side, id));
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns the write that lets a record wait.
pub(crate) fn put(integration: &IntegrationId, entry: &Quarantined) -> Write {
    Write::put(
        key(integration, entry.kind, entry.side, &entry.id),
        Expect::Anything,
        Content::of(entry),
    )
}

/// Returns the write that takes a record out.
pub(super) fn release(integration: &IntegrationId, kind: Kind, side: Side, id: &str) -> Write {
    Write::delete(key(integration, kind, side, id), Expect::Anything)
}

/// Lists records that wait, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Quarantined>, Option<String>), StoreError> {
    let organization = integration.organization.as_str();
    let query = Query::new(Table::Control, organization, prefix(integration), limit);
    run::list(store, &query.after(after)).await
}

/// Drops a record that waits: it is taken over again only when it changes. Says whether there was one.
///
/// # Errors
///
/// Those of the store.
pub async fn drop_one(
    store: &dyn Store,
    integration: &IntegrationId,
    (kind, id): (Kind, &str),
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = find(store, integration, kind, id).await?;
    if found.is_empty() {
        return Ok(false);
    }
    let parts = [kind.as_str(), id];
    let mut writes = vec![audit::write(integration, by, "drop_quarantined", &parts, now)];
    writes.extend(found.iter().map(|one| release(integration, kind, one.side, id)));
    store.write(writes).await?;
    Ok(true)
}

/// Finds what waits under an id, on either side.
async fn find(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
    id: &str,
) -> Result<Vec<Quarantined>, StoreError> {
    let keys = [Side::Pull, Side::Push].map(|side| key(integration, kind, side, id));
    let rows = store.get(&keys).await?;
    rows.iter().flatten().map(Row::decode).collect()
}

/// Returns the marks of all that wait.
pub(super) async fn ids(
    store: &dyn Store,
    integration: &IntegrationId,
) -> Result<HashSet<String>, StoreError> {
    let prefix = prefix(integration);
    let mut marks = HashSet::new();
    let mut after = None;
    loop {
        let query = Query::new(
            Table::Control,
            integration.organization.as_str(),
            prefix.as_str(),
            1_000,
        );
        let page = store.query(&query.after(after)).await?;
        marks.extend(
            page.rows
                .iter()
                .filter_map(|row| row.key.sort.strip_prefix(&prefix).map(str::to_owned)),
        );
        after = page.next;
        if after.is_none() {
            return Ok(marks);
        }
    }
}

/// Returns the marks of those that wait, of these ids.
pub(super) async fn waiting(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
    side: Side,
    ids: &[Box<str>],
) -> Result<HashSet<String>, StoreError> {
    let keys: Vec<Key> = ids.iter().map(|id| key(integration, kind, side, id)).collect();
    let rows = store.get(&keys).await?;
    let waits = ids.iter().zip(rows).filter(|(_, row)| row.is_some());
    Ok(waits.map(|(id, _)| mark(kind, side, id)).collect())
}

impl Engine<'_> {
    /// Tries what waits of a kind once more.
    pub(super) async fn retry(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Retry { kind, after } = work.run.position.clone() else {
            return Ok(());
        };
        let capability = self.adapter.capability();
        if work.quarantined.is_empty() || capability.of(kind).is_none() {
            work.run.position = self.after_retry(kind);
            return Ok(());
        }
        let prefix = format!("{}{kind}#", prefix(&self.integration.id));
        let organization = self.integration.id.organization.as_str();
        let query = Query::new(Table::Control, organization, prefix, capability.find_batch.max(1));
        let page = self.query(&query.after(after)).await?;
        let waiting: Vec<Quarantined> = page
            .rows
            .iter()
            .map(Row::decode)
            .collect::<Result<_, StoreError>>()?;
        let (pulled, pushed): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|one| one.side == Side::Pull);
        self.retry_pulled(work, kind, &pulled).await?;
        let again = |one: &&Quarantined| work.run.mode == Mode::Retry || one.waits_for_another;
        let pushed: Vec<Quarantined> = pushed.iter().filter(again).cloned().collect();
        self.retry_pushed(work, kind, &pushed).await?;
        let position = match page.next {
            Some(next) => Position::Retry {
                kind,
                after: Some(next),
            },
            None => self.after_retry(kind),
        };
        self.checkpoint(work, position).await
    }

    async fn retry_pulled(&self, work: &mut Work, kind: Kind, waiting: &[Quarantined]) -> Result<(), Stop> {
        if waiting.is_empty() {
            return Ok(());
        }
        let ids: Vec<Box<str>> = waiting.iter().map(|one| one.id.clone()).collect();
        let found = self.adapter.find(kind, &ids).await?;
        let (mut items, mut gone, mut renamed) = (Vec::with_capacity(found.len()), Vec::new(), Vec::new());
        for (id, found) in ids.iter().zip(found) {
            match found {
                Found::Here(Item::Row(row)) => {
                    if row.id != *id {
                        renamed.push(release(&self.integration.id, kind, Side::Pull, id));
                    }
                    items.push(Item::Row(row));
                }
                Found::Here(item @ Item::Faulty { .. }) => items.push(item),
                Found::Here(Item::Deleted { .. }) | Found::Nothing => {
                    gone.push(release(&self.integration.id, kind, Side::Pull, id));
                }
                Found::Hidden => {}
            }
        }
        if !work.run.dry_run {
            self.write_all(gone).await?;
        }
        let applied = self.apply(work, kind, items, false).await?;
        work.totals(kind).add(&applied.totals);
        // What has another name by now was taken over, or waits, under that one.
        if !work.run.dry_run {
            self.write_all(renamed).await?;
        }
        Ok(())
    }

    /// A refused change is sent again by marking its record once more.
    ///
    /// The marks first: a crash in between leaves a record that is marked, and in quarantine until it was sent.
    async fn retry_pushed(&self, work: &Work, kind: Kind, waiting: &[Quarantined]) -> Result<(), Stop> {
        if work.run.dry_run {
            return Ok(());
        }
        let id = &self.integration.id;
        let named = waiting.iter().filter_map(|one| one.id.parse().ok());
        self.write_all(named.map(|record| records::pend(id, kind, &record)).collect())
            .await?;
        let released = waiting.iter().map(|one| release(id, kind, Side::Push, &one.id));
        self.write_all(released.collect()).await
    }

    /// Makes writes that do not depend on one another.
    async fn write_all(&self, writes: Vec<Write>) -> Result<(), Stop> {
        for writes in writes.chunks(MAX_WRITES) {
            self.write(writes.to_vec()).await?;
        }
        Ok(())
    }
}
