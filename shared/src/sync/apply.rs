//! Takes rows of a system over to the platform, a page at a time.

use std::collections::{HashMap, HashSet};

use super::engine::{Engine, Stop, Work};
use super::lease::LANES;
use super::listing;
use super::plan::Refusal;
use super::quarantine::Side;
use super::totals::Totals;
use super::writer::Writer;
use crate::adapter::{ExternalRecord, Item};
use crate::model::{FieldType, IdError, Kind, Link, Record, RecordId, Value};
use crate::records;
use crate::store::{Key, MAX_WRITES, StoreError};

/// How often a row is laid beside a record that changes under it.
const TRIES: u32 = 4;

/// How many rows are planned in one go: two transactions for each lane. A whole page would hold its writes in memory
/// twice over, while the next page is there already.
const PLANNED: usize = 2 * LANES * ((MAX_WRITES - 1) / 2);

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) totals: Totals,
    /// Ids of linked rows that are said to be gone.
    pub(super) deletions: Vec<Box<str>>,
    /// Marks of the rows that are there.
    pub(super) seen: Vec<u64>,
    /// Ids of rows of which somebody else may have taken over a later state: they are to be asked for.
    pub(super) late: Vec<Box<str>>,
}

/// A row, with what the platform has of it.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) external: ExternalRecord,
    pub(super) link: Option<(u64, Link)>,
    pub(super) id: RecordId,
    pub(super) record: Option<(u64, Record)>,
}

impl Engine<'_> {
    /// Takes over what a page holds; `fresh` says that nothing of this kind was ever read.
    pub(super) async fn apply(
        &self,
        work: &mut Work,
        kind: Kind,
        items: Vec<Item>,
        fresh: bool,
    ) -> Result<Applied, Stop> {
        if items.is_empty() {
            return Ok(Applied::default());
        }
        self.open_lanes(work, kind).await?;
        let writer = work.writer();
        let mut applied = self.apply_as(&writer, kind, items, fresh).await?;
        self.ask_for_late_rows(&writer, kind, &mut applied).await?;
        Ok(applied)
    }

    /// Asks for the rows of which a webhook may have brought a later state than the page that they stood in.
    async fn ask_for_late_rows(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        applied: &mut Applied,
    ) -> Result<(), Stop> {
        for _ in 0..TRIES {
            let late = std::mem::take(&mut applied.late);
            for ids in late.chunks(self.adapter.capability().find_batch.max(1)) {
                let mut fetched = self.fetch(writer, kind, ids).await?;
                fetched.applied.totals.read = 0;
                applied.totals.add(&fetched.applied.totals);
                applied.totals.unchanged += fetched.hidden;
                applied.late.append(&mut fetched.applied.late);
                let gone = fetched.gone.into_iter().map(|gone| gone.id).collect();
                self.sort_deletions(kind, gone, applied).await?;
            }
        }
        let late = std::mem::take(&mut applied.late);
        let Refusal { field, message } = Refusal::contended();
        let contended = late
            .into_iter()
            .map(|id| self.faulty(writer, kind, id, field.to_owned(), message.clone()));
        let contended = contended.collect();
        self.run_plans(writer, kind, contended, &mut applied.totals)
            .await?;
        Ok(())
    }

    /// Takes over what was read, by whatever right.
    pub(super) async fn apply_as(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        items: Vec<Item>,
        fresh: bool,
    ) -> Result<Applied, Stop> {
        let mut applied = Applied::default();
        applied.totals.read = items.len() as u64;
        let (mut rows, mut gone, mut faulty) = (Vec::with_capacity(items.len()), Vec::new(), Vec::new());
        let mut faults = HashSet::new();
        for item in items {
            match item {
                Item::Faulty { id, .. } if !faults.insert(id.clone()) => applied.totals.unchanged += 1,
                Item::Row(row) => {
                    applied.seen.push(listing::mark(&row.id));
                    rows.push(row);
                }
                Item::Deleted { id, .. } => {
                    // A row that was merged away is in the listing all the same: it is not missing as well.
                    applied.seen.push(listing::mark(&id));
                    gone.push(id);
                }
                Item::Faulty { id, field, message } => {
                    applied.seen.push(listing::mark(&id));
                    faulty.push(self.faulty(writer, kind, id, field, message));
                }
            }
        }
        self.sort_deletions(kind, gone, &mut applied).await?;
        self.run_plans(writer, kind, faulty, &mut applied.totals).await?;
        let mut rows = rows.into_iter();
        loop {
            let some: Vec<ExternalRecord> = rows.by_ref().take(PLANNED).collect();
            if some.is_empty() {
                break;
            }
            self.apply_some(writer, kind, some, fresh, &mut applied).await?;
        }
        Ok(applied)
    }

    /// Tries rows until each is taken over, refused, or as it was.
    async fn apply_some(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        mut rows: Vec<ExternalRecord>,
        mut fresh: bool,
        applied: &mut Applied,
    ) -> Result<(), Stop> {
        for attempt in 1..=TRIES {
            if rows.is_empty() {
                break;
            }
            rows = self
                .apply_rows(writer, kind, rows, fresh, attempt == TRIES, applied)
                .await?;
            fresh = false;
        }
        Ok(())
    }

    /// Tells deletions of linked rows from those of rows that were never taken over.
    async fn sort_deletions(
        &self,
        kind: Kind,
        gone: Vec<Box<str>>,
        applied: &mut Applied,
    ) -> Result<(), Stop> {
        let keys: Vec<Key> = gone
            .iter()
            .map(|id| records::link_key(&self.integration.id, kind, id))
            .collect();
        let links = self.read(&keys).await?;
        let mut known = HashSet::new();
        for (id, link) in gone.into_iter().zip(links) {
            if link.is_some() && known.insert(id.clone()) {
                applied.totals.deleted += 1;
                applied.deletions.push(id);
            } else {
                applied.totals.unchanged += 1;
            }
        }
        Ok(())
    }

    /// Tries rows once; returns those whose record changed meanwhile.
    async fn apply_rows(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        rows: Vec<ExternalRecord>,
        fresh: bool,
        last: bool,
        applied: &mut Applied,
    ) -> Result<Vec<ExternalRecord>, Stop> {
        let (system, now, lag) = (self.integration.id.system, self.clock.now(), self.lag(kind));
        let mut again = Vec::new();
        let mut plans = Vec::with_capacity(rows.len());
        let (mut taken, mut refused) = (HashSet::with_capacity(rows.len()), HashSet::new());
        for paired in self.pair(writer, kind, rows, fresh, applied).await? {
            match paired {
                Err((external, refusal)) if refused.insert(external.id.clone()) => {
                    plans.push(self.refuse(writer, kind, external, &refusal));
                }
                Err(_) => applied.totals.unchanged += 1,
                Ok(pair) if writer.revives(&pair, system, now, lag) => applied.late.push(pair.external.id),
                Ok(pair) if !taken.insert(pair.id.clone()) && !last => again.push(pair.external),
                Ok(pair) if last => {
                    plans.push(self.refuse(writer, kind, pair.external, &Refusal::contended()))
                }
                Ok(pair) => plans.push(self.plan(writer, kind, pair)),
            }
        }
        again.extend(self.run_plans(writer, kind, plans, &mut applied.totals).await?);
        Ok(again)
    }

    /// Finds, for each row, its link and its record; rows that are as they were are only counted.
    async fn pair(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        rows: Vec<ExternalRecord>,
        fresh: bool,
        applied: &mut Applied,
    ) -> Result<Vec<Result<Pair, (ExternalRecord, Refusal)>>, Stop> {
        let (now, lag) = (self.clock.now(), self.lag(kind));
        let links = self.links(kind, &rows, fresh).await?;
        let references = self.references(kind, &rows).await?;
        let mut pairs = Vec::with_capacity(rows.len());
        for (mut external, link) in rows.into_iter().zip(links) {
            if link
                .as_ref()
                .is_some_and(|(_, link)| self.is_as_it_was(link, &external))
                && !writer.waits(kind, Side::Pull, &external.id)
            {
                applied.totals.unchanged += 1;
                continue;
            }
            if writer.is_late(&external.id, link.as_ref(), now, lag) {
                applied.late.push(external.id);
                continue;
            }
            let named = name(&mut external, link.as_ref().map(|(_, link)| link), &references);
            pairs.push(match named {
                Ok(id) => Ok(Pair {
                    external,
                    link,
                    id,
                    record: None,
                }),
                Err(refusal) => Err((external, refusal)),
            });
        }
        if !fresh {
            self.fill_records(kind, &mut pairs).await?;
        }
        Ok(pairs)
    }

    /// Says whether a row is as it was when it was last compared, by the same field map.
    fn is_as_it_was(&self, link: &Link, external: &ExternalRecord) -> bool {
        let same_map = link.mapping == self.integration.mapping_version;
        same_map && link.etag.is_some() && link.etag == external.etag
    }

    async fn links(
        &self,
        kind: Kind,
        rows: &[ExternalRecord],
        fresh: bool,
    ) -> Result<Vec<Option<(u64, Link)>>, Stop> {
        if fresh {
            return Ok(rows.iter().map(|_| None).collect());
        }
        let keys: Vec<Key> = rows
            .iter()
            .map(|row| records::link_key(&self.integration.id, kind, &row.id))
            .collect();
        let rows = self.read(&keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| row.map(|row| Ok((row.version, row.decode()?))).transpose())
            .collect::<Result<_, StoreError>>()?)
    }

    async fn fill_records(
        &self,
        kind: Kind,
        pairs: &mut [Result<Pair, (ExternalRecord, Refusal)>],
    ) -> Result<(), Stop> {
        let mut pairs: Vec<&mut Pair> = pairs.iter_mut().filter_map(|pair| pair.as_mut().ok()).collect();
        let organization = &self.integration.id.organization;
        let keys: Vec<Key> = pairs
            .iter()
            .map(|pair| records::record_key(organization, kind, &pair.id))
            .collect();
        for (pair, row) in pairs.iter_mut().zip(self.read(&keys).await?) {
            pair.record = row
                .map(|row| Ok::<_, StoreError>((row.version, Record::from_row(kind, &row)?)))
                .transpose()?;
        }
        Ok(())
    }
}

/// Gives a row the platform's id, and its references the platform's ids.
///
/// The id is that of the link, else the key that the row carries, else the system's own id.
fn name(
    external: &mut ExternalRecord,
    link: Option<&Link>,
    references: &HashMap<(Kind, Box<str>), RecordId>,
) -> Result<RecordId, Refusal> {
    let kind = external.fields.kind();
    for (position, field) in kind.fields().iter().enumerate() {
        let FieldType::Reference(to) = field.holds else {
            continue;
        };
        let Some(Value::Text(id)) = external.fields.at(position) else {
            continue;
        };
        let known = references.get(&(to, id.clone())).ok_or_else(|| Refusal {
            field: field.name,
            message: format!("refers to a {to} that is not here: it is tried again when that one is"),
        })?;
        external
            .fields
            .set(position, Some(Value::Text(known.as_str().into())));
    }
    let key = external.key.as_deref();
    if let (Some(link), Some(key)) = (link, key)
        && key != link.record.as_str()
        && link.record.as_str() != &*external.id
    {
        let message = "was given another key in the system: give it back the one it had".to_owned();
        return Err(Refusal {
            field: "key",
            message,
        });
    }
    if let Some(link) = link {
        return Ok(link.record.clone());
    }
    key.unwrap_or(&external.id)
        .parse()
        .map_err(|error: IdError| Refusal {
            field: "key",
            message: format!("cannot be the platform's id: a {error}"),
        })
}
