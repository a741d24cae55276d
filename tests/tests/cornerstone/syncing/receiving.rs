//! What comes from the portal.

use super::*;

#[tokio::test]
async fn whoever_is_no_member_waits_and_is_taken_over_once_they_are_one() {
    let pair = Pair::new().await;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    pair.world.portal().add_user("999", "Ola", "Nordmann");
    for user in [members[0].as_str(), "999"] {
        pair.world.portal().enrol(user, course, Status::Registered);
    }
    pair.world.settle();
    assert_eq!(pair.sync().await.state, RunState::Partial);
    let waiting = pair.quarantine().await;
    let [one] = waiting.as_slice() else {
        panic!("{waiting:?}")
    };
    assert_eq!(
        (&*one.id, one.field.as_str()),
        (&*name("999", course), "memberId")
    );
    pair.member("999").await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    assert!(pair.quarantine().await.is_empty());
    pair.equal().await;
}

#[tokio::test]
async fn a_user_who_gets_a_name_is_taken_over_under_it_and_waits_no_more() {
    let pair = Pair::new().await;
    let (members, course) = (pair.people(1).await, pair.world.course().id);
    pair.world.portal().enrol(&members[0], course, Status::Registered);
    pair.world.settle();
    let empty = tests::dataverse::faults::Fault::EmptyPage;
    pair.world
        .inject(tests::dataverse::faults::FaultRule::once(empty).at("vw_rpt_user"));
    assert_eq!(pair.sync().await.state, RunState::Partial);
    assert!(pair.quarantine().await[0].id.starts_with('#'));
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    assert!(pair.quarantine().await.is_empty());
    pair.equal().await;
}

#[tokio::test]
async fn changes_are_taken_over_however_late_and_in_whatever_order_the_views_tell_them() {
    let mut world =
        World::with(|settings| (settings.repeated_rows, settings.shifting_pages) = (2, true)).await;
    world.settings["pageSize"] = json!(3);
    let pair = Pair::with(world, |_| {}).await;
    let users = pair.people(9).await;
    let courses = [pair.world.course().id, pair.world.course().id];
    for user in &users {
        pair.world.portal().enrol(user, courses[0], Status::Registered);
    }
    pair.world.settle();
    pair.sync().await;
    for (nth, user) in users.iter().enumerate() {
        let lag = SignedDuration::from_mins([15, 3, 9][nth % 3]);
        pair.world
            .portal()
            .change(|settings| settings.warehouse_lag = lag);
        pair.world.portal().advance(user, courses[0], Status::Completed);
        pair.world.portal().enrol(user, courses[1], Status::InProgress);
        pair.world.simulation.advance(SignedDuration::from_mins(2));
        assert_eq!(pair.sync().await.state, RunState::Succeeded);
    }
    pair.world.settle();
    pair.sync().await;
    pair.equal().await;
    assert_eq!(pair.world.portal().api_writes(), 0);
}

#[tokio::test]
async fn what_was_removed_there_is_removed_here_and_what_was_purged_by_the_next_full_run() {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(3).await, pair.world.course().id);
    for user in &users {
        pair.world.portal().enrol(user, course, Status::Completed);
    }
    pair.world.settle();
    pair.sync().await;
    pair.world
        .portal()
        .change_registration(&users[0], course, |one| one.removed = true);
    pair.world.settle();
    assert_eq!(totals(&pair.sync().await).removed, 1);
    pair.equal().await;
    pair.world.portal().purge(&users[1], course);
    assert_eq!(totals(&pair.run(Mode::Full).await).removed, 1);
    pair.equal().await;
}

#[tokio::test]
async fn who_registers_again_has_one_enrolment_that_goes_on() {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(1).await, pair.world.course().id);
    pair.world.portal().enrol(&users[0], course, Status::Completed);
    pair.world.settle();
    pair.sync().await;
    pair.world.portal().enrol(&users[0], course, Status::Registered);
    pair.world.settle();
    pair.sync().await;
    let record = pair.enrollment(&users[0], course).await;
    assert_eq!(
        (said(&record, "status"), said(&record, "registrationNumber")),
        (json!("registered"), json!("2"))
    );
    pair.equal().await;
}
