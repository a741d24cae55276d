//! The port to the queues: one FIFO queue for each system.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::model::System;

mod limits;
mod memory;
mod sqs;

pub use memory::{MemoryQueue, Received};
pub use sqs::SqsQueue;

/// What is put on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whose queue.
    pub system: System,
    /// Messages of one group are delivered one after the other.
    pub group: String,
    /// Two messages with the same one, within five minutes, are one message.
    pub deduplication: String,
    /// JSON.
    pub body: String,
}

/// The queue did not take the message.
#[derive(Debug, thiserror::Error)]
#[error("the queue is unavailable")]
pub struct QueueError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Sends messages.
///
/// # Behaviour
///
/// - A message that was taken is delivered at least once.
/// - A message with the deduplication id of one just sent is taken and not delivered again.
/// - The messages of one group are delivered in the order in which they were sent.
#[async_trait]
pub trait Queue: Debug + Send + Sync + 'static {
    /// Puts a message on its system's queue.
    ///
    /// # Errors
    ///
    /// If the queue does not say that it has it.
    async fn send(&self, message: Message) -> Result<(), QueueError>;
}
