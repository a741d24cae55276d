//! What the servers keep account of, and what other programs do to them over HTTP.

use http::Method;
use serde_json::{Value, json};
use tests::sign_in::{TestCertificate, digest};

use crate::app::App;

#[tokio::test]
async fn token_calls_are_counted_by_client_and_grant_type() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    app.renew(&refresh).await;
    app.renew(&refresh).await;
    app.for_itself(&[]).await;
    let stranger = app.simulation.stranger();
    app.for_itself(&[("client_id", &stranger.client_id), ("client_secret", "wrong")])
        .await;
    for (client, grant_type, given, refused) in [
        (&app.client_id, "authorization_code", 1, 0),
        (&app.client_id, "refresh_token", 1, 1),
        (&app.client_id, "client_credentials", 1, 0),
        (&stranger.client_id, "client_credentials", 0, 1),
        (&stranger.client_id, "refresh_token", 0, 0),
    ] {
        let calls = app.simulation.entra().calls_of(client, grant_type);
        assert_eq!((calls.given, calls.refused), (given, refused), "{grant_type}");
    }
    assert!(app.simulation.cornerstone().sign_in().calls().is_empty());
    assert_eq!(app.simulation.counters().by_kind["token"], 5);
}

#[tokio::test]
async fn refusals_are_told_one_by_one() {
    let app = App::new().await;
    app.for_itself(&[("client_secret", "wrong")]).await;
    app.renew("1.AAAA").await;
    let refusals = app.simulation.entra().refusals();
    let told: Vec<_> = refusals
        .iter()
        .map(|refused| (refused.grant_type.as_str(), refused.error, refused.number))
        .collect();
    assert_eq!(
        told,
        [
            ("client_credentials", "invalid_client", Some(7_000_215)),
            ("refresh_token", "invalid_grant", Some(9_002_313)),
        ]
    );
    assert!(refusals.iter().all(|refused| refused.client_id == app.client_id));
}

#[tokio::test]
async fn a_family_tells_by_digest_which_token_is_its_newest() {
    let app = App::new().await;
    let first = app.signed_in().await.refresh();
    let entra = app.simulation.entra();
    assert!(entra.is_newest(&digest(&first)));
    let second = app.renew(&first).await.refresh();
    assert!(entra.is_newest(&digest(&second)) && !entra.is_newest(&digest(&first)));
    let told = app.control(Method::GET, "entra/families", &Value::Null).await;
    assert_eq!(told.json()[0]["newest"], json!(digest(&second)));
    assert!(!told.text.contains(&first) && !told.text.contains(&second));
}

#[tokio::test]
async fn other_programs_read_the_books_over_http() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    app.renew(&refresh).await;
    app.renew(&refresh).await;
    let families = app
        .control(Method::GET, "entra/families", &Value::Null)
        .await
        .json();
    assert_eq!(
        (
            &families[0]["refreshes"],
            &families[0]["revoked"],
            &families[0]["user"]
        ),
        (&json!(1), &json!("reuse"), &json!(app.simulation.user()))
    );
    let calls = app.control(Method::GET, "entra/calls", &Value::Null).await.json();
    let renewals = json!({
        "clientId": app.client_id, "grantType": "refresh_token", "given": 1, "refused": 1,
    });
    assert!(calls.as_array().unwrap().contains(&renewals), "{calls}");
    let refusals = app
        .control(Method::GET, "entra/refusals", &Value::Null)
        .await
        .json();
    assert_eq!(refusals[0]["number"], json!(50_173));
}

#[tokio::test]
async fn other_programs_change_the_settings_over_http() {
    let app = App::new().await;
    let change =
        json!({ "rotation": { "policy": "grace", "seconds": 30 }, "visitor": null, "idleSeconds": 60 });
    let reply = app.control(Method::POST, "entra/settings", &change).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
    let settings = app
        .control(Method::GET, "entra/settings", &Value::Null)
        .await
        .json();
    for name in ["rotation", "visitor", "idleSeconds"] {
        assert_eq!(settings[name], change[name]);
    }
    assert_eq!(
        settings["accessTokenSeconds"],
        json!(3599),
        "what is not told stays"
    );
    for bad in [
        json!({ "rotation": { "policy": "never" } }),
        json!({ "nosuch": 1 }),
        json!([]),
    ] {
        let reply = app.control(Method::POST, "entra/settings", &bad).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn other_programs_act_on_clients_over_http() {
    let app = App::new().await;
    let act = async |action: &str, body: Value| {
        let path = format!("entra/clients/{}/{action}", app.client_id);
        app.control(Method::POST, &path, &body).await
    };
    assert_eq!(act("expire-secret", Value::Null).await.status, 204);
    assert_eq!(app.for_itself(&[]).await.refusal().2, 7_000_222);
    let reply = act("rotate-secret", json!({ "keepOld": false })).await;
    let secret = reply.member("clientSecret");
    let asked = [("client_secret", secret.as_str())];
    assert_eq!(app.for_itself(&asked).await.status, 200);
    let other = json!([TestCertificate::ANOTHER.certificate]);
    assert_eq!(act("certificates", other).await.status, 204);
    assert_eq!(act("certificates", json!(["no certificate"])).await.status, 400);
    let elsewhere = "https://elsewhere.example/";
    assert_eq!(act("redirect-uris", json!([elsewhere])).await.status, 204);
    let visit = app.visit(&[("redirect_uri", elsewhere)]).await;
    assert_eq!(visit.status, 302);
    assert_eq!(act("revoke-consent", Value::Null).await.status, 204);
    assert_eq!(act("nosuch", Value::Null).await.status, 404);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let app = App::new().await;
    for path in [
        "entra/nosuch",
        "nosuch/settings",
        "entra/clients/nobody/expire-secret",
        "entra",
    ] {
        let reply = app.control(Method::POST, path, &Value::Null).await;
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[tokio::test]
async fn access_tokens_are_revoked_of_one_system_at_a_time() {
    let app = App::new().await;
    let access = app.for_itself(&[]).await.access();
    app.control(Method::POST, "cornerstone/revoke-access-tokens", &Value::Null)
        .await;
    assert_eq!(app.shown(&access).await, 200);
    app.control(Method::POST, "entra/revoke-access-tokens", &Value::Null)
        .await;
    assert_eq!(app.shown(&access).await, 401);
}
