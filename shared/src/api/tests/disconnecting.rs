//! Disconnecting integrations.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::breaking::Side;
use super::connecting::secret;
use super::world::{INTEGRATION, World, ask, configuration, integration};
use crate::model::{Base, Kind, Link, RecordId, System};
use crate::records::{link_key, read, record_key};
use crate::store::{Content, Expect, Query, Table, Write};
use crate::sync::{Mode, RunRequest, Trigger};

/// Gives `hlf` a linked member, a pending change and a cursor.
async fn linked() -> World {
    let world = World::connected().await;
    for number in 0..120 {
        let path = format!("/v1/organizations/hlf/members/{number}");
        world.put(&path, &json!({ "lastName": "Ek" })).await;
        let record: RecordId = number.to_string().parse().unwrap();
        let stored = read(
            &*world.ports.store,
            &integration().organization,
            Kind::Member,
            &record,
        )
        .await
        .unwrap()
        .unwrap();
        let mut linked = stored.record.clone();
        linked
            .links
            .insert(System::Dynamics365, format!("guid-{number}").into());
        let link = Link {
            mapping: 1,
            record,
            etag: None,
            base: Base::default(),
            held: Default::default(),
            settled: Default::default(),
            active: true,
            hinted_at: None,
            handed: Vec::new(),
        };
        let key = record_key(&integration().organization, Kind::Member, &linked.id);
        let writes = vec![
            Write::put(key, Expect::Version(stored.version), linked.content()),
            Write::put(
                link_key(&integration(), Kind::Member, &format!("guid-{number}")),
                Expect::Absent,
                Content::of(&link),
            ),
        ];
        world.ports.store.write(writes).await.unwrap();
    }
    world
}

async fn is_forgotten(world: &World) {
    assert_eq!(world.get(INTEGRATION).await.status, 404);
    assert_eq!(secret(world).await, None);
    for partition in ["hlf#dynamics365#link#member", "hlf#dynamics365#pending"] {
        let page = world
            .ports
            .store
            .query(&Query::new(Table::Records, partition, "", 10))
            .await
            .unwrap();
        assert!(page.rows.is_empty(), "{partition}");
    }
    let members = world.get("/v1/organizations/hlf/members?limit=500").await.json();
    let members = members["items"].as_array().unwrap().clone();
    assert_eq!(members.len(), 120, "the records stay");
    assert!(members.iter().all(|member| member["links"] == json!({})));
}

#[tokio::test]
async fn what_is_disconnected_is_forgotten_and_the_records_stay() {
    let world = linked().await;
    assert_eq!(world.delete(INTEGRATION).await.status, 204);
    is_forgotten(&world).await;
    assert_eq!(world.delete(INTEGRATION).await.status, 404);
    assert_eq!(world.put(INTEGRATION, &configuration()).await.status, 201);
}

#[tokio::test]
async fn a_disconnection_that_died_at_any_write_is_mended_by_repeating_it() {
    for side in [Side::Before, Side::After] {
        for nth in 1.. {
            let world = linked().await;
            let (dying, breaking) = world.dying(nth, side);
            dying.delete(INTEGRATION).await;
            if !breaking.died() {
                break;
            }
            let answer = world.delete(INTEGRATION).await;
            assert!(
                matches!(answer.status.as_u16(), 204 | 404),
                "{side:?} {nth}: {}",
                answer.body
            );
            is_forgotten(&world).await;
        }
    }
}

#[tokio::test]
async fn a_disconnection_waits_for_whoever_works_on_a_run() {
    let world = linked().await;
    let run = world
        .post(&format!("{INTEGRATION}/sync"), &json!({}))
        .await
        .json();
    let id = run["runId"].as_str().unwrap().parse().unwrap();
    crate::sync::claim(&*world.ports.store, &integration(), &id, 0, world.ports.now())
        .await
        .unwrap();
    let waiting = world.answer(ask(Method::DELETE, INTEGRATION).key("k")).await;
    assert_eq!(
        (waiting.status.as_u16(), &waiting.json()["state"]),
        (202, &json!("disconnecting"))
    );
    assert!(!waiting.header("retry-after").is_empty());
    assert_eq!(
        world.get(&format!("{INTEGRATION}/runs/{id}")).await.json()["cancelRequested"],
        true
    );
    assert_eq!(
        world
            .post(&format!("{INTEGRATION}/sync"), &json!({}))
            .await
            .code(),
        "disconnecting"
    );
    assert_eq!(
        world.put(INTEGRATION, &configuration()).await.code(),
        "disconnecting"
    );
    world.clock.advance(Duration::from_secs(151));
    let again = world.answer(ask(Method::DELETE, INTEGRATION).key("k")).await;
    assert_eq!(again.status, 204, "the same key is no obstacle");
    is_forgotten(&world).await;
}

#[tokio::test]
async fn a_run_that_nobody_works_on_ends_with_its_integration() {
    let world = linked().await;
    world.post(&format!("{INTEGRATION}/sync"), &json!({})).await;
    assert_eq!(world.delete(INTEGRATION).await.status, 204);
    is_forgotten(&world).await;
    assert_eq!(world.put(INTEGRATION, &configuration()).await.status, 201);
    let request = RunRequest {
        integration: integration(),
        mode: Mode::Delta,
        dry_run: false,
        trigger: Trigger::Api,
        requested_by: "x".to_owned(),
    };
    assert!(
        crate::sync::open(&*world.ports.store, request, None, world.ports.now())
            .await
            .is_ok(),
        "no orphan lease"
    );
}
