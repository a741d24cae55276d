//! Events as AWS delivers them.

use std::sync::Arc;

use lambda::testing::{answered, events, memory};
use shared::api::{Integrations, integration_routes, trigger_routes};
use shared::http::Exceptions;
use shared::integration::Vault;
use shared::keys::MemoryKeys;
use shared::objects::MemoryObjects;
use shared::scheduler::MemoryScheduler;
use shared::secrets::MemorySecrets;

use super::*;

/// A service in which `hlf` has connected Dynamics 365.
async fn handler() -> Handler {
    let ports = memory();
    let vault = Vault::new(std::sync::Arc::new(MemorySecrets::new()), "test/");
    let state = Integrations {
        ports: ports.clone(),
        vault,
        scheduler: std::sync::Arc::new(MemoryScheduler::new()),
        exceptions: Exceptions::none(),
        keys: std::sync::Arc::new(MemoryKeys::new()),
        api_url: "https://api.example".parse().unwrap(),
        objects: Arc::new(MemoryObjects::new()),
    };
    let integrations = Api::new(integration_routes(state), &ports);
    let Invocation::Http(put) = events("integrations").remove("put_integration").unwrap() else {
        panic!()
    };
    assert_eq!(answered(&lambda::answer(&integrations, *put).await).0, 201);
    Handler {
        api: Api::new(trigger_routes(ports.clone()), &ports),
        ports,
    }
}

fn operation(answer: Result<Output, Failure>) -> serde_json::Value {
    match answer.unwrap() {
        Output::Other(result) => result,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for (case, event) in events("trigger-sync") {
        let answer = handler().await.handle(event).await;
        match case.as_str() {
            "trigger_sync" => assert_eq!(operation(answer)["state"], "queued"),
            "sync_membership_data" => assert_eq!(operation(answer)["runs"][0]["run"]["trigger"], "direct"),
            "get_integration_status" => assert_eq!(operation(answer)["health"]["level"], "unproven"),
            "get_last_sync_result" => assert_eq!(operation(answer), serde_json::json!({})),
            "tick" => assert_eq!(operation(answer)["outcome"], "void"),
            "reimbursement_approved" => assert_eq!(operation(answer), serde_json::Value::Null),
            "unknown_operation" | "unknown_bus_event" => {
                assert!(answer.unwrap_err().to_string().contains("invalid_request"))
            }
            "http_trigger_sync" | "http_sync_membership_data" => {
                assert_eq!(answered(&answer.unwrap()).0, 202)
            }
            // What is connected keeps no course enrollments.
            "sync_course_enrollments" => {
                let error = answer.unwrap_err().to_string();
                assert!(error.contains("no system for course-enrollments"), "{error}");
            }
            "http_sync_course_enrollments" => {
                let (status, body) = answered(&answer.unwrap());
                assert_eq!(status, 404);
                assert!(body.contains("no system for course-enrollments"), "{body}");
            }
            "http_without_caller" => assert_eq!(answered(&answer.unwrap()).0, 401),
            other => panic!("nobody says what is to become of {other}"),
        }
    }
}

#[tokio::test]
async fn a_request_that_is_delivered_twice_starts_one_run() {
    let handler = handler().await;
    let event = events("trigger-sync").remove("http_trigger_sync").unwrap();
    let first = answered(&handler.handle(event.clone()).await.unwrap());
    assert_eq!(first, answered(&handler.handle(event).await.unwrap()));
}

#[tokio::test]
async fn messages_are_not_for_this_function() {
    let event = events("dynamics365").remove("slice").unwrap();
    assert_eq!(handler().await.handle(event).await, Err(Failure::unexpected()));
}
