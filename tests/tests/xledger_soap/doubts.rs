use std::time::Duration;

use shared::export::{Ledger as _, Sent};
use tests::dataverse::faults::Fault;
use tests::xledger::Role;
use tests::xledger::faults::Misbehaviour;

use crate::setup::{Bench, voucher};

fn status_after(status: u16) -> Fault {
    Fault::StatusAfter {
        status,
        body: None,
        retry_after: None,
    }
}

fn own(misbehaviour: Misbehaviour) -> Fault {
    Fault::Xledger { misbehaviour }
}

/// Returns an answer of the service that is this document.
fn document(text: &str) -> Fault {
    Fault::StatusAfter {
        status: 200,
        body: Some(text.into()),
        retry_after: None,
    }
}

fn result(result: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><ReceiveFileResponse \
         xmlns=\"http://ws.xledger.net/\"><ReceiveFileResult>{result}</ReceiveFileResult></ReceiveFileResponse></s:Body>\
         </s:Envelope>"
    )
}

#[tokio::test]
async fn a_file_that_was_taken_without_an_answer_that_says_so_is_in_doubt() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    let taken = [
        Fault::ResetAfter,
        Fault::TruncatedBody,
        Fault::WrongContentLength,
        status_after(500),
        status_after(502),
        status_after(503),
        status_after(504),
        status_after(200),
        status_after(204),
        document(&result("")),
        document(&result("0")),
        document(&result("false")),
        document(&result("not sure")),
        document("<html><body>Welcome</body></html>"),
    ];
    for (id, fault) in (1..).zip(taken) {
        let shown = format!("{fault:?}");
        bench.upload_fails(fault);
        let before = bench.queued();
        assert_eq!(ledger.send(&voucher(id, "1.00")).await, Sent::Unknown, "{shown}");
        assert_eq!(bench.queued(), before + 2, "{shown}: the service has it");
    }
}

#[tokio::test]
async fn a_file_that_the_service_takes_minutes_after_the_connection_broke_is_in_doubt() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    ledger.logon().await.unwrap();
    bench.upload_fails(own(Misbehaviour::ApplyLater {
        seconds: 300,
        status: None,
    }));
    assert_eq!(ledger.send(&voucher(1, "1.00")).await, Sent::Unknown);
    assert_eq!(bench.queued(), 0);
    bench.simulation.advance(jiff::SignedDuration::from_mins(6));
    assert_eq!(bench.queued(), 2);
}

#[tokio::test]
async fn a_fault_of_the_receiver_does_not_say_that_nothing_was_taken() {
    let bench = Bench::start().await;
    for status in [500, 200] {
        bench.upload_fails(own(Misbehaviour::SoapFault {
            status,
            role: Role::Receiver,
            reason: "Server was unable to process request. ---> Timeout expired.".to_owned(),
        }));
        assert_eq!(bench.ledger().send(&voucher(1, "1.00")).await, Sent::Unknown);
    }
}

#[tokio::test]
async fn a_service_that_turns_away_what_it_has_not_read_was_sent_nothing() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    for status in [401, 403, 404, 405, 413, 415, 429] {
        bench.upload_fails(Fault::Status {
            status,
            body: None,
            retry_after: None,
        });
        let sent = ledger.send(&voucher(1, "1.00")).await;
        assert!(matches!(sent, Sent::NotSent(_)), "{status}: {sent:?}");
    }
    assert_eq!(bench.queued(), 0);
    bench.upload_fails(own(Misbehaviour::Maintenance));
    assert_eq!(ledger.send(&voucher(1, "1.00")).await, Sent::Unknown);
    bench.upload_fails(Fault::Redirect {
        status: 307,
        location: "https://elsewhere.example/".to_owned(),
    });
    assert_eq!(ledger.send(&voucher(1, "1.00")).await, Sent::Unknown);
}

#[tokio::test]
async fn an_answer_with_a_document_type_is_refused_and_names_nothing() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    let good = result("4711");
    for hostile in [
        format!("<!DOCTYPE x [<!ENTITY e \"4711\">]>{}", result("&e;")),
        format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{good}"),
        result("&e;"),
        result("4711").replace("soap-envelope", "soap-envelop"),
        "<a>".repeat(10_000),
    ] {
        bench.upload_fails(document(&hostile));
        assert_eq!(
            ledger.send(&voucher(1, "1.00")).await,
            Sent::Unknown,
            "{hostile:.80}"
        );
        bench.logon_fails(document(&hostile));
        let error = ledger.logon().await.unwrap_err();
        assert_eq!(error.kind(), shared::adapter::ErrorKind::Malformed, "{error}");
    }
    bench.upload_fails(document(&good));
    assert_eq!(ledger.send(&voucher(1, "1.00")).await, Sent::Accepted);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    ledger.logon().await.unwrap();
    for bytes in [100 << 10, 500 << 20] {
        bench.upload_fails(Fault::Oversized { bytes });
        let sent = tokio::time::timeout(Duration::from_secs(10), ledger.send(&voucher(1, "1.00"))).await;
        assert_eq!(sent.unwrap(), Sent::Unknown);
        bench.logon_fails(Fault::Oversized { bytes });
        let error = tokio::time::timeout(Duration::from_secs(10), ledger.logon()).await;
        assert_eq!(
            error.unwrap().unwrap_err().kind(),
            shared::adapter::ErrorKind::Malformed
        );
    }
}
