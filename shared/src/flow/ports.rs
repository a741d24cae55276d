//! What every flow works with.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::queue::Queue;
use crate::store::Store;

/// The tables, the queues and the time.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
