//! Takes over the rows that a webhook hints at: what is written is what the system, asked with our own credentials, says.
//!
//! A webhook waits for no run, and no run for it. The version of a row's link is read before the row is asked for, and must
//! still be that when it is taken over: so nobody overwrites what somebody else has asked for later. A run, whose pages are
//! older than it, asks again for a row that a webhook has taken over of late. And a row that was just made is looked at once
//! more: had it gone in between, a run may have been told so before there was anything to remove.
//!
//! What is gone is removed, as many in a day as the integration's guard lets a run remove; what is more is left to the
//! next run, which asks.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::apply::Applied;
use super::delete::Removal;
use super::engine::{Engine, Stop};
use super::quarantine::{self, FoundBy, Side};
use super::run::read_row;
use super::totals::Totals;
use super::writer::{Right, Writer};
use super::{cursor, pause};
use crate::adapter::{Error, ErrorKind, Found, Hint, Item};
use crate::model::{EventId, IntegrationId, Kind};
use crate::records;
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

/// How often a count is written where somebody else counts too.
const TRIES: u32 = 10;

/// What became of the rows that a webhook hinted at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hinted {
    /// Records made on the platform.
    pub created: u64,
    /// Records changed on the platform.
    pub updated: u64,
    /// Rows that said nothing new.
    pub unchanged: u64,
    /// Rows about which a human decides.
    pub reviewed: u64,
    /// Rows that were refused, and wait in quarantine.
    pub quarantined: u64,
    /// Records removed on the platform.
    pub removed: u64,
    /// Rows that the system does not let us see.
    pub hidden: u64,
    /// Rows of a kind that the integration does not map.
    pub unmapped: u64,
    /// Deletions that are too many to make unasked: the next run finds them.
    pub left: u64,
}

/// Why hints could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum HintError {
    /// Nothing was asked: the system wants to be left alone until then.
    #[error("the system wants to be left alone until {0}")]
    Paused(Timestamp),
    /// The system.
    #[error(transparent)]
    Adapter(#[from] Error),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Stop> for HintError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Adapter(error) => Self::Adapter(error),
            Stop::Store(error) => Self::Store(error),
            // What belongs to a claim alone.
            other => Self::Store(StoreError::Unavailable(format!("{other:?}").into())),
        }
    }
}

/// What webhooks did to the records of a kind that the counts of runs do not know of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Count {
    /// The day, in UTC, on which `removed` was counted.
    day: Date,
    removed: u64,
    /// Links made, less links taken away.
    linked: i64,
}

/// A row that is gone.
pub(super) struct Gone {
    pub(super) id: Box<str>,
    /// The one that it was merged into.
    merged_into: Option<Box<str>>,
    /// The version of its link before it was asked for, where there was one.
    link: Option<u64>,
}

/// What came of asking for rows.
pub(super) struct Fetched {
    pub(super) applied: Applied,
    /// The rows that are there.
    there: Vec<Box<str>>,
    pub(super) gone: Vec<Gone>,
    /// How many rows the system does not let us see.
    pub(super) hidden: u64,
}

impl Hinted {
    const fn add(&mut self, totals: &Totals) {
        self.created += totals.created;
        self.updated += totals.updated;
        self.unchanged += totals.unchanged;
        self.reviewed += totals.reviewed;
        self.quarantined += totals.quarantined;
    }
}

fn count_key(integration: &IntegrationId, kind: Kind) -> Key {
    let sort = format!("hinted#{}#{kind}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Says whether a webhook may ever have made a link.
pub(super) async fn is_hinted(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
) -> Result<bool, StoreError> {
    Ok(read_row(store, count_key(integration, kind)).await?.is_some())
}

/// Returns how many more records are linked than the runs have counted.
pub(super) async fn linked(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
) -> Result<i64, StoreError> {
    let row = read_row(store, count_key(integration, kind)).await?;
    let count: Option<Count> = row.map(|row| row.decode()).transpose()?;
    Ok(count.unwrap_or_default().linked)
}

impl Engine<'_> {
    /// Takes over the rows that a webhook hinted at; what was taken over already is taken over again. `integration` is the
    /// version of the integration's row: where it changes meanwhile, nothing more is written.
    ///
    /// # Errors
    ///
    /// The adapter's, and those of the store: some rows may have been taken over by then.
    pub async fn take_hints(
        &self,
        event: &EventId,
        hints: &[Hint],
        integration: u64,
    ) -> Result<Hinted, HintError> {
        if let Some(until) = pause::until(self.store, &self.integration.id, self.clock.now()).await? {
            return Err(HintError::Paused(until));
        }
        let done = self.hints(event, hints, integration).await;
        if let Err(HintError::Adapter(error)) = &done
            && let ErrorKind::RateLimited { until } = error.kind()
        {
            self.write(vec![pause::write(&self.integration.id, until)])
                .await?;
        }
        done
    }

    async fn hints(&self, event: &EventId, hints: &[Hint], integration: u64) -> Result<Hinted, HintError> {
        self.adapter.usable()?;
        let found_by = FoundBy::WebhookEvent(event.clone());
        let capability = self.adapter.capability();
        let unmapped = hints
            .iter()
            .filter(|hint| capability.of(hint.kind).is_none())
            .count();
        let mut hinted = Hinted {
            unmapped: unmapped as u64,
            ..Hinted::default()
        };
        for kind in Kind::ALL
            .iter()
            .copied()
            .filter(|kind| capability.of(*kind).is_some())
        {
            let mut seen = HashSet::new();
            let of_kind = hints
                .iter()
                .filter(|hint| hint.kind == kind && seen.insert(&hint.id));
            let ids: Vec<Box<str>> = of_kind.map(|hint| hint.id.clone()).collect();
            for ids in ids.chunks(capability.find_batch.max(1)) {
                self.take_rows(&found_by, integration, kind, ids.to_vec(), &mut hinted)
                    .await?;
            }
        }
        Ok(hinted)
    }

    async fn take_rows(
        &self,
        found_by: &FoundBy,
        integration: u64,
        kind: Kind,
        mut ids: Vec<Box<str>>,
        hinted: &mut Hinted,
    ) -> Result<(), Stop> {
        let quarantined =
            quarantine::waiting(self.store, &self.integration.id, kind, Side::Pull, &ids).await?;
        // The mark that links may have been made, should whoever makes them die before it can count them.
        if !is_hinted(self.store, &self.integration.id, kind).await? {
            self.count(kind, |_| {}).await?;
        }
        for _ in 0..TRIES {
            let writer = Writer {
                right: Right::Hint {
                    at: self.clock.now(),
                    integration,
                },
                dry_run: false,
                found_by,
                quarantined: &quarantined,
                links: None,
                told: None,
            };
            let mut fetched = self.fetch(&writer, kind, &ids).await?;
            hinted.hidden += fetched.hidden;
            hinted.add(&fetched.applied.totals);
            let linked = i64::try_from(fetched.applied.totals.linked).unwrap_or_default();
            if linked > 0 {
                self.count(kind, |count| count.linked += linked).await?;
            }
            ids = std::mem::take(&mut fetched.applied.late);
            self.remove_gone(writer.right, kind, fetched.gone, &mut ids, hinted)
                .await?;
            if linked > 0 {
                let mut made = self.fetch(&writer, kind, &fetched.there).await?;
                ids.append(&mut made.applied.late);
                let linked = i64::try_from(made.applied.totals.linked).unwrap_or_default();
                if linked > 0 {
                    self.count(kind, |count| count.linked += linked).await?;
                }
                self.remove_gone(writer.right, kind, made.gone, &mut ids, hinted)
                    .await?;
            }
            if ids.is_empty() {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the rows change all the time").into())
    }

    /// Asks for rows, and takes over those that are there, where nobody else has since the question.
    pub(super) async fn fetch(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        ids: &[Box<str>],
    ) -> Result<Fetched, Stop> {
        let keys = ids
            .iter()
            .map(|id| records::link_key(&self.integration.id, kind, id));
        let links = self.read(&keys.collect::<Vec<_>>()).await?;
        let versions = links.into_iter().map(|link| link.map(|row| row.version));
        let links: HashMap<Box<str>, Option<u64>> = ids.iter().cloned().zip(versions).collect();
        let (mut items, mut gone, mut hidden) = (Vec::with_capacity(ids.len()), Vec::new(), 0);
        for (id, found) in ids.iter().zip(self.adapter.find(kind, ids).await?) {
            let link = links.get(id).copied().flatten();
            let (id, merged_into) = match found {
                Found::Here(Item::Deleted { id, merged_into }) => (id, merged_into),
                Found::Nothing => (id.clone(), None),
                Found::Here(item) => {
                    items.push(item);
                    continue;
                }
                Found::Hidden => {
                    hidden += 1;
                    continue;
                }
            };
            gone.push(Gone {
                id,
                merged_into,
                link,
            });
        }
        let there = items.iter().filter_map(row_id).collect();
        let writer = Writer {
            links: Some(&links),
            ..*writer
        };
        let applied = self.apply_as(&writer, kind, items, false).await?;
        Ok(Fetched {
            applied,
            there,
            gone,
            hidden,
        })
    }

    /// Removes what is gone and was linked, if that is not too much for a day; what changed meanwhile is asked for again.
    async fn remove_gone(
        &self,
        right: Right,
        kind: Kind,
        gone: Vec<Gone>,
        again: &mut Vec<Box<str>>,
        hinted: &mut Hinted,
    ) -> Result<(), Stop> {
        // A row that is new here may have been linked since it was asked for.
        let (linked, unlinked): (Vec<Gone>, Vec<Gone>) =
            gone.into_iter().partition(|gone| gone.link.is_some());
        hinted.unchanged += unlinked.len() as u64;
        if linked.is_empty() {
            return Ok(());
        }
        if !self.may_remove(kind, linked.len() as u64).await? {
            hinted.left += linked.len() as u64;
            return Ok(());
        }
        for Gone {
            id,
            merged_into,
            link,
        } in linked
        {
            match self
                .remove_as(right, kind, &id, merged_into.as_deref(), link)
                .await?
            {
                Removal::Made => {
                    hinted.removed += 1;
                    self.count(kind, |count| count.linked -= 1).await?;
                }
                Removal::Needless => hinted.unchanged += 1,
                Removal::Contended => again.push(id),
            }
        }
        Ok(())
    }

    /// Counts removals before they are made, so that a crash makes them seem more and never fewer.
    async fn may_remove(&self, kind: Kind, more: u64) -> Result<bool, Stop> {
        let known = cursor::read(self.store, &self.integration.id, kind).await?;
        let known = known.map_or(0, |known| known.linked);
        let guard = self.integration.delete_guard;
        let mut may = false;
        self.count(kind, |count| {
            let gone = count.removed + more;
            let linked = known.saturating_add_signed(count.linked);
            may = gone <= u64::from(guard.rows) || gone * 100 <= u64::from(guard.percent) * linked;
            if may {
                count.removed = gone;
            }
        })
        .await?;
        Ok(may)
    }

    /// Changes the counts of a kind, whoever else does at the same time.
    async fn count(&self, kind: Kind, mut change: impl FnMut(&mut Count)) -> Result<(), StoreError> {
        let key = count_key(&self.integration.id, kind);
        let today = self.clock.now().to_zoned(TimeZone::UTC).date();
        for attempt in 1.. {
            let row = read_row(self.store, key.clone()).await?;
            let expect = row
                .as_ref()
                .map_or(Expect::Absent, |row| Expect::Version(row.version));
            let mut count: Count = row.map_or_else(|| Ok(Count::default()), |row| row.decode())?;
            if count.day != today {
                (count.day, count.removed) = (today, 0);
            }
            change(&mut count);
            match self
                .write(vec![Write::put(key.clone(), expect, Content::of(&count))])
                .await
            {
                Err(StoreError::Refused { .. }) if attempt < TRIES => {}
                answer => return answer,
            }
        }
        Ok(())
    }
}

fn row_id(item: &Item) -> Option<Box<str>> {
    match item {
        Item::Row(row) => Some(row.id.clone()),
        Item::Deleted { .. } | Item::Faulty { .. } => None,
    }
}
