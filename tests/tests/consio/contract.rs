//! What is true of a profile alone: what works by it, what is missing from it, where it leads.

use serde_json::json;
use shared::adapter::{From, Item, Subscribed, Subscription};
use shared::adapters::{check_move, check_settings, kinds, needs_credentials, webhook_support, webhooks};
use shared::http::Exceptions;
use shared::model::{Kind, System};
use tests::rest::Auth;

use crate::pair::{Side as _, files};
use crate::world::{World, pull_all};

#[tokio::test]
async fn webhooks_are_registered_by_hand_and_read_by_the_endpoints_rules() {
    let world = World::new(0).await;
    let support = webhook_support(System::Consio);
    assert!(!support.reads && support.registers == shared::adapters::Registers::Nothing);
    assert!(
        webhooks(&world.integration(), world.connections.exceptions())
            .unwrap()
            .is_none()
    );
    let wanted = Subscription {
        name: "endpoint".to_owned(),
        url: "https://hooks.example.org/v1/webhooks/1".parse().unwrap(),
        header: Some("x-webhook-secret".to_owned()),
        secret: "secret".into(),
    };
    let adapter = world.adapter();
    assert_eq!(adapter.subscribe(&wanted).await.unwrap(), Subscribed::ByHand);
    adapter.unsubscribe("endpoint").await.unwrap();
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn a_profile_that_fits_is_found_to() {
    let mut world = World::new(3).await;
    world.sign_in_by(Auth::Oidc);
    let findings = world.adapter().probe().await;
    let wrong: Vec<_> = findings.iter().filter(|finding| !finding.works).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(findings.len(), 6, "{findings:?}");
    assert_eq!(world.register().writes(), tests::rest::Writes::default());
}

#[tokio::test]
async fn whatever_of_a_profile_does_not_fit_is_named() {
    for (place, wrong, question, cause) in [
        (
            "/read/path",
            json!("/rest/v1/nobody"),
            "read members",
            "configuration",
        ),
        ("/read/list", json!("/rows"), "read members", "configuration"),
        ("/read/id", json!("/guid"), "get one of members", "configuration"),
        (
            "/get/path",
            json!("/rest/v1/memberships/{id}"),
            "get one of members",
            "configuration",
        ),
        (
            "/lookup/list",
            json!("/rows"),
            "look up one of members",
            "configuration",
        ),
        (
            "/fields/email",
            json!("/mail"),
            "fields of members",
            "configuration",
        ),
        (
            "/fields/gender",
            json!("/sex"),
            "fields of members",
            "configuration",
        ),
    ] {
        let mut world = World::new(3).await;
        *world.members().pointer_mut(place).unwrap() = wrong;
        let findings = world.adapter().probe().await;
        let finding = findings
            .iter()
            .find(|finding| finding.question == question)
            .unwrap();
        assert!(!finding.works, "{place}: {findings:?}");
        assert_eq!(finding.cause, Some(cause), "{place}");
    }
    let mut world = World::new(3).await;
    world.credentials = json!({ "apiKey": "wrong" });
    let findings = world.adapter().probe().await;
    assert_eq!(findings[0].cause, Some("key"));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_beside_the_others() {
    let world = World::new(3).await;
    let id = world.rows()[1]["id"].as_u64().unwrap();
    let changes = json!({ "born": "1980-01-31" });
    world
        .register()
        .edit_as_human(tests::rest::Collection::Members, id, &changes);
    let adapter = world.adapter();
    let (items, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
    let faulty = items.iter().filter_map(|item| match item {
        Item::Faulty { id, field, message } => Some((&**id, field.as_str(), message.as_str())),
        _ => None,
    });
    let faulty: Vec<_> = faulty.collect();
    let [(faulty, "birthDate", message)] = faulty.as_slice() else {
        panic!("{faulty:?}")
    };
    assert_eq!(**faulty, id.to_string());
    assert!(!message.contains("1980"), "{message}");
    assert_eq!(items.len(), 3);
}

#[tokio::test]
async fn a_member_that_is_missing_everywhere_is_warned_of_and_leaves_fields_as_they_are() {
    let mut world = World::new(2).await;
    world.members()["fields"]["city"] = json!("/address/town");
    let page = world.adapter().pull(Kind::Member, &From::Start).await.unwrap();
    assert!(
        page.warnings
            .iter()
            .any(|warning| warning.contains("/address/town")),
        "{:?}",
        page.warnings
    );
    let position = Kind::Member.position("city").unwrap();
    let told = |page: &shared::adapter::Pulled| match &page.items[0] {
        Item::Row(row) => row.told >> position & 1,
        _ => panic!("it is a row"),
    };
    assert_eq!(told(&page), 0);
    world.members()["read"]["absent"] = json!("empty");
    let page = world.adapter().pull(Kind::Member, &From::Start).await.unwrap();
    assert_eq!((told(&page), page.warnings.len()), (1, 0));
}

#[tokio::test]
async fn a_profile_that_leads_elsewhere_is_another_system() {
    let world = World::new(0).await;
    for place in [
        "/baseUrl",
        "/resources/members/read/path",
        "/resources/memberships/read/id",
    ] {
        let mut after = world.settings.clone();
        *after.pointer_mut(place).unwrap() = json!("https://elsewhere.example");
        let faults = check_move(System::Consio, &world.settings, &after).unwrap_err();
        assert_eq!(faults.len(), 1, "{place}");
    }
}

#[tokio::test]
async fn both_names_of_the_adapter_take_the_same_profile_and_only_public_hosts() {
    let world = World::new(0).await;
    for system in [System::Consio, System::Rest] {
        check_settings(system, &world.settings, world.connections.exceptions()).unwrap();
        let mut settings = world.settings.clone();
        settings["baseUrl"] = json!("https://any.name.example");
        check_settings(system, &settings, &Exceptions::none()).unwrap();
        for bad in [
            "http://x.example",
            "https://127.0.0.1",
            "https://x.example/path",
            "https://x.example:8443",
        ] {
            settings["baseUrl"] = json!(bad);
            let faults = check_settings(system, &settings, &Exceptions::none()).unwrap_err();
            assert_eq!(faults[0].field, "settings.baseUrl", "{bad}");
        }
    }
}

#[tokio::test]
async fn without_a_profile_records_travel_by_files_and_nothing_is_shown_to_anybody() {
    let mut world = World::new(0).await;
    for settings in [json!({}), json!({ "mode": "csv" })] {
        world.settings = settings;
        world.credentials = json!({});
        check_settings(System::Consio, &world.settings, world.connections.exceptions()).unwrap();
        assert!(!needs_credentials(System::Consio, &world.settings));
        let faults = world.try_adapter(&world.connections).unwrap_err();
        assert_eq!(faults[0].field, "settings", "files are not kept everywhere");
        let connections = world.connections.clone().filing(files().0);
        let adapter = world.try_adapter(&connections).unwrap();
        assert_eq!(kinds(System::Consio, &world.settings), Kind::ALL);
        assert!(adapter.probe().await.iter().all(|finding| finding.works));
        assert_eq!((adapter.take_usage().requests, world.requests()), (0, 0));
    }
}
