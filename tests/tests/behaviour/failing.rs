//! Systems that are down, busy, or something else altogether; and credentials that open nothing.

use jiff::SignedDuration;
use shared::adapter::{Error, ErrorKind, From, Usage};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::asking::{push_one, seen, try_pull_all};
use crate::captured::{Captured, holds_none};
use crate::subject::{Case, every_case, status, tried};

/// Asks everything that an adapter can be asked about a kind; says what each ends in.
async fn ask_everything(case: &Case) -> Vec<(&'static str, Option<Error>)> {
    let (adapter, ids) = (case.subject.adapter(), case.ids());
    let pulled = adapter.pull(case.kind, &From::Start).await.map(drop);
    let found = adapter.find(case.kind, &[ids[0].as_str().into()]).await.map(drop);
    let mut ends = vec![("pull", pulled.err()), ("find", found.err())];
    if case.can.pushes {
        ends.push(("push", push_one(&*adapter, case.new_row(0)).await.map(drop).err()));
    }
    ends
}

/// Returns a case for every kind, with rows that were read once: whoever asks is known.
async fn warm_cases() -> Vec<Case> {
    let cases = every_case().await;
    for case in &cases {
        case.seed(3);
        drop(case.pull(From::Start).await);
    }
    cases
}

fn limit(retry_after: Option<&str>) -> Fault {
    Fault::Status {
        status: 429,
        body: None,
        retry_after: retry_after.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_system_that_is_asked_too_often_names_an_instant_and_is_left_alone_until_then() {
    let past = "Thu, 01 Jan 1970 00:00:00 GMT";
    for told in [None, Some("7"), Some("0"), Some("-5"), Some(past), Some("soon")] {
        for case in warm_cases().await {
            let (name, simulation) = (format!("{} {told:?}", case.name()), case.subject.simulation());
            case.inject(FaultRule::once(limit(told)));
            let pulled = case.subject.adapter().pull(case.kind, &From::Start).await;
            let error = pulled.map(drop).unwrap_err();
            let ErrorKind::RateLimited { until } = error.kind() else {
                panic!("{name}: {error:?}")
            };
            assert!(until > simulation.now(), "{name}: {until} is past");
            let asked = case.requests();
            for (what, error) in ask_everything(&case).await {
                let kind = error.map(|error| error.kind());
                assert_eq!(kind, Some(ErrorKind::RateLimited { until }), "{name} {what}");
            }
            assert_eq!(case.requests(), asked, "{name}: nothing is sent before its time");
            simulation.advance(until.duration_since(simulation.now()) + SignedDuration::from_secs(1));
            for (what, error) in ask_everything(&case).await {
                assert!(error.is_none(), "{name} {what}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_system_that_is_down_is_unavailable_after_a_few_attempts_and_no_longer_than_it_is() {
    let faults = [500, 502, 503, 504].map(status).into_iter();
    for fault in faults.chain([Fault::ResetBefore, Fault::ResetAfter]) {
        for case in warm_cases().await {
            let name = format!("{} {fault:?}", case.name());
            case.inject(FaultRule::always(fault.clone()));
            let asked = case.requests();
            let pulled = case.subject.adapter().pull(case.kind, &From::Start).await;
            assert_eq!(
                pulled.map(drop).unwrap_err().kind(),
                ErrorKind::Unavailable,
                "{name}"
            );
            let attempts = case.requests() - asked;
            assert!((2..=6).contains(&attempts), "{name}: {attempts} attempts");
            for (what, error) in ask_everything(&case).await {
                let kind = error.map(|error| error.kind());
                assert!(
                    kind.is_some_and(ErrorKind::is_temporary),
                    "{name} {what}: {kind:?}"
                );
            }
            case.clear_faults();
            case.inject(FaultRule::once(fault.clone()));
            let pulled = case.subject.adapter().pull(case.kind, &From::Start).await;
            assert!(pulled.is_ok(), "{name}: it was asked once more");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_system_is_malformed() {
    let redirect = |status| Fault::Redirect {
        status,
        location: "https://elsewhere.example/".to_owned(),
    };
    let faults = [301, 302, 307, 308].map(redirect).into_iter();
    for fault in faults.chain([Fault::Html]) {
        for case in warm_cases().await {
            case.inject(FaultRule::always(fault.clone()));
            for (what, error) in ask_everything(&case).await {
                let fits = match error.map(|error| error.kind()) {
                    // Whoever answers in the place of the system does not say that nothing was written.
                    Some(ErrorKind::Unknown) => what == "push",
                    kind => kind == Some(ErrorKind::Malformed),
                };
                assert!(fits, "{} {fault:?} {what}", case.name());
            }
        }
    }
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_an_error_and_no_end() {
    for fault in [
        Fault::TruncatedBody,
        Fault::TruncatedJson,
        Fault::WrongContentLength,
    ] {
        for case in warm_cases().await {
            for skip in [0, 1] {
                case.seed(4);
                case.inject(FaultRule::always(fault.clone()).after(skip));
                let adapter = case.subject.adapter();
                let pulled = try_pull_all(&*adapter, case.kind, From::Start).await;
                let kind = pulled.map(drop).unwrap_err().kind();
                assert!(
                    matches!(kind, ErrorKind::Unavailable | ErrorKind::Malformed),
                    "{} {fault:?} {skip}: {kind:?}",
                    case.name()
                );
                case.clear_faults();
            }
        }
    }
}

#[tokio::test]
async fn a_credential_that_opens_nothing_is_for_a_human_to_change() {
    for mut case in every_case().await {
        case.seed(1);
        case.show_wrong_credentials();
        for (what, error) in ask_everything(&case).await {
            let kind = error.map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::Unauthenticated), "{} {what}", case.name());
        }
    }
}

#[tokio::test]
async fn what_was_spent_is_counted_once() {
    for case in every_case().await {
        case.seed(12);
        let adapter = case.subject.adapter();
        try_pull_all(&*adapter, case.kind, From::Start).await.unwrap();
        if case.can.pushes {
            push_one(&*adapter, case.new_row(0)).await.unwrap();
        }
        let (usage, counters) = (adapter.take_usage(), case.subject.simulation().counters());
        let sent = Usage {
            requests: counters.requests,
            bytes_received: counters.bytes_sent,
        };
        assert_eq!(usage, sent, "{}", case.name());
        assert_eq!(adapter.take_usage(), Usage::default());
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let captured = Captured::begin();
    for mut case in warm_cases().await {
        let before = captured.text().len();
        let adapter = case.subject.adapter();
        let mut told = Vec::new();
        for fault in [
            Fault::Html,
            Fault::ErrorInBody,
            Fault::TruncatedJson,
            Fault::ResetAfter,
            status(401),
            status(403),
            limit(None),
        ] {
            case.inject(FaultRule::always(fault));
            told.push(format!("{:?}", ask_everything(&case).await));
            told.push(format!("{:?}", adapter.probe().await));
            case.clear_faults();
            case.subject.simulation().advance(SignedDuration::from_hours(2));
        }
        told.push(format!("{adapter:?} {:?}", ask_everything(&case).await));
        if case.can.pushes {
            let before = seen(&case.found(&case.ids()[0]).await);
            let change = case.change_of(before, tried(case.kind).1[1]);
            told.push(format!("{:?}", push_one(&*adapter, change).await));
        }
        case.show_wrong_credentials();
        told.push(format!("{:?}", ask_everything(&case).await));
        told.push(format!("{:?}", case.subject.adapter()));
        let logged = captured.text().split_off(before);
        assert!(logged.contains("call failed"), "the log was captured");
        let secrets = case.subject.secrets();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        holds_none("shown", &told.join("\n"), &secrets);
        holds_none("logged", &logged, &secrets);
    }
}
