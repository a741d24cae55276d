//! The queues on SQS: one FIFO queue for each system.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_sqs::Client;

use super::{Message, Queue, QueueError, limits};
use crate::model::System;

/// Sends messages to SQS.
///
/// The client repeats a message whose answer was lost; by its deduplication id it is one message all the same.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    urls: BTreeMap<System, String>,
}

#[derive(Debug, thiserror::Error)]
#[error("no queue of {0} is configured")]
struct NoQueue(System);

impl SqsQueue {
    /// Sends through `client` to each system's queue.
    #[must_use]
    pub const fn new(client: Client, urls: BTreeMap<System, String>) -> Self {
        Self { client, urls }
    }
}

impl fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsQueue")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: Message) -> Result<(), QueueError> {
        limits::check(&message)?;
        let url = self.urls.get(&message.system);
        let url = url.ok_or_else(|| QueueError(Box::new(NoQueue(message.system))))?;
        let request = self.client.send_message().queue_url(url);
        let request = request
            .message_group_id(message.group)
            .message_deduplication_id(message.deduplication)
            .message_body(message.body);
        let sent = request.send().await;
        sent.map(drop).map_err(|error| QueueError(Box::new(error)))
    }
}
