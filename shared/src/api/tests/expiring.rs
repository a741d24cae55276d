//! Credentials that are known to expire: who is told, when, and how often.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use jiff::ToSpan;
use serde_json::{Value, json};

use super::breaking::Side;
use super::world::{INTEGRATION, World, configuration};
use crate::flow::reconcile::{self, Mended};
use crate::objects::MemoryObjects;
use crate::publish::{MemoryPublish, Publish};
use crate::scheduler::Scheduler;
use crate::store::{Query, StoreError, Table};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an integration is put with, whose secret expires so many days from now.
fn expiring_in(world: &World, days: i64) -> Value {
    let end = world.ports.now() + (24 * days).hours();
    expiring_at(&end.to_string())
}

fn expiring_at(end: &str) -> Value {
    let mut wanted = configuration();
    wanted["credentials"]["expiresAt"] = json!(end);
    wanted
}

impl World {
    async fn expiring_in(days: i64) -> Self {
        let world = Self::new();
        let wanted = expiring_in(&world, days);
        let answer = world.put(INTEGRATION, &wanted).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        world
    }

    async fn sweep(&self, bus: &Arc<MemoryPublish>) -> Result<Mended, StoreError> {
        let publish: Arc<dyn Publish> = Arc::<MemoryPublish>::clone(bus);
        let scheduler = Arc::clone(&self.scheduler) as Arc<dyn Scheduler>;
        reconcile::sweep(&self.ports, &publish, &scheduler, &MemoryObjects::new()).await
    }

    /// Lets a day pass, in which is looked four times.
    async fn day(&self, bus: &Arc<MemoryPublish>) {
        for _ in 0..4 {
            self.clock.advance(DAY / 4);
            assert_eq!(self.sweep(bus).await.unwrap().failed, 0);
        }
    }

    async fn health(&self) -> (String, String) {
        let health = self.get(INTEGRATION).await.json()["health"].clone();
        let text = |name: &str| health[name].as_str().unwrap().to_owned();
        (text("level"), text("cause"))
    }

    async fn rows(&self, prefix: &str) -> usize {
        let query = Query::new(Table::Control, "hlf", prefix, 100);
        self.ports.store.query(&query).await.unwrap().rows.len()
    }
}

/// Returns how many days before the end was told, as one who drops events that were seen.
fn told(bus: &MemoryPublish) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    let published = bus.published();
    let first = published
        .iter()
        .filter(|one| seen.insert(one.event.event_id.clone()));
    first
        .map(|one| {
            assert_eq!(one.event.detail_type, "integration.credentials_expiring.v1");
            one.event.detail["withinDays"].as_i64().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn it_is_told_thirty_fourteen_seven_and_one_days_before_and_each_time_once() {
    let (world, bus) = (World::expiring_in(40).await, Arc::default());
    let mut days = Vec::new();
    for passed in 1..=60 {
        let before = told(&bus).len();
        world.day(&bus).await;
        if told(&bus).len() > before {
            days.push(40 - passed);
        }
    }
    assert_eq!(told(&bus), [30, 14, 7, 1]);
    assert_eq!(days, [29, 13, 6, 0], "the next time that somebody looked");
    assert_eq!(bus.published().len(), 4);
    let event = &bus.published()[0];
    assert_eq!(event.event.event_id, "hlf:dynamics365.2026-03-12T10:00:00Z.30");
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!(
        detail,
        json!({
            "eventId": event.event.event_id, "organizationId": "hlf", "integrationType": "dynamics365",
            "expiresAt": "2026-03-12T10:00:00Z", "withinDays": 30,
        })
    );
}

#[tokio::test]
async fn of_days_that_have_passed_only_the_last_is_told_of_and_at_once() {
    for (left, expected) in [(10, vec![14, 7, 1]), (0, vec![1]), (-3, vec![1]), (365, vec![])] {
        let (world, bus) = (World::expiring_in(left).await, Arc::default());
        world.sweep(&bus).await.unwrap();
        world.sweep(&bus).await.unwrap();
        let first: Vec<i64> = expected.first().copied().into_iter().collect();
        assert_eq!(told(&bus), first, "{left}");
        for _ in 0..20 {
            world.day(&bus).await;
        }
        assert_eq!(told(&bus), expected, "{left}");
    }
    let (world, bus) = (World::expiring_in(40).await, Arc::default());
    world.clock.advance(DAY * 34);
    world.day(&bus).await;
    assert_eq!(told(&bus), [7], "nobody looked for weeks");
}

#[tokio::test]
async fn two_that_look_at_once_tell_it_once() {
    let (world, bus) = (World::expiring_in(30).await, Arc::default());
    let (one, other) = join(world.sweep(&bus), world.sweep(&bus)).await;
    assert_eq!(one.unwrap().expiring + other.unwrap().expiring, 1);
    assert_eq!(world.rows("outbox#").await, 1);
}

/// Whatever write telling dies on, it is told, and under one id.
#[tokio::test]
async fn who_dies_while_telling_leaves_it_to_the_next_one() {
    for side in [Side::Before, Side::After] {
        for nth in 1.. {
            let (world, bus) = (World::expiring_in(30).await, Arc::default());
            let (dying, breaking) = world.dying(nth, side);
            for _ in 0..2 {
                drop(dying.sweep(&bus).await);
            }
            if !breaking.died() {
                break;
            }
            world.day(&bus).await;
            assert_eq!(told(&bus), [30], "{side:?} {nth}");
            assert_eq!(world.rows("outbox#").await, 1);
        }
    }
}

#[tokio::test]
async fn other_credentials_are_told_of_anew_and_those_that_end_with_the_old_ones_are_not() {
    let (world, bus) = (World::expiring_in(30).await, Arc::default());
    let first = expiring_in(&world, 30);
    world.day(&bus).await;
    assert_eq!(told(&bus), [30]);
    world.put(INTEGRATION, &first).await;
    world.day(&bus).await;
    assert_eq!(bus.published().len(), 1, "they end with the old ones");
    world.put(INTEGRATION, &expiring_in(&world, 30)).await;
    world.day(&bus).await;
    assert_eq!(told(&bus), [30, 30]);
    world.put(INTEGRATION, &first).await;
    world.day(&bus).await;
    assert_eq!(
        told(&bus),
        [30, 30],
        "it is told once more under the id that it had"
    );
    let mut renamed = configuration();
    renamed.as_object_mut().unwrap().remove("credentials");
    renamed["displayName"] = json!("Other");
    world.put(INTEGRATION, &renamed).await;
    for _ in 0..15 {
        world.day(&bus).await;
    }
    assert_eq!(
        told(&bus),
        [30, 30, 14],
        "a change of something else forgets nothing"
    );
    world.put(INTEGRATION, &configuration()).await;
    assert_eq!(world.rows("expiry#").await, 0);
    for _ in 0..30 {
        world.day(&bus).await;
    }
    assert_eq!(told(&bus), [30, 30, 14], "nobody knows when these end");
}

#[tokio::test]
async fn of_an_integration_that_is_disconnected_nothing_is_told() {
    let (world, bus) = (World::expiring_in(31).await, Arc::default());
    assert_eq!(world.rows("expiry#").await, 1);
    assert_eq!(world.delete(INTEGRATION).await.status, 204);
    assert_eq!(world.rows("expiry#").await, 0);
    for _ in 0..31 {
        world.day(&bus).await;
    }
    assert!(told(&bus).is_empty());
}

#[tokio::test]
async fn the_status_shows_when_credentials_expire_and_asks_for_others_in_time() {
    let world = World::expiring_in(20).await;
    let shown = async || world.get(INTEGRATION).await.json()["credentialsExpireAt"].clone();
    assert_eq!(shown().await, json!("2026-02-20T10:00:00Z"));
    assert_eq!(world.health().await.0, "unproven");
    world.clock.advance(DAY * 6);
    let expires = "the credentials expire on 2026-02-20".to_owned();
    assert_eq!(world.health().await, ("attention".to_owned(), expires));
    world.clock.advance(DAY * 14);
    let expired = "the credentials expired on 2026-02-20".to_owned();
    assert_eq!(world.health().await, ("failing".to_owned(), expired));
    let mut renamed = configuration();
    renamed.as_object_mut().unwrap().remove("credentials");
    world.put(INTEGRATION, &renamed).await;
    assert_eq!(shown().await, json!("2026-02-20T10:00:00Z"));
    let answer = world.put(INTEGRATION, &configuration()).await;
    assert_eq!(answer.json().get("credentialsExpireAt"), None);
    assert_eq!(
        (shown().await, world.health().await.0),
        (Value::Null, "unproven".to_owned())
    );
}

#[tokio::test]
async fn a_certificate_says_itself_when_it_expires_and_nothing_of_its_key_is_shown() {
    let world = World::new();
    let mut wanted = configuration();
    wanted["credentials"] = json!({
        "clientId": "canary-id",
        "certificate": include_str!("../../../../tests/certificates/march.pem"),
        "privateKey": include_str!("../../../../tests/certificates/application.key.pem"),
    });
    let answer = world.put(INTEGRATION, &wanted).await;
    assert_eq!(
        answer.json()["credentialsExpireAt"],
        json!("2026-03-02T10:00:00Z")
    );
    for hidden in ["canary", "PRIVATE", "CERTIFICATE"] {
        assert!(!answer.body.contains(hidden), "{hidden}");
    }
    wanted["credentials"]["privateKey"] = json!("canary");
    let refused = world.put(INTEGRATION, &wanted).await;
    assert_eq!(refused.fields(), ["credentials.privateKey"]);
}
