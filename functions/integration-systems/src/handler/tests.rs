//! Events as AWS delivers them.

use lambda::testing::{answered, events, memory};
use serde_json::Value;
use shared::api::{RegistryState, registry_routes};

use super::*;

fn handler() -> Handler {
    let (registry, tokens) = Registry::in_memory(memory().clock);
    let state = RegistryState::new(registry.clone(), Some(tokens), false);
    Handler {
        api: Api::of_no_organization(registry_routes(state), &registry.clock),
        registry,
    }
}

async fn answer(handler: &Handler, case: &str) -> (u64, Value) {
    let event = events("integration-systems").remove(case).unwrap();
    let (status, body) = answered(&handler.handle(event).await.unwrap());
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for (case, event) in events("integration-systems") {
        let handler = handler();
        match case.as_str() {
            "mend_credentials" => {
                let mended = handler.handle(event).await.unwrap();
                assert_eq!(mended, Output::Other(json!({ "mended": 0 })));
            }
            "unknown_event" => assert_eq!(handler.handle(event).await, Err(Failure::unexpected())),
            _ => {
                let expected = match case.as_str() {
                    "register" | "viewer_of_a_system" | "get_discovery" => 200,
                    "graphql_without_caller" | "token_wrong_secret" => 401,
                    other => panic!("nobody says what is to become of {other}"),
                };
                let (status, body) = answer(&handler, &case).await;
                assert_eq!(status, expected, "{case}: {body}");
                assert_eq!(
                    status == 200,
                    body.get("errors").or(body.get("error")).is_none(),
                    "{case}: {body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_name_is_registered_once() {
    let handler = handler();
    let (_, first) = answer(&handler, "register").await;
    assert_eq!(first["data"]["result"]["name"], "membership-platform");
    let (status, again) = answer(&handler, "register").await;
    assert_eq!(
        (status, &again["errors"][0]["extensions"]["error_code"]),
        (200, &json!(21))
    );
}
