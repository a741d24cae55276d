//! Codes, and the tokens that are had for them.

use jiff::SignedDuration;
use serde_json::json;
use tests::sign_in::Revocation;

use crate::app::{App, CALLBACK, challenge};

#[tokio::test]
async fn a_code_gives_tokens_in_the_name_of_the_user() {
    let app = App::new().await;
    let reply = app.signed_in().await;
    let body = reply.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(3599))
    );
    let scope = format!("{}/user_impersonation", app.simulation.base_url());
    assert_eq!(
        body["scope"],
        json!(scope),
        "without the words that name no system"
    );
    let grant = app.simulation.entra().grant(&reply.access()).unwrap();
    assert_eq!(grant.user.as_deref(), Some(app.simulation.user()));
    assert_eq!(app.shown(&reply.access()).await, 200);
}

#[tokio::test]
async fn whoever_signs_in_is_who_the_token_acts_for() {
    let app = App::new().await;
    for (user, status) in [
        (app.simulation.unprivileged_user(), 200),
        ("nobody@hlf.example", 403),
    ] {
        app.simulation
            .entra()
            .change(|settings| settings.visitor = Some(user.to_owned()));
        assert_eq!(app.shown(&app.signed_in().await.access()).await, status, "{user}");
    }
}

#[tokio::test]
async fn a_token_without_the_permission_opens_nothing() {
    let app = App::new().await;
    app.simulation
        .entra()
        .change(|settings| settings.withheld_scopes = vec!["user_impersonation".to_owned()]);
    let reply = app.signed_in().await;
    assert_eq!(reply.json()["scope"], json!(""));
    assert_eq!(app.shown(&reply.access()).await, 401);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let app = App::new().await;
    let (first, second) = (app.code().await, app.code().await);
    app.simulation.advance(SignedDuration::from_secs(590));
    assert_eq!(app.redeem(&first, &[]).await.status, 200);
    app.simulation.advance(SignedDuration::from_secs(10));
    assert_eq!(
        app.redeem(&second, &[]).await.refusal(),
        (400, "invalid_grant".to_owned(), 70_008)
    );
}

#[tokio::test]
async fn a_code_that_is_used_twice_takes_back_what_it_gave() {
    let app = App::new().await;
    let code = app.code().await;
    let given = app.redeem(&code, &[]).await;
    let renewed = app.renew(&given.refresh()).await;
    assert_eq!(
        app.redeem(&code, &[]).await.refusal(),
        (400, "invalid_grant".to_owned(), 54_005)
    );
    assert_eq!(app.renew(&renewed.refresh()).await.refusal().2, 50_173);
    for access in [given.access(), renewed.access()] {
        assert_eq!(app.shown(&access).await, 401);
    }
    let families = app.simulation.entra().families();
    assert_eq!(families[0].revoked, Some(Revocation::CodeReuse));
}

#[tokio::test]
async fn a_code_needs_the_verifier_that_its_challenge_was_made_from() {
    let app = App::new().await;
    let code = app.code().await;
    for verifier in ["", "another-verifier-that-is-long-enough-to-be-one"] {
        assert_eq!(
            app.redeem(&code, &[("code_verifier", verifier)]).await.refusal(),
            (400, "invalid_grant".to_owned(), 501_481),
            "{verifier}"
        );
    }
    assert_eq!(app.redeem(&code, &[]).await.status, 200, "it is not used up");
}

#[tokio::test]
async fn a_verifier_is_not_short_and_has_no_odd_characters() {
    let app = App::new().await;
    for verifier in [
        "forty-two-characters-are-one-too-few-01234",
        "an odd character makes this verifier a bad one 01",
    ] {
        let visit = app.visit(&[("code_challenge", &challenge(verifier))]).await;
        let (_, told) = visit.told();
        let code = told["code"].as_str().unwrap();
        let reply = app.redeem(code, &[("code_verifier", verifier)]).await;
        assert_eq!(reply.refusal().2, 501_481, "{verifier}");
    }
}

#[tokio::test]
async fn a_code_needs_the_address_that_it_was_sent_to() {
    let app = App::new().await;
    let other = "https://service.example/other";
    app.simulation
        .entra()
        .set_redirect_uris(&app.client_id, &[CALLBACK, other]);
    let code = app.code().await;
    let reply = app.redeem(&code, &[("redirect_uri", other)]).await;
    assert_eq!(reply.refusal(), (401, "invalid_client".to_owned(), 500_112));
    let reply = app.redeem(&code, &[("redirect_uri", "")]).await;
    assert_eq!(reply.refusal().2, 900_144);
}

#[tokio::test]
async fn a_code_is_of_the_client_that_sent_the_user() {
    let app = App::new().await;
    let code = app.code().await;
    let stranger = app.simulation.stranger();
    let fields = [
        ("client_id", stranger.client_id.as_str()),
        ("client_secret", &stranger.client_secret),
    ];
    assert_eq!(
        app.redeem(&code, &fields).await.refusal(),
        (400, "invalid_grant".to_owned(), 700_007)
    );
    assert_eq!(app.redeem(&code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_code_needs_the_clients_secret_too() {
    let app = App::new().await;
    let code = app.code().await;
    let reply = app.redeem(&code, &[("client_secret", "wrong")]).await;
    assert_eq!(reply.refusal().2, 7_000_215);
    assert_eq!(app.redeem(&code, &[]).await.status, 200, "it is not used up");
}

#[tokio::test]
async fn a_code_that_nobody_gave_is_malformed() {
    let app = App::new().await;
    assert_eq!(
        app.redeem("1.AAAA", &[]).await.refusal(),
        (400, "invalid_grant".to_owned(), 9_002_313)
    );
}
