//! Starts syncs.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::api::Problem;
use crate::api::body::Json;
use crate::api::idempotency::Again;
use crate::api::operation::{self, Asked, SyncRequest};
use crate::api::place::{AtIntegration, InOrganization};
use crate::api::view::{RunView, StartedAll};
use crate::flow::Ports;
use crate::sync::Trigger;

/// Starts a run.
#[utoipa::path(post, path = "/sync", operation_id = "triggerSync", tag = "sync",
    request_body = Option<SyncRequest>, responses((status = 202, body = RunView)))]
pub(in crate::api) async fn trigger_sync(
    State(ports): State<Ports>,
    AtIntegration { caller, id }: AtIntegration,
    Again(attempt): Again,
    Json(request): Json<SyncRequest>,
) -> Result<Response, Problem> {
    let asked = Asked {
        caller: &caller,
        trigger: Trigger::Api,
        attempt,
    };
    operation::trigger_sync(&ports, asked, id, request)
        .await
        .map(accepted)
}

/// Starts a run for every integration of the organization that keeps members or memberships.
#[utoipa::path(post, path = "/members/sync", operation_id = "syncMembershipData", tag = "sync",
    request_body = Option<SyncRequest>, responses((status = 202, body = StartedAll)))]
pub(in crate::api) async fn sync_membership_data(
    State(ports): State<Ports>,
    InOrganization { caller, organization }: InOrganization,
    Again(attempt): Again,
    Json(request): Json<SyncRequest>,
) -> Result<(StatusCode, JsonAnswer<StartedAll>), Problem> {
    let asked = Asked {
        caller: &caller,
        trigger: Trigger::Api,
        attempt,
    };
    let started = operation::sync_membership_data(&ports, asked, &organization, request).await?;
    Ok((StatusCode::ACCEPTED, JsonAnswer(started)))
}

/// Starts a run for every integration of the organization that keeps course enrollments.
#[utoipa::path(post, path = "/course-enrollments/sync", operation_id = "syncCourseEnrollments", tag = "sync",
    request_body = Option<SyncRequest>, responses((status = 202, body = StartedAll)))]
pub(in crate::api) async fn sync_course_enrollments(
    State(ports): State<Ports>,
    InOrganization { caller, organization }: InOrganization,
    Again(attempt): Again,
    Json(request): Json<SyncRequest>,
) -> Result<(StatusCode, JsonAnswer<StartedAll>), Problem> {
    let asked = Asked {
        caller: &caller,
        trigger: Trigger::Api,
        attempt,
    };
    let started = operation::sync_course_enrollments(&ports, asked, &organization, request).await?;
    Ok((StatusCode::ACCEPTED, JsonAnswer(started)))
}

/// Answers that a run was started, and where to look at it.
pub(super) fn accepted(run: RunView) -> Response {
    let location = [(header::LOCATION, run.location())];
    (StatusCode::ACCEPTED, location, JsonAnswer(run)).into_response()
}
