//! `Idempotency-Key`: once is once.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::breaking::Side;
use super::world::{INTEGRATION, World, ask};
use crate::api::Caller;

fn sync() -> String {
    format!("{INTEGRATION}/sync")
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_does_nothing() {
    let world = World::connected().await;
    let first = world.answer(ask(Method::POST, &sync()).key("k")).await;
    let again = world.answer(ask(Method::POST, &sync()).key("k")).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        ("", "true")
    );
    let runs = world.get(&format!("{INTEGRATION}/runs")).await.json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_key_for_something_else_is_refused() {
    let world = World::connected().await;
    world.answer(ask(Method::POST, &sync()).key("k")).await;
    for ask in [
        ask(Method::POST, &sync())
            .key("k")
            .json(&json!({ "mode": "full" })),
        ask(Method::POST, &format!("{INTEGRATION}/pause")).key("k"),
    ] {
        let answer = world.answer(ask).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (422, "idempotency_key_reused")
        );
    }
}

#[tokio::test]
async fn the_same_key_of_others_is_another_key() {
    let world = World::connected().await;
    assert_eq!(
        world.answer(ask(Method::POST, &sync()).key("k")).await.status,
        202
    );
    let other = ask(Method::POST, &sync())
        .key("k")
        .by(Some(Caller::unrestricted("somebody")));
    assert_eq!(world.answer(other).await.code(), "run_active");
    let elsewhere = "/v1/organizations/other/integrations/dynamics365/sync";
    assert_eq!(
        world.answer(ask(Method::POST, elsewhere).key("k")).await.code(),
        "unknown_integration"
    );
}

#[tokio::test]
async fn of_many_at_once_under_one_key_one_acts() {
    let world = World::connected().await;
    let path = sync();
    let asks = (0..20).map(|_| world.answer(ask(Method::POST, &path).key("k")));
    let answers = futures::future::join_all(asks).await;
    let acted = answers
        .iter()
        .filter(|answer| answer.status == 202 && answer.header("idempotency-replayed").is_empty());
    assert_eq!(acted.count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!(answer.code(), "idempotency_in_progress");
        assert!(!answer.header("retry-after").is_empty());
    }
}

#[tokio::test]
async fn a_key_that_is_empty_too_long_or_there_twice_is_refused() {
    let world = World::connected().await;
    for key in ["", &"k".repeat(256), "a, b"] {
        let answer = world.answer(ask(Method::POST, &sync()).key(key)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "invalid_idempotency_key"),
            "{key}"
        );
    }
    let twice = world.answer(ask(Method::POST, &sync()).key("a").key("b")).await;
    assert_eq!(twice.code(), "invalid_idempotency_key");
    assert_eq!(
        world
            .answer(ask(Method::POST, &sync()).key(&"k".repeat(255)))
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn what_was_refused_is_asked_anew_under_the_same_key() {
    let world = World::connected().await;
    world
        .answer(ask(Method::POST, &format!("{INTEGRATION}/pause")))
        .await;
    assert_eq!(
        world.answer(ask(Method::POST, &sync()).key("k")).await.code(),
        "paused"
    );
    world
        .answer(ask(Method::POST, &format!("{INTEGRATION}/resume")))
        .await;
    assert_eq!(
        world.answer(ask(Method::POST, &sync()).key("k")).await.status,
        202
    );
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let world = World::new();
    let put = |name: &str| {
        ask(Method::PUT, "/v1/organizations/hlf/members/1")
            .key("k")
            .json(&json!({ "lastName": name }))
    };
    assert_eq!(world.answer(put("Ek")).await.status, 201);
    assert_eq!(world.answer(put("Dahl")).await.status, 422);
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(world.answer(put("Dahl")).await.status, 200);
}

/// Whatever write an attempt dies on, the next one, once its time is up, gets the one run that there is.
#[tokio::test]
async fn an_attempt_that_died_is_continued_and_no_second_run_is_started() {
    for side in [Side::Before, Side::After] {
        for nth in 1.. {
            let world = World::connected().await;
            let (broken, breaking) = world.dying(nth, side);
            broken.answer(ask(Method::POST, &sync()).key("k")).await;
            if !breaking.died() {
                break;
            }
            world.clock.advance(Duration::from_secs(61));
            let answer = world.answer(ask(Method::POST, &sync()).key("k")).await;
            assert_eq!(answer.status, 202, "{side:?} {nth}: {}", answer.body);
            let runs = world.get(&format!("{INTEGRATION}/runs")).await.json();
            assert_eq!(runs["items"].as_array().unwrap().len(), 1, "{side:?} {nth}");
        }
    }
}

#[tokio::test]
async fn an_attempt_that_may_still_be_running_is_waited_for() {
    let world = World::connected().await;
    let (broken, _) = world.dying(2, Side::After);
    assert_eq!(
        broken.answer(ask(Method::POST, &sync()).key("k")).await.status,
        503
    );
    let answer = world.answer(ask(Method::POST, &sync()).key("k")).await;
    assert_eq!(answer.code(), "idempotency_in_progress");
}
