//! Takes note of what a system has been told.

use std::collections::BTreeSet;

use super::change::Pending;
use super::engine::{Engine, Stop, Work};
use super::lease::lease_key;
use super::quarantine::{self, Side};
use crate::adapter::{Change, ChangeAction, Made};
use crate::model::{Base, Fields, Kind, Link, Record, RecordId, Value};
use crate::records;
use crate::store::{Content, Expect, Key, Row, StoreError, Write};

/// How often the link is written where the record changes meanwhile.
const TRIES: u32 = 4;

impl Engine<'_> {
    /// Takes note that the system has a change.
    ///
    /// The link first, the mark last: a crash in between leaves a mark for which nothing is left to send.
    pub(super) async fn pushed(
        &self,
        work: &mut Work,
        kind: Kind,
        pending: Pending,
        change: &Change,
        pushed: &Made,
    ) -> Result<(), Stop> {
        match &change.action {
            ChangeAction::Remove if pushed.gone => self.unlink(work, kind, &pending).await?,
            ChangeAction::Remove => self.relink(work, kind, &pending, 0, pushed).await?,
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
        self.sent(work, kind, &pending).await
    }

    /// Takes note that a change is on its way: what the system has, and where, only the next reading tells.
    pub(super) async fn handed_over(
        &self,
        work: &mut Work,
        kind: Kind,
        pending: &Pending,
    ) -> Result<(), Stop> {
        work.totals(kind).handed_over += 1;
        self.keep_in_mind(work, kind, pending).await?;
        self.sent(work, kind, pending).await
    }

    /// Keeps what was handed over beside what both sides agree on, and has the next reading compare the row, also where
    /// that is as it was: the change may never get there.
    async fn keep_in_mind(&self, work: &Work, kind: Kind, pending: &Pending) -> Result<(), Stop> {
        let Some(record) = &pending.record else {
            return Ok(());
        };
        let (id, linked) = (&self.integration.id, self.external(pending));
        let capability = self.adapter.capability();
        let state = match record.is_live() {
            true => Base::of(
                &record.fields,
                capability.of(kind).map_or(0, |capability| capability.mapped),
            ),
            false => Base::default(),
        };
        let key = match &linked {
            Some(external) => records::link_key(id, kind, external),
            None => records::record_key(&id.organization, kind, &pending.id),
        };
        for _ in 0..TRIES {
            let Some(row) = self.read(std::slice::from_ref(&key)).await?.pop().flatten() else {
                return Ok(());
            };
            let content = if linked.is_some() {
                let mut link: Link = row.decode()?;
                let before = link.clone();
                link.hand_over(state.clone());
                if link == before {
                    return Ok(());
                }
                Content::of(&link)
            } else {
                let mut record = Record::from_row(kind, &row)?;
                if record.links.contains_key(&id.system) || !record.handed_to.insert(id.system) {
                    return Ok(());
                }
                record.content()
            };
            let writes = vec![
                self.put_fenced(work, &key, Some(&row), content),
                Write::check(lease_key(id), Expect::Version(work.fence)),
            ];
            match self.write(writes).await {
                Err(StoreError::Refused { parts }) if parts.contains(&1) => return Err(Stop::Fenced),
                Err(StoreError::Refused { .. }) => {}
                answer => return Ok(answer?),
            }
        }
        Ok(())
    }

    async fn sent(&self, work: &Work, kind: Kind, pending: &Pending) -> Result<(), Stop> {
        if work.writer().waits(kind, Side::Push, pending.id.as_str()) {
            let released = quarantine::release(&self.integration.id, kind, Side::Push, pending.id.as_str());
            self.write(vec![released]).await?;
        }
        self.unmark(work, &pending.mark).await
    }

    /// Keeps what both sides now agree on, and, for a row that was just made, where it is.
    async fn relink(
        &self,
        work: &mut Work,
        kind: Kind,
        pending: &Pending,
        changed: u64,
        pushed: &Made,
    ) -> Result<(), Stop> {
        let Some(sent) = &pending.record else {
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
            let mapping = self.integration.mapping_version;
            let told_at = (!self.lag(kind).is_zero()).then(|| self.clock.now());
            let link = Link {
                hinted_at: told_at,
                ..linked(kind, &pending.id, sent, before.as_ref(), changed, pushed, mapping)
            };
            let fresh = before.is_none();
            let mut writes = vec![
                self.put_fenced(work, &keys[1], link_row.as_ref(), Content::of(&link)),
                Write::check(lease_key(id), Expect::Version(work.fence)),
            ];
            if let Some(row) = record_row {
                let mut record = Record::from_row(kind, row)?;
                let handed_over = record.handed_to.remove(&system);
                let linked = record.links.insert(system, pushed.id.clone());
                if linked.as_ref() != Some(&pushed.id) || handed_over {
                    writes.push(self.put_fenced(work, &keys[0], Some(row), record.content()));
                }
            }
            match self.write(writes).await {
                Ok(()) => {
                    work.totals(kind).linked += u64::from(fresh);
                    return Ok(());
                }
                Err(StoreError::Refused { parts }) if parts.contains(&1) => return Err(Stop::Fenced),
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
    async fn unlink(&self, work: &mut Work, kind: Kind, pending: &Pending) -> Result<(), Stop> {
        let id = &self.integration.id;
        let Some(external) = self.external(pending) else {
            return Ok(());
        };
        let keys = [
            records::record_key(&id.organization, kind, &pending.id),
            records::link_key(id, kind, &external),
        ];
        for _ in 0..TRIES {
            let rows = self.read(&keys).await?;
            let mut writes = vec![
                Write::delete(keys[1].clone(), Expect::Anything),
                Write::check(lease_key(id), Expect::Version(work.fence)),
            ];
            if let Some(row) = rows.first().and_then(Option::as_ref) {
                let mut record = Record::from_row(kind, row)?;
                record.links.remove(&id.system);
                record.handed_to.remove(&id.system);
                writes.push(self.put_fenced(work, &keys[0], Some(row), record.content()));
            }
            match self.write(writes).await {
                Ok(()) => {
                    work.totals(kind).unlinked += 1;
                    return Ok(());
                }
                Err(StoreError::Refused { parts }) if parts.contains(&1) => return Err(Stop::Fenced),
                Err(StoreError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        work.warn(format!(
            "a {kind} changed all the time while its link was removed; the next reading removes it"
        ));
        Ok(())
    }

    /// The row is no longer there: its deletion is told by the next reading, and that decides.
    pub(super) async fn vanished(&self, work: &mut Work, kind: Kind, pending: &Pending) -> Result<(), Stop> {
        if pending.record.as_ref().is_some_and(|record| !record.is_live()) {
            self.unlink(work, kind, pending).await?;
        } else {
            work.warn(format!("a {kind} that was changed here is gone from the system"));
        }
        self.unmark(work, &pending.mark).await
    }
}

/// Returns the link as it is once the system has the fields in `changed` as they were sent.
fn linked(
    kind: Kind,
    id: &RecordId,
    sent: &Record,
    before: Option<&Link>,
    changed: u64,
    pushed: &Made,
    mapping: u32,
) -> Link {
    let base = before.map_or_else(Base::default, |link| link.base.clone());
    let base = base.with(&Base::of(&sent.fields, u64::MAX), kind, changed);
    // A record that says nothing of its use learns it from the next reading.
    let unsaid = |position: usize| changed >> position & 1 == 1 && sent.fields.at(position).is_none();
    let base = match kind.position("active").is_some_and(unsaid) {
        true => base,
        false => in_use(base, kind, pushed.active),
    };
    Link {
        record: id.clone(),
        etag: pushed.etag.clone(),
        mapping: before.map_or(mapping, |link| link.mapping),
        base,
        held: before.map_or_else(BTreeSet::new, |link| link.held.clone()),
        settled: BTreeSet::new(),
        handed: Vec::new(),
        active: pushed.active,
        hinted_at: None,
    }
}

/// Agrees on whether the row is in use, where that is compared: the system may have put it out of use unasked.
fn in_use(base: Base, kind: Kind, active: bool) -> Base {
    let Some(position) = kind.position("active") else {
        return base;
    };
    let (mut fields, bit) = (Fields::new(kind), 1 << position);
    fields.set(position, Some(Value::Bool(active)));
    base.with(&Base::of(&fields, bit), kind, bit & base.known(kind))
}
