//! What waits for a human: records in quarantine, and reviews.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::sync::accepted;
use crate::api::body::Json;
use crate::api::idempotency::Again;
use crate::api::operation::{Asked, connected};
use crate::api::place::{AtIntegration, AtQuarantined, AtReview};
use crate::api::query::{Paging, next};
use crate::api::view::{
    ExportReview, OF_REIMBURSEMENT, QuarantineList, ReviewItem, ReviewList, ReviewView, RunView,
};
use crate::api::{Caller, Code, Problem};
use crate::export::notice::{self, Settlement};
use crate::export::{self, NoReason, Reason, ReviewRow, Verdict};
use crate::flow::{self, Ports};
use crate::model::IntegrationId;
use crate::sync::review::{self, Decision};
use crate::sync::{Mode, Trigger, quarantine};

/// What a human decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct DecisionRequest {
    /// One of the review's `decisions`: `approve` or `reject` deletions; decide a conflict for `external` or `platform`; an
    /// export by `it_is_there`, `send_again` or `cancel`; a reimbursement by `retry`, `correct` or `leave`.
    decision: String,
    /// Why, in words; kept with who it was. What is about money needs one.
    #[serde(default)]
    reason: Option<String>,
}

impl DecisionRequest {
    fn decision<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let unknown = |_| Problem::of_field("decision", "must be one of the review's `decisions`");
        serde_json::from_value(self.decision.as_str().into()).map_err(unknown)
    }

    fn reason(&self) -> Result<Reason, Problem> {
        let text = self.reason.as_deref().unwrap_or_default();
        text.parse()
            .map_err(|error: NoReason| Problem::of_field("reason", error.to_string()))
    }
}

/// Lists the records in quarantine.
#[utoipa::path(get, path = "/quarantine", operation_id = "listQuarantine", tag = "quarantine",
    responses((status = 200, body = QuarantineList)))]
pub(in crate::api) async fn list_quarantine(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
    paging: Paging,
) -> Result<JsonAnswer<QuarantineList>, Problem> {
    connected(&ports, &id).await?;
    let prefix = quarantine::prefix(&id);
    let after = paging.after(&prefix)?;
    let (items, place) = quarantine::list(&*ports.store, &id, after, paging.limit).await?;
    Ok(JsonAnswer(QuarantineList {
        items,
        next: next(place, &prefix),
    }))
}

/// Starts a run that tries the records in quarantine once more.
#[utoipa::path(post, path = "/quarantine/retry", operation_id = "retryQuarantine", tag = "quarantine",
    responses((status = 202, body = RunView)))]
pub(in crate::api) async fn retry_quarantine(
    State(ports): State<Ports>,
    AtIntegration { caller, id }: AtIntegration,
    Again(attempt): Again,
) -> Result<Response, Problem> {
    let asked = Asked {
        caller: &caller,
        trigger: Trigger::Api,
        attempt,
    };
    let request = asked.for_mode(id, Mode::Retry, false);
    let run = flow::trigger(&ports, request, attempt).await?;
    Ok(accepted(run.into()))
}

/// Drops a record from quarantine: it is taken over again only when it changes.
#[utoipa::path(delete, path = "/quarantine/{kind}/{recordId}", operation_id = "dropQuarantined", tag = "quarantine",
    responses((status = 204)))]
pub(in crate::api) async fn drop_quarantined(
    State(ports): State<Ports>,
    AtQuarantined {
        caller,
        id,
        kind,
        record,
    }: AtQuarantined,
) -> Result<StatusCode, Problem> {
    connected(&ports, &id).await?;
    let one = (kind, record.as_str());
    if quarantine::drop_one(&*ports.store, &id, one, caller.name(), ports.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(Code::UnknownQuarantine))
    }
}

/// Lists what waits for a decision.
#[utoipa::path(get, path = "/reviews", operation_id = "listReviews", tag = "reviews",
    responses((status = 200, body = ReviewList)))]
pub(in crate::api) async fn list_reviews(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
    paging: Paging,
) -> Result<JsonAnswer<ReviewList>, Problem> {
    connected(&ports, &id).await?;
    if id.system.keeps_books() {
        return list_export_reviews(&ports, &id, &paging).await;
    }
    let prefix = review::prefix(&id);
    let after = paging.after(&prefix)?;
    let (reviews, place) = review::list(&*ports.store, &id, after, paging.limit).await?;
    let items = reviews
        .into_iter()
        .map(ReviewView::from)
        .map(ReviewItem::from)
        .collect();
    Ok(JsonAnswer(ReviewList {
        items,
        next: next(place, &prefix),
    }))
}

async fn list_export_reviews(
    ports: &Ports,
    id: &IntegrationId,
    paging: &Paging,
) -> Result<JsonAnswer<ReviewList>, Problem> {
    let prefix = export::review_prefix(id);
    let after = paging.after(&prefix)?;
    let (rows, place) = export::list_reviews(&*ports.store, id, after, paging.limit).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            ReviewRow::Reimbursement(waiting) => items.push(ExportReview::of_reimbursement(waiting).into()),
            ReviewRow::Voucher(row) => {
                let intents = export::read_intents(&*ports.store, id, &row.reimbursement).await?;
                let intent = intents
                    .into_iter()
                    .find(|(intent, _)| intent.revision == row.revision);
                items.extend(intent.map(|(intent, _)| ExportReview::of_voucher(row, intent).into()));
            }
        }
    }
    Ok(JsonAnswer(ReviewList {
        items,
        next: next(place, &prefix),
    }))
}

/// Decides about a voucher, or about a reimbursement that differs from what is booked.
async fn decide_export_review(
    ports: &Ports,
    (caller, id): (&Caller, &IntegrationId),
    review: &str,
    request: &DecisionRequest,
) -> Result<Response, Problem> {
    let (reason, now) = (request.reason()?, ports.now());
    let unknown = || Problem::new(Code::UnknownReview);
    if let Some(reimbursement) = review.strip_prefix(OF_REIMBURSEMENT) {
        let reimbursement = reimbursement.parse().map_err(|_| unknown())?;
        let settled = (request.decision::<Settlement>()?, &reason);
        let done = notice::decide(&*ports.store, id, &reimbursement, settled, caller.name(), now).await?;
        return match done {
            notice::Decided::Done => Ok(StatusCode::NO_CONTENT.into_response()),
            notice::Decided::Missing => Err(unknown()),
            notice::Decided::Unfit => Err(Problem::of_field(
                "decision",
                "must be one of the review's `decisions`",
            )),
        };
    }
    let row = export::read_review(&*ports.store, id, review)
        .await?
        .ok_or_else(unknown)?;
    let verdict = Verdict {
        decision: request.decision()?,
        reason: &reason,
        by: caller.name(),
        now,
    };
    export::decide(&*ports.store, id, &row.reimbursement, row.revision, &verdict).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Decides a review; approved deletions are made by a run of their own.
#[utoipa::path(post, path = "/reviews/{reviewId}", operation_id = "decideReview", tag = "reviews",
    request_body = DecisionRequest,
    responses((status = 202, body = RunView, description = "The run that makes the deletions."),
        (status = 204, description = "Decided; nothing is left to do.")))]
pub(in crate::api) async fn decide_review(
    State(ports): State<Ports>,
    AtReview { caller, id, review }: AtReview,
    Again(attempt): Again,
    Json(request): Json<DecisionRequest>,
) -> Result<Response, Problem> {
    connected(&ports, &id).await?;
    if id.system.keeps_books() {
        return decide_export_review(&ports, (&caller, &id), &review, &request).await;
    }
    let decision = request.decision()?;
    let asked = Asked {
        caller: &caller,
        trigger: Trigger::Api,
        attempt,
    };
    let run = asked.for_mode(id, Mode::Approved, false);
    if let Some(run) = flow::opened_before(&ports, &run, attempt).await? {
        return Ok(accepted(run.into()));
    }
    let guard = match decision {
        Decision::Approve => Some(flow::active(&ports, &run.integration).await?),
        _ => None,
    };
    let run = review::decide(&*ports.store, run, &review, decision, guard, ports.now()).await?;
    let Some(run) = run else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    flow::hand_over(&ports, &run, "open").await;
    Ok(accepted(run.into()))
}
