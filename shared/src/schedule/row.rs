//! A schedule as it is kept.

use std::collections::BTreeSet;
use std::hash::Hasher as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::expression::SKIPPED;
use super::{Expression, Fire};
use crate::model::{FieldError, IntegrationId, RunId};
use crate::scheduler::Order;
use crate::store::{Content, Expect, Key, Row, Store, StoreError, Table, Write};
use crate::sync::Mode;

/// Begins the place of every schedule.
pub(crate) const PREFIX: &str = "schedule#";

/// Begins the name of every order that the scheduler is given.
pub(crate) const ORDERS: &str = "sync-";

/// How long after a fire `reconcile` sees whether anybody called.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a schedule is left alone at the most: so that silence is noticed.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// How long after it was written a schedule that nobody was told of is taken up by others.
const TOLD: Duration = Duration::from_secs(60);

/// How long after a fire there must have been a success.
const ALLOWED: SignedDuration = SignedDuration::from_hours(1);

/// After how many failures in a row a schedule is given up.
pub(crate) const GIVEN_UP: u32 = 10;

/// The most minutes by which a schedule is moved, so that not all of them fire at the full hour.
const SPREAD: u64 = 5;

/// What becomes of a fire while a run is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// Nothing.
    #[default]
    Skip,
    /// One run is started when the active one has ended, however many fires there were.
    QueueOne,
}

/// Why a schedule was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What somebody wants a schedule to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// When: cron, rate or a single time.
    pub expression: String,
    /// By which clocks.
    pub zone: String,
    /// What runs read.
    pub mode: Mode,
    /// What becomes of a fire while a run is active.
    pub overlap: Overlap,
    /// Whether it fires at all.
    pub enabled: bool,
    /// Whether it may be moved by some minutes.
    pub spread: bool,
}

/// When an integration is synced by itself, and what became of it.
///
/// # Shape
///
/// `{"integration":"hlf:dynamics365","generation":"0190…","expression":"cron(0 2 * * ? *)","zone":"Europe/Oslo",…}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Which integration.
    pub integration: IntegrationId,
    /// Changes with every change of the schedule: calls of an earlier one are void.
    pub generation: Uuid,
    /// When, as it was asked for.
    pub expression: String,
    /// By which clocks.
    pub zone: String,
    /// What runs read.
    pub mode: Mode,
    /// What becomes of a fire while a run is active.
    pub overlap: Overlap,
    /// Whether it fires at all.
    pub enabled: bool,
    /// By how many minutes it is moved.
    pub moved_by: u8,
    /// From when on it counts, where it is every so often.
    pub anchor: Timestamp,
    /// The last fire that was seen to; at first, when it was made.
    pub last_fire: Timestamp,
    /// Whether a run is to be started when the active one has ended.
    #[serde(default)]
    pub queued: bool,
    /// How many runs have failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// The last run that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<RunId>,
    /// Why it was given up, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// How many fires nobody called for in time.
    #[serde(default)]
    pub missed: u64,
    /// How many fires were passed over since a run was active.
    #[serde(default)]
    pub skipped: u64,
    /// Whether the scheduler knows of it as it is.
    #[serde(default)]
    pub told: bool,
    /// When it was last held against what the scheduler knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_at: Option<Timestamp>,
    /// When it was last looked at.
    pub looked_at: Timestamp,
    /// Since when successes are expected of it.
    pub expected_since: Timestamp,
    /// Whether it is being cancelled.
    #[serde(default)]
    pub cancelled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A schedule as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The schedule.
    pub schedule: Schedule,
    /// The version of its row.
    pub version: u64,
}

/// Returns where a schedule is kept.
#[must_use]
pub fn schedule_key(id: &IntegrationId) -> Key {
    let sort = format!("{PREFIX}{}", id.system);
    Key::new(Table::Control, id.organization.as_str(), sort)
}

/// Returns the name that the scheduler knows the schedule of an integration by: always the same, whatever letters its
/// organization has.
#[must_use]
pub(crate) fn order_name(id: &IntegrationId) -> String {
    format!("{ORDERS}{}-{:016x}", id.system, hash(id))
}

fn hash(id: &IntegrationId) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.write(id.to_string().as_bytes());
    hasher.finish()
}

/// Reads the schedule of an integration.
///
/// # Errors
///
/// Those of the store.
pub async fn read(store: &dyn Store, id: &IntegrationId) -> Result<Option<Stored>, StoreError> {
    let row = store.get(&[schedule_key(id)]).await?.pop().flatten();
    row.map(Stored::try_from).transpose()
}

impl TryFrom<Row> for Stored {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (schedule, version) = (row.decode()?, row.version);
        Ok(Self { schedule, version })
    }
}

impl Wish {
    /// Checks it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, by field.
    pub fn check(&self, now: Timestamp) -> Result<Expression, Vec<FieldError>> {
        let expression = Expression::read(&self.expression, &self.zone)?;
        if expression.next(now, now).is_none() {
            let past = FieldError::new("expression", "lies in the past: it would never fire");
            return Err(vec![past]);
        }
        Ok(expression)
    }

    /// Returns the schedule that it is to become.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, by field.
    pub fn applied(
        &self,
        id: &IntegrationId,
        before: Option<&Schedule>,
        now: Timestamp,
    ) -> Result<Schedule, Vec<FieldError>> {
        let expression = self.check(now)?;
        let moved_by = if self.spread {
            moved_by(id, &self.expression, &expression)
        } else {
            0
        };
        // What fires as before goes on counting as before.
        let same = before.filter(|before| {
            before.is_live()
                && (&before.expression, &before.zone, before.moved_by)
                    == (&self.expression, &self.zone, moved_by)
        });
        Ok(Schedule {
            integration: id.clone(),
            generation: Uuid::now_v7(),
            expression: self.expression.clone(),
            zone: self.zone.clone(),
            mode: self.mode,
            overlap: self.overlap,
            enabled: self.enabled,
            moved_by,
            anchor: same.map_or_else(|| anchor(now, moved_by), |same| same.anchor),
            last_fire: same.map_or(now, |same| same.last_fire),
            queued: same.is_some_and(|same| same.queued),
            failures: same.map_or(0, |same| same.failures),
            counted: before.and_then(|before| before.counted.clone()),
            disabled: None,
            missed: before.map_or(0, |before| before.missed),
            skipped: before.map_or(0, |before| before.skipped),
            told: false,
            compared_at: None,
            looked_at: now,
            expected_since: same.map_or(now, |same| same.expected_since),
            cancelled: false,
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        })
    }
}

/// Says by how many minutes a schedule is moved: always the same for an integration, and less than its period.
fn moved_by(id: &IntegrationId, text: &str, expression: &Expression) -> u8 {
    let room = match expression.period() {
        Some(period) => u64::try_from(period.as_mins() - 1).unwrap_or_default(),
        None => minutes(text).map_or(0, |(minutes, _)| room(&minutes)),
    };
    u8::try_from(hash(id) % (SPREAD.min(room) + 1)).unwrap_or_default()
}

/// Says by how much minutes of an hour may be moved without leaving it.
fn room(minutes: &BTreeSet<u8>) -> u64 {
    minutes.last().map_or(0, |last| 59 - u64::from(*last))
}

/// Returns the next full minute, moved by some.
fn anchor(now: Timestamp, moved_by: u8) -> Timestamp {
    let minutes = now.as_second().div_euclid(60) + 1 + i64::from(moved_by);
    Timestamp::from_second(minutes * 60).unwrap_or(now)
}

/// Moves a cron expression by some minutes.
fn moved(expression: &str, by: u8) -> Option<String> {
    let (minutes, rest) = minutes(expression)?;
    let moved: Vec<String> = minutes.iter().map(|minute| (minute + by).to_string()).collect();
    Some(format!("cron({} {rest}", moved.join(",")))
}

/// Returns the minutes of an hour at which a cron expression fires, and what follows them in it.
fn minutes(expression: &str) -> Option<(BTreeSet<u8>, &str)> {
    let (field, rest) = expression.strip_prefix("cron(")?.split_once(' ')?;
    let mut minutes = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None if range == "*" => (0, 59),
            None => {
                let from: u8 = range.parse().ok()?;
                (from, if step.is_some() { 59 } else { from })
            }
        };
        minutes.extend((from..=to.min(59)).step_by(step.unwrap_or(1)));
    }
    Some((minutes, rest))
}

impl Schedule {
    /// Returns the expression by which it fires: moved by its minutes, where it is one of cron.
    #[must_use]
    pub fn effective(&self) -> String {
        Some(self.moved_by)
            .filter(|by| *by > 0)
            .and_then(|by| moved(&self.expression, by))
            .unwrap_or_else(|| self.expression.clone())
    }

    fn parsed(&self) -> Option<Expression> {
        Expression::read(&self.effective(), &self.zone).ok()
    }

    /// Says whether it fires.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.enabled && self.disabled.is_none() && !self.cancelled
    }

    /// Has it cancelled; says whether that is new.
    pub const fn cancel(&mut self, now: Timestamp) -> bool {
        if self.cancelled {
            return false;
        }
        self.cancelled = true;
        self.told = false;
        self.updated_at = now;
        true
    }

    /// Has it fire again, from now on; says whether that is new. One that is being cancelled stays so.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        if self.cancelled || self.is_live() {
            return false;
        }
        self.disabled = None;
        self.enabled = true;
        self.failures = 0;
        self.last_fire = now;
        self.expected_since = now;
        self.told = false;
        self.updated_at = now;
        true
    }

    /// Returns the next fires after an instant.
    #[must_use]
    pub fn fires(&self, after: Timestamp, count: usize) -> Vec<Fire> {
        let Some(expression) = self.parsed().filter(|_| self.is_live()) else {
            return Vec::new();
        };
        let mut fires: Vec<Fire> = Vec::with_capacity(count);
        while fires.len() < count {
            let last = fires.last().map_or(after, |fire| fire.at);
            match expression.next(self.anchor, last) {
                Some(fire) => fires.push(fire),
                None => break,
            }
        }
        fires
    }

    /// Returns the last fire that is not seen to, up to an instant, and how many there are.
    #[must_use]
    pub fn unseen(&self, until: Timestamp) -> Option<(Timestamp, u64)> {
        let expression = self.parsed().filter(|_| self.is_live())?;
        expression.latest(self.anchor, self.last_fire, until)
    }

    /// Returns the last fire that nobody called for in time, and how many there are; nobody calls for one that the
    /// clocks skip.
    #[must_use]
    pub fn unanswered(&self, now: Timestamp) -> Option<(Timestamp, u64)> {
        let next = self.fires(self.last_fire, 1).pop()?;
        if next.note == Some(SKIPPED) && next.at <= now {
            return Some((next.at, 0));
        }
        self.unseen(now.checked_sub(PATIENCE).ok()?)
    }

    /// Says in words when it fires.
    #[must_use]
    pub fn reading(&self) -> String {
        self.parsed()
            .map(|expression| expression.reading())
            .unwrap_or_default()
    }

    /// Says since when there should have been a success: the last fire that is an hour old, if none came after it.
    #[must_use]
    pub fn overdue_since(&self, last_success: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        // One that was given up is as silent as any.
        let expression = self.parsed().filter(|_| self.enabled && !self.cancelled)?;
        let since = last_success
            .unwrap_or(self.expected_since)
            .max(self.expected_since);
        let first = expression.next(self.anchor, since)?;
        let allowed = first.at.checked_add(ALLOWED).ok()?;
        (allowed <= now).then_some(first.at)
    }

    /// Returns what the scheduler is told at a time: it takes no beginning that is past.
    #[must_use]
    pub fn order(&self, now: Timestamp) -> Order {
        let input = serde_json::json!({
            "operation": "tick",
            "integrationId": self.integration.to_string(),
            "generation": self.generation,
            "scheduledTime": "<scheduled-time>",
        });
        let expression = self.parsed().filter(|expression| expression.period().is_some());
        let start = expression.and_then(|expression| expression.next(self.anchor, now));
        Order {
            name: self.name(),
            expression: self.effective(),
            zone: self.zone.clone(),
            start: start.map(|fire| fire.at),
            input: input.to_string(),
            enabled: self.is_live(),
        }
    }

    /// Returns the name that the scheduler knows it by.
    #[must_use]
    pub fn name(&self) -> String {
        order_name(&self.integration)
    }

    /// Returns the write that keeps it, with the time at which `reconcile` is to look at it.
    #[must_use]
    pub fn write(&self, expect: Expect, now: Timestamp) -> Write {
        let content = Content::of(self).due_at(self.due(now));
        Write::put(schedule_key(&self.integration), expect, content)
    }

    /// Says whether it is time to see what the scheduler knows of it.
    #[must_use]
    pub fn is_to_be_compared(&self, now: Timestamp) -> bool {
        let since = self.compared_at.unwrap_or(self.updated_at);
        now.duration_since(since).unsigned_abs() >= LOOK
    }

    fn due(&self, now: Timestamp) -> Timestamp {
        let later = |at: Timestamp, by: Duration| at.checked_add(by).unwrap_or(Timestamp::MAX);
        let look = later(self.looked_at, LOOK).max(later(now, Duration::from_secs(1)));
        if !self.told || self.queued {
            return later(now, TOLD).min(look);
        }
        let next = self.fires(self.last_fire, 1).pop();
        next.map_or(look, |fire| {
            let patience = if fire.note == Some(SKIPPED) {
                Duration::ZERO
            } else {
                PATIENCE
            };
            later(fire.at, patience)
                .max(later(now, Duration::from_secs(1)))
                .min(look)
        })
    }

    /// Returns the write that leaves it alone for as long as may be.
    #[must_use]
    pub fn at_rest(&self, expect: Expect, now: Timestamp) -> Write {
        let due = now.checked_add(LOOK).unwrap_or(now);
        let content = Content::of(self).due_at(due);
        Write::put(schedule_key(&self.integration), expect, content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(expression: &str) -> Wish {
        Wish {
            expression: expression.to_owned(),
            zone: "Europe/Oslo".to_owned(),
            mode: Mode::Delta,
            overlap: Overlap::Skip,
            enabled: true,
            spread: true,
        }
    }

    fn made(organization: &str, expression: &str) -> Schedule {
        let id = format!("{organization}:dynamics365").parse().unwrap();
        let now = "2026-01-31T10:00:30Z".parse().unwrap();
        wish(expression).applied(&id, None, now).unwrap()
    }

    #[test]
    fn schedules_of_one_hour_are_spread_over_some_minutes_and_each_always_alike() {
        let mut minutes = BTreeSet::new();
        for number in 0..200 {
            let organization = format!("org{number}");
            let schedule = made(&organization, "cron(0 2 * * ? *)");
            assert_eq!(
                schedule.effective(),
                made(&organization, "cron(0 2 * * ? *)").effective()
            );
            minutes.insert(schedule.effective());
        }
        assert_eq!(minutes.len(), 6);
    }

    #[test]
    fn a_schedule_is_moved_as_a_whole_and_stays_within_its_hour() {
        for (expression, moved) in [
            ("0/15 * * * ? *", "0,15,30,45 2,17,32,47 5,20,35,50"),
            ("0,30 2 * * ? *", "0,30 3,33 5,35"),
            ("*/20 * * * ? *", "0,20,40 1,21,41"),
            ("10-20/5,40 * * * ? *", "10,15,20,40 14,19,24,44"),
            ("58 2 * * ? *", "58 59"),
            (
                "0/5 * * * ? *",
                "0,5,10,15,20,25,30,35,40,45,50,55 4,9,14,19,24,29,34,39,44,49,54,59",
            ),
            ("* * * * ? *", "*"),
            ("0-59 * * * ? *", "0-59"),
        ] {
            let (asked, hours) = expression.split_once(' ').unwrap();
            let mut seen = BTreeSet::new();
            for number in 0..200 {
                let schedule = made(&format!("org{number}"), &format!("cron({expression})"));
                let effective = schedule.effective();
                let field = effective
                    .strip_prefix("cron(")
                    .unwrap()
                    .strip_suffix(&format!(" {hours})"));
                let field = field.expect("only the minutes are moved").to_owned();
                assert!(schedule.moved_by > 0 || field == asked, "{effective}");
                seen.insert(if field == asked {
                    moved.split(' ').next().unwrap().to_owned()
                } else {
                    field
                });
            }
            for expected in moved.split(' ') {
                assert!(seen.contains(expected), "{expression}: {expected} of {seen:?}");
            }
        }
    }

    #[test]
    fn a_rate_is_moved_by_less_than_its_period() {
        for number in 0..50 {
            let schedule = made(&format!("org{number}"), "rate(2 minutes)");
            assert!(schedule.moved_by <= 1);
            assert_eq!(schedule.anchor.as_second() % 60, 0);
            assert!(schedule.anchor > schedule.last_fire);
        }
    }

    #[test]
    fn a_single_time_that_is_over_is_refused() {
        let now = "2026-01-31T10:00:30Z".parse().unwrap();
        let errors = wish("at(2026-01-31T11:00:30)").check(now).unwrap_err();
        assert_eq!(errors[0].field, "expression");
        assert!(wish("at(2026-01-31T11:00:31)").check(now).is_ok());
    }

    #[test]
    fn silence_is_noticed_an_hour_after_the_first_fire_without_a_success() {
        let schedule = made("hlf", "rate(1 hour)");
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let first = schedule.anchor;
        assert_eq!(schedule.overdue_since(None, first), None);
        assert_eq!(
            schedule.overdue_since(None, first + Duration::from_secs(3_600)),
            Some(first)
        );
        let success = first + Duration::from_secs(60);
        assert_eq!(
            schedule.overdue_since(Some(success), first + Duration::from_secs(7_000)),
            None
        );
        assert!(
            schedule
                .overdue_since(Some(success), at("2026-02-01T00:00:00Z"))
                .is_some()
        );
    }

    #[test]
    fn the_scheduler_is_told_a_name_that_it_takes() {
        let schedule = made("org-with-every-letter-there-is", "cron(0 2 * * ? *)");
        let order = schedule.order(schedule.created_at);
        assert!(order.name.len() <= 64);
        assert!(
            order
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        );
        assert!(order.input.contains("<scheduled-time>") && order.enabled && order.start.is_none());
        let rate = made("hlf", "rate(1 hour)");
        let later = rate.anchor + Duration::from_secs(90 * 60);
        assert_eq!(rate.order(rate.created_at).start, Some(rate.anchor));
        assert_eq!(
            rate.order(later).start,
            Some(rate.anchor + Duration::from_secs(2 * 60 * 60))
        );
    }
}
