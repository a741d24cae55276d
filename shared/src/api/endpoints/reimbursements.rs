//! The platform's reimbursements, and what became of their exports.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;

use crate::api::body::JsonObject;
use crate::api::place::{AtRecord, InOrganization};
use crate::api::precondition::{If, etag};
use crate::api::query::Paging;
use crate::api::view::{ExportList, ReimbursementBody, ReimbursementList, ReimbursementView};
use crate::api::{Code, Problem};
use crate::export;
use crate::flow::Ports;
use crate::integration::{self, Precondition};
use crate::model::Reimbursement;
use crate::records::{self, PutOutcome, StoredReimbursement};

/// Has a reimbursement say what the body says. What was exported of it, and says something else, is corrected.
#[utoipa::path(put, path = "/reimbursements/{recordId}", operation_id = "putReimbursement", tag = "reimbursements",
    request_body = ReimbursementBody,
    responses((status = 200, body = ReimbursementView), (status = 201, body = ReimbursementView)))]
pub(in crate::api) async fn put_reimbursement(
    State(ports): State<Ports>,
    AtRecord { organization, record }: AtRecord,
    If(precondition): If,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let wanted = Reimbursement::from_json(record, &Value::Object(object)).map_err(Problem::of_fields)?;
    let (stored, outcome) = records::put_reimbursement(&ports, &organization, &wanted, precondition).await?;
    let status = match outcome {
        PutOutcome::Created => StatusCode::CREATED,
        PutOutcome::Updated | PutOutcome::Unchanged => StatusCode::OK,
    };
    Ok((status, shown(stored)).into_response())
}

/// Returns a reimbursement.
#[utoipa::path(get, path = "/reimbursements/{recordId}", operation_id = "getReimbursement", tag = "reimbursements",
    responses((status = 200, body = ReimbursementView)))]
pub(in crate::api) async fn get_reimbursement(
    State(ports): State<Ports>,
    AtRecord { organization, record }: AtRecord,
) -> Result<Response, Problem> {
    let stored = records::read_reimbursement(&*ports.store, &organization, &record).await?;
    stored.map(shown).ok_or_else(|| Problem::new(Code::UnknownRecord))
}

/// Deletes a reimbursement; what was booked of it is undone.
#[utoipa::path(delete, path = "/reimbursements/{recordId}", operation_id = "deleteReimbursement",
    tag = "reimbursements", responses((status = 204)))]
pub(in crate::api) async fn delete_reimbursement(
    State(ports): State<Ports>,
    AtRecord { organization, record }: AtRecord,
    If(precondition): If,
) -> Result<StatusCode, Problem> {
    if precondition == Precondition::Absent {
        return Err(Problem::of_field(
            "If-None-Match",
            "says nothing about a deletion",
        ));
    }
    records::delete_reimbursement(&ports, &organization, &record, precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists reimbursements, in the order of their ids.
#[utoipa::path(get, path = "/reimbursements", operation_id = "listReimbursements", tag = "reimbursements",
    responses((status = 200, body = ReimbursementList)))]
pub(in crate::api) async fn list_reimbursements(
    State(ports): State<Ports>,
    InOrganization { organization, .. }: InOrganization,
    paging: Paging,
) -> Result<JsonAnswer<ReimbursementList>, Problem> {
    let after = paging.after("")?;
    let page = records::list_reimbursements(&*ports.store, &organization, after, paging.limit).await?;
    Ok(JsonAnswer(page.into()))
}

/// Lists what was exported of a reimbursement: the first voucher, and what corrects it.
#[utoipa::path(get, path = "/reimbursements/{recordId}/exports", operation_id = "listExportsOfReimbursement",
    tag = "reimbursements", responses((status = 200, body = ExportList)))]
pub(in crate::api) async fn list_exports_of_reimbursement(
    State(ports): State<Ports>,
    AtRecord { organization, record }: AtRecord,
) -> Result<JsonAnswer<ExportList>, Problem> {
    let mut items = Vec::new();
    for stored in integration::list(&*ports.store, &organization).await? {
        if stored.integration.keeps_books() {
            let intents = export::read_intents(&*ports.store, &stored.integration.id, &record).await?;
            items.extend(intents.into_iter().map(|(intent, _)| intent.into()));
        }
    }
    Ok(JsonAnswer(ExportList { items, next: None }))
}

fn shown(stored: StoredReimbursement) -> Response {
    let tag = [etag(stored.version)];
    (tag, JsonAnswer(ReimbursementView::from(stored))).into_response()
}
