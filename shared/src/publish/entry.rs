//! A result event in the form in which it stands on the bus.

use serde_json::Value;

use super::{PublishError, ResultEvent};

/// The source that consumers match on.
pub const SOURCE: &str = "external-api-integration-service";

/// The most bytes of one call, which is also the most of one event.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// The detail of an event with its id, and what the event counts for.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) detail: String,
    pub(super) size: usize,
}

#[derive(Debug, thiserror::Error)]
enum Unacceptable {
    #[error("the detail is not an object")]
    Detail,
    #[error("the event has {0} bytes, and at most {MAX_BYTES} are allowed")]
    Size(usize),
}

impl Entry {
    /// Adds the event's id to its detail, where consumers look for it.
    pub(super) fn of(event: &ResultEvent) -> Result<Self, PublishError> {
        let Value::Object(mut detail) = event.detail.clone() else {
            return Err(PublishError(Box::new(Unacceptable::Detail)));
        };
        detail.insert("eventId".to_owned(), Value::String(event.event_id.clone()));
        let detail = Value::Object(detail).to_string();
        // The time counts as fourteen bytes: "Calculating PutEvents event entry size", EventBridge user guide.
        let size = 14 + SOURCE.len() + event.detail_type.len() + detail.len();
        if size > MAX_BYTES {
            return Err(PublishError(Box::new(Unacceptable::Size(size))));
        }
        Ok(Self { detail, size })
    }
}
