//! How a slice ends: the run goes on, waits, or has ended with a result event.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use super::engine::{Engine, Stop, Work};
use super::lease::{self, Last};
use super::outbox;
use super::run::{Failure, Run, RunState, last_key};
use crate::adapter::{self, ErrorKind};
use crate::publish::ResultEvent;
use crate::store::{Content, Expect, StoreError, Write};

/// How often, in a row, a run is tried again before it is given up: some three hours.
const ATTEMPTS: u32 = 20;

/// The first wait after a failure, doubled by each further one.
const FIRST_WAIT: Duration = Duration::from_secs(15);

/// The longest wait after a failure that did not say how long to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The longest wait that a system is believed.
const BELIEVED: Duration = Duration::from_secs(60 * 60);

/// What became of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worked {
    /// The run goes on with its next slice.
    More(Run),
    /// The run waits until its `resume_at`.
    Waits(Run),
    /// The run has ended; the event is in the outbox.
    Ended(Run, ResultEvent),
    /// Another worker has the run.
    Lost,
}

impl Engine<'_> {
    pub(super) async fn conclude(
        &self,
        mut work: Work,
        stop: Result<(), Stop>,
    ) -> Result<Worked, StoreError> {
        work.run.cost.milliseconds += self.elapsed(&work);
        work.run.cost.slices += 1;
        let concluded = match stop {
            Ok(()) => self.end(&mut work, None).await,
            Err(Stop::Deadline) => self.hand_over(&mut work).await,
            Err(Stop::Cancelled) => {
                work.run.state = RunState::Cancelled;
                self.end(&mut work, None).await
            }
            Err(Stop::Adapter(error)) => match try_again_at(&error, work.run.attempts, self.clock.now()) {
                Some(until) => self.wait(&mut work, &error, until).await,
                None => self.end(&mut work, Some(failure(&error))).await,
            },
            Err(Stop::Disagree(kind)) => self.end(&mut work, Some(disagreement(kind.as_str()))).await,
            Err(Stop::Store(error)) if !error.may_pass() => {
                self.end(&mut work, Some(unworkable(&error))).await
            }
            Err(stop @ (Stop::Fenced | Stop::Store(_))) => Err(stop),
        };
        match concluded {
            Ok(worked) => Ok(worked),
            Err(Stop::Store(error)) => Err(error),
            Err(_) => Ok(Worked::Lost),
        }
    }

    /// Leaves the run to its next slice.
    async fn hand_over(&self, work: &mut Work) -> Result<Worked, Stop> {
        work.run.slice += 1;
        let now = self.clock.now();
        let lease = lease::free(
            &self.integration.id,
            Expect::Version(work.fence),
            &work.run.id,
            now,
        );
        self.save(work, lease, Vec::new()).await?;
        Ok(Worked::More(work.run.clone()))
    }

    /// Leaves the run alone for a while; `reconcile` takes it up again.
    async fn wait(&self, work: &mut Work, error: &adapter::Error, until: Timestamp) -> Result<Worked, Stop> {
        work.run.attempts += 1;
        work.run.slice += 1;
        work.run.state = RunState::Waiting;
        work.run.resume_at = Some(until);
        work.run.failure = Some(failure(error));
        let fence = Expect::Version(work.fence);
        let lease = lease::free_until(&self.integration.id, fence, &work.run.id, until);
        let mut more = Vec::new();
        if let ErrorKind::RateLimited { .. } = error.kind() {
            more.push(super::pause::write(&self.integration.id, until));
        }
        // The position may be behind a kind of which nothing was told: its cursor is kept with it, or never.
        self.save(work, lease, more).await?;
        Ok(Worked::Waits(work.run.clone()))
    }

    /// Ends the run: run, lease, last run and result event in one transaction.
    async fn end(&self, work: &mut Work, failure: Option<Failure>) -> Result<Worked, Stop> {
        let now = self.clock.now();
        if failure.is_some() || work.run.state == RunState::Cancelled {
            work.with_checkpoint.clear();
        }
        work.run.state = ended_as(&work.run, failure.is_some());
        work.run.failure = failure;
        work.run.finished_at = Some(now);
        let integration = &self.integration.id;
        let known = lease::last(self.store, integration).await?;
        let last = self.last(&work.run, known.as_ref().map(|(_, last)| last), now);
        let event = outbox::event(&work.run, last.sequence, now);
        let expect = known.map_or(Expect::Absent, |(version, _)| Expect::Version(version));
        let mut more = vec![
            Write::put(last_key(integration), expect, Content::of(&last)),
            outbox::put(integration, last.sequence, &event, now),
        ];
        more.extend(self.recount(work).await?);
        let lease = lease::end(integration, work.fence);
        self.save(work, lease, more).await?;
        Ok(Worked::Ended(work.run.clone(), event))
    }

    fn last(&self, run: &Run, before: Option<&Last>, now: Timestamp) -> Last {
        let (mut success, mut failure) =
            before.map_or((None, None), |last| (last.last_success_at, last.last_failure_at));
        match run.state {
            RunState::Succeeded | RunState::Partial if !run.dry_run => success = Some(now),
            RunState::Failed => failure = Some(now),
            _ => {}
        }
        let sequence = before.map_or(0, |last| last.sequence) + 1;
        Last {
            run: run.id.clone(),
            sequence,
            last_success_at: success,
            last_failure_at: failure,
        }
    }
}

fn ended_as(run: &Run, failed: bool) -> RunState {
    let open = |totals: &super::Totals| {
        totals.quarantined + totals.reviewed + totals.push_refused + totals.waiting > 0
    };
    let unmade = |totals: &super::Totals| totals.deleted + totals.absent > 0 && totals.removed == 0;
    match run.state {
        RunState::Cancelled => RunState::Cancelled,
        _ if failed => RunState::Failed,
        _ if run
            .totals
            .values()
            .any(|totals| open(totals) || unmade(totals) && !run.dry_run) =>
        {
            RunState::Partial
        }
        _ => RunState::Succeeded,
    }
}

/// Says when to try again after so many attempts in vain; `None` where it is given up.
///
/// A refused credential may just have been replaced: the next attempt reads it anew.
pub(crate) fn try_again_at(error: &adapter::Error, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let replaced = error.kind() == ErrorKind::Unauthenticated && attempts == 0;
    let may_pass = replaced || error.kind().is_temporary() && attempts < ATTEMPTS;
    may_pass.then(|| resume_at(error, attempts, now))
}

/// Says when to go on: when the system said, else after a wait that grows, spread so that not all come at once.
fn resume_at(error: &adapter::Error, attempts: u32, now: Timestamp) -> Timestamp {
    let wait = match error.kind() {
        ErrorKind::RateLimited { until } => {
            return until.clamp(now, now.checked_add(1.hour()).unwrap_or(now).max(now + BELIEVED));
        }
        _ => FIRST_WAIT
            .saturating_mul(2_u32.saturating_pow(attempts))
            .min(LONGEST_WAIT),
    };
    let spread = wait.mul_f64(f64::from(now.subsec_millisecond()) / 4_000.0);
    now.checked_add(wait + spread).unwrap_or(now)
}

/// Says that the tables refuse what they are asked.
pub(crate) fn unworkable(error: &StoreError) -> Failure {
    Failure {
        code: "unworkable".to_owned(),
        message: error.to_string(),
        next_action: "report this: it is a fault of the service; the next run begins where this one stopped"
            .to_owned(),
    }
}

fn disagreement(kind: &str) -> Failure {
    Failure {
        code: "totals_disagree".to_owned(),
        message: format!("what was read of each {kind} is not what was accounted for"),
        next_action: "report this: it is a fault of the service; nothing was deleted".to_owned(),
    }
}

/// Says why a run failed or waits, and what a human does about it.
#[must_use]
pub fn failure(error: &adapter::Error) -> Failure {
    let next_action = match error.kind() {
        ErrorKind::Unauthenticated => "give the integration a credential that works",
        ErrorKind::PermissionDenied => "grant the application user what the message names",
        ErrorKind::RateLimited { .. } | ErrorKind::Unavailable | ErrorKind::Unknown => {
            "nothing: it is tried again"
        }
        ErrorKind::NotFound => "test the integration: a table or a column of its settings is not there",
        ErrorKind::Rejected | ErrorKind::Unsupported => "test the integration and correct its settings",
        ErrorKind::Malformed => "ask the system's administrator what answers in its place",
        ErrorKind::Conflict => "start the run again",
        ErrorKind::CursorExpired => "start a full run",
    };
    Failure {
        code: error.kind().as_str().to_owned(),
        message: error.to_string(),
        next_action: next_action.to_owned(),
    }
}
