//! Messages of a FIFO queue, one after the other.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;

/// Why a message was not dealt with.
#[derive(Debug, thiserror::Error)]
enum MessageError<E> {
    #[error("the message has no body")]
    Empty,
    #[error("the message is not what it should be: {0}")]
    Malformed(serde_json::Error),
    #[error("{0}")]
    Failed(E),
    #[error("the work panicked")]
    Panicked,
}

/// Works messages in their order. The first one that fails stops the batch: it and all that come after it are
/// returned to the queue, so that none overtakes another of its group.
pub async fn work<M, E, W>(event: SqsEvent, mut each: impl FnMut(M) -> W) -> SqsBatchResponse
where
    M: serde::de::DeserializeOwned,
    E: std::fmt::Display,
    W: Future<Output = Result<(), E>>,
{
    let mut failed = SqsBatchResponse::default();
    for message in event.records {
        let id = message.message_id.clone().unwrap_or_default();
        if failed.batch_item_failures.is_empty() {
            match one(&message, &mut each).await {
                Ok(()) => continue,
                Err(error) => tracing::error!(message.id = id, %error, "a message failed"),
            }
        }
        failed.add_failure(id);
    }
    failed
}

async fn one<M, E, W>(message: &SqsMessage, each: &mut impl FnMut(M) -> W) -> Result<(), MessageError<E>>
where
    M: serde::de::DeserializeOwned,
    W: Future<Output = Result<(), E>>,
{
    let body = message.body.as_deref().ok_or(MessageError::Empty)?;
    let message = serde_json::from_str(body).map_err(MessageError::Malformed)?;
    let worked = AssertUnwindSafe(async { each(message).await })
        .catch_unwind()
        .await;
    worked
        .map_err(|_| MessageError::Panicked)?
        .map_err(MessageError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(bodies: &[&str]) -> SqsEvent {
        let records = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| serde_json::json!({ "messageId": number.to_string(), "body": body }));
        serde_json::from_value(serde_json::json!({ "Records": records.collect::<Vec<_>>() })).unwrap()
    }

    async fn failed(bodies: &[&str]) -> Vec<String> {
        let answer = work(batch(bodies), async |number: u32| match number {
            0 => panic!("nought"),
            1 => Err("one"),
            _ => Ok(()),
        });
        answer
            .await
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect()
    }

    #[tokio::test]
    async fn what_succeeds_is_not_returned() {
        assert!(failed(&["2", "3"]).await.is_empty());
        assert!(failed(&[]).await.is_empty());
    }

    #[tokio::test]
    async fn the_first_failure_returns_all_that_come_after_it() {
        assert_eq!(failed(&["2", "1", "3"]).await, ["1", "2"]);
    }

    #[tokio::test]
    async fn a_panic_and_a_malformed_message_fail_like_anything_else() {
        assert_eq!(failed(&["2", "0"]).await, ["1"]);
        assert_eq!(failed(&["2", "{"]).await, ["1"]);
    }
}
