//! The bus in memory, for fast tests and simulation; gone with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::entry::Entry;
use super::{Publish, PublishError, ResultEvent};

/// Keeps what was published, in its order.
#[derive(Debug, Default)]
pub struct MemoryPublish(Mutex<Vec<Published>>);

/// An event that the bus has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What was to be published.
    pub event: ResultEvent,
    /// The detail as consumers get it: JSON, with the `eventId`.
    pub detail: String,
}

impl MemoryPublish {
    /// Makes a bus on which nothing was published.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what was published, the oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        self.events().clone()
    }

    fn events(&self) -> MutexGuard<'_, Vec<Published>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_one(&self, event: &ResultEvent) -> Result<(), PublishError> {
        let entry = Entry::of(event)?;
        let (event, detail) = (event.clone(), entry.detail);
        self.events().push(Published { event, detail });
        Ok(())
    }
}

#[async_trait]
impl Publish for MemoryPublish {
    async fn publish(&self, events: &[ResultEvent]) -> Vec<Result<(), PublishError>> {
        events.iter().map(|event| self.publish_one(event)).collect()
    }
}
