//! Events as AWS delivers them.

use std::sync::Arc;

use lambda::testing::{answered, events, memory};
use shared::api::integration_routes;
use shared::http::Exceptions;
use shared::integration::Vault;
use shared::keys::MemoryKeys;
use shared::objects::MemoryObjects;
use shared::scheduler::MemoryScheduler;
use shared::secrets::MemorySecrets;

use super::*;

fn handler() -> Handler {
    let ports = memory();
    let vault = Vault::new(Arc::new(MemorySecrets::new()), "test/");
    let state = Integrations {
        ports: ports.clone(),
        vault,
        scheduler: Arc::new(MemoryScheduler::new()),
        exceptions: Exceptions::none(),
        keys: Arc::new(MemoryKeys::new()),
        api_url: "https://api.example".parse().unwrap(),
        objects: Arc::new(MemoryObjects::new()),
    };
    Handler {
        api: Api::new(integration_routes(state.clone()), &ports),
        state,
    }
}

async fn answer(handler: &Handler, case: &str) -> (u64, String) {
    let event = events("integrations").remove(case).unwrap();
    answered(&handler.handle(event).await.unwrap())
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for case in events("integrations").into_keys() {
        let handler = handler();
        if case.ends_with("_operation") {
            assert_eq!(answer(&handler, "put_integration").await.0, 201);
            let event = events("integrations").remove(&case).unwrap();
            assert!(
                matches!(handler.handle(event).await, Ok(Output::Other(_))),
                "{case}"
            );
            continue;
        }
        let (status, body) = answer(&handler, &case).await;
        let expected = match case.as_str() {
            "schedule_sync" => 404,
            "put_integration" | "put_member" => 201,
            "get_integration_status" | "list_runs" | "open_webhook_endpoint" => 404,
            "put_members_in_bulk" | "get_health" | "get_openapi" => 200,
            "body_that_is_not_base64" | "path_that_was_decoded" => 400,
            other => panic!("nobody says what is to become of {other}"),
        };
        assert_eq!(status, expected, "{case}: {body}");
    }
}

#[tokio::test]
async fn letters_of_any_script_survive_the_gateway() {
    let handler = handler();
    assert!(answer(&handler, "put_member").await.1.contains("Bjørk-Ødegård"));
    let (_, lines) = answer(&handler, "put_members_in_bulk").await;
    let outcomes: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&outcomes[0]["outcome"], &outcomes[1]["outcome"]),
        (&"updated".into(), &"refused".into())
    );
}

#[tokio::test]
async fn what_was_connected_is_there() {
    let handler = handler();
    assert_eq!(answer(&handler, "put_integration").await.0, 201);
    let (status, body) = answer(&handler, "get_integration_status").await;
    assert_eq!(status, 200);
    assert!(!body.contains("clientSecret"));
}

#[tokio::test]
async fn messages_and_the_operations_of_others_are_not_for_this_function() {
    let message = events("dynamics365").remove("slice").unwrap();
    assert_eq!(handler().handle(message).await, Err(Failure::unexpected()));
    let operation = events("trigger-sync").remove("trigger_sync").unwrap();
    assert!(handler().handle(operation).await.is_err());
}
