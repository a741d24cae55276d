//! Says whether the service answers, and what it can be asked.

use axum::Json as JsonAnswer;
use axum::extract::State;
use http::{HeaderName, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{Caller, OPENAPI_JSON, Problem};
use crate::flow::Ports;
use crate::store::{Key, Table};

/// The service answers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Healthy {
    /// `ok`.
    status: &'static str,
    /// The version that answers.
    version: &'static str,
}

/// Says that the service answers, and reaches its tables; to everybody, so that a monitor needs no token.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "service",
    responses((status = 200, body = Healthy)))]
pub(in crate::api) async fn get_health(State(ports): State<Ports>) -> Result<JsonAnswer<Healthy>, Problem> {
    ports
        .store
        .get(&[Key::new(Table::Control, "healthz", "healthz")])
        .await?;
    Ok(JsonAnswer(Healthy {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    }))
}

/// Returns this document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApi", tag = "service",
    responses((status = 200, body = Object)))]
pub(in crate::api) async fn get_openapi(_: Caller) -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI_JSON)
}
