//! The port to the event bus: what the rest of the platform is told.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod entry;
mod eventbridge;
mod memory;

pub use entry::SOURCE;
pub use eventbridge::EventBridge;
pub use memory::{MemoryPublish, Published};

/// A result event, as it stands in the outbox and travels on the bus.
///
/// `detail` holds no personal data. Consumers drop what they have seen by `event_id`, and order by `sequence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultEvent {
    /// The same however often the event is published.
    pub event_id: String,
    /// What happened, such as `sync.finished`, with the version of its schema: `sync.finished.v1`.
    pub detail_type: String,
    /// When it happened.
    pub time: Timestamp,
    /// The schema's object: JSON.
    pub detail: serde_json::Value,
}

#[cfg(test)]
impl ResultEvent {
    /// Insists that the event has the name of its schema, and its fields: all that it requires, and no other. And that the
    /// schema knows every system.
    pub(crate) fn check(&self, schema: &str) {
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let sent = self.detail.as_object().unwrap().keys().map(String::as_str);
        // Added by the port, from the event itself.
        let sent: std::collections::BTreeSet<&str> = sent.chain(["eventId"]).collect();
        let required = schema["required"].as_array().unwrap();
        assert_eq!(sent, required.iter().filter_map(|name| name.as_str()).collect());
        assert_eq!(Some(self.detail_type.as_str()), schema["title"].as_str());
        let systems = schema["properties"]["integrationType"]["enum"].clone();
        assert_eq!(systems, serde_json::to_value(crate::model::System::ALL).unwrap());
    }
}

/// The bus did not take an event.
#[derive(Debug, thiserror::Error)]
#[error("the event bus is unavailable")]
pub struct PublishError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Publishes result events.
///
/// # Behaviour
///
/// - An event is published when, and only when, the bus has said so for that event.
/// - A part of a batch that the bus refused is an error for that part alone.
#[async_trait]
pub trait Publish: Debug + Send + Sync + 'static {
    /// Publishes events; answers for each, in their order.
    async fn publish(&self, events: &[ResultEvent]) -> Vec<Result<(), PublishError>>;
}
