//! Events as AWS delivers them.

use std::sync::Arc;

use lambda::testing::{answered, events, memory};
use shared::adapters::{Connections, Registry};
use shared::flow::watch::Registrar;
use shared::http::Exceptions;
use shared::keys::MemoryKeys;
use shared::publish::MemoryPublish;
use shared::secrets::MemorySecrets;

use super::*;
use crate::parts;

fn handler() -> Handler {
    let ports = memory();
    let registry = Registry {
        connections: Connections::new(Exceptions::none(), Arc::clone(&ports.clock)),
        secrets: Arc::new(MemorySecrets::new()),
        secret_prefix: "test/".to_owned(),
        time_limit: parts::SLICE,
    };
    let registrar = Registrar {
        keys: Arc::new(MemoryKeys::new()),
        api_url: "https://api.example".parse().unwrap(),
    };
    parts::handler(ports, Arc::new(MemoryPublish::new()), &registry, registrar)
}

fn failed(answer: Result<Output, Failure>) -> usize {
    match answer.unwrap() {
        Output::Queue(failed) => failed.batch_item_failures.len(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_event_is_answered_as_it_should_be() {
    for (case, event) in events("dynamics365") {
        let answer = handler().handle(event).await;
        match case.as_str() {
            "slice" | "webhook" | "webhook_that_waits" | "registration" => assert_eq!(failed(answer), 0),
            "malformed_message" => assert_eq!(failed(answer), 2),
            "http_test" => assert_eq!(answered(&answer.unwrap()).0, 404),
            "unknown_event" => assert_eq!(answer, Err(Failure::unexpected())),
            other => panic!("nobody says what is to become of {other}"),
        }
    }
}
