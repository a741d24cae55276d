//! How webhooks end, and what is done again.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Hook, OTHER, ROW};
use crate::adapter::ErrorKind;
use crate::api::tests::book::{Entry, context, work_all, worker};
use crate::api::tests::breaking::Side;
use crate::api::tests::world::{INTEGRATION, configuration};
use crate::flow::work::{Job, work};
use crate::model::System;

#[tokio::test]
async fn each_accepted_webhook_ends_in_one_of_four_ways_and_says_why() {
    let hook = Hook::new().await;
    let state = |event: &Value| event["state"].as_str().unwrap().to_owned();
    let mut account = context(ROW);
    account["PrimaryEntityName"] = "account".into();
    let ignored = hook.told(&account).await;
    assert_eq!(
        (state(&ignored), &ignored["reason"]),
        ("ignored".to_owned(), &json!("not_mapped"))
    );
    hook.book.write(OTHER, Entry::Faulty);
    let quarantined = hook.told(&context(OTHER)).await;
    assert_eq!(state(&quarantined), "quarantined");
    let waits = hook.world.get(&format!("{INTEGRATION}/quarantine")).await.json();
    assert_eq!(waits["items"][0]["webhookEvent"], quarantined["eventId"]);
    let unreadable = hook
        .told(&json!({ "PrimaryEntityName": "contact", "PrimaryEntityId": "canary" }))
        .await;
    assert_eq!(
        (state(&unreadable), &unreadable["cause"]),
        ("dead_lettered".to_owned(), &json!("mapping"))
    );
    assert!(!unreadable.to_string().contains("canary"), "{unreadable}");
    hook.book.write(ROW, Entry::Hidden);
    let hidden = hook.told(&context(ROW)).await;
    assert_eq!(
        (state(&hidden), &hidden["rows"]["hidden"]),
        ("applied".to_owned(), &json!(1))
    );
    for (number, (kind, cause)) in [
        (ErrorKind::PermissionDenied, "credential"),
        (ErrorKind::NotFound, "mapping"),
        (ErrorKind::Malformed, "system"),
    ]
    .into_iter()
    .enumerate()
    {
        hook.book.fails_with(Some(kind));
        let mut context = context(ROW);
        context["Depth"] = (number + 2).into();
        let dead = hook.told(&context).await;
        assert_eq!(
            (state(&dead), &dead["cause"]),
            ("dead_lettered".to_owned(), &json!(cause)),
            "{kind:?}"
        );
        assert!(dead["failure"]["nextAction"].is_string());
    }
}

#[tokio::test]
async fn an_integration_that_rests_is_told_of_and_asked_for_nothing() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    hook.world
        .post(&format!("{INTEGRATION}/pause"), &Value::Null)
        .await;
    let paused = hook.told(&context(ROW)).await;
    assert_eq!(
        (&paused["state"], &paused["reason"]),
        (&json!("ignored"), &json!("paused"))
    );
    assert_eq!(hook.book.asked_for(ROW), 0);
    hook.world
        .post(&format!("{INTEGRATION}/resume"), &Value::Null)
        .await;
    // Whoever is gone by the time that it is worked.
    assert_eq!(hook.send(&context(OTHER)).await.status, 202);
    assert_eq!(hook.world.delete(INTEGRATION).await.status, 204);
    work_all(&hook.world, &hook.book).await;
    assert_eq!(hook.book.asked_for(OTHER), 0);
    assert_eq!(hook.send(&context(OTHER)).await.status, 202, "known for a minute");
    hook.world.clock.advance(Duration::from_secs(61));
    assert_eq!(hook.send(&context(OTHER)).await.status, 401);
    // Who connects anew opens endpoints anew.
    hook.world.put(INTEGRATION, &configuration()).await;
    assert_eq!(hook.send(&context(OTHER)).await.status, 401);
    let list = hook.world.get(&format!("{INTEGRATION}/webhooks")).await;
    assert_eq!(list.json()["items"], json!([]));
}

#[tokio::test]
async fn a_credential_that_is_refused_twice_puts_the_integration_at_rest() {
    let hook = Hook::new().await;
    hook.book.fails_with(Some(ErrorKind::Unauthenticated));
    assert_eq!(hook.told(&context(ROW)).await["state"], "received");
    hook.later(Duration::from_secs(60)).await;
    let dead = hook.newest().await;
    assert_eq!(
        (&dead["state"], &dead["cause"]),
        (&json!("dead_lettered"), &json!("credential"))
    );
    let status = hook.world.get(INTEGRATION).await.json();
    assert_eq!(status["state"], "needs_reauthorization");
    let next = hook.told(&context(OTHER)).await;
    assert_eq!(next["cause"], "credential");
}

#[tokio::test]
async fn a_system_that_is_down_is_tried_for_hours_and_then_given_up() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    hook.book.fails_with(Some(ErrorKind::Unavailable));
    let waits = hook.told(&context(ROW)).await;
    assert_eq!(
        (&waits["state"], &waits["attempts"]),
        (&json!("received"), &json!(1))
    );
    assert!(waits["resumeAt"].is_string() && waits["failure"]["code"] == "unavailable");
    hook.book.fails_with(None);
    hook.later(Duration::from_secs(60)).await;
    assert_eq!(hook.newest().await["state"], "applied");
    hook.book.fails_with(Some(ErrorKind::Unavailable));
    hook.told(&context(OTHER)).await;
    for _ in 0..40 {
        hook.later(Duration::from_secs(20 * 60)).await;
    }
    let dead = hook.newest().await;
    assert_eq!(
        (&dead["state"], &dead["cause"]),
        (&json!("dead_lettered"), &json!("system"))
    );
}

#[tokio::test]
async fn what_has_ended_is_replayed_one_by_one_and_by_what_it_has_in_common_after_a_preview() {
    let hook = Hook::new().await;
    hook.book.fails_with(Some(ErrorKind::NotFound));
    for number in 0..12 {
        let id = format!("{number:08x}-0a5b-4c3d-9e8f-102938475610");
        hook.book.write(&id, Entry::Member("Ek", 1));
        hook.told(&context(&id)).await;
    }
    hook.book.fails_with(None);
    let dead = json!({ "state": "dead_lettered", "cause": "mapping", "preview": true });
    assert_eq!(
        hook.replay(dead.clone()).await,
        json!({ "selected": 12, "replayed": 0 })
    );
    assert!(hook.events().await.iter().all(|event| event["replays"] == 0));
    let one = hook.newest().await["eventId"].as_str().unwrap().to_owned();
    let path = format!("{INTEGRATION}/webhook-events/{one}/replay");
    for _ in 0..2 {
        assert_eq!(hook.world.post(&path, &Value::Null).await.status, 202);
    }
    work_all(&hook.world, &hook.book).await;
    let event = hook
        .world
        .get(&format!("{INTEGRATION}/webhook-events/{one}"))
        .await
        .json();
    assert_eq!(
        (&event["state"], &event["replays"]),
        (&json!("applied"), &json!(1))
    );
    let replayed = hook.replay(json!({ "state": "dead_lettered" })).await;
    assert_eq!(replayed, json!({ "selected": 11, "replayed": 11 }));
    hook.later(Duration::from_secs(1)).await;
    assert!(
        hook.events()
            .await
            .iter()
            .all(|event| event["state"] == "applied")
    );
    let none = hook.replay(json!({ "until": "2026-01-01T00:00:00Z" })).await;
    assert_eq!(none["selected"], 0);
    let all = hook
        .replay(json!({ "since": "2026-01-31T00:00:00Z", "preview": true }))
        .await;
    assert_eq!(all["selected"], 12);
    let wrong = hook
        .world
        .post(
            &format!("{INTEGRATION}/webhook-events/replay"),
            &json!({ "endpointId": "x" }),
        )
        .await;
    assert_eq!(wrong.fields(), ["endpointId"]);
}

#[tokio::test]
async fn what_could_not_be_read_is_read_again_by_the_settings_of_now() {
    let hook = Hook::new().await;
    let mut custom = context(ROW);
    custom["PrimaryEntityId"] = "not an id".into();
    let dead = hook.told(&custom).await;
    assert_eq!(dead["cause"], "mapping");
    let path = format!(
        "{INTEGRATION}/webhook-events/{}/replay",
        dead["eventId"].as_str().unwrap()
    );
    hook.world.post(&path, &Value::Null).await;
    work_all(&hook.world, &hook.book).await;
    let again = hook.newest().await;
    assert_eq!(
        (&again["cause"], &again["replays"]),
        (&json!("mapping"), &json!(1))
    );
}

#[tokio::test]
async fn whoever_dies_at_any_write_leaves_a_webhook_that_is_followed_once() {
    let mut died = 0;
    for nth in 1..20 {
        for side in [Side::Before, Side::After] {
            let hook = Hook::new().await;
            hook.book.write(ROW, Entry::Member("Ek", 1));
            assert_eq!(hook.send(&context(ROW)).await.status, 202);
            let (dying, breaking) = hook.world.dying(nth, side);
            let received = hook.world.queue.receive(System::Dynamics365).unwrap();
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            let done = work(&worker(&dying, &hook.book), &job).await;
            if done.is_ok() && !breaking.died() {
                assert!(died > 6, "{died}");
                return;
            }
            died += 1;
            // The dead acknowledge nothing; the queue delivers again, and reconcile looks at what is due.
            hook.later(Duration::from_secs(16 * 60)).await;
            let events = hook.events().await;
            assert_eq!(
                (events.len(), &events[0]["state"]),
                (1, &json!("applied")),
                "{nth} {side:?}"
            );
            assert_eq!(hook.name_of(ROW).await.as_deref(), Some("Ek"));
        }
    }
    panic!("it never came through");
}

#[tokio::test]
async fn a_webhook_of_which_everybody_dies_is_put_aside() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    for _ in 0..8 {
        // Whoever receives it dies right after the claim.
        let (dying, _) = hook.world.dying(1, Side::After);
        while let Some(received) = hook.world.queue.receive(System::Dynamics365) {
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            let _dead = work(&worker(&dying, &hook.book), &job).await;
            hook.world.queue.ack(&received);
        }
        hook.world.clock.advance(Duration::from_secs(16 * 60));
        hook.world.reconcile().await;
    }
    work_all(&hook.world, &hook.book).await;
    let dead = hook.newest().await;
    assert_eq!(
        (&dead["state"], &dead["cause"]),
        (&json!("dead_lettered"), &json!("ours"))
    );
}
