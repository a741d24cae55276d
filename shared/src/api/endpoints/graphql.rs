//! The registry of integration systems, over GraphQL.

use async_graphql::Response as Answer;
use axum::Json as JsonAnswer;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

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
    match execute(&state, request).await {
        Ok(answer) => JsonAnswer(answer).into_response(),
        Err((status, refusal)) => (status, JsonAnswer(graphql::refused(&refusal))).into_response(),
    }
}

async fn execute(state: &RegistryState, request: Request) -> Result<Answer, (StatusCode, Refusal)> {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or((StatusCode::UNAUTHORIZED, Refusal::Unauthorized))?;
    check_tenant(state, &caller, request.headers())
        .await
        .map_err(|refusal| (StatusCode::BAD_REQUEST, refusal))?;
    let JsonObject(object) = JsonObject::read(request, MAX_GRAPHQL).await.map_err(untold)?;
    let document = Document::read(object).map_err(|refusal| (StatusCode::BAD_REQUEST, refusal))?;
    Ok(state.graphql.execute(document, caller).await)
}

fn untold(problem: Problem) -> (StatusCode, Refusal) {
    let status = problem.code.status();
    (status, Refusal::BadRequest(problem.to_string()))
}

/// No operation here needs an organization; one that is named must be there all the same.
async fn check_tenant(state: &RegistryState, caller: &Caller, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(named) = tenant(headers) else {
        return Ok(());
    };
    let unknown = |named: &str| Refusal::TenantNotFound(named.to_owned());
    let Ok(organization) = named.parse::<OrganizationId>() else {
        // What is no id is not repeated.
        return Err(unknown(""));
    };
    let connected = integration::list(&*state.registry.store, &organization).await?;
    if caller.may_see(&organization) && !connected.is_empty() {
        Ok(())
    } else {
        Err(unknown(named))
    }
}
