//! Credentials that are changed in two phases, and integrations whose credential does not work any more.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::breaking::Side;
use super::world::{INTEGRATION, World, integration};
use crate::integration::needs_reauthorization;
use crate::publish::MemoryPublish;
use crate::secrets::Secrets as _;

const CREDENTIALS: &str = "/v1/integrations/hlf:dynamics365/credentials";
const SCHEDULE: &str = "/v1/organizations/hlf/integrations/dynamics365/schedule";

fn credentials(secret: &str) -> Value {
    json!({ "clientId": "canary-id", "clientSecret": secret, "expiresAt": "2026-12-31" })
}

impl World {
    /// Returns the secret that is used.
    async fn current(&self) -> String {
        let secret = self.secrets.get("test/hlf/dynamics365").await.unwrap();
        let value: Value = serde_json::from_str(secret.value.expose_secret()).unwrap();
        value["clientSecret"].as_str().unwrap().to_owned()
    }

    async fn state(&self) -> String {
        let status = self.get(INTEGRATION).await.json();
        status["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Has the system refuse the credential for good.
    async fn refuse(&self, as_of: Timestamp) {
        needs_reauthorization(
            &self.ports,
            &integration(),
            as_of,
            "the client secret has expired",
        )
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn credentials_that_work_are_used_from_then_on() {
    let world = World::connected().await;
    let answer = world.put(CREDENTIALS, &credentials("canary-new")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["credentialsExpireAt"], "2026-12-31T00:00:00Z");
    assert!(!answer.body.contains("canary"));
    assert_eq!(world.current().await, "canary-new");
}

#[tokio::test]
async fn credentials_that_do_not_work_leave_everything_as_it_was() {
    let world = World::connected().await;
    let before = world.get(INTEGRATION).await;
    let answer = world.put(CREDENTIALS, &credentials("canary-wrong")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.fields()),
        (400, vec!["credentials".to_owned()])
    );
    assert!(answer.body.contains("the client secret is wrong") && !answer.body.contains("canary"));
    assert_eq!(world.current().await, "canary-secret");
    assert_eq!(world.get(INTEGRATION).await.header("etag"), before.header("etag"));
    // Nobody has to wait before he tries again.
    assert_eq!(
        world.put(CREDENTIALS, &credentials("canary-new")).await.status,
        200
    );
}

#[tokio::test]
async fn credentials_of_another_form_are_refused_before_anything_is_written() {
    let world = World::connected().await;
    for (body, field) in [
        (json!({ "clientId": "x" }), "credentials.clientSecret"),
        (
            json!({ "clientId": "x", "clientSecret": "y", "more": 1 }),
            "credentials.more",
        ),
        (
            json!({ "clientId": "x", "certificate": "canary", "privateKey": "canary" }),
            "credentials.certificate",
        ),
    ] {
        let answer = world.put(CREDENTIALS, &body).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.fields().contains(&field.to_owned()), "{}", answer.body);
        assert!(!answer.body.contains("canary"));
    }
    assert_eq!(world.current().await, "canary-secret");
}

#[tokio::test]
async fn a_rotation_that_died_at_any_write_leaves_credentials_that_work_and_can_be_repeated() {
    for side in [Side::Before, Side::After] {
        for nth in 1..4 {
            let world = World::connected().await;
            world.refuse(world.ports.now()).await;
            let (dying, _) = world.dying(nth, side);
            dying.put(CREDENTIALS, &credentials("canary-new")).await;
            let current = world.current().await;
            assert!(
                ["canary-secret", "canary-new"].contains(&&*current),
                "{nth} {side:?}"
            );
            world.clock.advance(Duration::from_secs(241));
            let again = world.put(CREDENTIALS, &credentials("canary-new")).await;
            assert_eq!(again.status, 200, "{nth} {side:?} {}", again.body);
            assert_eq!(
                (&*world.current().await, &*world.state().await),
                ("canary-new", "active")
            );
        }
    }
}

#[tokio::test]
async fn one_that_is_being_changed_or_gone_is_not_rotated() {
    let world = World::connected().await;
    let (one, two) = (credentials("canary-one"), credentials("canary-two"));
    let both = futures::join!(world.put(CREDENTIALS, &one), world.put(CREDENTIALS, &two));
    let codes = [both.0.status.as_u16(), both.1.status.as_u16()];
    assert!(
        codes.contains(&200) && codes.iter().all(|code| [200, 409].contains(code)),
        "{codes:?}"
    );
    assert_eq!(world.delete(INTEGRATION).await.status, 204);
    let gone = world.put(CREDENTIALS, &credentials("canary-new")).await;
    assert_eq!(gone.code(), "unknown_integration");
}

#[tokio::test]
async fn a_credential_that_is_refused_is_told_once_and_nothing_starts_until_another_works() {
    let world = World::connected().await;
    let hourly = json!({ "expression": "rate(1 hour)", "zone": "Europe/Oslo", "spread": false });
    assert_eq!(world.put(SCHEDULE, &hourly).await.status, 200);
    let bus = Arc::new(MemoryPublish::new());
    // Many find out at once, and some long after.
    let as_of = world.ports.now();
    futures::future::join_all((0..10).map(|_| world.refuse(as_of))).await;
    for _ in 0..150 {
        world.clock.advance(Duration::from_secs(60));
        world.refuse(as_of).await;
        world.reconcile_on(Arc::clone(&bus)).await;
    }
    let told: Vec<_> = bus
        .published()
        .into_iter()
        .map(|published| published.event)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].detail_type, "integration.needs_reauthorization.v1");
    assert_eq!(told[0].detail["cause"], "the client secret has expired");
    assert_eq!(world.runs().await, 0);
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["health"]["level"], "failing");
    assert_eq!(
        world.put(CREDENTIALS, &credentials("canary-new")).await.status,
        200
    );
    for _ in 0..20 {
        world.clock.advance(Duration::from_secs(60));
        world.reconcile_on(Arc::clone(&bus)).await;
        world.end_run_if_any().await;
    }
    assert_eq!(world.runs().await, 1, "what was missed is caught up with once");
}

#[tokio::test]
async fn what_was_cut_off_by_a_refused_credential_is_caught_up_with_even_if_no_fire_was_missed() {
    let world = World::connected().await;
    let nightly = json!({ "expression": "cron(0 2 * * ? *)", "zone": "Europe/Oslo", "spread": false });
    assert_eq!(world.put(SCHEDULE, &nightly).await.status, 200);
    world.refuse(world.ports.now()).await;
    world.minutes(5).await;
    assert_eq!(world.runs().await, 0);
    assert_eq!(
        world.put(CREDENTIALS, &credentials("canary-new")).await.status,
        200
    );
    for _ in 0..5 {
        world.minutes(1).await;
        world.end_run_if_any().await;
    }
    assert_eq!(world.runs().await, 1);
}

#[tokio::test]
async fn who_finds_out_late_does_not_stop_what_was_mended_meanwhile() {
    let world = World::connected().await;
    let before = world.ports.now();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(
        world.put(CREDENTIALS, &credentials("canary-new")).await.status,
        200
    );
    world.refuse(before).await;
    assert_eq!(world.state().await, "active");
}
