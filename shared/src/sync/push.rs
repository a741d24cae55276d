//! Tells a system what the platform has changed.

use std::collections::BTreeSet;

use super::engine::{Engine, Stop, Work};
use super::lease::lease_key;
use super::quarantine::{self, Quarantined, Side};
use super::run::Position;
use crate::adapter::{
    Change, ChangeAction, Error, ErrorKind, Found, Item, KindCapability, Outcome, Pushed, Target,
};
use crate::model::{Base, FieldType, Fields, Kind, Link, Record, RecordId, Value};
use crate::records;
use crate::store::{Content, Expect, Key, Query, Row, StoreError, Table, Write};

/// How many records are looked through in one go.
const GATHER: usize = 1_000;

/// How often a change is laid beside a row that changes under it.
const TRIES: u32 = 4;

/// A record whose change is to be sent.
#[derive(Debug)]
struct Pending {
    id: RecordId,
    /// The row that says so.
    mark: Row,
    record: Option<(u64, Record)>,
    link: Option<(u64, Link)>,
}

impl Engine<'_> {
    /// Looks, where everything was read, for records that the system has never been told of.
    pub(super) async fn gather(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Gather { kind, after } = work.run.position.clone() else {
            return Ok(());
        };
        if !work.run.listed.contains(&kind) || !self.sends(kind) {
            work.run.position = self.after_gather(kind);
            return Ok(());
        }
        let partition = records::record_partition(&self.integration.id.organization, kind);
        let page = self
            .query(&Query::new(Table::Records, partition, "", GATHER).after(after))
            .await?;
        let mut marks = Vec::new();
        for row in &page.rows {
            let record = Record::from_row(kind, row)?;
            if record.is_live() && !record.links.contains_key(&self.integration.id.system) {
                marks.push(records::pend(&self.integration.id, kind, &record.id));
            }
        }
        if work.run.dry_run {
            work.totals(kind).sent += marks.len() as u64;
            marks.clear();
        }
        for marks in marks.chunks(crate::store::MAX_WRITES) {
            self.write(marks.to_vec()).await?;
        }
        let position = match page.next {
            Some(next) => Position::Gather {
                kind,
                after: Some(next),
            },
            None => self.after_gather(kind),
        };
        self.checkpoint(work, position).await
    }

    fn sends(&self, kind: Kind) -> bool {
        self.adapter
            .capability()
            .of(kind)
            .is_some_and(|capability| capability.pushes)
    }

    pub(super) async fn push(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Push { kind, after } = work.run.position.clone() else {
            return Ok(());
        };
        if !self.sends(kind) {
            work.run.position = self.after_push(kind);
            return Ok(());
        }
        let limit = self.adapter.capability().push_batch.max(1);
        let partition = records::pending_partition(&self.integration.id);
        let query = Query::new(Table::Records, partition, format!("{kind}#"), limit).after(after);
        let page = self.query(&query).await?;
        if page.rows.is_empty() && page.next.is_none() {
            work.run.position = self.after_push(kind);
            return Ok(());
        }
        if work.run.dry_run {
            work.totals(kind).sent += page.rows.len() as u64;
        } else {
            self.send(work, kind, page.rows).await?;
        }
        let position = match page.next {
            Some(next) => Position::Push {
                kind,
                after: Some(next),
            },
            None => self.after_push(kind),
        };
        self.checkpoint(work, position).await
    }

    /// Sends what is marked; a row that changed there meanwhile is taken over first, and its change sent again.
    async fn send(&self, work: &mut Work, kind: Kind, mut marks: Vec<Row>) -> Result<(), Stop> {
        for _ in 0..TRIES {
            if marks.is_empty() {
                return Ok(());
            }
            marks = self.send_once(work, kind, marks).await?;
        }
        for mark in marks {
            if let Some(id) = id_of(&mark, kind) {
                let error = Error::new(ErrorKind::Conflict, "the row changes all the time in the system");
                self.refuse_push(work, kind, &id, &mark, &error).await?;
            }
        }
        Ok(())
    }

    async fn send_once(&self, work: &mut Work, kind: Kind, marks: Vec<Row>) -> Result<Vec<Row>, Stop> {
        let Some(capability) = self.adapter.capability().of(kind).copied() else {
            return Ok(Vec::new());
        };
        let mut sent = Vec::new();
        let mut changes = Vec::new();
        for pending in self.load(kind, marks).await? {
            match self.change(&pending, &capability).await? {
                Ok(Some(change)) => {
                    changes.push(change);
                    sent.push(pending);
                }
                Ok(None) => self.unmark(&pending.mark).await?,
                Err(error) => {
                    self.refuse_push(work, kind, &pending.id, &pending.mark, &error)
                        .await?
                }
            }
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        work.totals(kind).sent += changes.len() as u64;
        let outcomes = self.adapter.push(kind, &changes).await?;
        self.settle(work, kind, sent, changes, outcomes).await
    }

    /// Takes note of every outcome before it passes on an error that concerns the system as a whole.
    async fn settle(
        &self,
        work: &mut Work,
        kind: Kind,
        sent: Vec<Pending>,
        changes: Vec<Change>,
        outcomes: Vec<Outcome>,
    ) -> Result<Vec<Row>, Stop> {
        let (mut conflicts, mut broken) = (Vec::new(), None);
        for ((pending, change), outcome) in sent.into_iter().zip(changes).zip(outcomes) {
            match outcome {
                Ok(pushed) => self.pushed(work, kind, pending, &change, &pushed).await?,
                Err(error) => match error.kind() {
                    ErrorKind::Conflict => conflicts.push(pending),
                    ErrorKind::NotFound => self.vanished(work, kind, &pending).await?,
                    ErrorKind::Rejected | ErrorKind::PermissionDenied | ErrorKind::Unsupported => {
                        self.refuse_push(work, kind, &pending.id, &pending.mark, &error)
                            .await?;
                    }
                    _ => broken = Some(error),
                },
            }
        }
        let again = self.take_over(work, kind, conflicts).await?;
        broken.map_or(Ok(again), |error| Err(error.into()))
    }

    async fn load(&self, kind: Kind, marks: Vec<Row>) -> Result<Vec<Pending>, Stop> {
        let id = &self.integration.id;
        let named = marks
            .into_iter()
            .filter_map(|mark| Some((id_of(&mark, kind)?, mark)));
        let named: Vec<(RecordId, Row)> = named.collect();
        let keys: Vec<Key> = named
            .iter()
            .map(|(record, _)| records::record_key(&id.organization, kind, record))
            .collect();
        let rows = self.read(&keys).await?;
        let mut loaded = Vec::with_capacity(named.len());
        for ((record_id, mark), row) in named.into_iter().zip(rows) {
            let record = row
                .map(|row| Ok::<_, StoreError>((row.version, Record::from_row(kind, &row)?)))
                .transpose()?;
            loaded.push(Pending {
                id: record_id,
                mark,
                record,
                link: None,
            });
        }
        self.load_links(kind, &mut loaded).await?;
        Ok(loaded)
    }

    async fn load_links(&self, kind: Kind, loaded: &mut [Pending]) -> Result<(), Stop> {
        let id = &self.integration.id;
        let mut linked: Vec<(&mut Pending, Key)> = loaded
            .iter_mut()
            .filter_map(|pending| {
                let external = pending.record.as_ref()?.1.links.get(&id.system)?;
                let key = records::link_key(id, kind, external);
                Some((pending, key))
            })
            .collect();
        let keys: Vec<Key> = linked.iter().map(|(_, key)| key.clone()).collect();
        for ((pending, _), row) in linked.iter_mut().zip(self.read(&keys).await?) {
            pending.link = row
                .map(|row| Ok::<_, StoreError>((row.version, row.decode()?)))
                .transpose()?;
        }
        Ok(())
    }

    /// Says what to send; nothing where the system knows it all, an error where it cannot be sent.
    async fn change(
        &self,
        pending: &Pending,
        capability: &KindCapability,
    ) -> Result<Result<Option<Change>, Error>, Stop> {
        let Some((_, record)) = &pending.record else {
            return Ok(Ok(None));
        };
        let target = pending.link.as_ref().and_then(|(_, link)| {
            let id = record.links.get(&self.integration.id.system)?.clone();
            Some(Target {
                id,
                etag: link.etag.clone(),
                active: link.active,
            })
        });
        let key = pending.id.clone();
        if !record.is_live() {
            let action = ChangeAction::Remove;
            return Ok(Ok(target.map(|target| Change {
                key,
                target: Some(target),
                action,
            })));
        }
        let link = pending.link.as_ref().map(|(_, link)| link);
        let changed = changed(record, link, capability);
        if changed == 0 && target.is_some() {
            return Ok(Ok(None));
        }
        Ok(match self.outward(&record.fields, changed).await? {
            Ok(fields) => Ok(Some(Change {
                key,
                target,
                action: ChangeAction::Write { fields, changed },
            })),
            Err(error) => Err(error),
        })
    }

    /// Puts the system's ids in the place of the platform's.
    async fn outward(&self, fields: &Fields, changed: u64) -> Result<Result<Fields, Error>, Stop> {
        let mut outward = fields.clone();
        for (position, field) in fields.kind().fields().iter().enumerate() {
            let FieldType::Reference(to) = field.holds else {
                continue;
            };
            let Some(Value::Text(id)) = fields.at(position).filter(|_| changed >> position & 1 == 1) else {
                continue;
            };
            match self.external_of(to, id).await? {
                Some(external) => outward.set(position, Some(Value::Text(external))),
                None => {
                    let message =
                        "refers to a record that the system does not have: it is sent after that one";
                    return Ok(Err(Error::new(ErrorKind::NotFound, message).at_field(field.name)));
                }
            }
        }
        Ok(Ok(outward))
    }

    async fn external_of(&self, kind: Kind, text: &str) -> Result<Option<Box<str>>, Stop> {
        let id = &self.integration.id;
        let Ok(record) = text.parse() else { return Ok(None) };
        let key = records::record_key(&id.organization, kind, &record);
        let Some(row) = self.read(&[key]).await?.pop().flatten() else {
            return Ok(None);
        };
        Ok(Record::from_row(kind, &row)?.links.get(&id.system).cloned())
    }

    /// Takes note that the system has a change.
    ///
    /// The link first, the mark last: a crash in between leaves a mark for which nothing is left to send.
    async fn pushed(
        &self,
        work: &mut Work,
        kind: Kind,
        pending: Pending,
        change: &Change,
        pushed: &Pushed,
    ) -> Result<(), Stop> {
        match &change.action {
            ChangeAction::Remove => self.removed(work, kind, &pending).await?,
            ChangeAction::Write { changed, .. } => {
                self.relink(work, kind, &pending, *changed, pushed).await?
            }
        }
        let totals = work.totals(kind);
        match (&change.action, &change.target) {
            (ChangeAction::Remove, _) => totals.pushed_removed += 1,
            (ChangeAction::Write { .. }, None) => totals.pushed_created += 1,
            (ChangeAction::Write { .. }, Some(_)) => totals.pushed_updated += 1,
        }
        self.unmark(&pending.mark).await
    }

    /// Keeps what both sides now agree on, and, for a row that was just made, where it is.
    async fn relink(
        &self,
        work: &mut Work,
        kind: Kind,
        pending: &Pending,
        changed: u64,
        pushed: &Pushed,
    ) -> Result<(), Stop> {
        let Some((_, sent)) = &pending.record else {
            return Ok(());
        };
        let (id, system) = (&self.integration.id, self.integration.id.system);
        let keys = [
            records::record_key(&id.organization, kind, &pending.id),
            records::link_key(id, kind, &pushed.id),
        ];
        for _ in 0..TRIES {
            let rows = self.read(&keys).await?;
            let [record_row, link_row] = rows.as_slice() else {
                return Ok(());
            };
            let before: Option<Link> = link_row.as_ref().map(Row::decode).transpose()?;
            let link = linked(kind, &pending.id, sent, before.as_ref(), changed, pushed);
            let fresh = before.is_none();
            let mut writes = vec![
                self.put_fenced(work, &keys[1], link_row.as_ref(), Content::of(&link)),
                Write::check(lease_key(id), Expect::Version(work.fence)),
            ];
            if let Some(row) = record_row {
                let mut record = Record::from_row(kind, row)?;
                if record.links.insert(system, pushed.id.clone()).as_ref() != Some(&pushed.id) {
                    writes.push(self.put_fenced(work, &keys[0], Some(row), record.content()));
                }
            }
            match self.write(writes).await {
                Ok(()) => {
                    work.totals(kind).linked += u64::from(fresh);
                    return Ok(());
                }
                Err(StoreError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        work.warn(format!(
            "a {kind} changed all the time while it was sent; the next run compares it again"
        ));
        Ok(())
    }

    fn put_fenced(&self, work: &Work, key: &Key, before: Option<&Row>, content: Content) -> Write {
        let expect = before.map_or(Expect::Absent, |row| Expect::Fenced {
            version: row.version,
            fence: work.fence,
        });
        Write::put(key.clone(), expect, content.fenced(work.fence))
    }

    /// Forgets the link of a record that is gone on both sides.
    async fn removed(&self, work: &mut Work, kind: Kind, pending: &Pending) -> Result<(), Stop> {
        let external = pending
            .record
            .as_ref()
            .and_then(|(_, record)| record.links.get(&self.integration.id.system));
        let Some(external) = external else { return Ok(()) };
        let key = records::link_key(&self.integration.id, kind, external);
        self.write(vec![Write::delete(key, Expect::Anything)]).await?;
        work.totals(kind).removed += 1;
        Ok(())
    }

    /// The row is no longer there: its deletion is told by the next reading, and that decides.
    async fn vanished(&self, work: &mut Work, kind: Kind, pending: &Pending) -> Result<(), Stop> {
        if pending
            .record
            .as_ref()
            .is_some_and(|(_, record)| !record.is_live())
        {
            self.removed(work, kind, pending).await?;
        } else {
            work.warn(format!("a {kind} that was changed here is gone from the system"));
        }
        self.unmark(&pending.mark).await
    }

    /// Takes over rows that changed since they were read; returns what is to be sent again.
    async fn take_over(
        &self,
        work: &mut Work,
        kind: Kind,
        conflicts: Vec<Pending>,
    ) -> Result<Vec<Row>, Stop> {
        let system = self.integration.id.system;
        let external = |pending: &Pending| pending.record.as_ref()?.1.links.get(&system).cloned();
        let (ids, marks): (Vec<_>, Vec<_>) = conflicts
            .into_iter()
            .filter_map(|pending| Some((external(&pending)?, pending.mark)))
            .unzip();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let items: Vec<Item> = self
            .adapter
            .find(kind, &ids)
            .await?
            .into_iter()
            .filter_map(row)
            .collect();
        let applied = self.apply(work, kind, items, false).await?;
        work.totals(kind).add(&applied.totals);
        self.reread_marks(marks).await
    }

    async fn reread_marks(&self, marks: Vec<Row>) -> Result<Vec<Row>, Stop> {
        let keys: Vec<Key> = marks.into_iter().map(|mark| mark.key).collect();
        Ok(self.read(&keys).await?.into_iter().flatten().collect())
    }

    /// Removes a mark, unless the record was marked again meanwhile.
    async fn unmark(&self, mark: &Row) -> Result<(), Stop> {
        let delete = Write::delete(mark.key.clone(), Expect::Version(mark.version));
        match self.write(vec![delete]).await {
            Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn refuse_push(
        &self,
        work: &mut Work,
        kind: Kind,
        id: &RecordId,
        mark: &Row,
        error: &Error,
    ) -> Result<(), Stop> {
        let entry = Quarantined {
            kind,
            side: Side::Push,
            id: id.as_str().into(),
            field: error.field().unwrap_or("record").to_owned(),
            message: error.to_string(),
            waits_for_another: error.kind() == ErrorKind::NotFound,
            run: work.run.id.clone(),
            since: self.clock.now(),
        };
        self.write(vec![quarantine::put(&self.integration.id, &entry)])
            .await?;
        work.totals(kind).push_refused += 1;
        self.unmark(mark).await
    }
}

fn id_of(mark: &Row, kind: Kind) -> Option<RecordId> {
    mark.key
        .sort
        .strip_prefix(kind.as_str())?
        .strip_prefix('#')?
        .parse()
        .ok()
}

/// Returns the fields that the system does not have as the platform has them.
fn changed(record: &Record, link: Option<&Link>, capability: &KindCapability) -> u64 {
    let kind = capability.kind;
    let ours = Base::of(&record.fields, capability.mapped);
    let Some(link) = link else {
        return capability.mapped;
    };
    let held = link
        .held
        .iter()
        .fold(0, |bits, group| bits | kind.positions(*group));
    link.base.differs(&ours, kind, capability.mapped & !held)
}

/// Returns the link as it is once the system has the fields in `changed` as they were sent.
fn linked(
    kind: Kind,
    id: &RecordId,
    sent: &Record,
    before: Option<&Link>,
    changed: u64,
    pushed: &Pushed,
) -> Link {
    let base = before.map_or_else(Base::default, |link| link.base.clone());
    let base = base.with(&Base::of(&sent.fields, u64::MAX), kind, changed);
    let held = before.map_or_else(BTreeSet::new, |link| link.held.clone());
    let (record, etag, active) = (id.clone(), pushed.etag.clone(), pushed.active);
    Link {
        record,
        etag,
        base,
        held,
        settled: BTreeSet::new(),
        active,
    }
}

fn row(found: Found) -> Option<Item> {
    match found {
        Found::Here(item @ (Item::Row(_) | Item::Faulty { .. })) => Some(item),
        Found::Here(Item::Deleted { .. }) | Found::Nothing => None,
    }
}
