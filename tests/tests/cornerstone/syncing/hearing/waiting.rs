//! What cannot be followed yet waits, and keeps nobody waiting.

use tests::cornerstone::faults::Misbehaviour;
use tests::cornerstone::{Outage, Resource};
use tests::dataverse::faults::FaultRule;

use super::*;
use crate::world::misbehaves;

#[tokio::test]
async fn who_is_no_member_yet_waits_in_quarantine_and_keeps_nobody_waiting() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    hearing.portal().add_user("999", "Ola", "Nordmann");
    for user in ["999", &members[0]] {
        hearing.portal().enrol(user, course, Status::Registered);
    }
    let event = hearing.told().await;
    assert_eq!(event["state"], "quarantined");
    assert_eq!(
        (&event["rows"]["created"], &event["rows"]["quarantined"]),
        (&json!(1), &json!(1))
    );
    let waiting = pair.quarantine().await;
    let [one] = waiting.as_slice() else {
        panic!("{waiting:?}")
    };
    assert_eq!(
        (&*one.id, one.field.as_str()),
        (&*name("999", course), "memberId")
    );
    pair.member("999").await;
    hearing.portal().advance("999", course, Status::Completed);
    let event = hearing.told().await;
    assert_eq!(
        (&event["state"], &event["rows"]["created"]),
        (&json!("applied"), &json!(1))
    );
    assert!(pair.quarantine().await.is_empty());
    pair.equal().await;
}

#[tokio::test]
async fn a_user_or_a_course_that_the_portal_does_not_know_is_looked_for_and_changes_nothing() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    let record = |user: &str, course: Uuid| json!({ "externalId": user, "learningObjectId": course });
    let body = json!({ "records": [
        record("nobody", course), record(&members[0], Uuid::new_v4()), record(&members[0], course),
    ] });
    assert_eq!(hearing.let_in(hearing.message(&body)).await, 202);
    hearing.work().await;
    let event = hearing.newest().await;
    assert_eq!(event["state"], "applied");
    assert_eq!(
        (&event["rows"]["created"], &event["rows"]["unchanged"]),
        (&json!(1), &json!(2))
    );
    hearing.pair.equal().await;
}

#[tokio::test]
async fn what_a_portal_told_that_is_down_is_done_once_it_is_up_again() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    hearing.portal().set_outage(Outage::of(Resource::Transcripts));
    let event = hearing.told().await;
    assert_eq!(
        (&event["state"], &event["attempts"]),
        (&json!("received"), &json!(1))
    );
    assert_eq!(event["failure"]["code"], "unavailable");
    hearing.later(SignedDuration::from_hours(1)).await;
    assert_eq!(hearing.newest().await["attempts"], 2);
    hearing.portal().set_outage(Outage::None);
    hearing.later(SignedDuration::from_hours(1)).await;
    let event = hearing.newest().await;
    assert_eq!(
        (&event["state"], &event["rows"]["created"]),
        (&json!("applied"), &json!(1))
    );
    assert_eq!((hearing.events().await.len(), hearing.runs().await), (1, 0));
    hearing.pair.equal().await;
}

#[tokio::test]
async fn what_fails_time_after_time_is_given_up_and_keeps_nobody_behind_it_waiting() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(9).await, hearing.pair.world.course().id);
    let broken = FaultRule::always(misbehaves(Misbehaviour::Outage));
    let of_the_first = format!("externalId={}", members[0]);
    hearing.pair.world.inject(broken.at(&of_the_first));
    hearing.portal().enrol(&members[0], course, Status::Registered);
    assert_eq!(hearing.told().await["state"], "received");
    for member in &members[1..] {
        hearing.portal().enrol(member, course, Status::Registered);
        assert_eq!(hearing.told().await["state"], "applied");
    }
    for _ in 0..30 {
        hearing.later(SignedDuration::from_hours(1)).await;
    }
    let events = hearing.events().await;
    let given_up = &events[8];
    assert_eq!(
        (&given_up["state"], &given_up["cause"]),
        (&json!("dead_lettered"), &json!("system"))
    );
    assert_eq!(hearing.pair.enrollments().await.len(), 8);
    // Once it works, it can be replayed.
    hearing.pair.world.simulation.clear_faults();
    let path = format!("/webhook-events/{}/replay", given_up["eventId"].as_str().unwrap());
    hearing.ask(Method::POST, &path, &Value::Null).await;
    hearing.work().await;
    hearing.pair.equal().await;
}

#[tokio::test]
async fn a_limit_that_a_delivery_meets_is_waited_for_by_all_and_sent_nothing_until_then() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(2).await, pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    let limit = Misbehaviour::TooManyRequests {
        level: None,
        remaining: None,
    };
    pair.world
        .inject(FaultRule::once(misbehaves(limit)).at("/transcripts/details"));
    assert_eq!(hearing.told().await["state"], "received");
    let asked = pair.world.requests();
    hearing.portal().enrol(&members[1], course, Status::Registered);
    assert_eq!(hearing.told().await["state"], "received");
    assert_eq!(pair.world.requests(), asked, "nothing is sent before its time");
    hearing.later(SignedDuration::from_mins(10)).await;
    let events = hearing.events().await;
    assert!(
        events.iter().all(|event| event["state"] == "applied"),
        "{events:?}"
    );
    pair.equal().await;
}

#[tokio::test]
async fn a_body_that_the_settings_do_not_fit_is_put_aside_and_followed_once_they_do() {
    for wrong in [
        json!({ "rows": "/data" }),
        json!({ "rows": "" }),
        json!({ "user": "/user/externalId" }),
        json!({ "course": "/training/id" }),
    ] {
        let mut world = World::new().await;
        world.settings["webhooks"] = wrong;
        let hearing = Hearing::of(world).await;
        hearing.subscribe(&hearing.key);
        let (members, course) = (hearing.pair.people(2).await, hearing.pair.world.course().id);
        hearing.portal().enrol(&members[0], course, Status::Registered);
        let event = hearing.told().await;
        assert_eq!(
            (&event["state"], &event["cause"]),
            (&json!("dead_lettered"), &json!("mapping"))
        );
        let message = event["failure"]["message"].as_str().unwrap();
        assert!(message.contains("settings.webhooks"), "{message}");
        assert!(hearing.pair.enrollments().await.is_empty());
        let mut settings = hearing.pair.world.settings.clone();
        settings["webhooks"] =
            json!({ "rows": "/records", "user": "/externalId", "course": "/learningObjectId" });
        let wanted = json!({ "displayName": "Kurs", "direction": "both", "settings": settings });
        hearing.ask(Method::PUT, "", &wanted).await;
        // Whoever takes webhooks in does not know the new settings yet: whoever works them does.
        hearing.portal().enrol(&members[1], course, Status::Registered);
        let event = hearing.told().await;
        assert_eq!(
            (&event["state"], &event["cause"]),
            (&json!("applied"), &Value::Null)
        );
        let replay = json!({ "cause": "mapping" });
        let replayed = hearing.ask(Method::POST, "/webhook-events/replay", &replay).await;
        assert_eq!(replayed["replayed"], 1);
        hearing.later(SignedDuration::ZERO).await;
        let event = hearing.events().await.pop().unwrap();
        assert_eq!(
            (&event["state"], &event["rows"]["created"]),
            (&json!("applied"), &json!(1))
        );
        assert!(event["cause"].is_null() && event["failure"].is_null(), "{event}");
        hearing.pair.equal().await;
    }
}
