//! What is read: every enrolment once, with whose it is and what it is for, and later only what has changed.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::json;
use shared::adapter::{ErrorKind, Found, From, Item, Next};
use tests::cornerstone::{Status, TrainingType};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::world::{KIND, VIEW, World, find_one, name, pull_all, rows, said};

#[tokio::test]
async fn every_enrolment_is_read_once_with_whose_it_is_and_what_it_is_for() {
    let mut world = World::with(|settings| settings.repeated_rows = 3).await;
    world.portal().seed("1000", 7, 5, 35, 1);
    world.settings["pageSize"] = json!(10);
    let (items, _) = pull_all(&*world.adapter(), From::Start).await;
    let rows = rows(&items);
    assert!(rows.len() > 35, "pages repeat rows");
    let ids: BTreeSet<&str> = rows.iter().map(|row| &*row.id).collect();
    assert_eq!(ids.len(), 35);
    let registrations = world.portal().registrations();
    for row in rows {
        let (member, course) = (said(row, "memberId"), said(row, "courseId"));
        let user = world.portal().user(member.as_str().unwrap()).unwrap();
        let there = registrations
            .iter()
            .find(|one| one.user == user.id && json!(one.learning_object) == course);
        let there = there.unwrap();
        let object = world
            .portal()
            .learning_objects()
            .into_iter()
            .find(|object| object.id == there.learning_object)
            .unwrap();
        assert_eq!(&*row.id, name(&user.external_id, object.id));
        assert_eq!(said(row, "courseTitle"), json!(object.title));
        assert_eq!(said(row, "registrationNumber"), json!(there.number.to_string()));
        let status = there.status.title().to_lowercase().replace(' ', "_");
        assert_eq!(said(row, "status"), json!(status));
        assert_eq!(said(row, "active"), json!(true));
        let session = object.training_type == TrainingType::Session;
        assert_eq!(said(row, "trainingType") == json!("instructor_led"), session);
    }
}

#[tokio::test]
async fn many_names_are_read_as_a_whole_and_few_one_by_one() {
    let world = World::new().await;
    world.portal().seed("1000", 900, 2, 1_800, 1);
    let adapter = world.adapter();
    let (items, since) = pull_all(&*adapter, From::Start).await;
    assert_eq!(rows(&items).len(), 1_800);
    assert_eq!(
        world.count("cornerstoneReporting"),
        3,
        "transcripts, users, trainings"
    );
    let course = world.portal().learning_objects()[0].id;
    world.portal().advance("10001", course, Status::Completed);
    world.settle();
    let before = world.count("cornerstoneReporting");
    let (items, _) = pull_all(&*adapter, since).await;
    assert!(
        rows(&items)
            .iter()
            .any(|row| *row.id == *name("10001", course) && said(row, "status") == "completed")
    );
    assert_eq!(
        world.count("cornerstoneReporting") - before,
        1,
        "names are known by now"
    );
}

#[tokio::test]
async fn who_registers_again_goes_on_with_the_same_enrolment() {
    let world = World::new().await;
    let (user, course) = (world.users(1).remove(0), world.course());
    for status in [Status::Completed, Status::Registered] {
        world.portal().enrol(&user, course.id, status);
    }
    world.settle();
    let adapter = world.adapter();
    let (items, since) = pull_all(&*adapter, From::Start).await;
    let [row] = rows(&items)[..] else {
        panic!("{items:?}")
    };
    assert_eq!(&*row.id, name(&user, course.id));
    assert_eq!(
        (said(row, "status"), said(row, "registrationNumber")),
        (json!("registered"), json!("2"))
    );
    let Found::Here(Item::Row(found)) = find_one(&*adapter, &row.id).await else {
        panic!("it is there")
    };
    assert_eq!(said(&found, "registrationNumber"), "2");
    world.portal().enrol(&user, course.id, Status::InProgress);
    world.settle();
    let (items, _) = pull_all(&*adapter, since).await;
    let numbers: Vec<_> = rows(&items)
        .into_iter()
        .map(|row| said(row, "registrationNumber"))
        .collect();
    assert_eq!(numbers, [json!("3")]);
}

#[tokio::test]
async fn what_was_removed_is_deleted_and_what_was_archived_is_out_of_use() {
    let world = World::new().await;
    let (users, course) = (world.users(2), world.course());
    for user in &users {
        world.portal().enrol(user, course.id, Status::Completed);
    }
    world.settle();
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, From::Start).await;
    world
        .portal()
        .change_registration(&users[0], course.id, |one| one.removed = true);
    world
        .portal()
        .change_registration(&users[1], course.id, |one| one.archived = true);
    world.settle();
    let (items, _) = pull_all(&*adapter, since).await;
    let gone = |item: &Item| matches!(item, Item::Deleted { id, .. } if **id == *name(&users[0], course.id));
    assert!(items.iter().any(gone), "{items:?}");
    assert!(rows(&items).iter().all(|row| !row.active));
    assert!(matches!(
        find_one(&*adapter, &name(&users[0], course.id)).await,
        Found::Nothing
    ));
    assert!(
        matches!(find_one(&*adapter, &name(&users[1], course.id)).await, Found::Here(Item::Row(row)) if !row.active)
    );
}

#[tokio::test]
async fn a_change_that_gets_into_the_views_after_later_ones_is_not_lost() {
    let world = World::new().await;
    let (users, course) = (world.users(2), world.course());
    for user in &users {
        world.portal().enrol(user, course.id, Status::Registered);
    }
    world.settle();
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, From::Start).await;
    world.portal().advance(&users[0], course.id, Status::Completed);
    world.simulation.advance(SignedDuration::from_mins(5));
    world
        .portal()
        .change(|settings| settings.warehouse_lag = SignedDuration::ZERO);
    world.portal().advance(&users[1], course.id, Status::Completed);
    let (early, since) = pull_all(&*adapter, since).await;
    let done = |items: &[Item]| {
        let completed = rows(items)
            .into_iter()
            .filter(|row| said(row, "status") == "completed");
        completed.map(|row| row.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(done(&early), [name(&users[1], course.id)]);
    world.simulation.advance(SignedDuration::from_mins(15));
    let (late, _) = pull_all(&*adapter, since).await;
    assert!(done(&late).contains(&name(&users[0], course.id)), "{late:?}");
}

#[tokio::test]
async fn a_user_without_a_name_waits_under_one_that_no_member_has() {
    let world = World::new().await;
    let (user, course) = (world.users(1).remove(0), world.course());
    world.portal().enrol(&user, course.id, Status::Registered);
    world.settle();
    world.inject(FaultRule::once(Fault::EmptyPage).at("vw_rpt_user"));
    let (items, _) = pull_all(&*world.adapter(), From::Start).await;
    let [Item::Faulty { id, field, .. }] = &items[..] else {
        panic!("{items:?}")
    };
    assert_eq!(field, "memberId");
    assert!(id.starts_with('#'), "{id}");
    let found = find_one(&*world.adapter(), id).await;
    assert!(matches!(found, Found::Here(Item::Row(row)) if *row.id == *name(&user, course.id)));
}

#[tokio::test]
async fn details_are_read_in_every_form_and_nothing_is_only_what_the_portal_says() {
    for (list, in_200) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::with(|settings| {
            (settings.lists_of_one, settings.refusals_in_200) = (list, in_200);
        })
        .await;
        let (user, course) = (world.users(1).remove(0), world.course());
        world.portal().enrol(&user, course.id, Status::InProgress);
        let adapter = world.adapter();
        let ids = [
            name(&user, course.id),
            name("999", course.id),
            name(&user, uuid::Uuid::nil()),
        ];
        let ids = ids.map(Into::into);
        let found = adapter.find(KIND, &ids).await.unwrap();
        assert!(
            matches!(&found[0], Found::Here(Item::Row(row)) if said(row, "status") == "in_progress"),
            "{found:?}"
        );
        assert!(
            matches!(found[1..], [Found::Nothing, Found::Nothing]),
            "{found:?}"
        );
        world.inject(
            FaultRule::always(Fault::Status {
                status: 404,
                body: None,
                retry_after: None,
            })
            .at("details"),
        );
        let error = adapter.find(KIND, &ids).await.unwrap_err();
        assert!(!matches!(error.kind(), ErrorKind::Unsupported), "{error}");
    }
}

#[tokio::test]
async fn a_page_that_is_no_longer_known_or_leads_elsewhere_is_no_end() {
    let mut world = World::new().await;
    world.portal().seed("1000", 4, 3, 12, 1);
    world.settings["pageSize"] = json!(5);
    let adapter = world.adapter();
    let first = adapter.pull(KIND, &From::Start).await.unwrap();
    let Next::Page(cursor) = first.next else {
        panic!("twelve rows are more than a page")
    };
    world.portal().expire_next_links();
    let error = adapter.pull(KIND, &From::Page(cursor)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CursorExpired);
    let origin = "https://elsewhere.example".to_owned();
    world.inject(FaultRule::once(Fault::ForeignNextLink { origin }).at(VIEW));
    assert_eq!(world.pull_error().await.kind(), ErrorKind::Malformed);
    world.inject(FaultRule::always(Fault::TruncatedJson).at(VIEW));
    assert_eq!(world.pull_error().await.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_status_that_nobody_has_a_word_for_waits_and_stops_nobody_else() {
    let mut world = World::new().await;
    world.settings["course-enrollments"]["statuses"]
        .as_object_mut()
        .unwrap()
        .remove("exempt");
    let (users, course) = (world.users(2), world.course());
    world.portal().enrol(&users[0], course.id, Status::Exempt);
    world.portal().enrol(&users[1], course.id, Status::Registered);
    world.settle();
    world.inject(
        FaultRule::always(Fault::RemoveColumn {
            name: "user_lo_score".to_owned(),
        })
        .at(VIEW),
    );
    let pulled = world.adapter().pull(KIND, &From::Start).await.unwrap();
    assert!(matches!(&pulled.items[0], Item::Faulty { field, .. } if field == "status"));
    assert_eq!(rows(&pulled.items).len(), 1);
    assert!(
        pulled
            .warnings
            .iter()
            .any(|warning| warning.contains("user_lo_score"))
    );
}
