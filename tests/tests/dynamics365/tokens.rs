//! Tokens: asked for once, renewed in time, and given up on for good reasons only.

use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use shared::adapter::{Error, ErrorKind, From};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};

use crate::world::World;

const TOKEN: &str = "/oauth2/v2.0/token";

async fn pull(world: &World) -> Result<usize, Error> {
    world
        .adapter()
        .pull(Kind::Member, &From::Start)
        .await
        .map(|page| page.items.len())
}

async fn pull_with(fault: Fault) -> Error {
    let world = World::new(1).await;
    world.inject(FaultRule::always(fault).at(TOKEN));
    pull(&world).await.unwrap_err()
}

fn answered(status: u16, body: serde_json::Value) -> Fault {
    Fault::Status {
        status,
        body: Some(body),
        retry_after: None,
    }
}

#[tokio::test]
async fn many_cold_callers_ask_for_one_token() {
    let world = World::new(1).await;
    let all = join_all((0..30).map(|_| pull(&world))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(world.count("token"), 1);
    assert_eq!(world.count("whoAmI"), 1, "who we are is asked once, too");
}

#[tokio::test]
async fn a_token_outlives_the_invocation_that_asked_for_it() {
    let world = World::new(1).await;
    pull(&world).await.unwrap();
    pull(&world).await.unwrap();
    assert_eq!(world.count("token"), 1);
    world.simulation.advance(SignedDuration::from_mins(56));
    pull(&world).await.unwrap();
    assert_eq!(world.count("token"), 2, "it is renewed before it ends");
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let world = World::new(1).await;
    pull(&world).await.unwrap();
    world.simulation.revoke_tokens();
    pull(&world).await.unwrap();
    assert_eq!(world.count("token"), 2);
}

#[tokio::test]
async fn a_system_that_refuses_every_token_is_asked_twice_and_no_more() {
    let world = World::new(1).await;
    pull(&world).await.unwrap();
    let before = (world.count("token"), world.requests());
    world.always(Fault::Unauthorized);
    assert_eq!(pull(&world).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert_eq!(world.count("token") - before.0, 1);
    assert_eq!(world.requests() - before.1, 3);
}

#[tokio::test]
async fn a_missing_privilege_does_not_renew_the_token() {
    let world = World::new(1).await;
    world.always(Fault::Status {
        status: 403,
        body: None,
        retry_after: None,
    });
    assert_eq!(
        pull(&world).await.unwrap_err().kind(),
        ErrorKind::PermissionDenied
    );
    assert_eq!(world.count("token"), 1);
}

#[tokio::test]
async fn a_credential_that_is_refused_is_left_alone_until_another_is_given() {
    let mut world = World::new(1).await;
    world.credentials["clientSecret"] = json!("canary-that-is-wrong");
    for _ in 0..3 {
        let error = pull(&world).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert_eq!(error.fact("cause"), Some("key"));
        assert_eq!(error.fact("error"), Some("invalid_client 7000215"));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    assert_eq!(world.count("token"), 1);
    world.credentials["clientSecret"] = json!(world.simulation.client_secret());
    world.secret_version = "2".to_owned();
    assert!(pull(&world).await.is_ok());
}

#[tokio::test]
async fn one_organization_never_uses_the_token_of_another() {
    let world = World::new(1).await;
    for organization in ["hlf", "nhf"] {
        world
            .adapter_of(organization)
            .pull(Kind::Member, &From::Start)
            .await
            .unwrap();
    }
    assert_eq!(world.count("token"), 2);
}

#[tokio::test]
async fn an_answer_that_holds_no_token_is_malformed() {
    for fault in [
        Fault::Html,
        Fault::TruncatedJson,
        answered(200, json!({})),
        answered(200, json!("")),
        answered(200, json!({ "access_token": "t", "token_type": "mac" })),
        Fault::Oversized { bytes: 1 << 20 },
        Fault::Redirect {
            status: 302,
            location: "https://elsewhere.example/".to_owned(),
        },
    ] {
        let told = format!("{fault:?}");
        assert_eq!(pull_with(fault).await.kind(), ErrorKind::Malformed, "{told}");
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error_all_the_same() {
    let error = pull_with(answered(
        200,
        json!({ "error": "invalid_client", "error_codes": [7_000_222] }),
    ))
    .await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(error.fact("cause"), Some("key"));
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong() {
    for (error, number, cause) in [
        ("invalid_client", 7_000_222, "key"),
        ("unauthorized_client", 700_016, "key"),
        ("invalid_scope", 70_011, "scope"),
        ("invalid_resource", 500_011, "scope"),
        ("invalid_request", 90_002, "configuration"),
    ] {
        let body = json!({ "error": error, "error_codes": [number], "error_description": "canary" });
        let told = pull_with(answered(400, body)).await;
        assert_eq!(
            (told.kind(), told.fact("cause")),
            (ErrorKind::Unauthenticated, Some(cause))
        );
        assert!(!format!("{told:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_sign_in_server_that_is_busy_is_asked_again_when_it_says() {
    let world = World::new(1).await;
    let busy = Fault::Status {
        status: 429,
        body: None,
        retry_after: Some("40".to_owned()),
    };
    world.inject(FaultRule::once(busy).at(TOKEN));
    let error = pull(&world).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    let sent = world.requests();
    assert!(matches!(
        pull(&world).await.unwrap_err().kind(),
        ErrorKind::RateLimited { .. }
    ));
    assert_eq!(world.requests(), sent);
    world.simulation.advance(SignedDuration::from_secs(41));
    assert!(pull(&world).await.is_ok());
}

#[tokio::test]
async fn a_sign_in_server_that_is_down_is_unavailable_and_not_remembered() {
    for fault in [answered(503, json!({})), Fault::ResetBefore] {
        let world = World::new(1).await;
        world.inject(FaultRule {
            times: Some(9),
            ..FaultRule::always(fault).at(TOKEN)
        });
        let mut error = pull(&world).await;
        assert_eq!(error.as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
        world.simulation.clear_faults();
        error = pull(&world).await;
        assert!(error.is_ok());
    }
}

#[tokio::test]
async fn a_write_without_a_token_was_never_sent() {
    let world = World::new(1).await;
    world.inject(FaultRule::always(answered(503, json!({}))).at(TOKEN));
    let change = crate::world::member("1", json!({ "lastName": "Berg" }));
    let error = world.adapter().push(Kind::Member, &[change]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_short_token_is_used_and_an_undated_one_too() {
    for body in [
        json!({ "expires_in": 0 }),
        json!({}),
        json!({ "expires_in": "3599", "token_type": "bearer" }),
    ] {
        let world = World::new(1).await;
        world.simulation.set_token_lifetime(3599);
        pull(&world).await.unwrap();
        let mut body = body;
        body["access_token"] = json!("unknown to the system");
        world.inject(FaultRule::always(answered(200, body)).at(TOKEN));
        world.simulation.revoke_tokens();
        assert_eq!(
            pull(&world).await.unwrap_err().kind(),
            ErrorKind::Unauthenticated,
            "it was shown, and refused"
        );
    }
}

#[tokio::test]
async fn a_long_token_is_carried() {
    let world = World::new(1).await;
    let body = json!({ "access_token": "t".repeat(20 << 10), "expires_in": 3599 });
    world.inject(FaultRule::always(answered(200, body)).at(TOKEN));
    assert_eq!(pull(&world).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
}
