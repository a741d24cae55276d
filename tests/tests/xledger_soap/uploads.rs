use std::sync::Arc;

use serde_json::json;
use shared::adapter::ErrorKind;
use shared::export::{Dedup, Ledger as _, Route, Sent, Voucher};
use tests::dataverse::faults::Fault;
use tests::xledger::Role;
use tests::xledger::faults::Misbehaviour;
use tests::xledger::tls::Authority;

use crate::setup::{Bench, reference, voucher, voucher_json};

fn reason(sent: Sent) -> String {
    match sent {
        Sent::NotSent(reason) | Sent::Rejected(reason) => reason.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_voucher_is_uploaded_and_posted_by_the_job() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    assert_eq!((ledger.dedup(), ledger.route()), (Dedup::None, Route::Soap));
    assert_eq!(ledger.send(&voucher(1, "101.00")).await, Sent::Accepted);
    assert_eq!(ledger.send(&voucher(2, "0.05")).await, Sent::Accepted);
    let xledger = bench.simulation.xledger();
    let names = [1, 2].map(|id| format!("GL02XML_{}.xml", reference(id)));
    assert_eq!(xledger.files(), names);
    assert_eq!(xledger.queue()[0].fields["text"], "Reise <1> & \"sånt\"");
    assert_eq!(xledger.queue()[0].references["glObject1"], "200");
    assert_eq!(xledger.run_job().posted, 2);
    let amounts: Vec<String> = xledger
        .posted()
        .iter()
        .map(|entry| entry.line.amount.unwrap().to_string())
        .collect();
    assert_eq!(amounts, ["101.00", "-101.00", "0.05", "-0.05"]);
}

#[tokio::test]
async fn what_was_booked_cannot_be_asked() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    assert_eq!(ledger.send(&voucher(1, "101.00")).await, Sent::Accepted);
    ledger.find(&reference(1)).await.unwrap_err();
}

#[tokio::test]
async fn elements_that_the_organization_names_are_booked_and_others_refuse_the_voucher() {
    let mut bench = Bench::start().await;
    let mut detailed = voucher_json(1, "101.00");
    detailed["lines"][0]["taxRule"] = json!("1");
    detailed["lines"][1]["subledger"] = json!("50012");
    let detailed: Voucher = serde_json::from_value(detailed).unwrap();
    let refused = reason(bench.ledger().send(&detailed).await);
    assert!(refused.contains("soap.elements.taxRule"), "{refused}");
    assert_eq!(bench.queued(), 0);
    bench.settings["elements"] =
        json!({ "taxRule": "TaxRule", "subledger": "SubledgerNo", "reference": "ExtIdentifier" });
    bench.simulation.xledger().change(|settings| {
        let fields = [
            ("TaxRule", "taxRule"),
            ("SubledgerNo", "subledger"),
            ("ExtIdentifier", "extIdentifier"),
        ];
        let fields = fields.map(|(name, field)| (name.to_owned(), field.to_owned()));
        settings.journal_elements = fields.into();
    });
    assert_eq!(bench.ledger().send(&detailed).await, Sent::Accepted);
    let queue = bench.simulation.xledger().queue();
    assert_eq!(queue[0].references["taxRule"], "1");
    assert_eq!(queue[1].references["subledger"], "50012");
    assert_eq!(queue[1].ext_identifier, Some(reference(1).line(2)));
    assert_eq!(bench.simulation.xledger().run_job().posted, 1);
}

#[tokio::test]
async fn a_key_is_asked_for_once_and_again_when_it_was_taken_back_or_has_ended() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    assert_eq!(ledger.send(&voucher(1, "1.00")).await, Sent::Accepted);
    // Whoever asks for another key now gets none.
    bench.logon_fails(Fault::ResetBefore);
    assert_eq!(bench.ledger().send(&voucher(2, "1.00")).await, Sent::Accepted);
    bench.simulation.clear_faults();
    bench.simulation.xledger().expire_keys();
    assert_eq!(ledger.send(&voucher(3, "1.00")).await, Sent::Accepted);
    bench.simulation.advance(jiff::SignedDuration::from_hours(13));
    assert_eq!(ledger.send(&voucher(4, "1.00")).await, Sent::Accepted);
    assert_eq!(bench.simulation.xledger().files().len(), 4);
}

#[tokio::test]
async fn a_key_that_is_never_taken_is_asked_for_once_more_and_nothing_is_sent() {
    let bench = Bench::start().await;
    bench
        .simulation
        .xledger()
        .change(|settings| settings.key_life = jiff::SignedDuration::ZERO);
    let told = reason(bench.ledger().send(&voucher(1, "1.00")).await);
    assert!(told.contains("a key that it has just given"), "{told}");
    assert_eq!(bench.queued(), 0);
}

#[tokio::test]
async fn many_vouchers_at_once_share_a_new_key() {
    let bench = Bench::start().await;
    let ledger = Arc::new(bench.ledger());
    let sending = (0..8).map(|id| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move { ledger.send(&voucher(id, "1.00")).await })
    });
    for sent in sending.collect::<Vec<_>>() {
        assert_eq!(sent.await.unwrap(), Sent::Accepted);
    }
    assert_eq!(bench.simulation.xledger().run_job().posted, 8);
}

#[tokio::test]
async fn a_wrong_password_is_told_as_one_and_nothing_is_sent() {
    let mut bench = Bench::start().await;
    bench.password = "wrong".to_owned().into();
    for (in_200, as_result) in [(false, false), (true, false), (false, true)] {
        bench.simulation.xledger().change(|settings| {
            settings.faults_in_200 = in_200;
            settings.refusals_as_results = as_result;
        });
        let error = bench.ledger().logon().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        let told = reason(bench.ledger().send(&voucher(1, "1.00")).await);
        assert!(told.contains("refuses user, password or application"), "{told}");
    }
    bench.settings["application"] = json!("XLEDGERDEMO");
    let error = bench.ledger().logon().await.unwrap_err();
    assert!(error.to_string().contains("XLEDGERDEMO is not served"), "{error}");
    assert_eq!(bench.queued(), 0);
}

#[tokio::test]
async fn a_logon_that_fails_for_now_is_told_from_one_that_fails_for_good() {
    let bench = Bench::start().await;
    let ledger = bench.ledger();
    ledger.logon().await.unwrap();
    let status = |status| Fault::Status {
        status,
        body: None,
        retry_after: None,
    };
    let own = |misbehaviour| Fault::Xledger { misbehaviour };
    let receiver = Misbehaviour::SoapFault {
        status: 500,
        role: Role::Receiver,
        reason: "Server was unable to process request.".to_owned(),
    };
    for (fault, kind) in [
        (own(Misbehaviour::Maintenance), ErrorKind::Unavailable),
        (own(receiver), ErrorKind::Unavailable),
        (Fault::ResetBefore, ErrorKind::Unavailable),
        (Fault::TruncatedBody, ErrorKind::Unavailable),
        (status(502), ErrorKind::Unavailable),
        (status(401), ErrorKind::Unauthenticated),
        (status(403), ErrorKind::PermissionDenied),
        (status(404), ErrorKind::NotFound),
        (Fault::Html, ErrorKind::Malformed),
        (status(302), ErrorKind::Malformed),
    ] {
        let shown = format!("{fault:?}");
        bench.logon_fails(fault);
        let error = ledger.logon().await.unwrap_err();
        bench.simulation.clear_faults();
        assert!(
            error.kind() == kind || shown.contains("Truncated") && error.kind() == ErrorKind::Malformed,
            "{shown}: {error:?}"
        );
        assert_eq!(
            ledger.send(&voucher(1, "1.00")).await,
            Sent::Accepted,
            "the key is kept"
        );
    }
    bench.logon_fails(Fault::Status {
        status: 429,
        body: None,
        retry_after: Some("60".to_owned()),
    });
    let error = ledger.logon().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }), "{error:?}");
}

#[tokio::test]
async fn an_upload_without_a_certificate_or_with_that_of_a_stranger_is_not_sent() {
    let mut bench = Bench::start().await;
    bench.identity = None;
    let told = reason(bench.ledger().send(&voucher(1, "1.00")).await);
    assert!(told.contains("wants a certificate"), "{told}");
    bench.identity = Some(Authority::new("Somebody else").client("webservice"));
    let sent = bench.ledger().send(&voucher(1, "1.00")).await;
    // The alert comes after the handshake, and may meet a connection that is closed already.
    match sent {
        Sent::NotSent(reason) => assert!(reason.contains("does not accept our certificate"), "{reason}"),
        Sent::Unknown => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.queued(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_gets_nothing() {
    let bench = Bench::start().await;
    let mut other = Bench::start().await;
    // An address of one, and trust in the authority of the other.
    other.url = bench.simulation.tls_url().unwrap().to_owned();
    other.settings = json!({ "baseUrl": other.url });
    let error = other.ledger().logon().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("cause")),
        (ErrorKind::Unavailable, Some("tls"))
    );
    assert!(matches!(
        other.ledger().send(&voucher(1, "1.00")).await,
        Sent::NotSent(_)
    ));
}

#[tokio::test]
async fn a_connection_that_is_refused_sends_nothing() {
    let mut bench = Bench::start().await;
    bench.ledger().logon().await.unwrap();
    bench.settings["uploadUrl"] = json!("http://127.0.0.1:9");
    assert!(matches!(
        bench.ledger().send(&voucher(1, "1.00")).await,
        Sent::NotSent(_)
    ));
}

#[tokio::test]
async fn a_file_that_is_refused_is_rejected_with_the_reason_and_nothing_of_the_voucher() {
    let bench = Bench::start().await;
    bench.upload_fails(Fault::Xledger {
        misbehaviour: Misbehaviour::SoapFault {
            status: 500,
            role: Role::Sender,
            reason: "The file was refused: \"Skyldig 1\" of 310190 12345 has account 9999".to_owned(),
        },
    });
    let told = reason(bench.ledger().send(&voucher(1, "1.00")).await);
    assert_eq!(
        told,
        "The file was refused: \"…\" of [11 digits] has account 9999"
    );
    let mut elsewhere = voucher_json(2, "1.00");
    elsewhere["entity"] = json!("23002");
    let elsewhere: Voucher = serde_json::from_value(elsewhere).unwrap();
    let told = bench.ledger().send(&elsewhere).await;
    assert!(
        matches!(&told, Sent::Rejected(reason) if reason.contains("no Web Service access")),
        "{told:?}"
    );
    assert_eq!(bench.queued(), 0);
}
