//! What was told is asked for, and taken over as it is by then.

use std::time::Duration;

use shared::adapter::From;
use tests::dataverse::faults::{Fault, FaultRule};

use super::*;
use crate::world;

#[tokio::test]
async fn a_completed_course_that_the_portal_tells_of_is_on_the_platform_without_a_run() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    let event = hearing.told().await;
    assert_eq!(
        (&event["state"], &event["rows"]["created"]),
        (&json!("applied"), &json!(1))
    );
    assert_eq!(hearing.status(&members[0], course).await, "registered");
    hearing.portal().advance(&members[0], course, Status::Completed);
    let event = hearing.told().await;
    assert_eq!(
        (&event["state"], &event["rows"]["updated"]),
        (&json!("applied"), &json!(1))
    );
    let record = pair.enrollment(&members[0], course).await;
    let now = pair.world.simulation.now().to_string();
    let (today, _) = now.split_once('T').unwrap();
    assert_eq!(said(&record, "status"), "completed");
    assert_eq!(said(&record, "completedOn"), today);
    assert_eq!(hearing.runs().await, 0);
    pair.equal().await;
}

#[tokio::test]
async fn what_is_taken_over_is_what_is_so_now_and_no_run_takes_it_back_whose_view_is_behind() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    pair.world.settle();
    pair.sync().await;
    hearing.portal().advance(&members[0], course, Status::Completed);
    let event = hearing.told().await;
    assert_eq!(event["rows"]["updated"], 1, "{event}");
    let (items, _) = world::pull_all(&*pair.world.adapter(), From::Start).await;
    let behind = world::said(world::rows(&items)[0], "status");
    assert_eq!(behind, "registered", "the view does not know yet");
    for mode in [Mode::Delta, Mode::Full] {
        let run = pair.run(mode).await;
        assert_eq!((run.state, totals(&run).updated), (RunState::Succeeded, 0));
        assert_eq!(hearing.status(&members[0], course).await, "completed");
    }
    pair.world.settle();
    assert_eq!(totals(&pair.sync().await).updated, 0);
    pair.equal().await;
    assert_eq!(hearing.portal().api_writes(), 0);
}

#[tokio::test]
async fn what_is_gone_by_the_time_that_it_is_asked_for_is_removed() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(3).await, hearing.pair.world.course().id);
    for member in &members[..2] {
        hearing.portal().enrol(member, course, Status::Registered);
    }
    hearing.told().await;
    for member in &members[..2] {
        hearing.portal().advance(member, course, Status::Completed);
    }
    // This one is made, completed and gone before anybody asks.
    hearing.portal().enrol(&members[2], course, Status::Registered);
    hearing.deliver().await;
    hearing
        .portal()
        .change_registration(&members[0], course, |one| one.removed = true);
    hearing.portal().purge(&members[1], course);
    hearing.portal().purge(&members[2], course);
    hearing.work().await;
    let rows = &hearing.newest().await["rows"];
    assert_eq!(
        (&rows["removed"], &rows["created"], &rows["unchanged"]),
        (&json!(2), &json!(0), &json!(1))
    );
    assert!(hearing.pair.enrollments().await.is_empty());
}

#[tokio::test]
async fn what_this_service_has_written_itself_is_told_back_and_changes_nothing() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    let registered = json!({ "status": "registered" });
    pair.enrol_here(&members[0], course, &registered).await;
    pair.sync().await;
    let writes = hearing.portal().api_writes();
    assert!(writes > 0, "the enrolment was made there");
    let event = hearing.told().await;
    assert_eq!(event["rows"]["unchanged"], 1, "{event}");
    assert_eq!(totals(&pair.sync().await).sent, 0);
    assert_eq!(hearing.portal().api_writes(), writes);
    pair.equal().await;
}

#[tokio::test]
async fn several_records_in_one_body_are_all_looked_at() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(45).await, pair.world.course().id);
    for member in &members {
        hearing.portal().enrol(member, course, Status::Registered);
    }
    // Of one enrolment two things are told, and it is asked for once.
    hearing.portal().advance(&members[0], course, Status::Completed);
    let event = hearing.told().await;
    assert_eq!(event["rows"]["created"], 45, "{event}");
    assert_eq!(event["hints"].as_array().unwrap().len(), 45);
    assert_eq!(hearing.door.came().len(), 1);
    pair.equal().await;
}

#[tokio::test]
async fn the_same_delivery_twice_is_done_once() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    hearing.told().await;
    let asked = hearing.pair.world.requests();
    for minutes in [0, 6, 60, 13 * 24 * 60] {
        let simulation = &hearing.pair.world.simulation;
        simulation.advance(SignedDuration::from_mins(minutes));
        assert_eq!(hearing.let_in(hearing.door.last()).await, 202);
        hearing.work().await;
    }
    assert_eq!(hearing.events().await.len(), 1);
    assert_eq!(hearing.pair.world.requests(), asked, "nothing was asked again");
}

#[tokio::test]
async fn what_is_told_again_since_the_answer_was_lost_changes_nothing() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    hearing.door.is(Way::Deaf(504));
    assert_eq!(hearing.deliver().await.status, Some(504));
    hearing.door.is(Way::Open);
    let again = hearing.deliver().await;
    assert!(again.body.contains(r#""attemptNumber":2"#), "{}", again.body);
    hearing.work().await;
    let events = hearing.events().await;
    let rows: Vec<&Value> = events.iter().map(|event| &event["rows"]).collect();
    assert_eq!((rows.len(), &rows[1]["created"]), (2, &json!(1)));
    assert_eq!(
        (&rows[0]["created"], &rows[0]["unchanged"]),
        (&json!(0), &json!(1))
    );
    hearing.pair.equal().await;
}

#[tokio::test]
async fn of_two_deliveries_out_of_order_the_older_overwrites_nothing() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    hearing.door.is(Way::Shut(400));
    hearing.deliver().await;
    let older = hearing.door.last();
    hearing.door.is(Way::Open);
    hearing.portal().advance(&members[0], course, Status::Completed);
    assert_eq!(hearing.told().await["rows"]["created"], 1);
    assert_eq!(hearing.let_in(older).await, 202);
    hearing.work().await;
    let late = hearing.newest().await;
    assert_eq!(late["rows"]["unchanged"], 1, "{late}");
    assert_eq!(hearing.status(&members[0], course).await, "completed");
}

#[tokio::test]
async fn an_answer_that_was_given_before_and_is_heard_after_overwrites_nothing() {
    let hearing = Hearing::new().await;
    let pair = &hearing.pair;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    hearing.told().await;
    let late = Fault::Drip { milliseconds: 5 };
    pair.world
        .inject(FaultRule::once(late).at("/transcripts/details"));
    let next = || {
        let received = pair.queue.receive(System::Cornerstone).unwrap();
        pair.queue.ack(&received);
        serde_json::from_str::<Job>(&received.message.body).unwrap()
    };
    let details = || {
        let journal = pair.world.simulation.journal();
        let asked = journal
            .iter()
            .filter(|entry| entry.target.contains("/transcripts/details"));
        asked.count()
    };
    let before = details();
    // The same is told once more, in other words.
    let registered = json!({ "records": [{ "externalId": members[0], "learningObjectId": course }] });
    hearing.let_in(hearing.message(&registered)).await;
    let first = next();
    let slow = work(&pair.worker, &first);
    let quick = async {
        while details() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        hearing.portal().advance(&members[0], course, Status::Completed);
        hearing.deliver().await;
        work(&pair.worker, &next()).await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    slow.and(quick).unwrap();
    let events = hearing.events().await;
    assert_eq!(events[0]["rows"]["updated"], 1, "{events:?}");
    assert_eq!(events[1]["rows"]["unchanged"], 1, "{events:?}");
    assert_eq!(
        details(),
        before + 3,
        "what was heard too late is asked for again"
    );
    assert_eq!(hearing.status(&members[0], course).await, "completed");
}
