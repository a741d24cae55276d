//! Tokens that end, are refused, or open too little.

use serde_json::json;
use shared::adapter::{ErrorKind, From};
use tests::cornerstone::Status;
use tests::cornerstone::faults::Misbehaviour;
use tests::dataverse::faults::FaultRule;

use crate::world::{KIND, VIEW, World, misbehaves, push_one, write};

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_replaced_and_nothing_is_done_twice() {
    let mut world = World::new().await;
    world.portal().seed("1000", 4, 3, 12, 1);
    world.settings["pageSize"] = json!(5);
    let (users, course) = (world.users(2), world.course());
    let adapter = world.adapter();
    let mut from = From::Start;
    for _ in 0..2 {
        let page = adapter.pull(KIND, &from).await.unwrap();
        let shared::adapter::Next::Page(cursor) = page.next else {
            panic!("there is more")
        };
        from = From::Page(cursor);
        world.portal().sign_in().revoke_access_tokens();
    }
    adapter.pull(KIND, &from).await.unwrap();
    for user in &users {
        world.portal().sign_in().revoke_access_tokens();
        push_one(&*adapter, write(user, course.id, None, &json!({})))
            .await
            .unwrap();
    }
    assert_eq!(world.portal().api_writes(), 2);
    assert_eq!(world.count("cornerstoneToken"), 5);
}

#[tokio::test]
async fn what_is_refused_to_a_new_token_too_is_said_to_be_either_and_asked_for_no_more() {
    let world = World::new().await;
    world.inject(FaultRule::always(misbehaves(Misbehaviour::Unauthorized)).at(VIEW));
    let error = world.pull_error().await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    for word in ["401", "scope", "permission"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(world.count("cornerstoneToken"), 2);
    let refused =
        |entry: &&tests::dataverse::journal::Entry| entry.target.contains(VIEW) && entry.status == 401;
    assert_eq!(world.simulation.journal().iter().filter(refused).count(), 2);
}

#[tokio::test]
async fn a_scope_that_is_withheld_closes_what_it_is_for_and_nothing_else() {
    let world = World::new().await;
    let (user, course) = (world.users(1).remove(0), world.course());
    world.portal().enrol(&user, course.id, Status::Registered);
    world
        .portal()
        .sign_in()
        .change(|settings| settings.withheld_scopes = vec!["transcript:update".to_owned()]);
    let other = world.course();
    let change = write(&user, other.id, None, &json!({}));
    let error = push_one(&*world.adapter(), change).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(world.adapter().pull(KIND, &From::Start).await.is_ok());
    assert_eq!(world.portal().api_writes(), 0);
}
