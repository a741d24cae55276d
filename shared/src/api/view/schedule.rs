//! Schedules, as the API takes and shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::operation::SyncMode;
use crate::schedule::{Disabled, Expression, Fire, Overlap, Schedule, Wish};
use crate::sync::Mode;

/// How many fires are shown.
const SHOWN: usize = 5;

/// What a schedule is to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ScheduleRequest)]
pub(in crate::api) struct ScheduleBody {
    /// `cron(minutes hours day-of-month month day-of-week year)`, `rate(1 hour)` or `at(2026-12-24T12:00:00)`.
    expression: String,
    /// The IANA name of the time zone by whose clocks it fires.
    zone: String,
    /// What runs read; `delta` where it is left out.
    #[serde(default)]
    mode: SyncMode,
    /// What becomes of a fire while a run is active: `skip` (the default), or `queue_one` for one run after it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    overlap: Overlap,
    /// Whether it fires at all.
    #[serde(default = "yes")]
    enabled: bool,
    /// Whether it may be moved by up to five minutes within its hour, so that not every schedule fires at the full hour.
    #[serde(default = "yes")]
    spread: bool,
}

const fn yes() -> bool {
    true
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Schedule)]
pub(in crate::api) struct ScheduleView {
    /// `{organizationId}:{integrationType}`.
    integration_id: String,
    /// When it fires, as it was asked for.
    expression: String,
    /// By which clocks.
    zone: String,
    /// When it fires, in words.
    reading: String,
    /// By how many minutes it is moved.
    moved_by: u8,
    /// What runs read.
    mode: SyncMode,
    /// What becomes of a fire while a run is active.
    #[schema(value_type = String)]
    overlap: Overlap,
    /// Whether it fires at all.
    enabled: bool,
    /// Since when it was given up, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    disabled: Option<Disabled>,
    /// The next five fires.
    next_fires: Vec<FireView>,
    /// How many fires nobody called for in time; each time, one run was started for all of them.
    missed: u64,
    /// How many fires were passed over since a run was active.
    skipped: u64,
    /// Whether it was saved; a preview is not.
    saved: bool,
}

/// An instant at which a schedule fires.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FireView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What the clocks show then.
    local: String,
    /// What the clocks do about it, if they do anything.
    note: Option<&'static str>,
}

impl From<ScheduleBody> for Wish {
    fn from(body: ScheduleBody) -> Self {
        Self {
            expression: body.expression,
            zone: body.zone,
            mode: body.mode.into(),
            overlap: body.overlap,
            enabled: body.enabled,
            spread: body.spread,
        }
    }
}

impl From<Fire> for FireView {
    fn from(fire: Fire) -> Self {
        let Fire { at, local, note } = fire;
        Self { at, local, note }
    }
}

impl ScheduleView {
    /// Shows a schedule at a time.
    pub(in crate::api) fn new(schedule: Schedule, now: Timestamp, saved: bool) -> Self {
        let fires = schedule.fires(now, SHOWN);
        Self {
            integration_id: schedule.integration.to_string(),
            reading: Expression::read(&schedule.effective(), &schedule.zone)
                .map(|expression| expression.reading())
                .unwrap_or_default(),
            next_fires: fires.into_iter().map(FireView::from).collect(),
            expression: schedule.expression,
            zone: schedule.zone,
            moved_by: schedule.moved_by,
            mode: match schedule.mode {
                Mode::Full => SyncMode::Full,
                _ => SyncMode::Delta,
            },
            overlap: schedule.overlap,
            enabled: schedule.enabled,
            disabled: schedule.disabled,
            missed: schedule.missed,
            skipped: schedule.skipped,
            saved,
        }
    }
}
