//! Connects, changes, pauses and disconnects integrations, and says how they do.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::api::Problem;
use crate::api::body::JsonObject;
use crate::api::operation::integration_status;
use crate::api::place::{AtIntegration, InOrganization};
use crate::api::precondition::{If, etag};
use crate::api::routes::Integrations;
use crate::api::view::{IntegrationBody, IntegrationList, IntegrationView, StatusView, path_of};
use crate::flow::Ports;
use crate::integration::{self, Disconnected, Order, Stored, Wanted};

/// Lists the integrations of the organization.
#[utoipa::path(get, path = "/integrations", operation_id = "listIntegrations", tag = "integrations",
    responses((status = 200, body = IntegrationList)))]
pub(in crate::api) async fn list_integrations(
    State(ports): State<Ports>,
    InOrganization { organization, .. }: InOrganization,
) -> Result<JsonAnswer<IntegrationList>, Problem> {
    let stored = integration::list(&*ports.store, &organization).await?;
    let items = stored.into_iter().map(IntegrationView::from).collect();
    Ok(JsonAnswer(IntegrationList { items }))
}

/// Connects an integration, or changes it.
#[utoipa::path(put, path = "/", operation_id = "putIntegration", tag = "integrations",
    request_body = IntegrationBody,
    responses((status = 200, body = IntegrationView), (status = 201, body = IntegrationView)))]
pub(in crate::api) async fn put_integration(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
    If(precondition): If,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let wanted = Wanted::read(id.system, &object, &state.exceptions).map_err(Problem::of_fields)?;
    let order = Order {
        id,
        wanted,
        precondition,
        by: caller.name().to_owned(),
        system: caller.system(),
    };
    let connected = integration::connect(&state.ports, &state.vault, &order).await?;
    let status = if connected.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, shown(connected.stored)).into_response())
}

/// Says what state an integration is in, why, and what to do next.
#[utoipa::path(get, path = "/", operation_id = "getIntegrationStatus", tag = "integrations",
    responses((status = 200, body = StatusView)))]
pub(in crate::api) async fn get_integration_status(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
) -> Result<Response, Problem> {
    let (status, version) = integration_status(&ports, &id).await?;
    Ok(([etag(version)], JsonAnswer(status)).into_response())
}

/// Disconnects an integration, or goes on doing so: repeat it until it answers 204.
#[utoipa::path(delete, path = "/", operation_id = "deleteIntegration", tag = "integrations",
    responses((status = 202, body = IntegrationView, description = "More is left to do: repeat the request."),
        (status = 204, description = "Nothing of it is left; the platform's records are.")))]
pub(in crate::api) async fn delete_integration(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
    If(precondition): If,
) -> Result<Response, Problem> {
    let (ports, by) = (&state.ports, caller.name());
    let answer = integration::disconnect(ports, &state.vault, &id, precondition, by).await?;
    if answer == Disconnected::Gone {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let stored = integration::read(&*ports.store, &id).await?;
    let stored = stored.ok_or_else(|| Problem::unknown_integration(&id))?;
    let again = [
        (header::RETRY_AFTER, "5".to_owned()),
        (header::LOCATION, path_of(&id)),
    ];
    Ok((StatusCode::ACCEPTED, again, shown(stored)).into_response())
}

/// Pauses an integration: nothing starts until it is resumed.
#[utoipa::path(post, path = "/pause", operation_id = "pauseIntegration", tag = "integrations",
    responses((status = 200, body = IntegrationView)))]
pub(in crate::api) async fn pause_integration(
    State(ports): State<Ports>,
    AtIntegration { caller, id }: AtIntegration,
    If(precondition): If,
) -> Result<Response, Problem> {
    let stored = integration::pause(&ports, &id, precondition, caller.name()).await?;
    Ok(shown(stored))
}

/// Resumes an integration.
#[utoipa::path(post, path = "/resume", operation_id = "resumeIntegration", tag = "integrations",
    responses((status = 200, body = IntegrationView)))]
pub(in crate::api) async fn resume_integration(
    State(ports): State<Ports>,
    AtIntegration { caller, id }: AtIntegration,
    If(precondition): If,
) -> Result<Response, Problem> {
    let stored = integration::resume(&ports, &id, precondition, caller.name()).await?;
    Ok(shown(stored))
}

fn shown(stored: Stored) -> Response {
    let tag = [etag(stored.version)];
    (tag, JsonAnswer(IntegrationView::from(stored))).into_response()
}
