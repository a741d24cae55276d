//! The events in `events/webhooks/`, and what each is answered.

use std::sync::Arc;

use lambda::testing::{answered, events, memory};
use serde_json::{Value, json};
use shared::api::{Integrations, integration_routes, webhook_routes};
use shared::flow::receive::Receiver;
use shared::http::Exceptions;
use shared::integration::Vault;
use shared::keys::{Keys, MemoryKeys};
use shared::objects::MemoryObjects;
use shared::scheduler::MemoryScheduler;
use shared::secrets::MemorySecrets;

use super::*;

/// A service in which `hlf` has connected Dynamics 365, and has an endpoint.
struct Service {
    handler: Handler,
    endpoint: String,
    secret: String,
}

async fn service() -> Service {
    let (ports, keys): (_, Arc<dyn Keys>) = (memory(), Arc::new(MemoryKeys::new()));
    let integrations = Integrations {
        ports: ports.clone(),
        vault: Vault::new(Arc::new(MemorySecrets::new()), "test/"),
        scheduler: Arc::new(MemoryScheduler::new()),
        exceptions: Exceptions::none(),
        keys: Arc::clone(&keys),
        api_url: "https://api.example".parse().unwrap(),
        objects: Arc::new(MemoryObjects::new()),
    };
    let integrations = Api::new(integration_routes(integrations), &ports);
    let mut opened = Value::Null;
    for case in ["put_integration", "open_webhook_endpoint"] {
        let Invocation::Http(event) = events("integrations").remove(case).unwrap() else {
            panic!()
        };
        let (status, body) = answered(&lambda::answer(&integrations, *event).await);
        assert_eq!(status, 201, "{body}");
        opened = serde_json::from_str(&body).unwrap();
    }
    let receiver = Receiver::new(ports.clone(), keys, Exceptions::none());
    let state = WebhookState { receiver };
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    Service {
        handler: Handler {
            api: Api::new(webhook_routes(state.clone()), &ports),
            state,
        },
        endpoint: text("endpointId"),
        secret: text("secret"),
    }
}

impl Service {
    /// Puts the endpoint and its secret where the event leaves them out.
    async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        let filled = |text: &str| text.replace("REPLACED", &self.endpoint);
        self.handler
            .handle(match event {
                Invocation::Http(mut event) => {
                    event.raw_path = event.raw_path.as_deref().map(filled);
                    for value in event.headers.values_mut().filter(|value| *value == "REPLACED") {
                        *value = self.secret.parse().unwrap();
                    }
                    Invocation::Http(event)
                }
                Invocation::Other(mut event) => {
                    for (place, value) in [
                        ("/endpointId", &self.endpoint),
                        ("/headers/x-webhook-secret", &self.secret),
                    ] {
                        if let Some(left_out) = event.pointer_mut(place).filter(|text| **text == "REPLACED") {
                            *left_out = value.as_str().into();
                        }
                    }
                    Invocation::Other(event)
                }
                Invocation::Queue(batch) => Invocation::Queue(batch),
            })
            .await
    }
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for (case, event) in events("webhooks") {
        let service = service().await;
        let answer = service.handle(event).await;
        if case.starts_with("http_") {
            let (status, body) = answered(&answer.unwrap());
            let expected = match case.as_str() {
                "http_webhook" | "http_webhook_in_base64" => 202,
                "http_webhook_in_broken_base64" => 400,
                "http_forged_webhook" | "http_webhook_without_secret" | "http_test_without_caller" => 401,
                "http_get" => 405,
                "http_test" => 200,
                other => panic!("nobody says what is to become of {other}"),
            };
            assert_eq!(status, expected, "{case}: {body}");
            assert!(!body.contains(&service.secret), "{case}");
            continue;
        }
        match case.as_str() {
            "process_webhook_event" => {
                assert_eq!(answer, Ok(Output::Other(json!({ "outcome": "kept" }))));
            }
            "process_forged_webhook_event" => {
                assert!(answer.unwrap_err().to_string().contains("webhook_refused"));
            }
            "unknown_operation" => assert!(answer.unwrap_err().to_string().contains("invalid_request")),
            other => panic!("nobody says what is to become of {other}"),
        }
    }
}

#[tokio::test]
async fn messages_are_not_for_this_function() {
    let message = events("dynamics365").remove("slice").unwrap();
    assert_eq!(service().await.handle(message).await, Err(Failure::unexpected()));
}
