//! Sets, shows and cancels schedules.

use axum::Json as JsonAnswer;
use axum::extract::State;
use http::StatusCode;

use crate::api::body::Json;
use crate::api::operation::{cancel_scheduled_sync, schedule_sync};
use crate::api::place::AtIntegration;
use crate::api::query::Preview;
use crate::api::routes::Integrations;
use crate::api::view::{ScheduleBody, ScheduleView};
use crate::api::{Code, Problem};
use crate::flow::{self, Ports};
use crate::schedule;

/// Makes a schedule, or changes it; with `preview=true` it is only checked and shown.
#[utoipa::path(put, path = "/schedule", operation_id = "scheduleSync", tag = "schedules",
    request_body = ScheduleBody, responses((status = 200, body = ScheduleView)))]
pub(in crate::api) async fn put_schedule(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
    Preview(preview): Preview,
    Json(body): Json<ScheduleBody>,
) -> Result<JsonAnswer<ScheduleView>, Problem> {
    schedule_sync(&state, &caller, &id, body, preview)
        .await
        .map(JsonAnswer)
}

/// Shows a schedule, with its next five fires.
#[utoipa::path(get, path = "/schedule", operation_id = "getSchedule", tag = "schedules",
    responses((status = 200, body = ScheduleView)))]
pub(in crate::api) async fn get_schedule(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
) -> Result<JsonAnswer<ScheduleView>, Problem> {
    let stored = schedule::read(&*ports.store, &id).await?;
    let schedule = stored
        .map(|stored| stored.schedule)
        .filter(|schedule| !schedule.cancelled);
    let schedule = schedule.ok_or_else(|| Problem::new(Code::UnknownSchedule))?;
    Ok(JsonAnswer(ScheduleView::new(schedule, ports.now(), true)))
}

/// Cancels a schedule; to cancel what there is not succeeds.
#[utoipa::path(delete, path = "/schedule", operation_id = "cancelScheduledSync", tag = "schedules",
    responses((status = 204, description = "It does not fire any more.")))]
pub(in crate::api) async fn delete_schedule(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
) -> Result<StatusCode, Problem> {
    cancel_scheduled_sync(&state, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a schedule fire again that was given up or switched off.
#[utoipa::path(post, path = "/schedule/resume", operation_id = "resumeSchedule", tag = "schedules",
    responses((status = 200, body = ScheduleView)))]
pub(in crate::api) async fn resume_schedule(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
) -> Result<JsonAnswer<ScheduleView>, Problem> {
    let ports = &state.ports;
    let resumed = flow::schedule::resume(ports, &state.scheduler, &id, caller.name()).await?;
    let schedule = resumed.ok_or_else(|| Problem::new(Code::UnknownSchedule))?;
    Ok(JsonAnswer(ScheduleView::new(schedule, ports.now(), true)))
}
