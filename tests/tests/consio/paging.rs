//! Listings that do not end, end too early, or lead elsewhere.

use serde_json::json;
use shared::adapter::{ErrorKind, From, Next};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::rest::{Paging, Quirk};

use crate::world::{World, pull_all, rows, try_pull_all};

async fn world(paging: Paging, quirk: Option<Quirk>) -> World {
    let mut world = World::new(23).await;
    world.page_by(paging, 5);
    world
        .register()
        .change_settings(|settings| settings.quirk = quirk);
    world
}

async fn kind_of_failure(world: &World) -> ErrorKind {
    let adapter = world.adapter();
    try_pull_all(&*adapter, Kind::Member, From::Start)
        .await
        .unwrap_err()
        .kind()
}

#[tokio::test]
async fn a_listing_that_goes_in_circles_is_an_error_and_no_end() {
    for paging in [Paging::Cursor, Paging::Link, Paging::NextLink] {
        let world = world(paging, Some(Quirk::Circles)).await;
        assert_eq!(kind_of_failure(&world).await, ErrorKind::Malformed, "{paging:?}");
    }
}

#[tokio::test]
async fn a_system_that_always_answers_with_its_first_page_is_found_out_at_once() {
    for paging in [Paging::Offset, Paging::Cursor, Paging::Link, Paging::NextLink] {
        let world = world(paging, Some(Quirk::FirstPageOnly)).await;
        assert_eq!(kind_of_failure(&world).await, ErrorKind::Malformed, "{paging:?}");
        assert!(world.requests() <= 3, "{paging:?}: {}", world.requests());
    }
    let mut world = world(Paging::Page, Some(Quirk::FirstPageOnly)).await;
    world.members()["read"]["paging"]
        .as_object_mut()
        .unwrap()
        .remove("total");
    assert_eq!(kind_of_failure(&world).await, ErrorKind::Malformed);
}

#[tokio::test]
async fn a_listing_that_ends_before_its_total_is_an_error_and_no_end() {
    let world = world(Paging::Page, Some(Quirk::CutShort)).await;
    assert_eq!(kind_of_failure(&world).await, ErrorKind::Malformed);
    let mut world = self::world(Paging::Cursor, None).await;
    world.members()["read"]["paging"]["more"] = json!("/meta/more");
    let cut = Fault::Status {
        status: 200,
        body: Some(json!({ "data": [], "meta": { "more": true } })),
        retry_after: None,
    };
    world.inject(FaultRule::once(cut).at("cursor="));
    assert_eq!(kind_of_failure(&world).await, ErrorKind::Malformed);
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    for paging in [Paging::Link, Paging::NextLink] {
        let world = world(paging, Some(Quirk::ForeignLinks)).await;
        assert_eq!(kind_of_failure(&world).await, ErrorKind::Malformed, "{paging:?}");
        assert_eq!(world.requests(), 1, "{paging:?}");
    }
}

#[tokio::test]
async fn a_stored_link_to_another_system_is_worth_nothing() {
    let world = world(Paging::NextLink, None).await;
    let page = world.adapter().pull(Kind::Member, &From::Start).await.unwrap();
    let Next::Page(mut cursor) = page.next else {
        panic!("23 rows are more than a page")
    };
    cursor.0 = cursor
        .0
        .replace(world.simulation.base_url(), "https://elsewhere.example");
    let error = world
        .adapter()
        .pull(Kind::Member, &From::Page(cursor))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), world.requests()), (ErrorKind::CursorExpired, 1));
}

#[tokio::test]
async fn a_page_that_is_smaller_than_was_asked_for_is_not_the_last() {
    for paging in [Paging::Page, Paging::Offset] {
        let mut world = world(paging, None).await;
        world.members()["read"]["paging"]
            .as_object_mut()
            .unwrap()
            .remove("total");
        world.members()["read"]["paging"]["size"] = json!(20);
        world.register().change_settings(|settings| settings.page_cap = 4);
        let adapter = world.adapter();
        let (items, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
        assert_eq!(rows(&items).len(), 23, "{paging:?}");
    }
}

#[tokio::test]
async fn a_row_that_stands_on_two_pages_is_told_twice_and_the_others_once() {
    for paging in [Paging::Cursor, Paging::Link, Paging::NextLink] {
        let world = world(paging, Some(Quirk::Overlaps)).await;
        let adapter = world.adapter();
        let (items, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
        let mut ids: Vec<_> = rows(&items).iter().map(|row| row.id.clone()).collect();
        assert!(ids.len() > 23, "{paging:?}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 23, "{paging:?}");
    }
}

#[tokio::test]
async fn a_page_read_again_holds_what_was_not_changed_in_between() {
    for paging in [
        Paging::Page,
        Paging::Offset,
        Paging::Cursor,
        Paging::Link,
        Paging::NextLink,
    ] {
        let world = world(paging, None).await;
        let adapter = world.adapter();
        let first = adapter.pull(Kind::Member, &From::Start).await.unwrap();
        let Next::Page(cursor) = first.next else {
            panic!("23 rows are more than a page")
        };
        let mut seen = Vec::new();
        for _ in 0..2 {
            let page = adapter
                .pull(Kind::Member, &From::Page(cursor.clone()))
                .await
                .unwrap();
            seen.push(
                rows(&page.items)
                    .iter()
                    .map(|row| row.id.clone())
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(seen[0], seen[1], "{paging:?}");
        assert_eq!(seen[0].len(), 5, "{paging:?}");
    }
}

#[tokio::test]
async fn a_system_is_asked_for_changes_in_the_form_that_it_takes() {
    for (format, looks_like) in [
        ("rfc3339", "updatedSince=20"),
        ("date", "updatedSince=20"),
        ("unix", "updatedSince=1"),
    ] {
        let mut world = world(Paging::Page, None).await;
        world.members()["read"]["changes"]["format"] = json!(format);
        let adapter = world.adapter();
        let (_, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
        // The register itself takes but one of the forms.
        drop(adapter.pull(Kind::Member, &since).await);
        let asked = world.simulation.journal().pop().unwrap().target;
        assert!(asked.contains(looks_like), "{asked}");
        let value = asked.split("updatedSince=").nth(1).unwrap();
        let (length, times) = (value.len(), value.contains("T"));
        assert_eq!(times, format == "rfc3339", "{value}");
        assert_eq!(length == 10, format != "rfc3339", "{value}");
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_hides_no_change() {
    let world = world(Paging::Page, None).await;
    world.inject(FaultRule::always(Fault::SkewedDate { seconds: 86_400 }).at("/rest/"));
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    world.simulation.advance(jiff::SignedDuration::from_hours(1));
    let added = world.add(100);
    let (items, _) = pull_all(&*world.adapter(), Kind::Member, since).await;
    assert!(rows(&items).iter().any(|row| *row.id == *added.to_string()));
}

#[tokio::test]
async fn a_listing_may_be_asked_for_by_post() {
    let mut world = world(Paging::Page, None).await;
    let read = &mut world.members()["read"];
    read["path"] = json!("/rest/v1/members/search");
    read["method"] = json!("POST");
    read["body"] = json!({ "scope": "all" });
    let adapter = world.adapter();
    let (items, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
    assert_eq!(rows(&items).len(), 23);
}
