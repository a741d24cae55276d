//! Listings, deltas, and single rows.

use serde_json::json;
use shared::adapter::{ErrorKind, Found, From, Item, Next};
use shared::model::{Group, Kind};
use tests::SimulationConfig;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::schema::Table;
use uuid::Uuid;

use crate::asking::made;
use crate::world::{World, find_one, id, member, pull_all, push_one, remove, rows, target, text, write};

#[tokio::test]
async fn a_row_made_and_deleted_between_two_readings_is_no_error() {
    let world = World::new(1).await;
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    let id = world
        .simulation
        .create_as_human("contacts", &json!({ "lastname": "Berg" }));
    world.simulation.delete_as_human("contacts", id);
    let (told, _) = pull_all(&*adapter, Kind::Member, since).await;
    assert!(told.iter().all(|item| matches!(item, Item::Deleted { .. })));
}

#[tokio::test]
async fn a_merged_contact_is_told_as_gone_into_the_other() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let loser = world
        .simulation
        .create_as_human("contacts", &json!({ "lastname": "Berg" }));
    let master = world
        .simulation
        .create_as_human("contacts", &json!({ "lastname": "Berg" }));
    world.simulation.merge_as_human(loser, master);
    let gone = |item: &Item| {
        matches!(item, Item::Deleted { id, merged_into: Some(into) }
            if **id == *loser.to_string() && **into == *master.to_string())
    };
    let (all, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
    assert!(all.iter().any(gone));
    let Found::Here(found) = find_one(&*adapter, &loser.to_string()).await else {
        panic!("it is there")
    };
    assert!(gone(&found));
}

#[tokio::test]
async fn a_cursor_that_the_system_forgot_is_expired_and_not_an_empty_delta() {
    let world = World::new(1).await;
    let adapter = world.adapter();
    let (_, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    world.simulation.expire_delta_links();
    let error = adapter.pull(Kind::Member, &since).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CursorExpired);
    let (_, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    world.simulation.change_metadata("contacts");
    let error = adapter.pull(Kind::Member, &since).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CursorExpired);
}

#[tokio::test]
async fn every_page_is_asked_for_with_the_same_preferences_and_exactly_the_mapped_columns() {
    let mut world = World::new(25).await;
    world.settings["pageSize"] = json!(10);
    world.excluded = vec![Group::Address, Group::Contact];
    pull_all(&*world.adapter(), Kind::Member, From::Start).await;
    let journal = world.simulation.journal();
    let pages: Vec<_> = journal
        .iter()
        .filter(|entry| entry.target.contains("/contacts?"))
        .collect();
    assert_eq!(pages.len(), 3);
    for page in pages {
        assert_eq!(page.headers["prefer"], "odata.track-changes,odata.maxpagesize=10");
        assert_eq!(page.headers["accept-encoding"], "gzip");
        assert!(page.headers.contains_key("x-ms-client-request-id"));
        assert!(
            !page.target.contains("address1_city") && !page.target.contains("emailaddress1"),
            "{}",
            page.target
        );
        assert!(
            page.target.contains("statecode") && page.target.contains("modifiedby"),
            "{}",
            page.target
        );
    }
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let mut world = World::new(25).await;
    world.settings["pageSize"] = json!(10);
    world.inject(FaultRule::once(Fault::EmptyPage).at("/contacts?"));
    let first = world.adapter().pull(Kind::Member, &From::Start).await.unwrap();
    assert!(first.items.is_empty());
    assert!(matches!(first.next, Next::Page(_)));
}

#[tokio::test]
async fn rows_that_a_page_repeats_are_no_error() {
    let mut world = World::new(25).await;
    world.settings["pageSize"] = json!(10);
    world.always(Fault::DuplicateRows { count: 3 });
    let (all, _) = pull_all(&*world.adapter(), Kind::Member, From::Start).await;
    let mut ids: Vec<_> = rows(&all).iter().map(|row| row.id.clone()).collect();
    assert!(ids.len() > 25);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 25);
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let mut world = World::new(25).await;
    world.settings["pageSize"] = json!(10);
    world.always(Fault::ForeignNextLink {
        origin: "https://elsewhere.example".to_owned(),
    });
    let error = world
        .adapter()
        .pull(Kind::Member, &From::Start)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn a_cursor_of_an_environment_that_moved_is_expired() {
    let world = World::new(1).await;
    let (_, since) = pull_all(&*world.adapter(), Kind::Member, From::Start).await;
    let From::Since(cursor) = since else { panic!() };
    let moved = cursor.0.replace("127.0.0.1", "evil.example");
    let from = From::Since(shared::adapter::Cursor(moved));
    let error = world.adapter().pull(Kind::Member, &from).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CursorExpired);
}

/// A world whose members stand in a table that does not track changes.
async fn untracked() -> World {
    let table = Table::new("hlf_person", "hlf_persons")
        .text("hlf_first", 50)
        .text("hlf_last", 50)
        .text("hlf_no", 50)
        .key("hlf_no_key", &["hlf_no"])
        .untracked();
    let mut world = World::with(SimulationConfig {
        tables: vec![table],
        ..SimulationConfig::default()
    })
    .await;
    world.settings["pageSize"] = json!(10);
    world.settings["members"] = json!({
        "entitySet": "hlf_persons", "logicalName": "hlf_person", "primaryKey": "hlf_personid",
        "alternateKey": "hlf_no", "changeTracking": false,
        "fields": { "firstName": "hlf_first", "lastName": "hlf_last" },
    });
    world
}

#[tokio::test]
async fn more_than_a_page_of_rows_that_changed_at_once_is_read_whole_without_tracking() {
    let world = untracked().await;
    let person = |at: usize| json!({ "hlf_last": format!("Berg {at}") });
    let ids: Vec<Uuid> = (0..35)
        .map(|at| world.simulation.create_as_human("hlf_persons", &person(at)))
        .collect();
    let adapter = world.adapter();
    let (all, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    assert_eq!(rows(&all).len(), 35);
    world.simulation.advance(jiff::SignedDuration::from_hours(1));
    let adapter = world.adapter();
    world
        .simulation
        .edit_as_human("hlf_persons", ids[7], &json!({ "hlf_first": "Kari" }));
    let (told, since) = pull_all(&*adapter, Kind::Member, since).await;
    assert!(rows(&told).iter().any(|row| *row.id == *ids[7].to_string()));
    let (told, _) = pull_all(&*adapter, Kind::Member, since).await;
    assert_eq!(
        rows(&told).len(),
        1,
        "what changed last is read again, and nothing before it"
    );
}

#[tokio::test]
async fn a_row_that_is_not_there_is_nothing_and_one_that_cannot_be_asked_for_is_an_error() {
    let world = World::new(3).await;
    let adapter = world.adapter();
    let here = world.simulation.rows("contacts")[0]["contactid"]
        .as_str()
        .unwrap()
        .to_owned();
    let gone = Uuid::new_v4().to_string();
    let found = adapter
        .find(Kind::Member, &[here.clone().into(), gone.into()])
        .await
        .unwrap();
    assert!(matches!(&found[0], Found::Here(Item::Row(row)) if *row.id == *here));
    assert!(matches!(found[1], Found::Nothing));
    for (status, expected) in [
        (500, ErrorKind::Unavailable),
        (403, ErrorKind::PermissionDenied),
        (404, ErrorKind::NotFound),
    ] {
        let fault = Fault::Status {
            status,
            body: None,
            retry_after: None,
        };
        world.simulation.clear_faults();
        world.inject(FaultRule::always(fault).at(&format!("contacts({here})")));
        let error = adapter
            .find(Kind::Member, &[here.clone().into()])
            .await
            .unwrap_err();
        assert_eq!(
            error.kind(),
            expected,
            "a {status} without a code says nothing of the row"
        );
    }
}

#[tokio::test]
async fn more_ids_than_a_batch_takes_are_asked_for_in_several() {
    let world = World::new(450).await;
    let ids = |row: &serde_json::Value| row["contactid"].as_str().unwrap().into();
    let ids: Vec<Box<str>> = world.simulation.rows("contacts").iter().map(ids).collect();
    let found = world.adapter().find(Kind::Member, &ids).await.unwrap();
    assert_eq!(found.len(), 450);
    assert_eq!(world.count("batch"), 3);
}

#[tokio::test]
async fn a_batch_of_reads_whose_parts_are_missing_or_misordered_is_an_error() {
    let world = World::new(3).await;
    let ids = |row: &serde_json::Value| row["contactid"].as_str().unwrap().into();
    let ids: Vec<Box<str>> = world.simulation.rows("contacts").iter().map(ids).collect();
    for fault in [Fault::MissingPart { index: 1 }, Fault::MisorderedParts] {
        world.inject(FaultRule::once(fault).at("$batch"));
        let error = world.adapter().find(Kind::Member, &ids).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
    world.inject(FaultRule::once(Fault::OddBoundary).at("$batch"));
    assert!(world.adapter().find(Kind::Member, &ids).await.is_ok());
}

#[tokio::test]
async fn pages_travel_compressed() {
    let world = World::new(500).await;
    pull_all(&*world.adapter(), Kind::Member, From::Start).await;
    let counters = world.simulation.counters();
    assert!(counters.bytes_sent * 3 < counters.bytes_uncompressed);
}

#[tokio::test]
async fn a_page_without_links_is_an_error_and_no_end() {
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
    let mut gone = remove("M-1", target(&pushed));
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
