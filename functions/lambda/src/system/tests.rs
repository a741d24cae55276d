//! The events of each system's function, as AWS delivers them.

use shared::http::Exceptions;
use shared::keys::MemoryKeys;
use shared::publish::MemoryPublish;
use shared::secrets::MemorySecrets;

use super::*;
use crate::testing::{answered, events, memory};

fn handler(system: System) -> Handler {
    let ports = memory();
    let registry = Registry {
        connections: Connections::new(Exceptions::none(), Arc::clone(&ports.clock)),
        secrets: Arc::new(MemorySecrets::new()),
        secret_prefix: "test/".to_owned(),
        time_limit: SLICE,
    };
    let registrar = Registrar {
        keys: Arc::new(MemoryKeys::new()),
        api_url: "https://api.example".parse().unwrap(),
    };
    let publish = Arc::new(MemoryPublish::new());
    Handler::new(system, ports, publish, &registry, registrar)
}

fn failed(answer: Result<Output, Failure>) -> usize {
    match answer.unwrap() {
        Output::Queue(failed) => failed.batch_item_failures.len(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_event_of_every_system_is_answered_as_it_should_be() {
    for system in System::ALL {
        let cases = events(system.as_str());
        let of_books = if system.keeps_books() { 5 } else { 0 };
        assert_eq!(cases.len(), 7 + of_books, "{system}");
        for (case, event) in cases {
            let answer = handler(*system).handle(event).await;
            match case.as_str() {
                "slice" | "webhook" | "webhook_that_waits" | "registration" | "voucher" | "notice"
                | "comparison" => {
                    assert_eq!(failed(answer), 0, "{system}: {case}");
                }
                "malformed_message" => assert_eq!(failed(answer), 2, "{system}"),
                "http_test" | "http_export_reimbursements" => {
                    let (status, body) = answered(&answer.unwrap());
                    assert_eq!(status, 404, "{system}: {body}");
                    assert!(body.contains("unknown_integration"), "{system}: {body}");
                }
                "export_reimbursements" => {
                    assert!(answer.unwrap_err().to_string().contains("unknown_integration"));
                }
                "unknown_event" if system.keeps_books() => {
                    assert!(answer.unwrap_err().to_string().contains("invalid_request"));
                }
                "unknown_event" => assert_eq!(answer, Err(Failure::unexpected())),
                other => panic!("nobody says what is to become of {other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_function_tests_no_system_but_its_own() {
    for system in System::ALL {
        for other in System::ALL.iter().filter(|other| *other != system) {
            let event = events(other.as_str()).remove("http_test").unwrap();
            let answer = handler(*system).handle(event).await.unwrap();
            let (status, body) = answered(&answer);
            assert_eq!(status, 404, "{system} of {other}");
            assert!(body.contains("unknown_route"), "{system} of {other}: {body}");
        }
    }
}
