//! The sign-in of Cornerstone.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{App, Reply, read};

fn endpoint(app: &App) -> String {
    format!("{}/services/api/oauth2/token", app.simulation.base_url())
}

/// Asks in JSON, with one member changed.
async fn ask(app: &App, changed: &str, value: Value) -> Reply {
    let learner = app.simulation.learner();
    let mut body = json!({
        "clientId": learner.client_id, "clientSecret": learner.client_secret, "grantType": "client_credentials",
        "scope": "training:read transcript:read",
    });
    body[changed] = value;
    read(app.http.post(endpoint(app)).json(&body)).await.unwrap()
}

async fn ask_well(app: &App) -> Reply {
    ask(app, "grantType", json!("client_credentials")).await
}

#[tokio::test]
async fn a_token_is_had_by_json() {
    let app = App::new().await;
    let reply = ask_well(&app).await;
    let body = reply.json();
    assert!(reply.access().starts_with("edge_"));
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (
            &json!("Bearer"),
            &json!(3600),
            &json!("training:read transcript:read")
        )
    );
    let grant = app
        .simulation
        .cornerstone()
        .sign_in()
        .grant(&reply.access())
        .unwrap();
    assert!(grant.allows("training:read") && !grant.allows("employee:read"));
    assert!(reply.header("content-type").starts_with("application/json"));
}

#[tokio::test]
async fn a_token_is_had_by_a_form() {
    let app = App::new().await;
    let learner = app.simulation.learner();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=all",
        learner.client_id, learner.client_secret
    );
    let request = app
        .http
        .post(endpoint(&app))
        .header("content-type", "application/x-www-form-urlencoded");
    let reply = read(request.body(form)).await.unwrap();
    let grant = app
        .simulation
        .cornerstone()
        .sign_in()
        .grant(&reply.access())
        .unwrap();
    assert!(grant.allows("employee:read"), "all is everything there is");
}

#[tokio::test]
async fn a_refusal_is_json_and_says_what_is_wrong() {
    let app = App::new().await;
    for (changed, value, status, error) in [
        ("clientSecret", json!("wrong"), 401, "invalid_client"),
        ("clientId", json!("nobody"), 401, "invalid_client"),
        ("clientSecret", json!(null), 400, "invalid_request"),
        ("grantType", json!("password"), 400, "unsupported_grant_type"),
        ("grantType", json!(null), 400, "invalid_request"),
        ("scope", json!("nuclear:launch"), 400, "invalid_scope"),
        ("scope", json!(null), 400, "invalid_request"),
    ] {
        let reply = ask(&app, changed, value).await;
        assert_eq!((reply.status, reply.member("error").as_str()), (status, error));
    }
    let reply = read(app.http.get(endpoint(&app))).await.unwrap();
    assert_eq!(reply.status, 405);
    let reply = read(app.http.post(endpoint(&app)).body("{}")).await.unwrap();
    assert_eq!(reply.status, 400, "a body of no kind");
}

#[tokio::test]
async fn a_token_lives_as_long_as_the_administrator_says() {
    let app = App::new().await;
    let cornerstone = app.simulation.cornerstone().sign_in();
    cornerstone.change(|settings| settings.access_token_seconds = 300);
    let reply = ask_well(&app).await;
    assert_eq!(reply.json()["expires_in"], json!(300));
    app.simulation.advance(SignedDuration::from_secs(299));
    assert!(cornerstone.grant(&reply.access()).is_some());
    app.simulation.advance(SignedDuration::from_secs(1));
    assert!(cornerstone.grant(&reply.access()).is_none());
}

#[tokio::test]
async fn no_administrator_says_less_than_five_minutes_or_more_than_a_day() {
    let app = App::new().await;
    for (seconds, status) in [(299, 400), (300, 204), (86_400, 204), (86_401, 400)] {
        let change = json!({ "accessTokenSeconds": seconds });
        let reply = app
            .control(http::Method::POST, "cornerstone/settings", &change)
            .await;
        assert_eq!(reply.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn fewer_scopes_are_given_than_were_asked_for() {
    let app = App::new().await;
    app.simulation
        .cornerstone()
        .sign_in()
        .change(|settings| settings.withheld_scopes = vec!["transcript:read".to_owned()]);
    let reply = ask_well(&app).await;
    assert_eq!(reply.json()["scope"], json!("training:read"));
    let grant = app
        .simulation
        .cornerstone()
        .sign_in()
        .grant(&reply.access())
        .unwrap();
    assert!(!grant.allows("transcript:read"));
}

#[tokio::test]
async fn the_apps_of_one_system_are_unknown_to_the_other() {
    let app = App::new().await;
    let reply = ask(&app, "clientId", json!(app.client_id)).await;
    assert_eq!(reply.status, 401);
    let learner = &app.simulation.learner().client_id;
    assert_eq!(
        app.for_itself(&[("client_id", learner)]).await.refusal().2,
        700_016
    );
    assert!(
        app.simulation
            .entra()
            .grant(&ask_well(&app).await.access())
            .is_none()
    );
}
