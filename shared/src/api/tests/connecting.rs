//! Connecting, changing and disconnecting integrations.

use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret;
use serde_json::json;

use super::breaking::Side;
use super::world::{INTEGRATION, World, ask, configuration, integration};
use crate::integration;
use crate::secrets::{SecretError, Secrets, Trouble};
use crate::store::{Query, Table};

const SECRET: &str = "test/hlf/dynamics365";

pub(super) async fn secret(world: &World) -> Option<String> {
    match world.secrets.get(SECRET).await {
        Ok(secret) => Some(secret.value.expose_secret().to_owned()),
        Err(SecretError::Missing { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn credentials_are_kept_and_never_answered() {
    let world = World::connected().await;
    assert!(secret(&world).await.unwrap().contains("canary-secret"));
    let listed = world.get("/v1/organizations/hlf/integrations").await;
    for body in [world.get(INTEGRATION).await.body, listed.body] {
        assert!(
            !body.contains("canary") && !body.contains("credentials"),
            "{body}"
        );
    }
    assert!(!format!("{:?}", world.secrets).contains("canary"));
}

#[tokio::test]
async fn no_row_of_the_tables_holds_a_credential() {
    let world = World::connected().await;
    world
        .answer(ask(Method::PUT, INTEGRATION).json(&configuration()).key("k"))
        .await;
    let rows = world
        .ports
        .store
        .query(&Query::new(Table::Control, "hlf", "", 100))
        .await
        .unwrap()
        .rows;
    assert!(rows.iter().any(|row| row.key.sort.starts_with("audit#")));
    for row in rows {
        assert!(!row.body.contains("canary"), "{}", row.key.sort);
    }
}

#[tokio::test]
async fn credentials_are_needed_to_connect_and_may_be_left_out_of_a_change() {
    let world = World::new();
    let mut wanted = configuration();
    wanted.as_object_mut().unwrap().remove("credentials");
    assert_eq!(world.put(INTEGRATION, &wanted).await.fields(), ["credentials"]);
    world.put(INTEGRATION, &configuration()).await;
    wanted["displayName"] = json!("Other");
    assert_eq!(
        world.put(INTEGRATION, &wanted).await.json()["displayName"],
        "Other"
    );
    assert!(secret(&world).await.unwrap().contains("canary-secret"));
}

#[tokio::test]
async fn the_same_configuration_again_changes_nothing() {
    let world = World::connected().await;
    let mut wanted = configuration();
    wanted.as_object_mut().unwrap().remove("credentials");
    let before = world.get(INTEGRATION).await;
    let again = world.put(INTEGRATION, &wanted).await;
    assert_eq!(
        (again.status.as_u16(), again.header("etag")),
        (200, before.header("etag"))
    );
}

#[tokio::test]
async fn of_two_changes_of_one_version_one_is_refused() {
    let world = World::connected().await;
    let tag = world.get(INTEGRATION).await.header("etag").to_owned();
    let change = |name: &str| {
        let mut wanted = configuration();
        wanted["displayName"] = json!(name);
        ask(Method::PUT, INTEGRATION)
            .json(&wanted)
            .header("if-match", &tag)
    };
    assert_eq!(world.answer(change("a")).await.status, 200);
    let late = world.answer(change("b")).await;
    assert_eq!(
        (late.status.as_u16(), late.code().as_str()),
        (412, "precondition_failed")
    );
    assert_eq!(world.get(INTEGRATION).await.json()["displayName"], "a");
}

#[tokio::test]
async fn a_change_of_settings_makes_old_cursors_worthless_and_one_of_the_name_does_not() {
    let world = World::connected().await;
    let version = async || {
        let stored = integration::read(&*world.ports.store, &integration())
            .await
            .unwrap()
            .unwrap();
        stored.integration.mapping_version
    };
    let first = version().await;
    let mut wanted = configuration();
    wanted["displayName"] = json!("Other");
    world.put(INTEGRATION, &wanted).await;
    assert_eq!(version().await, first);
    wanted["excludedGroups"] = json!(["preferences"]);
    world.put(INTEGRATION, &wanted).await;
    assert_eq!(version().await, first + 1);
    wanted["settings"]["members"]["fields"]["email"] = json!("emailaddress1");
    world.put(INTEGRATION, &wanted).await;
    assert_eq!(version().await, first + 2);
    wanted["direction"] = json!("pull");
    world.put(INTEGRATION, &wanted).await;
    assert_eq!(version().await, first + 3);
}

/// Whatever write a change dies on, the same request mends it, once the right to change has run out.
#[tokio::test]
async fn a_connection_that_died_at_any_write_is_mended_by_repeating_it() {
    for side in [Side::Before, Side::After] {
        for nth in 1.. {
            let world = World::new();
            let (dying, breaking) = world.dying(nth, side);
            dying.put(INTEGRATION, &configuration()).await;
            if !breaking.died() {
                break;
            }
            if integration::read(&*world.ports.store, &integration())
                .await
                .unwrap()
                .is_some()
            {
                assert!(
                    secret(&world).await.is_some(),
                    "a row without its secret: {side:?} {nth}"
                );
            }
            world.clock.advance(Duration::from_secs(61));
            let answer = world.put(INTEGRATION, &configuration()).await;
            assert!(answer.status.is_success(), "{side:?} {nth}: {}", answer.body);
            assert_eq!(world.get(INTEGRATION).await.json()["state"], "active");
        }
    }
}

#[tokio::test]
async fn a_credential_that_no_longer_works_stops_syncs_until_there_is_another() {
    let world = World::connected().await;
    let sync = format!("{INTEGRATION}/sync");
    let run = world.post(&sync, &json!({})).await.json();
    let id = run["runId"].as_str().unwrap().parse().unwrap();
    let run = crate::sync::read_run(&*world.ports.store, &integration(), &id)
        .await
        .unwrap();
    integration::needs_reauthorization(&world.ports, &run.integration, run.opened_at, "refused")
        .await
        .unwrap();
    crate::sync::abandon(&*world.ports.store, &run, world.ports.now())
        .await
        .unwrap();
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(
        (&status["state"], &status["health"]["level"]),
        (&json!("needs_reauthorization"), &json!("failing"))
    );
    assert_eq!(
        world.post(&sync, &json!({})).await.code(),
        "needs_reauthorization"
    );
    let resumed = world.post(&format!("{INTEGRATION}/resume"), &json!({})).await;
    assert_eq!(resumed.code(), "needs_reauthorization");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(
        world.put(INTEGRATION, &configuration()).await.json()["state"],
        "active"
    );
    integration::needs_reauthorization(&world.ports, &run.integration, run.opened_at, "refused")
        .await
        .unwrap();
    assert_eq!(
        world.get(INTEGRATION).await.json()["state"],
        "active",
        "the run knew the old credential"
    );
}

#[tokio::test]
async fn credentials_that_were_changed_too_often_say_when_they_can_be_changed_again() {
    let world = World::connected().await;
    let before = world.get(INTEGRATION).await;
    world.secrets.trouble(Trouble::Full);
    let mut wanted = configuration();
    wanted["displayName"] = json!("Other");
    let full = world.put(INTEGRATION, &wanted).await;
    assert_eq!(
        (full.status.as_u16(), full.code().as_str()),
        (429, "too_many_changes")
    );
    assert_eq!(full.fields(), ["credentials"]);
    assert_eq!(full.header("retry-after"), "600");
    let after = world.get(INTEGRATION).await;
    assert_eq!(after.header("etag"), before.header("etag"), "nothing was changed");
    wanted.as_object_mut().unwrap().remove("credentials");
    assert_eq!(world.put(INTEGRATION, &wanted).await.status, 200);
}

#[tokio::test]
async fn secrets_that_are_down_or_closed_to_us_are_told_as_ours_to_mend_and_never_made_up() {
    for trouble in [Trouble::Down, Trouble::Denied] {
        let world = World::new();
        world.secrets.trouble(trouble);
        let answer = world.put(INTEGRATION, &configuration()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "unavailable")
        );
        assert!(!answer.body.contains("canary"));
        assert_eq!(world.get(INTEGRATION).await.status, 404);
        world.secrets.trouble(None);
        assert_eq!(world.put(INTEGRATION, &configuration()).await.status, 201);
    }
}

#[tokio::test]
async fn an_integration_cannot_be_moved_to_another_environment_or_table() {
    let world = World::connected().await;
    let mut wanted = configuration();
    wanted["settings"]["baseUrl"] = serde_json::json!("https://other.crm4.dynamics.com");
    wanted["settings"]["members"]["entitySet"] = serde_json::json!("accounts");
    let answer = world.put(INTEGRATION, &wanted).await;
    assert_eq!(
        (answer.status.as_u16(), answer.fields()),
        (
            400,
            vec![
                "settings.baseUrl".to_owned(),
                "settings.members.entitySet".to_owned()
            ]
        )
    );
}
