//! What the trait promises, a test for each of its bullets; those of subscriptions are in `subscribing`.

use serde_json::json;
use shared::adapter::{ErrorKind, Found, From, Item, Next};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::limits::Limit;

use crate::world::{World, find_one, id, made, member, pull_all, push_one, rows, target, text, write};

#[tokio::test]
async fn capability_does_no_io() {
    let world = World::new(0).await;
    let capability = world.adapter().capability();
    assert_eq!(capability.kinds.len(), 2);
    let members = capability.of(Kind::Member).unwrap();
    assert!(members.maps(Kind::Member.position("email").unwrap()));
    assert!(members.maps(Kind::Member.position("active").unwrap()));
    assert!(!members.maps(Kind::Member.position("doNotPost").unwrap()));
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn pages_end_and_a_page_read_again_holds_what_was_not_changed_in_between() {
    let mut world = World::new(55).await;
    world.settings["pageSize"] = json!(20);
    let adapter = world.adapter();
    let first = adapter.pull(Kind::Member, &From::Start).await.unwrap();
    let Next::Page(cursor) = first.next else {
        panic!("55 rows are more than a page")
    };
    let again = [From::Page(cursor.clone()), From::Page(cursor)];
    let ids = |items: &[Item]| rows(items).iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let second = adapter.pull(Kind::Member, &again[0]).await.unwrap();
    let repeated = adapter.pull(Kind::Member, &again[1]).await.unwrap();
    assert_eq!(ids(&second.items), ids(&repeated.items));
    let (all, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
    assert_eq!(rows(&all).len(), 55);
}

#[tokio::test]
async fn a_listing_that_was_cut_short_is_an_error_never_an_end() {
    let world = World::new(3).await;
    world.always(Fault::NoLinks);
    let error = world
        .adapter()
        .pull(Kind::Member, &From::Start)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn what_is_written_through_push_is_what_find_and_the_next_delta_tell() {
    let world = World::new(2).await;
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    let fields = json!({
        "firstName": "Åse", "lastName": "O'Brien \"Ø\"", "birthDate": "1980-02-29", "gender": "female",
        "email": "aase@example.org", "doNotEmail": true, "certificationValidTo": "2027-01-31",
    });
    let pushed = push_one(&*adapter, member("100234", fields.clone()))
        .await
        .unwrap();
    let Found::Here(Item::Row(found)) = find_one(&*adapter, &pushed.id).await else {
        panic!("it is there")
    };
    let (told, _) = pull_all(&*adapter, Kind::Member, since).await;
    let told = rows(&told);
    assert_eq!(told.len(), 1);
    for row in [&found, told[0]] {
        let mut read = serde_json::to_value(&row.fields).unwrap();
        assert_eq!(read.as_object_mut().unwrap().remove("active"), Some(json!(true)));
        assert_eq!(read, fields);
        assert_eq!(row.key.as_deref(), Some("100234"));
        assert_eq!(row.etag, pushed.etag);
        assert!(row.ours && row.active);
    }
}

#[tokio::test]
async fn a_change_pushed_twice_has_one_effect() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let change = member("100234", json!({ "firstName": "Kari", "lastName": "Nordmann" }));
    let first = push_one(&*adapter, change.clone()).await.unwrap();
    let again = push_one(&*adapter, change).await.unwrap_err();
    assert_eq!(
        (again.kind(), again.fact("row")),
        (ErrorKind::Conflict, Some(&*first.id))
    );
    assert_eq!(world.simulation.row_count("contacts"), 1);
}

#[tokio::test]
async fn one_change_that_fails_leaves_the_others_of_its_batch_as_they_are() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let long = "x".repeat(51);
    let changes = [
        member("1", json!({ "lastName": "First" })),
        member("2", json!({ "lastName": long })),
        member("3", json!({ "lastName": "Third" })),
    ];
    let outcomes = adapter.push(Kind::Member, &changes).await.unwrap();
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    let error = outcomes[1].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.field(), Some("lastName"));
    assert_eq!(world.simulation.row_count("contacts"), 2);
}

#[tokio::test]
async fn a_limit_that_the_system_sets_is_rate_limited_and_nothing_more_is_sent_before_its_time() {
    for limit in [Limit::Requests, Limit::ExecutionTime, Limit::Concurrent] {
        let world = World::new(1).await;
        let fault = Fault::TooManyRequests {
            limit,
            retry_after: Some("30".to_owned()),
        };
        world.inject(FaultRule::once(fault).at("/api/data/v9.2/contacts"));
        let error = world
            .adapter()
            .pull(Kind::Member, &From::Start)
            .await
            .unwrap_err();
        let ErrorKind::RateLimited { until } = error.kind() else {
            panic!("{error:?}")
        };
        let sent = world.requests();
        let change = member("1", json!({ "lastName": "Berg" }));
        let later = world.adapter().push(Kind::Member, &[change]).await.unwrap_err();
        assert_eq!(later.kind(), ErrorKind::RateLimited { until });
        assert_eq!(world.requests(), sent, "nothing is sent before its time");
        world.simulation.advance(jiff::SignedDuration::from_secs(31));
        assert!(world.adapter().pull(Kind::Member, &From::Start).await.is_ok());
    }
}

#[tokio::test]
async fn debug_output_shows_no_secret() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    adapter.pull(Kind::Member, &From::Start).await.unwrap();
    let shown = format!("{adapter:?} {:?}", world.connections);
    assert!(!shown.contains(world.simulation.client_secret()), "{shown}");
    assert!(!shown.contains("eyJ"), "{shown}");
}

#[tokio::test]
async fn a_membership_points_to_its_member_by_the_member_s_row() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let person = push_one(&*adapter, member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap();
    let fields =
        json!({ "memberId": &*person.id, "type": "Hovedmedlem", "status": "Aktiv", "from": "2026-01-01" });
    let pushed = push_one(&*adapter, write(Kind::Membership, "M-1", None, fields))
        .await
        .unwrap();
    let stored = world.simulation.row("hlf_memberships", id(&pushed)).unwrap();
    assert_eq!(stored["_hlf_contact_value"], json!(person.id));
    let (all, _) = pull_all(&*adapter, Kind::Membership, From::Start).await;
    assert_eq!(text(rows(&all)[0], "memberId"), Some(&*person.id));
    let mut gone = crate::world::remove("M-1", target(&pushed));
    gone.key = "M-1".parse().unwrap();
    let outcome = adapter
        .push(Kind::Membership, &[gone])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert!(!made(outcome).active);
    assert_eq!(world.simulation.row_count("hlf_memberships"), 0);
}
