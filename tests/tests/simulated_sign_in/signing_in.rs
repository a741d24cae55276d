//! Users who are sent to sign in, and sent back.

use serde_json::json;

use crate::app::{App, CALLBACK};

#[tokio::test]
async fn a_user_who_signs_in_is_sent_back_with_a_code_and_the_state() {
    let app = App::new().await;
    let (address, told) = app.visit(&[]).await.told();
    assert!(
        address.as_str().starts_with(CALLBACK),
        "what it told before is kept"
    );
    assert_eq!(told["state"], json!("a state & more"));
    assert!(told["code"].is_string() && told["error"].is_null());
}

#[tokio::test]
async fn a_user_who_declines_is_sent_back_without_a_code() {
    let app = App::new().await;
    app.simulation.entra().change(|settings| settings.visitor = None);
    let (_, told) = app.visit(&[]).await.told();
    assert_eq!(told["error"], json!("access_denied"));
    assert_eq!(told["state"], json!("a state & more"));
    assert!(told["code"].is_null());
    assert!(
        told["error_description"]
            .as_str()
            .unwrap()
            .starts_with("AADSTS65004: ")
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let app = App::new().await;
    for (changed, value, number) in [
        ("client_id", "nobody", "AADSTS700016"),
        ("client_id", "", "AADSTS900144"),
        ("redirect_uri", "https://service.example/callback", "AADSTS50011"),
        ("redirect_uri", "", "AADSTS900144"),
    ] {
        let reply = app.visit(&[(changed, value)]).await;
        assert_eq!((reply.status, reply.header("location")), (400, ""), "{changed}");
        assert!(reply.text.contains(number), "{}", reply.text);
        assert!(reply.header("content-type").starts_with("text/html"));
    }
}

#[tokio::test]
async fn a_request_that_lacks_something_is_sent_back_with_an_error() {
    let app = App::new().await;
    let foreign = "https://a.example/user_impersonation https://b.example/user_impersonation offline_access";
    let without = format!("{}/user_impersonation", app.simulation.base_url());
    let unknown = format!("{}/everything offline_access", app.simulation.base_url());
    for (changed, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("state", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "too-short", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "", "invalid_request"),
        ("scope", "offline_access", "invalid_scope"),
        ("scope", &without, "invalid_scope"),
        ("scope", &unknown, "invalid_scope"),
        ("scope", foreign, "invalid_scope"),
    ] {
        let (_, told) = app.visit(&[(changed, value)]).await.told();
        assert_eq!(told["error"], json!(error), "{changed}={value}");
        assert!(told["code"].is_null());
    }
}

#[tokio::test]
async fn another_tenant_signs_nobody_in() {
    let app = App::new().await;
    let address = app
        .endpoint("authorize")
        .replace(app.simulation.tenant(), "other");
    let reply = crate::app::read(app.http.get(address)).await.unwrap();
    assert!(reply.status == 400 && reply.text.contains("AADSTS90002"));
}
