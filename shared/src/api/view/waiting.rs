//! What waits for a human, as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::export::ExportReview;
use crate::sync::quarantine::Quarantined;
use crate::sync::review::Review;

/// Records in quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct QuarantineList {
    /// Each with the field at fault, what is wrong, and what to do.
    #[schema(value_type = Vec<Object>)]
    pub(in crate::api) items: Vec<Quarantined>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

/// A thing that waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Review)]
pub(in crate::api) struct ReviewView {
    /// The name under which it is decided.
    review_id: String,
    /// What is to be decided, by its `subject`: `deletions`, `conflict`, `export` or `reimbursement`, with what belongs to it.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    review: Review,
    /// What may be decided.
    decisions: [&'static str; 2],
}

/// What waits for a decision, of a sync or of an export.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::api) enum ReviewItem {
    /// Of a sync.
    Sync(ReviewView),
    /// Of an export.
    Export(ExportReview),
}

impl From<ReviewView> for ReviewItem {
    fn from(review: ReviewView) -> Self {
        Self::Sync(review)
    }
}

impl From<ExportReview> for ReviewItem {
    fn from(review: ExportReview) -> Self {
        Self::Export(review)
    }
}

/// Things that wait for a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReviewList {
    /// The reviews.
    #[schema(value_type = Vec<ReviewView>)]
    pub(in crate::api) items: Vec<ReviewItem>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

impl From<Review> for ReviewView {
    fn from(review: Review) -> Self {
        let decisions = review.subject.decisions();
        Self {
            review_id: review.id(),
            review,
            decisions,
        }
    }
}
