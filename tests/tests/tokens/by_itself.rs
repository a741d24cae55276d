//! Applications that sign in by themselves.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tests::dataverse::faults::Fault;

use crate::world::{BY_ID, INTEGRATION, World};

const GRANT: &str = "client_credentials";

#[tokio::test]
async fn a_token_is_renewed_on_request_and_nobody_is_told_the_token() {
    let world = World::connected().await;
    let first = world.refresh().await;
    assert_eq!(first.status, 200, "{}", first.body);
    let (at, end, next) = (
        first.time("refreshedAt"),
        first.time("expiresAt"),
        first.time("nextRefreshAt"),
    );
    assert_eq!(end.duration_since(at).as_secs(), 3599);
    assert!(at < next && next < end);
    assert!(!first.body.contains("eyJ") && first.json().as_object().unwrap().len() == 4);
    world.simulation.advance(SignedDuration::from_secs(1));
    assert!(world.refresh().await.time("refreshedAt") > at);
    assert_eq!(world.calls(GRANT), 2);
}

#[tokio::test]
async fn a_token_is_renewed_by_the_clock_before_it_ends() {
    let world = World::connected().await;
    world.refresh().await;
    for hours in 1..=3 {
        world.minutes(60).await;
        let life = world.row().await.access.unwrap().life;
        assert!(life.is_fresh(world.simulation.now()), "after {hours} hours");
    }
    // Each lasts for some three quarters of an hour.
    assert!((4..=6).contains(&world.calls(GRANT)), "{}", world.calls(GRANT));
}

#[tokio::test]
async fn a_certificate_takes_the_place_of_a_secret() {
    let world = World::new().await;
    let pem = |name: &str| {
        std::fs::read_to_string(format!("{}/certificates/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let certificate = pem("application.pem");
    world
        .simulation
        .entra()
        .set_certificates(world.simulation.client_id(), &[&certificate]);
    let credentials = json!({
        "clientId": world.simulation.client_id(), "certificate": certificate, "privateKey": pem("application.key.pem"),
    });
    let answer = world.connect("application", &credentials).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(answer.json()["credentialsExpireAt"].is_string());
    let refreshed = world.refresh().await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
}

#[tokio::test]
async fn a_server_that_does_not_believe_our_clock_is_asked_by_its_own() {
    let world = World::new().await;
    let pem = |name: &str| {
        std::fs::read_to_string(format!("{}/certificates/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let certificate = pem("application.pem");
    let entra = world.simulation.entra();
    entra.set_certificates(world.simulation.client_id(), &[&certificate]);
    let credentials = json!({
        "clientId": world.simulation.client_id(), "certificate": certificate, "privateKey": pem("application.key.pem"),
    });
    world.connect("application", &credentials).await;
    let refused =
        json!({ "error": "invalid_client", "error_codes": [700_024], "error_description": "canary" });
    world.inject(Fault::Status {
        status: 401,
        body: Some(refused),
        retry_after: None,
    });
    assert_eq!(world.refresh().await.status, 200);
}

#[tokio::test]
async fn a_refused_credential_is_told_with_its_cause_and_costs_one_call_for_each_cool_down() {
    let world = World::connected().await;
    world.refresh().await;
    world
        .simulation
        .entra()
        .expire_secret(world.simulation.client_id());
    for _ in 0..10 {
        let answer = world.refresh().await;
        assert_eq!((answer.status, &*answer.code()), (409, "needs_reauthorization"));
        assert!(
            answer.body.contains("the client secret has expired"),
            "{}",
            answer.body
        );
    }
    assert_eq!(world.calls(GRANT), 2);
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["state"], "needs_reauthorization");
    assert_eq!(status["health"]["level"], "failing");
    assert_eq!(
        status["health"]["cause"],
        "the client secret has expired: make a new one"
    );
    // Nothing renews what is refused: a day by the clock costs nothing.
    world.minutes(24 * 60).await;
    assert_eq!(world.calls(GRANT), 2);
}

#[tokio::test]
async fn a_credential_that_works_again_makes_the_integration_active() {
    let world = World::connected().await;
    let old = world.credentials();
    world
        .simulation
        .entra()
        .rotate_secret(world.simulation.client_id(), false);
    assert_eq!(world.refresh().await.status, 409);
    assert_eq!(world.state().await, "needs_reauthorization");
    // The new secret is tried before it takes the place of the old one.
    let wrong = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&old))
        .await;
    assert_eq!((wrong.status, &*wrong.code()), (400, "invalid_request"));
    assert_eq!(world.state().await, "needs_reauthorization");
    let mut new = old.clone();
    let secret = world
        .simulation
        .entra()
        .rotate_secret(world.simulation.client_id(), false);
    new["clientSecret"] = json!(secret);
    let right = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&new))
        .await;
    assert_eq!(right.status, 200, "{}", right.body);
    assert_eq!(world.state().await, "active");
    assert_eq!(world.refresh().await.status, 200);
}

#[tokio::test]
async fn an_application_without_rights_is_not_taken_for_credentials_that_work() {
    let world = World::connected().await;
    let without = world.simulation.unprivileged();
    let body = json!({ "clientId": without.client_id, "clientSecret": without.client_secret });
    let answer = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&body))
        .await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(!answer.body.contains(&without.client_secret));
    assert_eq!(world.refresh().await.status, 200, "the ones it has still work");
}

#[tokio::test]
async fn what_is_no_token_is_no_token_and_nothing_of_it_is_kept() {
    for fault in [
        Fault::Html,
        Fault::ErrorInBody,
        Fault::TruncatedJson,
        Fault::Oversized { bytes: 1 << 20 },
        Fault::Status {
            status: 200,
            body: Some(json!("")),
            retry_after: None,
        },
        Fault::Status {
            status: 200,
            body: Some(json!({ "token_type": "mac", "access_token": "canary", "expires_in": 3599 })),
            retry_after: None,
        },
        Fault::Status {
            status: 200,
            body: Some(json!({ "error": "temporarily_unavailable", "access_token": "canary" })),
            retry_after: None,
        },
    ] {
        let world = World::connected().await;
        let what = format!("{fault:?}");
        world.inject(fault);
        let answer = world.refresh().await;
        assert!([409, 503].contains(&answer.status), "{what}: {}", answer.body);
        assert!(!answer.body.contains("canary"), "{what}");
        assert!(world.row().await.access.is_none(), "{what}");
    }
}

#[tokio::test]
async fn what_a_server_leaves_out_or_says_in_its_own_way_is_understood() {
    for (answer, seconds) in [
        (
            json!({ "access_token": "a", "token_type": "bearer", "expires_in": 600 }),
            600,
        ),
        (
            json!({ "access_token": "a", "token_type": "Bearer", "expires_in": "600" }),
            600,
        ),
        (json!({ "access_token": "a", "expires_in": 600 }), 600),
        (json!({ "access_token": "a", "token_type": null }), 120),
        (
            json!({ "access_token": "a".repeat(20_000), "expires_in": 600 }),
            600,
        ),
    ] {
        let world = World::connected().await;
        world.inject(Fault::Status {
            status: 200,
            body: Some(answer),
            retry_after: None,
        });
        let refreshed = world.refresh().await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        let life = refreshed
            .time("expiresAt")
            .duration_since(refreshed.time("refreshedAt"));
        assert_eq!(life.as_secs(), seconds);
    }
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is_left_alone() {
    for (named, least, most) in [
        ("60", 60, 61),
        ("0", 1, 61),
        ("-5", 1, 61),
        ("1000000000", 3_600, 3_601),
        ("soon", 1, 121),
    ] {
        let world = World::connected().await;
        world.inject(Fault::Status {
            status: 429,
            body: None,
            retry_after: Some(named.to_owned()),
        });
        assert_eq!(world.refresh().await.status, 503);
        let failure = world.row().await.failure.unwrap();
        let left = failure.until.duration_since(world.simulation.now()).as_secs();
        assert!((least - 1..=most).contains(&left), "{named}: {left}");
        let before = world.calls(GRANT);
        assert_eq!(world.refresh().await.status, 503);
        assert_eq!(world.calls(GRANT), before, "{named}");
        world.simulation.advance(SignedDuration::from_secs(most + 1));
        assert_eq!(world.refresh().await.status, 200, "{named}");
    }
}

#[tokio::test]
async fn an_integration_that_is_gone_leaves_no_token_behind() {
    let world = World::connected().await;
    world.refresh().await;
    assert_eq!(world.ask(Method::DELETE, INTEGRATION, None).await.status, 204);
    let id = "hlf:dynamics365".parse().unwrap();
    assert!(shared::oauth::read(world.store(), &id).await.unwrap().is_none());
    assert_eq!(world.refresh().await.code(), "unknown_integration");
    world.minutes(120).await;
    assert_eq!(world.calls(GRANT), 1);
}
