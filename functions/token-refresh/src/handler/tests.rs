//! Events as AWS delivers them.

use std::sync::Arc;

use lambda::testing::{answered, events, memory};
use serde_json::{Value, json};
use shared::api::{Integrations, integration_routes};
use shared::config::{MapEnvironment, TokenRefreshConfig};
use shared::http::Exceptions;
use shared::integration::Vault;
use shared::keys::MemoryKeys;
use shared::objects::MemoryObjects;
use shared::scheduler::MemoryScheduler;
use shared::secrets::MemorySecrets;

use super::*;
use crate::parts;

const PREFIX: &str = "test/";

/// A service in which `hlf` has connected Dynamics 365 for a person to sign in, and nobody has yet.
async fn handler() -> Handler {
    let (ports, secrets) = (memory(), Arc::new(MemorySecrets::new()));
    let integrations = Integrations {
        ports: ports.clone(),
        vault: Vault::new(Arc::<MemorySecrets>::clone(&secrets), PREFIX),
        scheduler: Arc::new(MemoryScheduler::new()),
        exceptions: Exceptions::none(),
        keys: Arc::new(MemoryKeys::new()),
        api_url: "https://api.example".parse().unwrap(),
        objects: Arc::new(MemoryObjects::new()),
    };
    let integrations = Api::new(integration_routes(integrations), &ports);
    let Invocation::Http(mut put) = events("integrations").remove("put_integration").unwrap() else {
        panic!()
    };
    let mut wish: Value = serde_json::from_str(put.body.as_deref().unwrap()).unwrap();
    wish["settings"]["signIn"] = json!("user");
    put.body = Some(wish.to_string());
    assert_eq!(answered(&lambda::answer(&integrations, *put).await).0, 201);
    parts::handler(ports, Arc::new(MemoryKeys::new()), secrets, config())
}

fn config() -> TokenRefreshConfig {
    let environment = MapEnvironment::from([
        ("CONTROL_TABLE", "control"),
        ("SECRET_PREFIX", PREFIX),
        ("TOKEN_KEY", "key"),
        ("API_URL", "https://api.example"),
    ]);
    TokenRefreshConfig::read(&environment).unwrap()
}

fn event(case: &str) -> Invocation {
    events("token-refresh").remove(case).unwrap()
}

async fn answer(handler: &Handler, event: Invocation) -> (u64, Value) {
    let (status, body) = answered(&handler.handle(event).await.unwrap());
    (status, serde_json::from_str(&body).unwrap())
}

/// Comes back from the sign-in server.
async fn come_back(handler: &Handler, query: String) -> (u64, Value) {
    let Invocation::Http(mut request) = event("http_callback") else {
        panic!()
    };
    request.raw_query_string = Some(query);
    answer(handler, Invocation::Http(request)).await
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for (case, event) in events("token-refresh") {
        let handler = handler().await;
        if case.starts_with("http_") {
            let (status, body) = answer(&handler, event).await;
            let expected = match case.as_str() {
                "http_refresh_token" => (409, "needs_reauthorization"),
                "http_refresh_token_of_nobody" | "http_start_sign_in_of_nobody" => {
                    (404, "unknown_integration")
                }
                "http_start_sign_in" => (200, ""),
                // Nobody has signed in yet, which says nothing against them.
                "http_rotate_credentials" => (200, ""),
                "http_callback" => (404, "unknown_sign_in"),
                "http_callback_without_state" => (400, "invalid_request"),
                "http_without_caller" => (401, "unauthenticated"),
                other => panic!("nobody says what is to become of {other}"),
            };
            let code = body["code"].as_str().unwrap_or_default();
            assert_eq!((status, code), expected, "{case}: {body}");
            continue;
        }
        let answer = handler.handle(event).await;
        match case.as_str() {
            "tick" => {
                let nothing = json!({ "fresh": 0, "refused": 0, "rested": 0, "failed": 0 });
                assert_eq!(answer, Ok(Output::Other(nothing)));
            }
            "refresh_token" => assert!(answer.unwrap_err().to_string().contains("needs_reauthorization")),
            "unknown_operation" => assert!(answer.unwrap_err().to_string().contains("invalid_request")),
            other => panic!("nobody says what is to become of {other}"),
        }
    }
}

#[tokio::test]
async fn a_person_is_sent_to_the_sign_in_server_and_may_come_back_once() {
    let handler = handler().await;
    let (status, started) = answer(&handler, event("http_start_sign_in")).await;
    assert_eq!(status, 200, "{started}");
    let address = started["authorizationUrl"].as_str().unwrap();
    let told = |name: &str| {
        let (_, rest) = address.split_once(&format!("{name}=")).unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    assert_eq!(
        told("redirect_uri"),
        "https%3A%2F%2Fapi.example%2Fv1%2Foauth%2Fcallback"
    );
    let declined = format!("error=access_denied&state={}", told("state"));
    let (status, body) = come_back(&handler, declined.clone()).await;
    assert_eq!((status, &body["code"]), (409, &json!("sign_in_declined")));
    let (status, body) = come_back(&handler, declined).await;
    assert_eq!((status, &body["code"]), (404, &json!("unknown_sign_in")));
}

#[tokio::test]
async fn browsers_are_sent_back_to_a_route_of_this_function() {
    let Invocation::Http(request) = event("http_callback") else {
        panic!()
    };
    assert_eq!(request.raw_path.as_deref(), Some(config().callback.path()));
}

#[tokio::test]
async fn messages_and_the_operations_of_others_are_not_for_this_function() {
    let message = events("dynamics365").remove("slice").unwrap();
    assert_eq!(handler().await.handle(message).await, Err(Failure::unexpected()));
    let operation = events("trigger-sync").remove("trigger_sync").unwrap();
    assert!(handler().await.handle(operation).await.is_err());
}
