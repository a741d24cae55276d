//! [`Publish`](shared::publish::Publish): in memory, and on EventBridge over a scripted wire.

use serde_json::{Value, json};
use shared::clients::Clients;
use shared::publish::{EventBridge, MemoryPublish, Publish, PublishError, ResultEvent};

use crate::dynamo::ATTEMPTS;
use crate::wire::{Fate, Wire};

fn event(number: usize, padding: usize) -> ResultEvent {
    ResultEvent {
        event_id: format!("event-{number}"),
        detail_type: "sync.finished.v1".to_owned(),
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
        detail: json!({"number": number, "padding": "x".repeat(padding)}),
    }
}

fn bridge(wire: &Wire) -> EventBridge {
    let client = Clients::new(wire.config("http://events.test")).eventbridge();
    EventBridge::new(client, "platform")
}

/// Takes every entry but those whose detail names one of `refused`.
fn bus(refused: &'static [usize]) -> Wire {
    Wire::new(move |_, sent| {
        let entries = sent.body["Entries"].as_array().unwrap();
        let answers: Value = entries.iter().map(|entry| answer(entry, refused)).collect();
        Fate::Gets(200, json!({"FailedEntryCount": 0, "Entries": answers}))
    })
}

fn answer(entry: &Value, refused: &[usize]) -> Value {
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let number = detail["number"].as_u64().unwrap();
    if refused.iter().any(|refused| *refused as u64 == number) {
        json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "scripted"})
    } else {
        json!({"EventId": format!("aws-{number}")})
    }
}

fn failed(outcomes: &[Result<(), PublishError>]) -> Vec<usize> {
    let outcomes = outcomes.iter().enumerate();
    outcomes
        .filter(|(_, outcome)| outcome.is_err())
        .map(|(place, _)| place)
        .collect()
}

fn events(count: usize, padding: usize) -> Vec<ResultEvent> {
    (0..count).map(|number| event(number, padding)).collect()
}

/// Returns how many entries each call had.
fn calls(wire: &Wire) -> Vec<usize> {
    let entries = |body: &Value| body["Entries"].as_array().unwrap().len();
    wire.sent().iter().map(|sent| entries(&sent.body)).collect()
}

#[tokio::test]
async fn an_event_is_published_when_the_bus_has_said_so_for_that_event() {
    let wire = bus(&[]);
    assert!(failed(&bridge(&wire).publish(&events(1, 0)).await).is_empty());
    let entry = &wire.sent()[0].body["Entries"][0];
    assert_eq!(entry["EventBusName"], "platform");
    assert_eq!(entry["Source"], "external-api-integration-service");
    assert_eq!(entry["DetailType"], "sync.finished.v1");
    assert_eq!(entry["Time"], 1_767_225_600);
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail, json!({"number": 0, "padding": "", "eventId": "event-0"}));
}

#[tokio::test]
async fn an_event_is_not_published_when_the_bus_does_not_answer_for_it() {
    let short = Wire::always(200, json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}));
    assert_eq!(failed(&bridge(&short).publish(&events(3, 0)).await), [1, 2]);
    let silent = Wire::always(200, json!({"FailedEntryCount": 0, "Entries": [{}]}));
    assert_eq!(failed(&bridge(&silent).publish(&events(1, 0)).await), [0]);
}

#[tokio::test]
async fn a_part_of_a_batch_that_the_bus_refused_is_an_error_for_that_part_alone() {
    let outcomes = bridge(&bus(&[3, 11])).publish(&events(12, 0)).await;
    assert_eq!(failed(&outcomes), [3, 11]);
}

#[tokio::test]
async fn an_event_over_the_size_limit_is_an_error_for_itself_only_in_every_implementation() {
    let mut events = events(3, 0);
    events[1] = event(1, 1024 * 1024);
    let wire = bus(&[]);
    let all: [Box<dyn Publish>; 2] = [Box::new(MemoryPublish::new()), Box::new(bridge(&wire))];
    for publish in all {
        assert_eq!(failed(&publish.publish(&events).await), [1]);
    }
    assert_eq!(calls(&wire), [2]);
}

#[tokio::test]
async fn a_detail_that_is_not_an_object_is_an_error_for_itself_only() {
    let mut events = events(2, 0);
    events[0].detail = json!("text");
    assert_eq!(failed(&MemoryPublish::new().publish(&events).await), [0]);
    assert_eq!(failed(&bridge(&bus(&[])).publish(&events).await), [0]);
}

#[tokio::test]
async fn a_call_has_at_most_ten_events_and_a_mebibyte() {
    let wire = bus(&[]);
    bridge(&wire).publish(&events(23, 0)).await;
    assert_eq!(calls(&wire), [10, 10, 3]);
    let wire = bus(&[]);
    bridge(&wire).publish(&events(5, 400 * 1024)).await;
    assert_eq!(calls(&wire), [2, 2, 1]);
}

#[tokio::test]
async fn a_bus_out_of_reach_is_an_error_for_every_event_after_some_tries() {
    let wire = Wire::always(503, json!({"__type": "ServiceUnavailable"}));
    let outcomes = bridge(&wire).publish(&events(2, 0)).await;
    assert_eq!(failed(&outcomes), [0, 1]);
    assert_eq!(wire.sent().len(), ATTEMPTS as usize);
}

#[tokio::test]
async fn nothing_to_publish_asks_nothing() {
    let wire = bus(&[]);
    assert!(bridge(&wire).publish(&[]).await.is_empty());
    assert!(wire.sent().is_empty());
}

#[tokio::test]
async fn memory_keeps_what_was_published_in_its_order() {
    let bus = MemoryPublish::new();
    assert!(failed(&bus.publish(&events(3, 0)).await).is_empty());
    let ids: Vec<_> = bus
        .published()
        .into_iter()
        .map(|published| published.event.event_id)
        .collect();
    assert_eq!(ids, ["event-0", "event-1", "event-2"]);
    assert!(bus.published()[2].detail.contains("\"eventId\":\"event-2\""));
}
