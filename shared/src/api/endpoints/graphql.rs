//! The registry of integration systems, over GraphQL.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::api::body::{JsonObject, MAX_GRAPHQL};
use crate::api::graphql::{self, Document, Refusal};
use crate::api::place::tenant;
use crate::api::routes::RegistryState;
use crate::api::view::{GraphqlAnswer, GraphqlRequest};
use crate::api::{Caller, Problem};
use crate::integration;
use crate::model::OrganizationId;

/// Carries out a document of GraphQL: registers integration systems, and hands out credentials.
#[utoipa::path(post, path = "/graphql", operation_id = "executeGraphql", tag = "integration systems",
    request_body = GraphqlRequest,
    responses((status = 200, body = GraphqlAnswer, description = "What came of it; errors are in the answer.")))]
pub(in crate::api) async fn execute_graphql(
    State(state): State<RegistryState>,
    request: Request,
) -> Response {
    let (status, answer) = match execute(&state, request).await {
        Ok(answer) => (StatusCode::OK, answer),
        Err((status, refusal)) => (status, graphql::refused(&refusal)),
    };
    (status, [(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

async fn execute(state: &RegistryState, request: Request) -> Result<Bytes, (StatusCode, Refusal)> {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or((StatusCode::UNAUTHORIZED, Refusal::Unauthorized))?;
    if request.headers().contains_key("idempotency-key") {
        let why = "Idempotency-Key is not taken here: names are unique, and a credential whose answer was lost is listed";
        return Err((StatusCode::BAD_REQUEST, Refusal::BadRequest(why.to_owned())));
    }
    check_tenant(state, &caller, request.headers()).await?;
    let JsonObject(object) = JsonObject::read(request, MAX_GRAPHQL).await.map_err(untold)?;
    let document = Document::read(object).map_err(|refusal| (StatusCode::BAD_REQUEST, refusal))?;
    Ok(state.graphql.execute(document, caller).await)
}

fn untold(problem: Problem) -> (StatusCode, Refusal) {
    let status = problem.code.status();
    (status, Refusal::BadRequest(problem.to_string()))
}

/// No operation here needs an organization; one that is named must be known all the same: to be connected with some
/// system, or among those that the caller was let into by name.
async fn check_tenant(
    state: &RegistryState,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<(), (StatusCode, Refusal)> {
    let Some(named) = tenant(headers) else {
        return Ok(());
    };
    let unknown = |named: &str| (StatusCode::BAD_REQUEST, Refusal::TenantNotFound(named.to_owned()));
    let Ok(organization) = named.parse::<OrganizationId>() else {
        // What is no id is not repeated.
        return Err(unknown(""));
    };
    if caller.is_limited_to(&organization) {
        return Ok(());
    }
    let connected = integration::list(&*state.registry.store, &organization).await;
    let connected = connected.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, Refusal::from(error)))?;
    if caller.may_see(&organization) && !connected.is_empty() {
        Ok(())
    } else {
        Err(unknown(named))
    }
}
