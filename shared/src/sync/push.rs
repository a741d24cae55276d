//! Tells a system what the platform has changed.

use std::collections::HashSet;
use std::time::Duration;

use super::change::{Pending, id_of};
use super::engine::{Engine, SLICE, Stop, Work};
use super::lease::lease_key;
use super::position::Position;
use super::quarantine::{self, Quarantined, Side};
use super::run::Mode;
use crate::adapter::{Change, Error, ErrorKind, Found, Item, Outcome, Pushed};
use crate::integration::Direction;
use crate::model::{Kind, RecordId};
use crate::records;
use crate::store::{Expect, Key, Query, Row, StoreError, Table, Write};

/// How long changes are handed over at least, however long it took to see that the system is down.
const AT_LEAST: Duration = Duration::from_secs(20);

/// How often a change is laid beside a row that changes under it.
const TRIES: u32 = 4;

impl Engine<'_> {
    pub(super) fn sends(&self, kind: Kind) -> bool {
        self.adapter
            .capability()
            .of(kind)
            .is_some_and(|capability| capability.pushes)
    }

    /// Sends a batch of what is marked.
    pub(super) async fn push(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Push { kind, after } = work.run.position.clone() else {
            return Ok(());
        };
        if !self.sends(kind) {
            work.run.position = self.after_push(kind);
            return Ok(());
        }
        let (limit, is_first) = (self.adapter.capability().push_batch.max(1), after.is_none());
        let page = self.query(&self.marked(kind, limit, after)).await?;
        if page.rows.is_empty() && page.next.is_none() {
            work.run.position = self.after_push(kind);
            return Ok(());
        }
        if work.run.dry_run {
            work.totals(kind).sent += page.rows.len() as u64;
        } else {
            if is_first {
                work.totals(kind).waiting = 0;
            }
            // Where there is no cursor, the next run takes it that there are no links: what makes them comes after it.
            if !work.with_checkpoint.is_empty() {
                self.checkpoint(work, work.run.position.clone()).await?;
            }
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

    /// Sends what is marked although nothing can be read, where changes go another way while the system is down; the run
    /// goes on to wait for the system after that.
    pub(super) async fn push_unread(&self, work: &mut Work, stop: Result<(), Stop>) -> Result<(), Stop> {
        let down = matches!(&stop, Err(Stop::Adapter(error)) if error.kind() == ErrorKind::Unavailable);
        let sends = self.integration.direction == Direction::Both && work.run.mode != Mode::Approved;
        if !down || !sends || work.run.dry_run || !self.adapter.capability().pushes_unread {
            return stop;
        }
        for kind in Kind::ALL.iter().copied().filter(|kind| self.sends(*kind)) {
            match self.push_all_marked(work, kind).await {
                // It is what the run waits for anyway.
                Ok(()) | Err(Stop::Adapter(_)) => {}
                Err(other) => return Err(other),
            }
        }
        stop
    }

    /// Sends what is marked of a kind, as far as the time of a slice goes.
    async fn push_all_marked(&self, work: &mut Work, kind: Kind) -> Result<(), Stop> {
        let limit = self.adapter.capability().push_batch.max(1);
        let (mut after, now) = (None, self.clock.now());
        let until = (work.begun_at + SLICE).max(now + AT_LEAST);
        work.totals(kind).waiting = 0;
        loop {
            let page = self.query(&self.marked(kind, limit, after)).await?;
            self.send(work, kind, page.rows).await?;
            after = page.next;
            if after.is_none() || self.clock.now() >= until {
                return Ok(());
            }
        }
    }

    fn marked(&self, kind: Kind, limit: usize, after: Option<String>) -> Query {
        let partition = records::pending_partition(&self.integration.id);
        Query::new(Table::Records, partition, format!("{kind}#"), limit).after(after)
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
                let message = "another row is in the way, or the row changes all the time: look for it in quarantine, \
                               or retry it later";
                let error = Error::new(ErrorKind::Conflict, message);
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
                Ok(None) => self.unmark(work, &pending.mark).await?,
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
        if is_closed(&outcomes) {
            let error = outcomes.into_iter().find_map(Result::err);
            return Err(error.expect("every outcome is an error").into());
        }
        let (mut conflicts, mut missing, mut broken) = (Vec::new(), Vec::new(), None);
        for ((pending, change), outcome) in sent.into_iter().zip(changes).zip(outcomes) {
            match outcome {
                Ok(Pushed::Made(made)) => self.pushed(work, kind, pending, &change, &made).await?,
                Ok(Pushed::HandedOver) => self.handed_over(work, kind, &pending).await?,
                Ok(Pushed::Waits(reason)) => {
                    work.totals(kind).waiting += 1;
                    work.warn(format!("changes of {} wait: {reason}", kind.plural()));
                }
                Err(error) => match error.kind() {
                    ErrorKind::Conflict => {
                        let row = error.fact("row").map(Box::from);
                        conflicts.push((row.or_else(|| self.external(&pending)), pending.mark));
                    }
                    ErrorKind::NotFound => missing.push((pending, error)),
                    ErrorKind::Rejected | ErrorKind::PermissionDenied | ErrorKind::Unsupported => {
                        self.refuse_push(work, kind, &pending.id, &pending.mark, &error)
                            .await?;
                    }
                    _ => broken = Some(error),
                },
            }
        }
        self.look_for(work, kind, missing).await?;
        let again = self.take_over(work, kind, conflicts).await?;
        broken.map_or(Ok(again), |error| Err(error.into()))
    }

    /// Returns the id of the row that a record is linked with.
    pub(super) fn external(&self, pending: &Pending) -> Option<Box<str>> {
        pending
            .record
            .as_ref()?
            .links
            .get(&self.integration.id.system)
            .cloned()
    }

    /// Tells rows that are gone from others that were not found, such as one that the change refers to.
    async fn look_for(
        &self,
        work: &mut Work,
        kind: Kind,
        missing: Vec<(Pending, Error)>,
    ) -> Result<(), Stop> {
        let ids: Vec<Box<str>> = missing
            .iter()
            .filter_map(|(pending, _)| self.external(pending))
            .collect();
        let found = self.adapter.find(kind, &ids).await?;
        let gone: HashSet<Box<str>> = ids
            .into_iter()
            .zip(found)
            .filter_map(|(id, found)| matches!(found, Found::Nothing).then_some(id))
            .collect();
        for (pending, error) in missing {
            if self.external(&pending).is_some_and(|id| gone.contains(&id)) {
                self.vanished(work, kind, &pending).await?;
            } else {
                self.refuse_push(work, kind, &pending.id, &pending.mark, &error)
                    .await?;
            }
        }
        Ok(())
    }

    /// Takes over rows that changed since they were read, or that were there before a record was; returns what is to be
    /// sent again.
    async fn take_over(
        &self,
        work: &mut Work,
        kind: Kind,
        conflicts: Vec<(Option<Box<str>>, Row)>,
    ) -> Result<Vec<Row>, Stop> {
        let (ids, marks): (Vec<Option<Box<str>>>, Vec<Row>) = conflicts.into_iter().unzip();
        let ids: Vec<Box<str>> = ids.into_iter().flatten().collect();
        if !ids.is_empty() {
            let found = self.adapter.find(kind, &ids).await?;
            let items: Vec<Item> = found.into_iter().filter_map(row).collect();
            let applied = self.apply(work, kind, items, false).await?;
            work.totals(kind).add(&applied.totals);
        }
        self.reread_marks(marks).await
    }

    async fn reread_marks(&self, marks: Vec<Row>) -> Result<Vec<Row>, Stop> {
        let keys: Vec<Key> = marks.into_iter().map(|mark| mark.key).collect();
        Ok(self.read(&keys).await?.into_iter().flatten().collect())
    }

    /// Removes a mark, unless the record was marked again meanwhile.
    ///
    /// A mark that was removed and made anew counts from one again: whoever lost the lease must not take it for the old one.
    pub(super) async fn unmark(&self, work: &Work, mark: &Row) -> Result<(), Stop> {
        let writes = vec![
            Write::delete(mark.key.clone(), Expect::Version(mark.version)),
            Write::check(lease_key(&self.integration.id), Expect::Version(work.fence)),
        ];
        match self.write(writes).await {
            Err(StoreError::Refused { parts }) if parts.contains(&1) => Err(Stop::Fenced),
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
            found_by: work.found_by.clone(),
            since: self.clock.now(),
        };
        self.write(vec![quarantine::put(&self.integration.id, &entry)])
            .await?;
        work.totals(kind).push_refused += 1;
        self.unmark(work, mark).await
    }
}

/// Says whether not single rows are closed to us but the table: nobody looks through each of its changes in quarantine.
fn is_closed(outcomes: &[Outcome]) -> bool {
    let denied =
        |outcome: &Outcome| matches!(outcome, Err(error) if error.kind() == ErrorKind::PermissionDenied);
    outcomes.len() > 1 && outcomes.iter().all(denied)
}

fn row(found: Found) -> Option<Item> {
    match found {
        Found::Here(item @ (Item::Row(_) | Item::Faulty { .. })) => Some(item),
        Found::Here(Item::Deleted { .. }) | Found::Hidden | Found::Nothing => None,
    }
}
