//! What waits for a human, as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

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
    /// What is to be decided: `deletions` or `conflict`, with what belongs to it.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    review: Review,
    /// What may be decided.
    decisions: [&'static str; 2],
}

/// Things that wait for a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReviewList {
    /// The reviews.
    pub(in crate::api) items: Vec<ReviewView>,
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
