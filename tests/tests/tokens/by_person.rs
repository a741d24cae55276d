//! Persons who sign in for an integration, in a browser.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tests::dataverse::faults::Fault;
use tests::sign_in::{Revocation, Rotation};
use url::Url;

use crate::world::{BY_ID, World};

const GRANT: &str = "refresh_token";

#[tokio::test]
async fn a_person_signs_in_and_the_sign_in_is_kept_alive_for_months() {
    let world = World::signed_in().await;
    assert_eq!(world.state().await, "active");
    for _ in 0..100 {
        // Between two ticks the stack may be down for a day.
        world.simulation.advance(SignedDuration::from_hours(24));
        world.minutes(1).await;
    }
    assert_eq!(world.calls(GRANT), 100);
    let family = &world.simulation.entra().families()[0];
    assert_eq!((family.refreshes, family.revoked), (100, None));
    assert_eq!(world.refresh().await.status, 200);
}

#[tokio::test]
async fn the_browser_is_sent_with_a_challenge_and_a_state_that_nobody_can_guess() {
    let world = World::new().await;
    world.connect("user", &world.credentials()).await;
    let (one, other) = (world.start().await, world.start().await);
    assert_ne!(one, other);
    let url: Url = one.parse().unwrap();
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], crate::world::CALLBACK);
    assert!(query["scope"].contains("offline_access"));
    assert!(query["state"].len() >= 43 && query["code_challenge"].len() == 43);
    assert!(!one.contains(world.simulation.client_secret()));
}

#[tokio::test]
async fn what_a_browser_brings_back_is_good_once_and_for_ten_minutes() {
    let world = World::new().await;
    world.connect("user", &world.credentials()).await;
    let back = world.visit(&world.start().await).await;
    assert_eq!(world.get(&back).await.status, 200);
    let again = world.get(&back).await;
    assert_eq!((again.status, &*again.code()), (404, "unknown_sign_in"));
    // An earlier start is void, as is one that took too long.
    let earlier = world.start().await;
    let later = world.start().await;
    assert_eq!(
        world.get(&world.visit(&earlier).await).await.code(),
        "unknown_sign_in"
    );
    let back = world.visit(&later).await;
    world.simulation.advance(SignedDuration::from_mins(10));
    assert_eq!(world.get(&back).await.code(), "unknown_sign_in");
    for state in [
        "",
        "x",
        "hlf:dynamics365.",
        "hlf:dynamics365.x",
        "nhf:dynamics365.x",
        "..",
        "%00",
    ] {
        let answer = world
            .get(&format!("/v1/oauth/callback?code=canary&state={state}"))
            .await;
        assert!([400, 404].contains(&answer.status), "{state}: {}", answer.body);
        assert!(!answer.body.contains("canary"));
    }
    let twice = world.get("/v1/oauth/callback?code=a&code=b&state=x").await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn a_person_who_declines_changes_nothing() {
    let world = World::signed_in().await;
    world
        .simulation
        .entra()
        .change(|settings| settings.visitor = None);
    let answer = world.sign_in().await;
    assert_eq!((answer.status, &*answer.code()), (409, "sign_in_declined"));
    assert_eq!(
        world.refresh().await.status,
        200,
        "the sign-in of before still works"
    );
}

#[tokio::test]
async fn an_application_that_signs_in_by_itself_needs_no_person() {
    let world = World::connected().await;
    let answer = world.post(&format!("{BY_ID}/oauth/start")).await;
    assert_eq!((answer.status, &*answer.code()), (400, "invalid_request"));
    assert!(answer.body.contains("settings.signIn"));
}

#[tokio::test]
async fn nobody_has_signed_in_yet_is_said_so() {
    let world = World::new().await;
    world.connect("user", &world.credentials()).await;
    let answer = world.refresh().await;
    assert_eq!((answer.status, &*answer.code()), (409, "needs_reauthorization"));
    assert!(answer.body.contains("oauth/start"), "{}", answer.body);
    assert_eq!(world.state().await, "needs_reauthorization");
    assert_eq!(world.sign_in().await.status, 200);
    assert_eq!(world.state().await, "active");
}

#[tokio::test]
async fn a_sign_in_that_was_withdrawn_is_told_and_a_new_one_goes_on() {
    let world = World::signed_in().await;
    world
        .simulation
        .entra()
        .revoke_consent(world.simulation.client_id());
    let answer = world.refresh().await;
    assert_eq!(answer.code(), "needs_reauthorization");
    assert!(answer.body.contains("sign in again"), "{}", answer.body);
    let calls = world.calls(GRANT);
    world.minutes(24 * 60).await;
    assert_eq!(world.calls(GRANT), calls, "nothing is asked with what has ended");
    assert_eq!(world.sign_in().await.status, 200);
    assert_eq!(world.state().await, "active");
    assert_eq!(world.refresh().await.status, 200);
}

#[tokio::test]
async fn a_server_that_keeps_refresh_tokens_or_gives_the_same_again_is_understood() {
    for repeated in [false, true] {
        let world = World::new().await;
        world
            .simulation
            .entra()
            .change(|settings| settings.rotation = Rotation::Keep { repeated });
        world.connect("user", &world.credentials()).await;
        assert_eq!(world.sign_in().await.status, 200);
        for _ in 0..3 {
            world.simulation.advance(SignedDuration::from_hours(2));
            assert_eq!(world.refresh().await.status, 200);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_a_strict_servers_sign_in_and_no_call_before_its_time() {
    let world = World::signed_in().await;
    world.inject(Fault::ResetAfter);
    let lost = world.refresh().await;
    assert_eq!((lost.status, &*lost.code()), (503, "unavailable"));
    assert!(world.row().await.asking.is_some(), "an answer may still come");
    let calls = world.calls(GRANT);
    // Somebody else waits for it, and does not show the token meanwhile.
    assert_eq!(world.refresh().await.status, 503);
    assert_eq!(world.calls(GRANT), calls);
    world.simulation.advance(SignedDuration::from_secs(150));
    let ended = world.refresh().await;
    assert_eq!(ended.code(), "needs_reauthorization");
    assert!(ended.body.contains("no answer came"), "{}", ended.body);
    assert_eq!(
        world.simulation.entra().families()[0].revoked,
        Some(Revocation::Reuse)
    );
    assert_eq!(world.sign_in().await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_made_up_for_where_the_server_allows() {
    let world = World::new().await;
    let grace = Rotation::Grace { seconds: 600 };
    world
        .simulation
        .entra()
        .change(|settings| settings.rotation = grace);
    world.connect("user", &world.credentials()).await;
    world.sign_in().await;
    world.inject(Fault::ResetAfter);
    assert_eq!(world.refresh().await.status, 503);
    world.simulation.advance(SignedDuration::from_secs(151));
    assert_eq!(world.refresh().await.status, 200);
    assert!(world.row().await.silent_since.is_none());
}

#[tokio::test]
async fn what_never_reached_the_server_is_sent_again_with_nothing_lost() {
    let world = World::signed_in().await;
    world.inject(Fault::ResetBefore);
    assert_eq!(world.refresh().await.status, 503);
    world.simulation.advance(SignedDuration::from_secs(151));
    assert_eq!(world.refresh().await.status, 200);
    assert_eq!(world.simulation.entra().families()[0].revoked, None);
}

#[tokio::test]
async fn a_servers_503_or_429_spends_nothing() {
    for status in [503, 429] {
        let world = World::signed_in().await;
        world.inject(Fault::Status {
            status,
            body: None,
            retry_after: Some("3".to_owned()),
        });
        assert_eq!(world.refresh().await.status, 503);
        assert!(world.row().await.asking.is_none(), "it was answered");
        world.simulation.advance(SignedDuration::from_secs(10));
        assert_eq!(world.refresh().await.status, 200);
    }
}

#[tokio::test]
async fn an_applications_secret_is_rotated_and_the_persons_sign_in_goes_on() {
    let world = World::signed_in().await;
    let mut new = world.credentials();
    new["clientSecret"] = json!(
        world
            .simulation
            .entra()
            .rotate_secret(world.simulation.client_id(), true)
    );
    let answer = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&new))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut wrong = new.clone();
    wrong["clientSecret"] = json!("wrong");
    let answer = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&wrong))
        .await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(world.refresh().await.status, 200);
    assert_eq!(world.simulation.entra().families()[0].revoked, None);
}

#[tokio::test]
async fn a_mistake_in_a_rotation_keeps_no_sign_in_from_being_renewed() {
    let world = World::signed_in().await;
    let mut wrong = world.credentials();
    wrong["clientSecret"] = json!("wrong");
    let answer = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&wrong))
        .await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    for _ in 0..3 {
        world.minutes(60).await;
        let life = world.row().await.access.unwrap().life;
        assert!(life.is_fresh(world.simulation.now()));
    }
}

#[tokio::test]
async fn a_sign_in_outlives_settings_that_are_changed_and_changed_back() {
    let world = World::signed_in().await;
    for sign_in in ["application", "user"] {
        let answer = world.connect(sign_in, &world.credentials()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = world.refresh().await;
        assert_eq!(answer.status, 200, "{sign_in} {}", answer.body);
    }
    assert_eq!(world.simulation.entra().families().len(), 1);
}

#[tokio::test]
async fn an_expired_secret_is_replaced_though_the_sign_in_has_ended_too() {
    let world = World::signed_in().await;
    world
        .simulation
        .entra()
        .revoke_consent(world.simulation.client_id());
    assert_eq!(world.refresh().await.code(), "needs_reauthorization");
    let mut new = world.credentials();
    new["clientSecret"] = json!(
        world
            .simulation
            .entra()
            .rotate_secret(world.simulation.client_id(), false)
    );
    let answer = world
        .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&new))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(world.sign_in().await.status, 200);
    assert_eq!(world.refresh().await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_gave_up_is_not_taken_for_an_answer() {
    for status in [500, 502, 504] {
        let world = World::signed_in().await;
        world.inject(Fault::StatusAfter {
            status,
            body: None,
            retry_after: None,
        });
        assert_eq!(world.refresh().await.status, 503);
        assert!(world.row().await.asking.is_some(), "the server may have done it");
    }
}
