//! Works a slice of a run: step by step from one checkpoint to the next.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::cursor;
use super::lease::{self, Claim, lease_key};
use super::position::Position;
use super::quarantine::FoundBy;
use super::run::{Mode, Run, RunState, read_row};
use super::totals::Totals;
use super::writer::{Right, Writer};
use crate::adapter::{self, Adapter, ErrorKind, From};
use crate::clock::Clock;
use crate::integration::{Direction, Integration};
use crate::model::Kind;
use crate::store::{Content, Expect, Key, Page, Query, Row, Store, StoreError, Write};

/// How long a slice works before it hands over: well under a minute, so that its last page fits too.
pub(super) const SLICE: Duration = Duration::from_secs(45);

/// How long a webhook may take to tell of a change.
pub(super) const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What a slice works with.
#[derive(Debug)]
pub struct Engine<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) adapter: &'a dyn Adapter,
    pub(super) clock: &'a dyn Clock,
    pub(super) integration: &'a Integration,
    meter: Meter,
}

/// How many rows went to and from the tables.
#[derive(Debug, Default)]
struct Meter {
    read: AtomicU64,
    written: AtomicU64,
}

/// A slice being worked.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) run: Run,
    run_version: u64,
    pub(super) fence: u64,
    pub(super) begun_at: Timestamp,
    /// The kind for which the lanes are open to this slice, and closed to all earlier ones.
    lanes_open_for: Option<Kind>,
    /// Ids that wait in quarantine, so that one that succeeds is taken out.
    pub(super) quarantined: HashSet<String>,
    pub(super) found_by: FoundBy,
    /// Since when webhooks tell of changes, where they do.
    pub(super) webhooks_since: Option<Timestamp>,
    /// Between when changes should have been told of by webhooks, while changes alone are read.
    pub(super) told: Option<(Timestamp, Timestamp)>,
    /// Writes that go with the next checkpoint.
    pub(super) with_checkpoint: Vec<Write>,
}

/// Why a slice goes no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// Its time is up.
    Deadline,
    /// Somebody asked for it.
    Cancelled,
    /// Another worker holds the run.
    Fenced,
    /// What was read is not what was accounted for.
    Disagree(Kind),
    /// The system.
    Adapter(adapter::Error),
    /// The tables.
    Store(StoreError),
}

impl std::convert::From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl std::convert::From<adapter::Error> for Stop {
    fn from(error: adapter::Error) -> Self {
        Self::Adapter(error)
    }
}

impl Work {
    /// Returns by what right this slice writes.
    pub(super) const fn right(&self) -> Right {
        Right::Claim(self.fence)
    }

    /// Returns who takes rows over for this slice.
    pub(super) const fn writer(&self) -> Writer<'_> {
        Writer {
            right: self.right(),
            dry_run: self.run.dry_run,
            found_by: &self.found_by,
            quarantined: &self.quarantined,
            links: None,
            told: self.told,
        }
    }

    pub(super) fn totals(&mut self, kind: Kind) -> &mut Totals {
        self.run.totals.entry(kind).or_default()
    }

    pub(super) fn warn(&mut self, warning: String) {
        if self.run.warnings.len() < 50 && !self.run.warnings.contains(&warning) {
            self.run.warnings.push(warning);
        }
    }
}

impl<'a> Engine<'a> {
    /// Puts together what a slice works with.
    #[must_use]
    pub fn new(
        store: &'a dyn Store,
        adapter: &'a dyn Adapter,
        clock: &'a dyn Clock,
        integration: &'a Integration,
    ) -> Self {
        Self {
            store,
            adapter,
            clock,
            integration,
            meter: Meter::default(),
        }
    }

    /// Works a claimed slice until the run has ended, waits, or its time is up.
    ///
    /// # Errors
    ///
    /// Those of the store: nothing is known of what became of the slice; the lease runs out and it is worked again.
    pub async fn work(&self, claim: Claim) -> Result<super::Worked, StoreError> {
        let mut work = Work {
            found_by: FoundBy::Run(claim.run.id.clone()),
            webhooks_since: None,
            told: None,
            run: claim.run,
            run_version: claim.run_version,
            fence: claim.fence,
            begun_at: self.clock.now(),
            lanes_open_for: None,
            quarantined: HashSet::new(),
            with_checkpoint: Vec::new(),
        };
        work.run.state = RunState::Running;
        work.run.resume_at = None;
        let stop = match self.prepare(&mut work).await {
            Ok(()) => self.advance(&mut work).await,
            Err(stop) => Err(stop),
        };
        let stop = self.push_unread(&mut work, stop).await;
        self.conclude(work, stop).await
    }

    async fn prepare(&self, work: &mut Work) -> Result<(), Stop> {
        self.adapter.usable()?;
        if work.run.cancel_requested {
            return Err(Stop::Cancelled);
        }
        if let Some(until) = super::pause::until(self.store, &self.integration.id, self.clock.now()).await? {
            let error = adapter::Error::new(
                ErrorKind::RateLimited { until },
                "the system wants to be left alone",
            );
            return Err(error.into());
        }
        work.webhooks_since = self.webhooks_since().await?;
        work.quarantined = super::quarantine::ids(self.store, &self.integration.id).await?;
        Ok(())
    }

    /// Returns since when webhooks should have told of every change, where there is an endpoint for them.
    async fn webhooks_since(&self) -> Result<Option<Timestamp>, Stop> {
        let endpoints = crate::inbox::list_endpoints(self.store, &self.integration.id).await?;
        let open = endpoints.iter().filter(|stored| !stored.endpoint.closing);
        let opened = open.map(|stored| stored.endpoint.created_at);
        Ok(opened.min().and_then(|at| at.checked_add(PATIENCE).ok()))
    }

    async fn advance(&self, work: &mut Work) -> Result<(), Stop> {
        while work.run.position != Position::Done {
            let position = work.run.position.clone();
            match position {
                Position::Begin { kind } => self.begin(work, kind).await?,
                Position::Pull { .. } => self.pull(work).await?,
                Position::Sweep { .. } => self.sweep(work).await?,
                Position::Delete { .. } => self.delete(work).await?,
                Position::Retry { .. } => self.retry(work).await?,
                Position::Gather { .. } => self.gather(work).await?,
                Position::Push { .. } => self.push(work).await?,
                Position::Done => {}
            }
        }
        Ok(())
    }

    /// Looks up since when changes of a kind are to be read.
    async fn begin(&self, work: &mut Work, kind: Kind) -> Result<(), Stop> {
        let known = cursor::read(self.store, &self.integration.id, kind).await?;
        let usable = known.as_ref().filter(|known| {
            known.mapping_version == self.integration.mapping_version
                && work.run.mode != Mode::Full
                && !known.cursor.is_none()
        });
        let from = usable.map_or(From::Start, |known| From::Since(known.cursor.clone()));
        let listing = from == From::Start;
        work.run.mappings.insert(kind, self.integration.mapping_version);
        work.run
            .linked
            .insert(kind, known.as_ref().map_or(0, |known| known.linked));
        let fresh = known.is_none() && !lease::is_touched(self.store, &self.integration.id, kind).await?;
        work.run.position = match self.adapter.capability().of(kind) {
            Some(_) => Position::Pull {
                kind,
                from,
                page: 0,
                listing,
                fresh,
                lists: 0,
            },
            None => self.after_delete(work, kind),
        };
        Ok(())
    }

    pub(super) fn after_delete(&self, work: &Work, kind: Kind) -> Position {
        match next_kind(kind) {
            _ if work.run.mode == Mode::Approved => Position::Done,
            Some(kind) => Position::Begin { kind },
            None => Position::Retry {
                kind: Kind::Member,
                after: None,
            },
        }
    }

    pub(super) fn after_retry(&self, kind: Kind) -> Position {
        match next_kind(kind) {
            Some(kind) => Position::Retry { kind, after: None },
            None if self.integration.direction == Direction::Pull => Position::Done,
            None => Position::Gather {
                kind: Kind::Member,
                after: None,
            },
        }
    }

    pub(super) fn after_gather(&self, kind: Kind) -> Position {
        next_kind(kind).map_or(
            Position::Push {
                kind: Kind::Member,
                after: None,
            },
            |kind| Position::Gather { kind, after: None },
        )
    }

    pub(super) fn after_push(&self, kind: Kind) -> Position {
        next_kind(kind).map_or(Position::Done, |kind| Position::Push { kind, after: None })
    }

    /// Goes on to a place, keeping what was done so far; stops where the run was cancelled or the time is up.
    pub(super) async fn checkpoint(&self, work: &mut Work, position: Position) -> Result<(), Stop> {
        if let Some((kind, _)) = work.run.totals.iter().find(|(_, totals)| !totals.agree()) {
            return Err(Stop::Disagree(*kind));
        }
        if work
            .run
            .totals
            .values()
            .map(|totals| totals.quarantined + totals.push_refused)
            .sum::<u64>()
            > super::quarantine::MOST
        {
            let message = "more records are refused than a human can look through: correct the field map";
            return Err(adapter::Error::new(ErrorKind::Rejected, message).into());
        }
        work.run.position = position;
        work.run.attempts = 0;
        let lease = Write::check(lease_key(&self.integration.id), Expect::Version(work.fence));
        self.save(work, lease, Vec::new()).await?;
        if work.run.cancel_requested {
            return Err(Stop::Cancelled);
        }
        if self.clock.now() >= work.begun_at + SLICE {
            return Err(Stop::Deadline);
        }
        Ok(())
    }

    /// Writes the run, what goes with it, and what becomes of the lease, in one transaction.
    pub(super) async fn save(&self, work: &mut Work, lease: Write, more: Vec<Write>) -> Result<(), Stop> {
        self.account(work);
        loop {
            let run = Write::put(
                work.run.key(),
                Expect::Version(work.run_version),
                Content::of(&work.run),
            );
            let mut writes = vec![lease.clone(), run];
            writes.extend(work.with_checkpoint.iter().cloned());
            writes.extend(more.iter().cloned());
            match self.write(writes).await {
                Ok(()) => break,
                Err(StoreError::Refused { .. }) => self.reread(work).await?,
                Err(error) => return Err(error.into()),
            }
        }
        work.run_version += 1;
        work.with_checkpoint.clear();
        Ok(())
    }

    /// Finds out why a checkpoint was refused: the run was cancelled meanwhile, or is no longer ours.
    async fn reread(&self, work: &mut Work) -> Result<(), Stop> {
        let lease = read_row(self.store, lease_key(&self.integration.id)).await?;
        if lease.map(|row| row.version) != Some(work.fence) {
            return Err(Stop::Fenced);
        }
        let row = read_row(self.store, work.run.key()).await?.ok_or(Stop::Fenced)?;
        if row.version == work.run_version {
            return Err(Stop::Fenced);
        }
        let stored: Run = row.decode().map_err(Stop::Store)?;
        work.run.cancel_requested = stored.cancel_requested;
        work.run_version = row.version;
        Ok(())
    }

    /// Sees to it that no earlier holder writes a record any more.
    pub(super) async fn open_lanes(&self, work: &mut Work, kind: Kind) -> Result<(), Stop> {
        if work.lanes_open_for == Some(kind) || work.run.dry_run {
            return Ok(());
        }
        match self
            .write(lease::open_lanes(&self.integration.id, kind, work.fence))
            .await
        {
            Err(StoreError::Refused { .. }) => Err(Stop::Fenced),
            answer => {
                work.lanes_open_for = Some(kind);
                Ok(answer?)
            }
        }
    }

    fn account(&self, work: &mut Work) {
        let usage = self.adapter.take_usage();
        work.run.cost.requests += usage.requests;
        work.run.cost.bytes_received += usage.bytes_received;
        work.run.cost.rows_read += self.meter.read.swap(0, Ordering::Relaxed);
        work.run.cost.rows_written += self.meter.written.swap(0, Ordering::Relaxed);
    }

    pub(super) fn elapsed(&self, work: &Work) -> u64 {
        u64::try_from(self.clock.now().duration_since(work.begun_at).as_millis()).unwrap_or_default()
    }

    pub(super) async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.meter.read.fetch_add(keys.len() as u64, Ordering::Relaxed);
        if keys.is_empty() {
            Ok(Vec::new())
        } else {
            self.store.get(keys).await
        }
    }

    pub(super) async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        let page = self.store.query(query).await?;
        self.meter
            .read
            .fetch_add(page.rows.len() as u64, Ordering::Relaxed);
        Ok(page)
    }

    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let parts = writes.len() as u64;
        self.store.write(writes).await?;
        self.meter.written.fetch_add(parts, Ordering::Relaxed);
        Ok(())
    }
}

fn next_kind(kind: Kind) -> Option<Kind> {
    let position = Kind::ALL.iter().position(|known| *known == kind)?;
    Kind::ALL.get(position + 1).copied()
}
