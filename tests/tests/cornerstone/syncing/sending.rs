//! What goes to the portal.

use super::*;

#[tokio::test]
async fn a_page_that_is_behind_does_not_take_back_what_was_just_sent() {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(1).await, pair.world.course().id);
    pair.world.portal().enrol(&users[0], course, Status::Registered);
    pair.world.settle();
    pair.sync().await;
    let record = pair.enrollment(&users[0], course).await;
    pair.edit(&record, "status", "in_progress").await;
    pair.sync().await;
    for minutes in [0, 1, 5, 8, 5, 20] {
        pair.world.simulation.advance(SignedDuration::from_mins(minutes));
        for mode in [Mode::Delta, Mode::Full] {
            let run = pair.run(mode).await;
            assert_eq!(totals(&run).sent, 0);
            let record = pair.enrollment(&users[0], course).await;
            assert_eq!(said(&record, "status"), "in_progress", "after {minutes} minutes");
        }
    }
    // What people do meanwhile is taken over all the same.
    pair.world.portal().advance(&users[0], course, Status::Completed);
    pair.world.settle();
    pair.sync().await;
    pair.equal().await;
    assert_eq!(pair.world.portal().api_writes(), 1);
}

#[tokio::test]
async fn a_full_run_takes_nothing_for_gone_that_the_views_do_not_have_yet() {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(25).await, pair.world.course().id);
    for user in &users {
        pair.enrol_here(user, course, &json!({ "status": "registered" }))
            .await;
    }
    assert_eq!(totals(&pair.sync().await).pushed_created, 25);
    for minutes in [1, 10, 30, 60] {
        let run = pair.run(Mode::Full).await;
        let totals = totals(&run);
        assert_eq!(
            (run.state, totals.absent, totals.removed),
            (RunState::Succeeded, 0, 0),
            "{run:?}"
        );
        assert!(run.warnings.is_empty(), "{run:?}");
        pair.world.simulation.advance(SignedDuration::from_mins(minutes));
    }
    pair.equal().await;
}

#[tokio::test]
async fn an_enrolment_that_the_portal_has_already_is_compared_and_not_made_again() {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(1).await, pair.world.course().id);
    pair.sync().await;
    // The view does not have it yet.
    pair.world.portal().enrol(&users[0], course, Status::InProgress);
    pair.enrol_here(&users[0], course, &json!({ "status": "registered" }))
        .await;
    let run = pair.sync().await;
    assert_eq!(
        run.state,
        RunState::Succeeded,
        "{run:?} {:?}",
        pair.quarantine().await
    );
    pair.equal().await;
    assert_eq!(pair.world.portal().api_writes(), 0);
    pair.world.settle();
    pair.sync().await;
    pair.equal().await;
}

#[tokio::test]
async fn what_is_deleted_here_is_withdrawn_there_and_does_not_come_back() {
    let pair = Pair::new().await;
    let (users, session) = (pair.people(2).await, pair.session());
    for user in &users {
        pair.world.portal().enrol(user, session, Status::Registered);
    }
    pair.world.settle();
    pair.sync().await;
    let record = pair.enrollment(&users[0], session).await;
    pair.delete(KIND, &record.id).await;
    for _ in 0..3 {
        assert_eq!(pair.sync().await.state, RunState::Succeeded);
        pair.world.settle();
    }
    pair.run(Mode::Full).await;
    let there = pair.world.portal().registration(&users[0], session).unwrap();
    assert_eq!(there.status, Status::Withdrawn);
    assert_eq!(
        (pair.enrollments().await.len(), pair.world.portal().api_writes()),
        (1, 1)
    );
}

#[tokio::test]
async fn what_cannot_be_sent_waits_with_its_field() {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(1).await, pair.world.course().id);
    pair.world.portal().enrol(&users[0], course, Status::Registered);
    pair.world.settle();
    pair.sync().await;
    let record = pair.enrollment(&users[0], course).await;
    pair.edit(&record, "courseTitle", "Noe annet").await;
    assert_eq!(pair.sync().await.state, RunState::Partial);
    let waiting = pair.quarantine().await;
    assert_eq!(waiting[0].field, "courseTitle", "{waiting:?}");
    assert_eq!(pair.world.portal().api_writes(), 0);
}
