//! [`Queue`](shared::queue::Queue): in memory by a clock that is moved, on SQS over a scripted wire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::clients::Clients;
use shared::clock::ManualClock;
use shared::model::System;
use shared::queue::{MemoryQueue, Message, Queue, Received, SqsQueue};

use crate::dynamo::ATTEMPTS;
use crate::wire::Wire;

const SYSTEM: System = System::Dynamics365;

fn message(group: &str, deduplication: &str) -> Message {
    Message {
        system: SYSTEM,
        group: group.to_owned(),
        deduplication: deduplication.to_owned(),
        body: format!("{{\"id\":\"{deduplication}\"}}"),
    }
}

fn queue() -> (Arc<ManualClock>, MemoryQueue) {
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let queue = MemoryQueue::new(Arc::<ManualClock>::clone(&clock));
    (clock, queue.visibility(Duration::from_secs(60)).max_receives(2))
}

async fn send(queue: &MemoryQueue, messages: &[(&str, &str)]) {
    for (group, deduplication) in messages {
        queue.send(message(group, deduplication)).await.unwrap();
    }
}

fn receive(queue: &MemoryQueue) -> Option<(String, Received)> {
    let received = queue.receive(SYSTEM)?;
    Some((received.message.deduplication.clone(), received))
}

/// Receives and acknowledges until nothing is visible.
fn drain(queue: &MemoryQueue) -> Vec<String> {
    let mut names = Vec::new();
    while let Some((name, received)) = receive(queue) {
        assert!(queue.ack(&received));
        names.push(name);
    }
    names
}

#[tokio::test]
async fn a_message_that_was_taken_is_delivered_until_it_is_acknowledged() {
    let (clock, queue) = queue();
    send(&queue, &[("a", "1")]).await;
    let (_, first) = receive(&queue).unwrap();
    assert!(receive(&queue).is_none());
    clock.advance(Duration::from_secs(60));
    let (_, second) = receive(&queue).unwrap();
    assert_eq!((first.receives, second.receives), (1, 2));
    assert!(!queue.ack(&first), "the first delivery's time was up");
    assert!(queue.ack(&second));
    assert!(queue.is_empty(SYSTEM));
}

#[tokio::test]
async fn a_message_with_the_deduplication_id_of_one_just_sent_is_taken_and_not_delivered_again() {
    let (clock, queue) = queue();
    send(&queue, &[("a", "1"), ("a", "1"), ("b", "1")]).await;
    assert_eq!(drain(&queue), ["1"]);
    clock.advance(Duration::from_secs(299));
    send(&queue, &[("a", "1")]).await;
    assert!(drain(&queue).is_empty());
    clock.advance(Duration::from_secs(1));
    send(&queue, &[("a", "1")]).await;
    assert_eq!(drain(&queue), ["1"]);
}

#[tokio::test]
async fn the_messages_of_one_group_are_delivered_in_the_order_in_which_they_were_sent() {
    let (_, queue) = queue();
    send(&queue, &[("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")]).await;
    assert_eq!(drain(&queue), ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_group_waits_for_its_message_in_flight_and_no_other_does() {
    let (_, queue) = queue();
    send(&queue, &[("a", "1"), ("a", "2"), ("b", "3")]).await;
    let (_, first) = receive(&queue).unwrap();
    assert_eq!(drain(&queue), ["3"]);
    assert!(queue.fail(&first));
    assert_eq!(drain(&queue), ["1", "2"]);
}

#[tokio::test]
async fn a_message_that_fails_too_often_becomes_a_dead_letter_and_frees_its_group() {
    let (_, queue) = queue();
    send(&queue, &[("a", "1"), ("a", "2")]).await;
    for _ in 0..2 {
        let (name, received) = receive(&queue).unwrap();
        assert_eq!(name, "1");
        assert!(queue.fail(&received));
    }
    assert_eq!(drain(&queue), ["2"]);
    assert_eq!(queue.dead_letters(SYSTEM), [message("a", "1")]);
}

fn sqs(wire: &Wire) -> SqsQueue {
    let client = Clients::new(wire.config("http://sqs.test")).sqs();
    SqsQueue::new(
        client,
        BTreeMap::from([(SYSTEM, "http://sqs.test/1/dynamics365.fifo".to_owned())]),
    )
}

#[tokio::test]
async fn a_message_goes_to_its_systems_queue_with_group_and_deduplication_id() {
    let wire = Wire::always(200, json!({"MessageId": "1", "SequenceNumber": "1"}));
    sqs(&wire)
        .send(message("hlf:dynamics365", "run#1"))
        .await
        .unwrap();
    let sent = &wire.sent()[0];
    assert_eq!(sent.operation, "SendMessage");
    assert_eq!(
        sent.body,
        json!({
            "QueueUrl": "http://sqs.test/1/dynamics365.fifo",
            "MessageBody": "{\"id\":\"run#1\"}",
            "MessageGroupId": "hlf:dynamics365",
            "MessageDeduplicationId": "run#1",
        })
    );
}

#[tokio::test]
async fn a_queue_that_does_not_say_that_it_has_the_message_is_an_error_after_some_tries() {
    let wire = Wire::always(503, json!({"__type": "com.amazonaws.sqs#ServiceUnavailable"}));
    assert!(sqs(&wire).send(message("a", "1")).await.is_err());
    assert_eq!(wire.sent().len(), ATTEMPTS as usize);
    assert!(
        wire.sent()
            .iter()
            .all(|sent| sent.body["MessageDeduplicationId"] == "1")
    );
}

#[tokio::test]
async fn a_system_without_a_queue_is_an_error() {
    let wire = Wire::always(200, json!({}));
    let client = Clients::new(wire.config("http://sqs.test")).sqs();
    let queue = SqsQueue::new(client, BTreeMap::new());
    assert!(queue.send(message("a", "1")).await.is_err());
    assert!(wire.sent().is_empty());
}

#[tokio::test]
async fn what_no_fifo_queue_takes_is_refused_by_every_implementation() {
    let wire = Wire::always(200, json!({"MessageId": "1"}));
    let (_, memory) = queue();
    let queues: [Box<dyn Queue>; 2] = [Box::new(memory), Box::new(sqs(&wire))];
    let long = "x".repeat(129);
    let large = Message {
        body: "x".repeat(1024 * 1024 + 1),
        ..message("a", "1")
    };
    for queue in queues {
        for bad in [
            message(&long, "1"),
            message("a", &long),
            message("", "1"),
            message("a b", "1"),
            large.clone(),
        ] {
            assert!(queue.send(bad).await.is_err());
        }
    }
    assert!(wire.sent().is_empty());
}
