//! The profiles that are shipped, and the page beside them, are what they say they are.

use serde_json::{Value, json};
use shared::adapter::{From, Item};
use shared::adapters::check_settings;
use shared::http::Exceptions;
use shared::model::{Kind, System};
use tests::rest::{Auth, Collection, Paging, Settings};

use crate::world::{CURSOR, PAGE, World, at, edit, member, pull_all, push_one, remove, rows, target};

const README: &str = include_str!("../../../shared/examples/profiles/README.md");

/// Returns the examples of JSON in a page.
fn examples(page: &str) -> Vec<Value> {
    let blocks = page
        .split("```json")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

#[test]
fn every_profile_that_is_shipped_can_be_configured() {
    let shipped = [PAGE, CURSOR].map(|profile| serde_json::from_str(profile).unwrap());
    let documented = examples(README).remove(0);
    for profile in shipped.iter().chain([&documented]) {
        for system in [System::Consio, System::Rest] {
            check_settings(system, profile, &Exceptions::none()).unwrap();
        }
    }
}

#[test]
fn every_profile_that_is_shipped_is_named_on_the_page() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/examples/profiles");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "README.md" || README.contains(&format!("`{name}`")),
            "{name}"
        );
    }
}

/// Reads, makes, changes and removes by a profile; returns the row that is left.
async fn goes_both_ways(world: &World) {
    let adapter = world.adapter();
    let there = world.rows().len();
    let (items, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
    assert_eq!(rows(&items).len(), there);
    let pushed = push_one(
        &*adapter,
        member("100234", json!({ "firstName": "Åse", "lastName": "Ny" })),
    )
    .await
    .unwrap();
    let (items, _) = match since {
        From::Since(cursor) if cursor.is_none() => pull_all(&*adapter, Kind::Member, From::Start).await,
        since => pull_all(&*adapter, Kind::Member, since).await,
    };
    let items = rows(&items);
    let row = items.iter().find(|row| row.id == pushed.id).unwrap();
    assert_eq!(row.key.as_deref(), Some("100234"));
    let mut seen = target(&pushed);
    seen.etag = row.etag.clone();
    let changed = push_one(&*adapter, edit(seen, json!({ "email": "ny@example.org" })))
        .await
        .unwrap();
    push_one(&*adapter, remove(target(&changed))).await.unwrap();
    let writes = world.register().writes();
    assert_eq!(writes.created, 1, "{writes:?}");
    assert!(writes.updated >= 1, "{writes:?}");
}

#[tokio::test]
async fn the_profile_with_pages_goes_both_ways() {
    let world = World::new(120).await;
    goes_both_ways(&world).await;
    assert_eq!(world.register().writes().deleted, 1);
}

#[tokio::test]
async fn the_profile_with_cursors_goes_both_ways_and_reads_enrollments() {
    let mut world = World::new(120).await;
    world.settings = at(&world.simulation, CURSOR);
    world.register().change_settings(|settings| {
        *settings = Settings {
            auth: Auth::Oidc,
            paging: Paging::Cursor,
            changes: false,
            keeps_deleted: false,
            versions: false,
            silent: true,
            ..Settings::default()
        }
    });
    let client = world.register().client().clone();
    world.credentials = json!({ "clientId": client.client_id, "clientSecret": client.client_secret });
    goes_both_ways(&world).await;
    assert!(world.rows().iter().any(|row| row["status"] == "P"));
    let id = world.rows()[0]["id"].clone();
    let row =
        json!({ "memberId": id, "course": "K-1", "progress": 3, "registered": "2026-02-01T09:30:00+01:00" });
    world.register().create_as_human(Collection::Enrollments, &row);
    let adapter = world.adapter();
    let (items, _) = pull_all(&*adapter, Kind::CourseEnrollment, From::Start).await;
    let [Item::Row(read)] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(
        serde_json::to_value(&read.fields).unwrap(),
        json!({ "memberId": id.to_string(), "courseId": "K-1", "status": "completed", "registeredOn": "2026-02-01" })
    );
}

#[tokio::test]
async fn the_system_that_the_page_connects_goes_both_ways_under_a_name_of_its_own() {
    let mut world = World::new(45).await;
    let [profile, credentials] = examples(README).try_into().unwrap();
    world.integration = "hlf:rest";
    world.settings = at(&world.simulation, &profile.to_string());
    world.credentials = credentials;
    world.credentials["password"] = json!(world.register().secret());
    world.register().change_settings(|settings| {
        settings.auth = Auth::Basic;
        settings.paging = Paging::Link;
        settings.changes = false;
        settings.versions = false;
    });
    assert_eq!(world.adapter().system(), System::Rest);
    goes_both_ways(&world).await;
    assert_eq!(world.register().writes().deleted, 0);
}
