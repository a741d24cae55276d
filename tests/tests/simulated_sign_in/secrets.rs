//! Apps that prove who they are by a secret.

use serde_json::json;

use crate::app::{App, read};

const WRONG: (u16, &str, u64) = (401, "invalid_client", 7_000_215);

fn refusal((status, error, number): (u16, &str, u64)) -> (u16, String, u64) {
    (status, error.to_owned(), number)
}

#[tokio::test]
async fn an_app_asks_in_its_own_name_and_gets_no_refresh_token() {
    let app = App::new().await;
    let reply = app.for_itself(&[]).await;
    let body = reply.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(3599))
    );
    assert!(body["refresh_token"].is_null());
    assert_eq!(reply.header("cache-control"), "no-store, no-cache");
    assert_eq!(app.shown(&reply.access()).await, 200);
}

#[tokio::test]
async fn an_app_that_shows_nothing_is_refused() {
    let app = App::new().await;
    let reply = app.for_itself(&[("client_secret", "")]).await;
    assert_eq!(reply.refusal(), refusal((401, "invalid_client", 7_000_216)));
    let reply = app.redeem("any", &[("client_secret", "")]).await;
    assert_eq!(reply.refusal(), refusal((401, "invalid_client", 7_000_218)));
}

#[tokio::test]
async fn a_secret_that_has_expired_is_not_one_that_is_wrong() {
    let app = App::new().await;
    app.simulation.entra().expire_secret(&app.client_id);
    let reply = app.for_itself(&[]).await;
    assert_eq!(reply.refusal(), refusal((401, "invalid_client", 7_000_222)));
    let reply = app.for_itself(&[("client_secret", "wrong")]).await;
    assert_eq!(reply.refusal(), refusal(WRONG));
}

#[tokio::test]
async fn a_new_secret_takes_the_place_of_the_old_one() {
    let app = App::new().await;
    let secret = app.simulation.entra().rotate_secret(&app.client_id, false);
    assert_eq!(app.for_itself(&[]).await.refusal(), refusal(WRONG));
    assert_eq!(app.for_itself(&[("client_secret", &secret)]).await.status, 200);
}

#[tokio::test]
async fn a_new_secret_may_stand_beside_the_old_one() {
    let app = App::new().await;
    let entra = app.simulation.entra();
    entra.expire_secret(&app.client_id);
    let second = entra.rotate_secret(&app.client_id, true);
    let third = entra.rotate_secret(&app.client_id, true);
    for secret in [&second, &third] {
        assert_eq!(app.for_itself(&[("client_secret", secret)]).await.status, 200);
    }
    assert_eq!(
        app.for_itself(&[]).await.refusal().2,
        7_000_222,
        "the first one stays expired"
    );
}

#[tokio::test]
async fn a_request_that_is_no_form_by_post_is_refused() {
    let app = App::new().await;
    let reply = read(app.http.get(app.endpoint("token"))).await.unwrap();
    assert_eq!(reply.refusal(), refusal((400, "invalid_request", 900_561)));
    let body = json!({ "grant_type": "client_credentials", "client_id": app.client_id });
    let reply = read(app.http.post(app.endpoint("token")).json(&body))
        .await
        .unwrap();
    assert_eq!(reply.refusal(), refusal((400, "invalid_request", 900_144)));
}

#[tokio::test]
async fn a_parameter_that_is_given_twice_is_refused() {
    let app = App::new().await;
    let reply = app
        .for_itself(&[("client_info", "1"), ("client_info", "1")])
        .await;
    assert_eq!(reply.refusal(), refusal((400, "invalid_request", 9_000_411)));
}

#[tokio::test]
async fn a_token_is_as_long_as_it_is_wanted_and_good_all_the_same() {
    let app = App::new().await;
    app.simulation
        .entra()
        .change(|settings| settings.access_token_length = 20 << 10);
    let access = app.for_itself(&[]).await.access();
    assert_eq!(access.len(), 20 << 10);
    assert_eq!(app.shown(&access).await, 200);
}
