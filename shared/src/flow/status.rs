//! Says what state an integration is in, why, and what to do next.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::Ports;
use crate::integration::{self, State, Stored};
use crate::model::IntegrationId;
use crate::oauth::{self, TokenErrorKind, TokenRow};
use crate::schedule::{self, Schedule};
use crate::store::{Query, Store, StoreError, Table};
use crate::sync::{Run, RunState, RunsStanding, runs_standing};
use crate::transfer;

/// How many days before credentials expire a human is to see to it.
const WARNED: u16 = 14;

/// As far as waiting records and reviews are counted.
const COUNTED: usize = 1000;

/// How well an integration does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Both sides were equal when the last run ended.
    Healthy,
    /// No run has ended yet.
    Unproven,
    /// It works, and something waits for a human.
    Attention,
    /// It does not work, and mends itself.
    Degraded,
    /// It does not work until a human does something.
    Failing,
    /// Somebody has stopped it.
    Stopped,
}

/// How well an integration does, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// How well.
    pub level: Level,
    /// Why.
    pub cause: String,
    /// What to do next.
    pub next_action: String,
}

/// Everything there is to say about an integration.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What is configured.
    pub stored: Stored,
    /// Where its runs stand.
    pub runs: RunsStanding,
    /// When it is synced by itself, if it is.
    pub schedule: Option<Schedule>,
    /// How its tokens stand, if there are any.
    pub tokens: Option<TokenRow>,
    /// When this was found out.
    pub now: Timestamp,
    /// How many records are in quarantine, up to a thousand.
    pub quarantined: usize,
    /// How many reviews wait for a human, up to a thousand.
    pub reviews: usize,
    /// How many files wait for a human, up to a thousand.
    pub files: usize,
    /// Since when the file waits that has waited longest.
    pub files_since: Option<Timestamp>,
}

/// Reads everything there is to say about an integration; `None` where there is none.
///
/// # Errors
///
/// Those of the store.
pub async fn standing(ports: &Ports, id: &IntegrationId) -> Result<Option<Standing>, StoreError> {
    let store = &*ports.store;
    let Some(stored) = integration::read(store, id).await? else {
        return Ok(None);
    };
    let (runs, schedule, tokens, quarantined, reviews, files) = futures::try_join!(
        runs_standing(store, id),
        schedule::read(store, id),
        oauth::read(store, id),
        count(store, id, "quarantine"),
        count(store, id, "review"),
        transfer::list_waiting_files(store, id, COUNTED),
    )?;
    Ok(Some(Standing {
        stored,
        runs,
        schedule: schedule
            .map(|stored| stored.schedule)
            .filter(|schedule| !schedule.cancelled),
        tokens: tokens.map(|stored| stored.row),
        now: ports.now(),
        quarantined,
        reviews,
        files: files.len(),
        files_since: files.iter().map(|waiting| waiting.since).min(),
    }))
}

async fn count(store: &dyn Store, id: &IntegrationId, what: &str) -> Result<usize, StoreError> {
    let prefix = format!("{what}#{}#", id.system);
    let query = Query::new(Table::Control, id.organization.as_str(), prefix, COUNTED);
    Ok(store.query(&query).await?.rows.len())
}

impl Health {
    fn new(level: Level, cause: impl Into<String>, next_action: impl Into<String>) -> Self {
        let (cause, next_action) = (cause.into(), next_action.into());
        Self {
            level,
            cause,
            next_action,
        }
    }

    fn of_failure(level: Level, run: &Run) -> Option<Self> {
        let failure = run.failure.as_ref()?;
        Some(Self::new(level, &*failure.message, &*failure.next_action))
    }
}

impl Standing {
    /// Says how well the integration does, why, and what to do next: the gravest cause first.
    #[must_use]
    pub fn health(&self) -> Health {
        self.stopped()
            .or_else(|| self.expired())
            .or_else(|| self.waiting())
            .or_else(|| self.failed())
            .or_else(|| self.given_up())
            .or_else(|| self.silent())
            .or_else(|| self.expiring())
            .or_else(|| self.needs_a_human())
            .or_else(|| self.files_wait())
            .unwrap_or_else(|| self.unremarkable())
    }

    fn stopped(&self) -> Option<Health> {
        let (level, cause, next) = match self.stored.integration.state {
            State::Active => return None,
            State::Paused => (
                Level::Stopped,
                "the integration is paused",
                "resume it when it is to go on",
            ),
            State::Disconnecting => (
                Level::Stopped,
                "the integration is being disconnected",
                "repeat the DELETE request until it answers 204 or 404",
            ),
            State::NeedsReauthorization => (
                Level::Failing,
                self.refusal().unwrap_or("the credential does not work any more"),
                "give it other credentials, or sign in again",
            ),
        };
        Some(Health::new(level, cause, next))
    }

    /// Says why the sign-in server refuses the credential, where it does.
    fn refusal(&self) -> Option<&str> {
        let failure = self.tokens.as_ref()?.failure.as_ref()?;
        (failure.error.kind() == TokenErrorKind::Refused).then(|| failure.error.message())
    }

    fn expired(&self) -> Option<Health> {
        let end = self.credentials_end().filter(|end| *end <= self.now)?;
        let cause = format!("the credentials expired on {}", day(end));
        let next = "put the integration with new credentials";
        Some(Health::new(Level::Failing, cause, next))
    }

    fn expiring(&self) -> Option<Health> {
        let is_near = |end: &Timestamp| integration::before(*end, WARNED) <= self.now;
        let end = self.credentials_end().filter(is_near)?;
        let cause = format!("the credentials expire on {}", day(end));
        let next = "put the integration with new credentials before that day";
        Some(Health::new(Level::Attention, cause, next))
    }

    const fn credentials_end(&self) -> Option<Timestamp> {
        self.stored.integration.credentials_expire_at
    }

    fn waiting(&self) -> Option<Health> {
        let run = self
            .runs
            .active
            .as_ref()
            .filter(|run| run.state == RunState::Waiting)?;
        Health::of_failure(Level::Degraded, run)
    }

    fn failed(&self) -> Option<Health> {
        let run = self
            .runs
            .last
            .as_ref()
            .filter(|run| run.state == RunState::Failed)?;
        Health::of_failure(Level::Failing, run)
    }

    fn given_up(&self) -> Option<Health> {
        let disabled = self.schedule.as_ref()?.disabled.as_ref()?;
        let next = "mend the cause, then resume the schedule";
        Some(Health::new(Level::Failing, &*disabled.reason, next))
    }

    fn silent(&self) -> Option<Health> {
        let since = self.overdue_since(self.now)?;
        let cause = format!("a success has been due since {since}");
        let next = "look at the runs; if there is none, start one and look at the alarms";
        Some(Health::new(Level::Failing, cause, next))
    }

    /// Says since when its schedule has waited for a success, where that is longer than it may.
    #[must_use]
    pub fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        let active = self.stored.integration.state == State::Active;
        let schedule = self.schedule.as_ref().filter(|_| active)?;
        schedule.overdue_since(self.runs.last_success_at, now)
    }

    /// Says when its schedule fires next.
    #[must_use]
    pub fn next_run_at(&self) -> Option<Timestamp> {
        let active = self.stored.integration.state == State::Active;
        let schedule = self.schedule.as_ref().filter(|_| active)?;
        schedule.fires(self.now, 1).pop().map(|fire| fire.at)
    }

    fn needs_a_human(&self) -> Option<Health> {
        let (cause, next) = match (self.quarantined, self.reviews) {
            (0, 0) => return None,
            (0, _) => (
                "a review waits for a decision",
                "list the reviews and decide them",
            ),
            _ => (
                "records are in quarantine",
                "list the quarantine, correct what is named there, and retry",
            ),
        };
        Some(Health::new(Level::Attention, cause, next))
    }

    fn files_wait(&self) -> Option<Health> {
        let since = day(self.files_since?);
        let cause = match self.files {
            1 => format!("a file has waited for somebody since {since}"),
            files => format!("{files} files wait for somebody, one of them since {since}"),
        };
        let next =
            "list the files, download those that are ready and import them, then decide what became of each";
        Some(Health::new(Level::Attention, cause, next))
    }

    fn unremarkable(&self) -> Health {
        if self.runs.last_success_at.is_some() {
            return Health::new(Level::Healthy, "the last run succeeded", "nothing to do");
        }
        match &self.runs.active {
            Some(_) => Health::new(
                Level::Unproven,
                "the first run is under way",
                "wait for it to end",
            ),
            None => Health::new(
                Level::Unproven,
                "no run has succeeded yet",
                "test the integration, then start a sync",
            ),
        }
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
