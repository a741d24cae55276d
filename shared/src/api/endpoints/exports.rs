//! Exports reimbursements, and says how the books stand.

use axum::Json as JsonAnswer;
use axum::extract::State;
use http::StatusCode;

use crate::api::body::Json;
use crate::api::idempotency::Again;
use crate::api::operation;
use crate::api::place::{AtIntegration, InOrganization};
use crate::api::query::{Paging, next};
use crate::api::routes::Test;
use crate::api::view::{BooksView, CompareBody, ExportBody, ExportList, ExportedView};
use crate::api::{Code, Problem};
use crate::export;
use crate::flow::{self, Ports};
use crate::model::IntegrationId;

/// Exports approved reimbursements: says everything that is wrong at once, and books the others, once.
#[utoipa::path(post, path = "/reimbursements/export", operation_id = "exportReimbursements", tag = "reimbursements",
    request_body = ExportBody,
    responses((status = 202, body = ExportedView, description = "What is being booked, and what is refused."),
        (status = 200, body = ExportedView, description = "What would be done."),
        (status = 422, description = "None of them can be booked.")))]
pub(in crate::api) async fn export_reimbursements(
    State(state): State<Test>,
    InOrganization { caller, organization }: InOrganization,
    Again(attempt): Again,
    Json(body): Json<ExportBody>,
) -> Result<(StatusCode, JsonAnswer<ExportedView>), Problem> {
    let id = IntegrationId::new(organization, state.system);
    let status = if body.dry_run {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let exported = operation::export_reimbursements(&state, (&caller, attempt), &id, &body).await?;
    Ok((status, JsonAnswer(exported)))
}

/// Lists exports, in the order of their reimbursements.
#[utoipa::path(get, path = "/exports", operation_id = "listExports", tag = "reimbursements",
    responses((status = 200, body = ExportList)))]
pub(in crate::api) async fn list_exports(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
    paging: Paging,
) -> Result<JsonAnswer<ExportList>, Problem> {
    keeping_books(&ports, &id).await?;
    let prefix = export::intents_prefix(&id);
    let after = paging.after(&prefix)?;
    let (intents, place) = export::list_intents(&*ports.store, &id, after, paging.limit).await?;
    Ok(JsonAnswer(ExportList {
        items: intents.into_iter().map(Into::into).collect(),
        next: next(place, &prefix),
    }))
}

/// Says how the books stand: what the last comparison found, and what was sent this month.
#[utoipa::path(get, path = "/books", operation_id = "getBooks", tag = "reimbursements",
    responses((status = 200, body = BooksView)))]
pub(in crate::api) async fn get_books(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
) -> Result<JsonAnswer<BooksView>, Problem> {
    keeping_books(&ports, &id).await?;
    let month = export::this_month(&*ports.store, &id, ports.now()).await?;
    Ok(JsonAnswer(BooksView {
        integration_type: id.system,
        comparison: flow::last_comparison(&*ports.store, &id).await?,
        requests_this_month: month.requests,
    }))
}

/// Has the books compared with what we say of them, row by row; what was found is shown by `getBooks`.
#[utoipa::path(post, path = "/books/comparison", operation_id = "compareBooks", tag = "reimbursements",
    request_body = Option<CompareBody>, responses((status = 202)))]
pub(in crate::api) async fn compare_books(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
    Json(body): Json<CompareBody>,
) -> Result<StatusCode, Problem> {
    keeping_books(&ports, &id).await?;
    flow::compare_books(&ports, &id, body.since).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Insists that an integration is there, and keeps books.
async fn keeping_books(ports: &Ports, id: &IntegrationId) -> Result<(), Problem> {
    operation::connected(ports, id).await?;
    if id.system.keeps_books() {
        return Ok(());
    }
    Err(Problem::new(Code::KeepsNoBooks))
}
