//! Takes rows of a system over to the platform, a page at a time.

use std::collections::{HashMap, HashSet};

use futures::future;

use super::engine::{Engine, Stop, Work};
use super::lease::{self, LANES};
use super::listing;
use super::merge::{Merged, Rules};
use super::quarantine::{self, Quarantined, Side};
use super::review::{self, Review, Subject};
use super::run::Totals;
use crate::adapter::{ExternalRecord, Item};
use crate::model::{FieldType, IdError, Kind, Link, Origin, Record, RecordId, Value};
use crate::records;
use crate::store::{Content, Expect, Key, MAX_WRITES, StoreError, Write};

/// How often a row is laid beside a record that changes under it.
const TRIES: u32 = 4;

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) totals: Totals,
    /// Ids of linked rows that are said to be gone.
    pub(super) deletions: Vec<Box<str>>,
    /// Marks of the rows that are there.
    pub(super) seen: Vec<u64>,
}

/// A row, with what the platform has of it.
#[derive(Debug)]
struct Pair {
    external: ExternalRecord,
    link: Option<(u64, Link)>,
    id: RecordId,
    record: Option<(u64, Record)>,
}

/// What is to be done about one row.
#[derive(Debug)]
struct Plan {
    external: ExternalRecord,
    writes: Vec<Write>,
    effect: Effect,
    linked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Created,
    Updated,
    Unchanged,
    Reviewed,
    Quarantined,
}

/// Why a row cannot be taken over: the field, and what to do.
struct Refusal {
    field: &'static str,
    message: String,
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
        let mut applied = Applied::default();
        if items.is_empty() {
            return Ok(applied);
        }
        self.open_lanes(work, kind).await?;
        let work = &*work;
        applied.totals.read = items.len() as u64;
        let (mut rows, mut gone, mut faulty) = (Vec::with_capacity(items.len()), Vec::new(), Vec::new());
        for item in items {
            match item {
                Item::Row(row) => {
                    applied.seen.push(listing::mark(&row.id));
                    rows.push(row);
                }
                Item::Deleted { id, .. } => gone.push(id),
                Item::Faulty { id, field, message } => {
                    applied.seen.push(listing::mark(&id));
                    faulty.push(self.faulty(work, kind, id, field, message));
                }
            }
        }
        self.sort_deletions(kind, gone, &mut applied).await?;
        self.run_plans(work, kind, faulty, &mut applied.totals).await?;
        let mut fresh = fresh;
        for attempt in 0.. {
            if rows.is_empty() {
                break;
            }
            let last = attempt + 1 == TRIES;
            rows = self
                .apply_rows(work, kind, rows, fresh, last, &mut applied.totals)
                .await?;
            fresh = false;
        }
        Ok(applied)
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
        work: &Work,
        kind: Kind,
        rows: Vec<ExternalRecord>,
        fresh: bool,
        last: bool,
        totals: &mut Totals,
    ) -> Result<Vec<ExternalRecord>, Stop> {
        let mut again = Vec::new();
        let mut plans = Vec::with_capacity(rows.len());
        let mut taken = HashSet::with_capacity(rows.len());
        for paired in self.pair(work, kind, rows, fresh, totals).await? {
            match paired {
                Err((external, refusal)) => plans.push(self.refuse(work, kind, external, &refusal)),
                Ok(pair) if !taken.insert(pair.id.clone()) && !last => again.push(pair.external),
                Ok(pair) if last => plans.push(self.refuse(work, kind, pair.external, &Refusal::contended())),
                Ok(pair) => plans.push(self.plan(work, kind, pair)),
            }
        }
        again.extend(self.run_plans(work, kind, plans, totals).await?);
        Ok(again)
    }

    /// Finds, for each row, its link and its record; rows that are as they were are only counted.
    async fn pair(
        &self,
        work: &Work,
        kind: Kind,
        rows: Vec<ExternalRecord>,
        fresh: bool,
        totals: &mut Totals,
    ) -> Result<Vec<Result<Pair, (ExternalRecord, Refusal)>>, Stop> {
        let links = self.links(kind, &rows, fresh).await?;
        let references = self.references(kind, &rows).await?;
        let mut pairs = Vec::with_capacity(rows.len());
        for (mut external, link) in rows.into_iter().zip(links) {
            if link
                .as_ref()
                .is_some_and(|(_, link)| is_as_it_was(link, &external))
                && !work.waits(kind, &external.id)
            {
                totals.unchanged += 1;
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

    /// Returns the platform's ids of the records that rows refer to.
    async fn references(
        &self,
        kind: Kind,
        rows: &[ExternalRecord],
    ) -> Result<HashMap<(Kind, Box<str>), RecordId>, Stop> {
        let wanted: HashSet<(Kind, Box<str>)> = rows.iter().flat_map(referred).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let keys: Vec<Key> = wanted
            .iter()
            .map(|(to, id)| records::link_key(&self.integration.id, *to, id))
            .collect();
        tracing::trace!(%kind, references = keys.len(), "resolve references");
        let mut known = HashMap::with_capacity(wanted.len());
        for (reference, row) in wanted.into_iter().zip(self.read(&keys).await?) {
            if let Some(row) = row {
                let link: Link = row.decode()?;
                known.insert(reference, link.record);
            }
        }
        Ok(known)
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

    /// Decides what becomes of a row.
    fn plan(&self, work: &Work, kind: Kind, pair: Pair) -> Plan {
        if let Some(refusal) = self.objection(kind, &pair) {
            return self.refuse(work, kind, pair.external, &refusal);
        }
        let system = self.integration.id.system;
        let live = pair
            .record
            .as_ref()
            .map(|(_, record)| record)
            .filter(|record| record.is_live());
        let deleted_here = pair.record.as_ref().is_some_and(|(_, record)| {
            !record.is_live() && record.modified_by == Origin::Platform && pair.link.is_some()
        });
        if deleted_here {
            return self.keep_deleted(work, kind, pair);
        }
        let mapped = self
            .adapter
            .capability()
            .of(kind)
            .map_or(0, |capability| capability.mapped);
        let rules = Rules {
            integration: self.integration,
            kind,
            mapped,
            now: self.clock.now(),
        };
        let link = pair.link.as_ref().map(|(_, link)| link);
        let merged = rules.merge(&pair.id, live, link, &pair.external);
        let effect = effect(live, &merged);
        tracing::trace!(%kind, %system, ?effect, "merged");
        let linked = pair.link.is_none();
        let writes = self.writes(work, kind, &pair, merged);
        Plan {
            external: pair.external,
            writes,
            effect,
            linked,
        }
    }

    /// The platform deleted the record, and will say so to this version of the row.
    fn keep_deleted(&self, work: &Work, kind: Kind, pair: Pair) -> Plan {
        let Pair { external, link, .. } = pair;
        let write = link.map(|(version, link)| {
            let link = Link {
                etag: external.etag.clone(),
                active: external.active,
                ..link
            };
            let expect = Expect::Fenced {
                version,
                fence: work.fence,
            };
            let key = records::link_key(&self.integration.id, kind, &external.id);
            Write::put(key, expect, Content::of(&link).fenced(work.fence))
        });
        Plan {
            external,
            writes: write.into_iter().collect(),
            effect: Effect::Unchanged,
            linked: false,
        }
    }

    /// Says why a row cannot become this record.
    fn objection(&self, kind: Kind, pair: &Pair) -> Option<Refusal> {
        let elsewhere = pair.record.as_ref().and_then(|(_, record)| {
            let other = record.links.get(&self.integration.id.system)?;
            (record.is_live() && *other != pair.external.id).then_some(())
        });
        if elsewhere.is_some() {
            let message =
                format!("another row of the system is this {kind} already: give one of them another key");
            return Some(Refusal {
                field: "key",
                message,
            });
        }
        let mapped = *self.adapter.capability().of(kind)?;
        let missing = pair
            .external
            .fields
            .missing()
            .find(|name| kind.position(name).is_some_and(|position| mapped.maps(position)))?;
        let message = "has no value in the system, and a record needs one: fill it in there".to_owned();
        Some(Refusal {
            field: missing,
            message,
        })
    }

    fn writes(&self, work: &Work, kind: Kind, pair: &Pair, merged: Merged) -> Vec<Write> {
        let id = &self.integration.id;
        let expect = |version: Option<u64>| match version {
            Some(version) => Expect::Fenced {
                version,
                fence: work.fence,
            },
            None => Expect::Absent,
        };
        let mut writes = Vec::with_capacity(4);
        if let Some(record) = merged.record {
            let key = records::record_key(&id.organization, kind, &record.id);
            let version = pair.record.as_ref().map(|(version, _)| *version);
            writes.push(Write::put(
                key,
                expect(version),
                record.content().fenced(work.fence),
            ));
        }
        if let Some(link) = merged.link {
            let key = records::link_key(id, kind, &pair.external.id);
            let version = pair.link.as_ref().map(|(version, _)| *version);
            writes.push(Write::put(
                key,
                expect(version),
                Content::of(&link).fenced(work.fence),
            ));
        }
        if merged.send {
            writes.push(records::pend(id, kind, &pair.id));
        }
        if !merged.review.is_empty() {
            let groups = merged.review.into_iter().collect();
            let external = pair.external.id.clone();
            let subject = Subject::Conflict {
                kind,
                record: pair.id.clone(),
                external,
                groups,
            };
            writes.push(review::write(
                id,
                &Review {
                    subject,
                    opened_at: self.clock.now(),
                },
            ));
        }
        if work.waits(kind, &pair.external.id) {
            writes.push(quarantine::release(id, kind, Side::Pull, &pair.external.id));
        }
        writes
    }

    fn refuse(&self, work: &Work, kind: Kind, external: ExternalRecord, refusal: &Refusal) -> Plan {
        let Refusal { field, message } = refusal;
        let writes = self.quarantine(work, kind, &external.id, field, message);
        Plan {
            external,
            writes,
            effect: Effect::Quarantined,
            linked: false,
        }
    }

    fn faulty(&self, work: &Work, kind: Kind, id: Box<str>, field: String, message: String) -> Plan {
        let writes = self.quarantine(work, kind, &id, &field, &message);
        let external = ExternalRecord {
            id,
            etag: None,
            key: None,
            fields: crate::model::Fields::new(kind),
            modified_at: None,
            ours: false,
            active: true,
        };
        Plan {
            external,
            writes,
            effect: Effect::Quarantined,
            linked: false,
        }
    }

    fn quarantine(&self, work: &Work, kind: Kind, id: &str, field: &str, message: &str) -> Vec<Write> {
        let entry = Quarantined {
            kind,
            side: Side::Pull,
            id: id.into(),
            field: field.to_owned(),
            message: message.to_owned(),
            waits_for_another: false,
            run: work.run.id.clone(),
            since: self.clock.now(),
        };
        vec![quarantine::put(&self.integration.id, &entry)]
    }

    /// Carries plans out; returns the rows whose record changed meanwhile.
    async fn run_plans(
        &self,
        work: &Work,
        kind: Kind,
        plans: Vec<Plan>,
        totals: &mut Totals,
    ) -> Result<Vec<ExternalRecord>, Stop> {
        let (idle, busy): (Vec<Plan>, Vec<Plan>) = plans.into_iter().partition(|plan| plan.writes.is_empty());
        idle.iter().for_each(|plan| plan.count(totals));
        if work.run.dry_run {
            busy.iter().for_each(|plan| plan.count(totals));
            return Ok(Vec::new());
        }
        let mut lanes: Vec<Vec<Vec<Plan>>> = (0..LANES).map(|_| Vec::new()).collect();
        for (number, batch) in pack(busy).into_iter().enumerate() {
            lanes[number % LANES].push(batch);
        }
        let lanes = lanes
            .into_iter()
            .enumerate()
            .map(|(lane, batches)| self.in_lane(work, lane, batches));
        let done = future::try_join_all(lanes).await?.into_iter().flatten();
        let mut again = Vec::new();
        for batch in done {
            batch.done.iter().for_each(|plan| plan.count(totals));
            again.extend(batch.refused.into_iter().map(|plan| plan.external));
        }
        if !again.is_empty() {
            tracing::debug!(%kind, rows = again.len(), "records changed meanwhile");
        }
        Ok(again)
    }

    async fn in_lane(&self, work: &Work, lane: usize, batches: Vec<Vec<Plan>>) -> Result<Vec<Batch>, Stop> {
        let mut done = Vec::with_capacity(batches.len());
        for batch in batches {
            done.push(self.transact(work, lane, batch).await?);
        }
        Ok(done)
    }

    /// Carries out the plans of one transaction; those that are refused leave it, and the rest is tried again.
    async fn transact(&self, work: &Work, lane: usize, mut plans: Vec<Plan>) -> Result<Batch, Stop> {
        let mut refused = Vec::new();
        while !plans.is_empty() {
            let guard = lease::in_lane(&self.integration.id, lane, work.fence);
            let parts = plans.iter().flat_map(|plan| plan.writes.iter().cloned());
            match self.write(std::iter::once(guard).chain(parts).collect()).await {
                Ok(()) => break,
                Err(StoreError::Refused { parts }) if parts.contains(&0) => return Err(Stop::Fenced),
                Err(StoreError::Refused { parts }) => refused.extend(take_refused(&mut plans, &parts)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Batch { done: plans, refused })
    }
}

/// What became of one transaction.
struct Batch {
    done: Vec<Plan>,
    refused: Vec<Plan>,
}

/// Takes out the plans to which the refused parts belong; all of them where none is named.
fn take_refused(plans: &mut Vec<Plan>, parts: &[usize]) -> Vec<Plan> {
    let mut first = 1; // behind the lane
    let mut refused = Vec::new();
    let mut kept = Vec::with_capacity(plans.len());
    for plan in plans.drain(..) {
        let mine = first..first + plan.writes.len();
        first = mine.end;
        if parts.is_empty() || parts.iter().any(|part| mine.contains(part)) {
            refused.push(plan);
        } else {
            kept.push(plan);
        }
    }
    *plans = kept;
    refused
}

/// Fills transactions, keeping what belongs to one row in one of them.
fn pack(plans: Vec<Plan>) -> Vec<Vec<Plan>> {
    let mut batches: Vec<Vec<Plan>> = Vec::new();
    let mut room = 0;
    for plan in plans {
        let parts = plan.writes.len();
        if parts > room {
            batches.push(Vec::new());
            room = MAX_WRITES - 1;
        }
        room -= parts;
        if let Some(batch) = batches.last_mut() {
            batch.push(plan);
        }
    }
    batches
}

impl Plan {
    fn count(&self, totals: &mut Totals) {
        totals.linked += u64::from(self.linked && self.effect != Effect::Quarantined);
        match self.effect {
            Effect::Created => totals.created += 1,
            Effect::Updated => totals.updated += 1,
            Effect::Unchanged => totals.unchanged += 1,
            Effect::Reviewed => totals.reviewed += 1,
            Effect::Quarantined => totals.quarantined += 1,
        }
    }
}

impl Refusal {
    fn contended() -> Self {
        let message = "changes on the platform all the time: retry it later".to_owned();
        Self { field: "id", message }
    }
}

impl Work {
    /// Says whether a row waits in quarantine.
    fn waits(&self, kind: Kind, id: &str) -> bool {
        !self.quarantined.is_empty() && self.quarantined.contains(&quarantine::mark(kind, Side::Pull, id))
    }
}

fn is_as_it_was(link: &Link, external: &ExternalRecord) -> bool {
    link.etag.is_some() && link.etag == external.etag
}

fn effect(before: Option<&Record>, merged: &Merged) -> Effect {
    match (before, &merged.record) {
        _ if !merged.review.is_empty() => Effect::Reviewed,
        (None, Some(_)) => Effect::Created,
        (Some(before), Some(after)) if before.fields != after.fields => Effect::Updated,
        _ => Effect::Unchanged,
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

fn referred(row: &ExternalRecord) -> Vec<(Kind, Box<str>)> {
    let fields = row.fields.iter();
    fields
        .filter_map(|(_, field, value)| match (field.holds, value) {
            (FieldType::Reference(to), Some(Value::Text(id))) => Some((to, id.clone())),
            _ => None,
        })
        .collect()
}
