//! The port to whoever calls by the clock.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

mod eventbridge_scheduler;
mod memory;

pub use eventbridge_scheduler::{EventBridgeScheduler, Target};
pub use memory::MemoryScheduler;

/// What is to be called, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Under which name it is kept; another order of the same name takes its place.
    pub name: String,
    /// When: cron, rate or a single time.
    pub expression: String,
    /// By which clocks.
    pub zone: String,
    /// From when on, where it is every so often.
    pub start: Option<Timestamp>,
    /// What is handed over; `<scheduled-time>` stands for the time for which the call was scheduled.
    pub input: String,
    /// Whether it calls at all.
    pub enabled: bool,
}

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// It is not a valid order.
    #[error("the scheduler does not take the order")]
    Invalid(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is throttled, busy, full or out of reach.
    #[error("the scheduler is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Calls by the clock: at least once, perhaps late, and perhaps not at all.
///
/// # Behaviour
///
/// - Of two orders of one name the later one counts.
/// - What was put is what is got.
/// - What was put a minute ago is listed.
/// - To delete what is not there succeeds.
#[async_trait]
pub trait Scheduler: Debug + Send + Sync + 'static {
    /// Takes an order, in place of any other of its name.
    ///
    /// # Errors
    ///
    /// `Invalid`, `Unavailable`.
    async fn put(&self, order: &Order) -> Result<(), SchedulerError>;

    /// Returns the order of a name, as it is kept.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    async fn get(&self, name: &str) -> Result<Option<Order>, SchedulerError>;

    /// Returns the names of all orders that begin with `prefix`, in any order.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    async fn names(&self, prefix: &str) -> Result<Vec<String>, SchedulerError>;

    /// Deletes the order of a name.
    ///
    /// # Errors
    ///
    /// `Unavailable`.
    async fn delete(&self, name: &str) -> Result<(), SchedulerError>;
}
