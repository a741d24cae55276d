//! The portal's limits, in every form in which it tells of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::adapter::{ErrorKind, From};
use tests::cornerstone::Status;
use tests::cornerstone::faults::Misbehaviour;
use tests::dataverse::faults::{Fault, FaultRule};

use crate::world::{KIND, VIEW, World, misbehaves, push_one, write};

fn until(kind: ErrorKind) -> Timestamp {
    match kind {
        ErrorKind::RateLimited { until } => until,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_limit_without_a_time_is_kept_until_the_next_minute_and_nothing_is_sent_before() {
    let world = World::new().await;
    world.next_minute();
    let limit = Misbehaviour::TooManyRequests {
        level: None,
        remaining: None,
    };
    world.inject(FaultRule::once(misbehaves(limit)).at(VIEW));
    let until = until(world.pull_error().await.kind());
    let wait = until.duration_since(world.simulation.now());
    assert!(
        wait <= SignedDuration::from_mins(1) && until.as_second() % 60 == 0,
        "{until}"
    );
    let asked = world.requests();
    assert!(matches!(
        world.pull_error().await.kind(),
        ErrorKind::RateLimited { .. }
    ));
    let course = world.course();
    let change = write("1", course.id, None, &json!({}));
    let error = push_one(&*world.adapter(), change).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    assert_eq!(world.requests(), asked);
    world.next_minute();
    world.adapter().pull(KIND, &From::Start).await.unwrap();
}

#[tokio::test]
async fn a_limit_that_is_told_in_the_body_alone_is_one() {
    for body in [
        json!({ "status": "429", "error": { "message": "CSOD Too many requests" } }),
        json!({ "status": 429 }),
    ] {
        let world = World::new().await;
        let fault = Fault::Status {
            status: 200,
            body: Some(body),
            retry_after: None,
        };
        world.inject(FaultRule::once(fault).at(VIEW));
        until(world.pull_error().await.kind());
    }
}

#[tokio::test]
async fn a_time_that_is_named_is_heeded_within_reason() {
    for (text, expected) in [("7", 7), ("0", 1), ("1000000000", 3600), ("soon", 30)] {
        let world = World::new().await;
        let fault = Fault::Status {
            status: 429,
            body: None,
            retry_after: Some(text.to_owned()),
        };
        world.inject(FaultRule::once(fault).at(VIEW));
        let until = until(world.pull_error().await.kind());
        let wait = until.duration_since(world.simulation.now());
        assert_eq!(wait.as_secs_f64().round() as i64, expected, "{text}");
    }
}

#[tokio::test]
async fn after_the_last_request_of_a_minute_none_is_sent_that_would_count_as_refused() {
    let world = World::with(|settings| settings.limits.reporting = 4).await;
    let (user, course) = (world.users(1).remove(0), world.course());
    world.portal().enrol(&user, course.id, Status::Registered);
    world.settle();
    world.next_minute();
    let adapter = world.adapter();
    // Transcripts, users, trainings; and transcripts once more, by names that are known.
    adapter.pull(KIND, &From::Start).await.unwrap();
    adapter.pull(KIND, &From::Start).await.unwrap();
    let error = adapter.pull(KIND, &From::Start).await.unwrap_err();
    let until = until(error.kind());
    assert_eq!(world.count("cornerstoneReporting"), 4, "none was refused");
    world.next_minute();
    assert!(world.simulation.now() >= until);
    adapter.pull(KIND, &From::Start).await.unwrap();
}

#[tokio::test]
async fn what_answers_in_the_place_of_the_portal_is_named() {
    for (fault, expected, word) in [
        (Fault::Html, ErrorKind::Malformed, "web page"),
        (
            Fault::Status {
                status: 200,
                body: Some(json!("<?xml version=\"1.0\"?><canary/>")),
                retry_after: None,
            },
            ErrorKind::Malformed,
            "XML",
        ),
        (
            Fault::Redirect {
                status: 302,
                location: "https://elsewhere.example/".to_owned(),
            },
            ErrorKind::Malformed,
            "redirect",
        ),
        (
            misbehaves(Misbehaviour::Outage),
            ErrorKind::Unavailable,
            "not available",
        ),
        (
            misbehaves(Misbehaviour::ErrorInEnvelope {
                message: "canary".to_owned(),
            }),
            ErrorKind::Unavailable,
            "not available",
        ),
    ] {
        let world = World::new().await;
        world.inject(FaultRule::always(fault).at(VIEW));
        let error = world.pull_error().await;
        assert_eq!(error.kind(), expected, "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
