//! Connections that break before or after a voucher was taken: only what certainly did not leave is called not sent.

use jiff::SignedDuration;
use serde_json::json;
use shared::export::Sent;
use tests::dataverse::faults::Fault;
use tests::xledger::faults::Misbehaviour;
use tokio::io::AsyncWriteExt as _;

use crate::world::{World, told};

fn status_after(status: u16, retry_after: Option<&str>) -> Fault {
    Fault::StatusAfter {
        status,
        body: None,
        retry_after: retry_after.map(str::to_owned),
    }
}

#[tokio::test]
async fn whatever_hides_the_answer_leaves_it_unknown_and_found_later() {
    for fault in [
        Fault::ResetAfter,
        status_after(500, None),
        status_after(502, None),
        status_after(503, Some("120")),
        status_after(504, None),
        Fault::TruncatedJson,
        Fault::TruncatedBody,
        Fault::WrongContentLength,
        Fault::AddColumn {
            name: "errors".to_owned(),
            value: json!([{ "message": "One more thing." }]),
        },
    ] {
        let world = World::new().await;
        let voucher = world.voucher("4711", &["101.00"]);
        let told_fault = format!("{fault:?}");
        world.on_add(fault);
        assert_eq!(world.ledger().send(&voucher).await, Sent::Unknown, "{told_fault}");
        assert_eq!(
            told(&world.found(&voucher).await),
            [("queued", "101.00".to_owned())],
            "{told_fault}"
        );
    }
}

#[tokio::test]
async fn what_may_have_been_read_is_unknown_also_where_nothing_was_done() {
    for fault in [
        Fault::ResetBefore,
        Fault::Html,
        Fault::Status {
            status: 500,
            body: None,
            retry_after: None,
        },
        Fault::Status {
            status: 503,
            body: None,
            retry_after: Some("120".to_owned()),
        },
        Fault::Redirect {
            status: 303,
            location: "https://elsewhere.example/".to_owned(),
        },
        Fault::Xledger {
            misbehaviour: Misbehaviour::TimedOut,
        },
        Fault::Xledger {
            misbehaviour: Misbehaviour::Maintenance,
        },
        Fault::Xledger {
            misbehaviour: Misbehaviour::Error {
                message: "Something new.".to_owned(),
                code: Some("BAD_REQUEST.SOMETHING_NEW".to_owned()),
                extensions: None,
            },
        },
    ] {
        let world = World::new().await;
        let voucher = world.voucher("4711", &["101.00"]);
        let told = format!("{fault:?}");
        world.on_add(fault);
        assert_eq!(world.ledger().send(&voucher).await, Sent::Unknown, "{told}");
        assert!(world.found(&voucher).await.is_empty());
    }
}

#[tokio::test]
async fn what_got_no_connection_was_not_sent() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    for nowhere in ["http://127.0.0.1:9", "http://nowhere.invalid"] {
        let world = World::new().await.moved(nowhere);
        let sent = world.ledger().send(&voucher).await;
        assert!(matches!(sent, Sent::NotSent(_)), "{nowhere}: {sent:?}");
        assert!(world.ledger().find(voucher.reference()).await.is_err());
    }
}

/// Answers whoever connects without ever having been asked for a certificate.
async fn plain_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn a_system_that_does_not_prove_who_it_is_is_sent_nothing() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    let world = world.moved(&plain_server().await);
    let sent = world.ledger().send(&voucher).await;
    assert!(
        matches!(&sent, Sent::NotSent(reason) if reason.contains("tls")),
        "{sent:?}"
    );
}

#[tokio::test]
async fn a_part_of_a_call_never_looks_like_a_voucher() {
    for nodes in 1..4 {
        let world = World::new().await;
        let voucher = world.voucher("4711", &["50.00", "-50.00", "50.00"]);
        let misbehaviour = Misbehaviour::ApplyFirst { nodes, status: None };
        world.misbehave(misbehaviour, "addGLImportItems");
        assert_eq!(world.ledger().send(&voucher).await, Sent::Unknown);
        let found = world.found(&voucher).await;
        assert_eq!(told(&found), [("queued", "0.00".to_owned())], "{nodes}");
        assert_ne!(found[0].total, voucher.owed());
    }
}

#[tokio::test]
async fn what_is_taken_minutes_later_is_found_then() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    let misbehaviour = Misbehaviour::ApplyLater {
        seconds: 300,
        status: Some(504),
    };
    world.misbehave(misbehaviour, "addGLImportItems");
    assert_eq!(world.ledger().send(&voucher).await, Sent::Unknown);
    assert!(world.found(&voucher).await.is_empty());
    world.simulation.advance(SignedDuration::from_secs(301));
    assert_eq!(
        told(&world.found(&voucher).await),
        [("queued", "101.00".to_owned())]
    );
}
