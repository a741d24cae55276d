//! Runs, as the API shows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::path_of;
use crate::api::Problem;
use crate::flow::TriggerError;
use crate::model::{IntegrationId, Kind, RunId, System};
use crate::sync::{Cost, Failure, Mode, Position, Run, RunState, Totals, Trigger};

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Run)]
pub(in crate::api) struct RunView {
    /// Its id.
    #[schema(value_type = String)]
    run_id: RunId,
    /// Whose records.
    organization_id: String,
    /// The system.
    #[schema(value_type = String)]
    integration_type: System,
    /// `queued`, `running`, `waiting`, `succeeded`, `partial`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    state: RunState,
    /// `delta`, `full`, `retry` or `approved`.
    #[schema(value_type = String)]
    mode: Mode,
    /// Whether it only counts what it would do.
    dry_run: bool,
    /// `api`, `direct` or `schedule`.
    #[schema(value_type = String)]
    trigger: Trigger,
    /// Who started it.
    requested_by: String,
    /// Whether somebody asked for it to stop.
    cancel_requested: bool,
    /// What it is doing: `begin`, `pull`, `sweep`, `delete`, `retry`, `gather`, `push` or `done`, and of which kind.
    #[schema(value_type = Object)]
    position: serde_json::Value,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// When it goes on, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    resume_at: Option<Timestamp>,
    /// Why it failed or waits, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    failure: Option<Failure>,
    /// What an operator should know.
    warnings: Vec<String>,
    /// What it did, by kind.
    #[schema(value_type = Object)]
    totals: BTreeMap<Kind, Totals>,
    /// What it cost.
    #[schema(value_type = Object)]
    cost: Cost,
    /// Where to look at it, and where to cancel it.
    links: RunLinks,
}

/// Where to look at a run, and where to cancel it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RunLinks {
    /// The run itself.
    #[serde(rename = "self")]
    run: String,
    /// Where a POST asks it to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel: Option<String>,
}

/// Some runs, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RunList {
    /// The runs.
    pub(in crate::api) items: Vec<RunView>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

/// The last run that has ended, if any has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct LastResult {
    /// The run; absent where none has ended yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) last_run: Option<RunView>,
}

/// What was started for one integration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Started {
    /// The system.
    #[schema(value_type = String)]
    integration_type: System,
    /// The run that was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunView>,
    /// Why none was; a run that is active already is named in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// What was started for every integration of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct StartedAll {
    /// One for each integration.
    pub(in crate::api) runs: Vec<Started>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            links: RunLinks::of(&run),
            run_id: run.id,
            organization_id: run.integration.organization.to_string(),
            integration_type: run.integration.system,
            state: run.state,
            mode: run.mode,
            dry_run: run.dry_run,
            trigger: run.trigger,
            requested_by: run.requested_by,
            cancel_requested: run.cancel_requested,
            position: position(&run.position),
            opened_at: run.opened_at,
            finished_at: run.finished_at,
            resume_at: run.resume_at,
            failure: run.failure,
            warnings: run.warnings,
            totals: run.totals,
            cost: run.cost,
        }
    }
}

/// A position holds the system's own cursors, which may carry what is nobody's business: only the step is shown.
fn position(position: &Position) -> serde_json::Value {
    let whole = serde_json::to_value(position).unwrap_or_default();
    let shown = ["step", "kind", "page"]
        .into_iter()
        .filter_map(|name| Some((name, whole.get(name)?.clone())));
    shown
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl RunLinks {
    fn of(run: &Run) -> Self {
        let path = format!("{}/runs/{}", path_of(&run.integration), run.id);
        let cancel = (!run.has_ended()).then(|| format!("{path}/cancel"));
        Self { run: path, cancel }
    }
}

impl RunView {
    /// Returns where the run is looked at.
    pub(in crate::api) fn location(&self) -> String {
        self.links.run.clone()
    }
}

impl From<(IntegrationId, Result<Run, TriggerError>)> for Started {
    fn from((id, answer): (IntegrationId, Result<Run, TriggerError>)) -> Self {
        let (run, problem) = match answer {
            Ok(run) => (Some(run.into()), None),
            Err(error) => (None, Some(error.into())),
        };
        Self {
            integration_type: id.system,
            run,
            problem,
        }
    }
}
