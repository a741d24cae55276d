//! Looks at runs, and stops them.

use axum::Json as JsonAnswer;
use axum::extract::State;
use http::StatusCode;

use crate::api::Problem;
use crate::api::operation::{connected, last_sync_result};
use crate::api::place::{AtIntegration, AtRun};
use crate::api::query::{Paging, next};
use crate::api::view::{LastResult, RunList, RunView};
use crate::flow::{self, Ports};
use crate::sync;

/// Returns the last run that has ended.
#[utoipa::path(get, path = "/sync/last", operation_id = "getLastSyncResult", tag = "runs",
    responses((status = 200, body = LastResult)))]
pub(in crate::api) async fn get_last_sync_result(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
) -> Result<JsonAnswer<LastResult>, Problem> {
    last_sync_result(&ports, &id).await.map(JsonAnswer)
}

/// Lists runs, the newest first.
#[utoipa::path(get, path = "/runs", operation_id = "listRuns", tag = "runs",
    responses((status = 200, body = RunList)))]
pub(in crate::api) async fn list_runs(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
    paging: Paging,
) -> Result<JsonAnswer<RunList>, Problem> {
    connected(&ports, &id).await?;
    let prefix = sync::runs_prefix(&id);
    let after = paging.after(&prefix)?;
    let (runs, place) = sync::list_runs(&*ports.store, &id, after, paging.limit).await?;
    let items = runs.into_iter().map(RunView::from).collect();
    Ok(JsonAnswer(RunList {
        items,
        next: next(place, &prefix),
    }))
}

/// Returns a run.
#[utoipa::path(get, path = "/runs/{runId}", operation_id = "getRun", tag = "runs",
    responses((status = 200, body = RunView)))]
pub(in crate::api) async fn get_run(
    State(ports): State<Ports>,
    AtRun { id, run }: AtRun,
) -> Result<JsonAnswer<RunView>, Problem> {
    connected(&ports, &id).await?;
    let run = sync::read_run(&*ports.store, &id, &run).await?;
    Ok(JsonAnswer(run.into()))
}

/// Asks a run to stop at its next checkpoint.
#[utoipa::path(post, path = "/runs/{runId}/cancel", operation_id = "cancelRun", tag = "runs",
    responses((status = 202, body = RunView)))]
pub(in crate::api) async fn cancel_run(
    State(ports): State<Ports>,
    AtRun { id, run }: AtRun,
) -> Result<(StatusCode, JsonAnswer<RunView>), Problem> {
    connected(&ports, &id).await?;
    let run = flow::stop(&ports, &id, &run).await?;
    Ok((StatusCode::ACCEPTED, JsonAnswer(run.into())))
}
