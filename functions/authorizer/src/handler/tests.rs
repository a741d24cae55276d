//! Events as AWS delivers them.

use std::sync::Arc;

use lambda::testing::{events, memory};
use shared::authorize::Parts;
use shared::registry::{Registry, Scopes};
use shared::secrets::{MemorySecrets, Secrets};

use super::*;

const TOKEN: &str = "0123456789abcdefghijABCDEFGHIJ0123456789abcdefgh";

async fn handler() -> Handler {
    let secrets = Arc::new(MemorySecrets::new());
    let value = serde_json::json!({ "token": TOKEN }).to_string().into();
    secrets
        .put("admin", &value, "01900000-0000-7000-8000-000000000000")
        .await
        .unwrap();
    let (registry, _) = Registry::in_memory(memory().clock);
    let parts = Parts {
        secrets,
        store: registry.store,
        issuer: registry.issuer,
        clock: registry.clock,
    };
    Handler {
        keeper: Doorkeeper::new(parts, "admin"),
    }
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for (case, event) in events("authorizer") {
        let answer = serde_json::to_value(handler().await.handle(event).await.unwrap()).unwrap();
        let expected = match case.as_str() {
            "administrator" => {
                serde_json::json!({
                    "isAuthorized": true,
                    "context": {
                        "caller": "administrator",
                        "organizations": "*",
                        "scopes": Scopes::administrator(),
                    },
                })
            }
            "no_token" | "wrong_token" | "basic" | "two_tokens" | "token_of_nobody" => {
                serde_json::json!({ "isAuthorized": true })
            }
            other => panic!("nobody says what is to become of {other}"),
        };
        assert_eq!(answer, expected, "{case}");
    }
}
