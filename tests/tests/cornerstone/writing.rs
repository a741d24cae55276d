//! What is written: once, whatever becomes of the answer, and nothing that Cornerstone alone decides.

use jiff::SignedDuration;
use serde_json::json;
use shared::adapter::{ErrorKind, Found, From, Item, Target};
use tests::cornerstone::faults::Misbehaviour;
use tests::cornerstone::{Repeated, Status, TrainingType};
use tests::dataverse::faults::{Fault, FaultRule};
use uuid::Uuid;

use crate::asking;
use crate::world::{
    KIND, World, find_one, misbehaves, name, pull_all, push_one, remove, rows, said, target, write,
};

const ASSIGN: &str = "/transcripts/assign";

/// Returns an enrolment as it was last seen.
async fn seen(world: &World, user: &str, course: Uuid) -> Target {
    match find_one(&*world.adapter(), &name(user, course)).await {
        Found::Here(Item::Row(row)) => asking::seen(&row),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_enrolment_is_made_once_and_told_by_find_and_by_the_next_delta() {
    let world = World::new().await;
    let (user, course) = (world.users(1).remove(0), world.course());
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, From::Start).await;
    let wanted =
        json!({ "status": "registered", "dueOn": "2030-01-31", "courseTitle": "Noe annet", "active": true });
    let pushed = push_one(&*adapter, write(&user, course.id, None, &wanted))
        .await
        .unwrap();
    assert_eq!(&*pushed.id, name(&user, course.id));
    let error = push_one(&*adapter, write(&user, course.id, None, &wanted))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("row")),
        (ErrorKind::Conflict, Some(&*pushed.id))
    );
    assert_eq!(world.portal().api_writes(), 1);
    let Found::Here(Item::Row(found)) = find_one(&*adapter, &pushed.id).await else {
        panic!("it is there")
    };
    world.settle();
    let (items, _) = pull_all(&*adapter, since).await;
    for row in [&found, rows(&items)[0]] {
        assert_eq!(said(row, "status"), "registered");
        assert_eq!(said(row, "dueOn"), "2030-01-31");
        assert_eq!(said(row, "courseTitle"), "Førstehjelp");
        let (one, other) = (row.etag.clone().unwrap(), pushed.etag.clone().unwrap());
        assert!(one.starts_with(&*other), "{one} {other}");
    }
}

#[tokio::test]
async fn a_change_that_is_pushed_twice_has_one_effect() {
    let world = World::new().await;
    let (user, course) = (world.users(1).remove(0), world.course());
    let adapter = world.adapter();
    let made = json!({ "status": "approved" });
    let pushed = push_one(&*adapter, write(&user, course.id, None, &made))
        .await
        .unwrap();
    let done = json!({ "status": "completed", "completedOn": "2020-01-31", "score": "85" });
    for _ in 0..3 {
        let change = write(&user, course.id, Some(target(&pushed)), &done);
        push_one(&*adapter, change).await.unwrap();
    }
    let actions: Vec<&str> = world.portal().writes().iter().map(|write| write.action).collect();
    assert_eq!(actions, ["assign", "register", "complete"]);
    let there = world.portal().registration(&user, course.id).unwrap();
    assert_eq!((there.status, there.score), (Status::Completed, Some(85)));
    assert!(
        there
            .completed_at
            .unwrap()
            .to_string()
            .starts_with("2020-01-31T00:00:00")
    );
}

#[tokio::test]
async fn where_an_answer_was_lost_the_portal_is_asked_what_became_of_it() {
    for fault in [
        Fault::ResetAfter,
        Fault::StatusAfter {
            status: 502,
            body: None,
            retry_after: None,
        },
        Fault::TruncatedBody,
    ] {
        let world = World::with(|settings| settings.repeated_assignment = Repeated::Registered).await;
        let (user, course) = (world.users(1).remove(0), world.course());
        world.inject(FaultRule::once(fault.clone()).at(ASSIGN));
        let adapter = world.adapter();
        let change = || write(&user, course.id, None, &json!({ "status": "registered" }));
        push_one(&*adapter, change()).await.unwrap();
        assert_eq!(
            push_one(&*adapter, change()).await.unwrap_err().kind(),
            ErrorKind::Conflict
        );
        assert_eq!(world.portal().registrations().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_done_after_its_answer_was_lost_is_not_done_again() {
    let world = World::with(|settings| settings.repeated_assignment = Repeated::Registered).await;
    let (user, course) = (world.users(1).remove(0), world.course());
    let later = Misbehaviour::ApplyLater {
        seconds: 30,
        status: None,
    };
    world.inject(FaultRule::once(misbehaves(later)).at(ASSIGN));
    let adapter = world.adapter();
    let change = || write(&user, course.id, None, &json!({ "status": "registered" }));
    let error = push_one(&*adapter, change()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    world.simulation.advance(SignedDuration::from_secs(60));
    assert_eq!(
        push_one(&*adapter, change()).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(world.portal().registrations().len(), 1);
}

#[tokio::test]
async fn what_cornerstone_decides_alone_is_refused_with_its_field_and_nothing_is_sent() {
    let world = World::new().await;
    let (users, course) = (world.users(2), world.course());
    world.portal().enrol(&users[0], course.id, Status::Registered);
    let before = seen(&world, &users[0], course.id).await;
    let adapter = world.adapter();
    for (field, value) in [
        ("courseTitle", json!("Noe annet")),
        ("trainingType", json!("video")),
        ("registeredOn", json!("2020-01-01")),
        ("startedOn", json!("2020-01-01")),
        ("registrationNumber", json!("9")),
        ("active", json!(false)),
        ("status", json!("no_show")),
        ("status", json!("requested")),
        ("score", json!("85")),
        ("completedOn", json!("2020-01-01")),
    ] {
        let change = write(
            &users[0],
            course.id,
            Some(before.clone()),
            &json!({ field: value }),
        );
        let error = push_one(&*adapter, change).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::Rejected, Some(field)),
            "{error}"
        );
    }
    for (field, more) in [
        (
            "completedOn",
            json!({ "status": "completed", "completedOn": "2999-01-01" }),
        ),
        ("score", json!({ "status": "completed", "score": "8,5" })),
        ("startedOn", json!({ "startedOn": "2020-01-01" })),
        ("status", json!({ "status": "withdrawn" })),
    ] {
        let error = push_one(&*adapter, write(&users[1], course.id, None, &more))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::Rejected, Some(field)),
            "{error}"
        );
    }
    let mut misnamed = write(&users[1], course.id, None, &json!({}));
    misnamed.key = "E-1".parse().unwrap();
    let error = push_one(&*adapter, misnamed).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Rejected, Some("id")));
    assert_eq!(world.portal().api_writes(), 0);
}

#[tokio::test]
async fn one_change_that_fails_leaves_the_others_of_its_batch_as_they_are() {
    let world = World::new().await;
    let (users, course) = (world.users(2), world.course());
    world.portal().change_user(&users[1], |user| user.active = false);
    let wanted = json!({ "status": "registered" });
    let changes: Vec<_> = [users[1].as_str(), "999999", users[0].as_str()]
        .iter()
        .map(|user| write(user, course.id, None, &wanted))
        .collect();
    let outcomes = world.adapter().push(KIND, &changes).await.unwrap();
    let kinds: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().err().map(shared::adapter::Error::kind))
        .collect();
    assert_eq!(
        kinds,
        [Some(ErrorKind::Rejected), Some(ErrorKind::NotFound), None]
    );
    assert_eq!(world.portal().api_writes(), 1);
}

#[tokio::test]
async fn who_is_deleted_here_is_withdrawn_there_where_one_can_be() {
    let world = World::new().await;
    let user = world.users(1).remove(0);
    let session = world
        .portal()
        .add_learning_object("Samling", TrainingType::Session);
    let course = world.course();
    for object in [session.id, course.id] {
        world.portal().enrol(&user, object, Status::Registered);
    }
    let adapter = world.adapter();
    for _ in 0..2 {
        let change = remove(&user, session.id, seen(&world, &user, session.id).await);
        let pushed = push_one(&*adapter, change).await.unwrap();
        assert!(!pushed.gone);
    }
    assert_eq!(
        world.portal().registration(&user, session.id).unwrap().status,
        Status::Withdrawn
    );
    assert_eq!(world.portal().api_writes(), 1);
    let change = remove(&user, course.id, seen(&world, &user, course.id).await);
    let error = push_one(&*adapter, change).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let nobody = Target {
        id: name("999", course.id).into(),
        etag: None,
        active: true,
        tellable: u64::MAX,
    };
    assert!(
        push_one(&*adapter, remove("999", course.id, nobody))
            .await
            .unwrap()
            .gone
    );
}

#[tokio::test]
async fn what_is_ignored_when_deleted_here_is_not_even_asked_for() {
    let mut world = World::new().await;
    world.settings["course-enrollments"]["onDelete"] = json!("ignore");
    let (user, course) = (world.users(1).remove(0), world.course());
    world.portal().enrol(&user, course.id, Status::Registered);
    let before = seen(&world, &user, course.id).await;
    let asked = world.requests();
    let pushed = push_one(&*world.adapter(), remove(&user, course.id, before))
        .await
        .unwrap();
    assert!(!pushed.gone && pushed.active);
    assert_eq!(world.requests(), asked);
}

#[tokio::test]
async fn who_has_left_is_enrolled_again_as_a_new_registration() {
    let world = World::new().await;
    let user = world.users(1).remove(0);
    let session = world
        .portal()
        .add_learning_object("Samling", TrainingType::Session);
    world.portal().enrol(&user, session.id, Status::Withdrawn);
    let before = seen(&world, &user, session.id).await;
    let change = write(
        &user,
        session.id,
        Some(before),
        &json!({ "status": "registered" }),
    );
    push_one(&*world.adapter(), change).await.unwrap();
    let there = world.portal().registration(&user, session.id).unwrap();
    assert_eq!((there.number, there.status), (2, Status::Registered));
}

#[tokio::test]
async fn once_the_portal_is_down_nothing_more_of_a_batch_is_sent() {
    let world = World::new().await;
    let (users, course) = (world.users(4), world.course());
    world.inject(FaultRule::always(misbehaves(Misbehaviour::Outage)).at(&users[1]));
    let changes: Vec<_> = users
        .iter()
        .map(|user| write(user, course.id, None, &json!({})))
        .collect();
    let outcomes = world.adapter().push(KIND, &changes).await.unwrap();
    assert!(outcomes[0].is_ok());
    for outcome in &outcomes[1..] {
        assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
    }
    let asked = |user: &str| {
        let journal = world.simulation.journal();
        journal
            .iter()
            .filter(|entry| json!(entry).to_string().contains(user))
            .count()
    };
    assert!(asked(&users[1]) > 0);
    assert_eq!((asked(&users[2]), asked(&users[3])), (0, 0));
}
