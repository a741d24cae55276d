use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::faults::Misbehaviour;
use tests::xledger::{Limit, Role};

use crate::client::{ADD, books, error, message, voucher};
use crate::soap::{AUTHENTICATION, logon, reason, send};

fn on_add(fault: Fault) -> FaultRule {
    FaultRule::once(fault).at("/graphql").holding("addGLImportItems")
}

fn own(misbehaviour: Misbehaviour) -> FaultRule {
    FaultRule::once(Fault::Xledger { misbehaviour })
}

#[tokio::test]
async fn a_connection_breaks_before_or_after_the_lines_are_taken() {
    let (simulation, client) = books().await;
    let variables = json!({ "i": voucher(1, "10.00", "A") });
    simulation.inject(on_add(Fault::ResetBefore));
    client.try_ask(ADD, variables.clone()).await.unwrap_err();
    assert!(simulation.xledger().queue().is_empty());
    simulation.inject(on_add(Fault::ResetAfter));
    client.try_ask(ADD, variables).await.unwrap_err();
    assert_eq!(simulation.xledger().queue().len(), 2);
}

#[tokio::test]
async fn a_gateway_answers_with_an_error_before_or_after_the_lines_are_taken() {
    let (simulation, client) = books().await;
    let variables = || json!({ "i": voucher(1, "10.00", "A") });
    for (status, retry_after) in [
        (500, None),
        (502, None),
        (503, Some("120".to_owned())),
        (504, None),
    ] {
        let (body, wait) = (None, retry_after.clone());
        simulation.inject(on_add(Fault::Status {
            status,
            body,
            retry_after: wait,
        }));
        let reply = client.try_ask(ADD, variables()).await.unwrap();
        assert_eq!(reply.status, status);
        assert_eq!(
            reply.header("retry-after"),
            retry_after.clone().unwrap_or_default()
        );
        assert!(simulation.xledger().queue().is_empty());
        simulation.inject(on_add(Fault::StatusAfter {
            status,
            body: None,
            retry_after,
        }));
        assert_eq!(client.try_ask(ADD, variables()).await.unwrap().status, status);
        assert_eq!(simulation.xledger().queue().len(), 2);
        simulation.xledger().run_job();
    }
    assert_eq!(simulation.xledger().posted().len(), 8);
}

#[tokio::test]
async fn an_answer_is_late_while_the_lines_are_taken() {
    let (simulation, client) = books().await;
    simulation.inject(on_add(Fault::DelayAfter { milliseconds: 3_000 }));
    let asked = client.try_ask(ADD, json!({ "i": voucher(1, "10.00", "A") }));
    tokio::time::timeout(Duration::from_millis(700), asked)
        .await
        .unwrap_err();
    assert_eq!(simulation.xledger().queue().len(), 2);
}

#[tokio::test]
async fn lines_are_taken_minutes_after_the_connection_broke() {
    let (simulation, client) = books().await;
    for (status, known) in [(None, 2), (Some(504), 4)] {
        simulation.inject(on_add(Fault::Xledger {
            misbehaviour: Misbehaviour::ApplyLater { seconds: 300, status },
        }));
        let reply = client
            .try_ask(ADD, json!({ "i": voucher(1, "10.00", "A") }))
            .await;
        assert_eq!(reply.ok().map(|reply| reply.status), status);
        simulation.advance(SignedDuration::from_secs(290));
        assert_eq!(client.nodes("glImportItems", "dbId").await.len(), known - 2);
        simulation.advance(SignedDuration::from_secs(11));
        assert_eq!(client.nodes("glImportItems", "dbId").await.len(), known);
    }
}

#[tokio::test]
async fn some_lines_of_a_call_are_taken_before_the_connection_breaks() {
    let (simulation, client) = books().await;
    let mut lines = voucher(1, "10.00", "A");
    lines.extend(voucher(2, "20.00", "B"));
    simulation.inject(on_add(Fault::Xledger {
        misbehaviour: Misbehaviour::ApplyFirst {
            nodes: 3,
            status: None,
        },
    }));
    client.try_ask(ADD, json!({ "i": lines })).await.unwrap_err();
    let queue = simulation.xledger().queue();
    let taken: Vec<_> = queue
        .iter()
        .filter_map(|line| line.ext_identifier.as_deref())
        .collect();
    assert_eq!(taken, ["A-1", "A-2", "B-1"]);
}

#[tokio::test]
async fn what_happens_later_happens_in_its_order_with_the_job() {
    let (simulation, client) = books().await;
    simulation.inject(on_add(Fault::Xledger {
        misbehaviour: Misbehaviour::ApplyLater {
            seconds: 20 * 60,
            status: None,
        },
    }));
    let variables = json!({ "i": voucher(1, "10.00", "A") });
    client.try_ask(ADD, variables).await.unwrap_err();
    simulation.advance(SignedDuration::from_hours(2));
    let posted = simulation.xledger().posted();
    assert_eq!(posted.len(), 2);
    let waited = posted[0].posted_at.duration_since(posted[0].line.created_at);
    assert!(
        waited > SignedDuration::from_mins(9) && waited < SignedDuration::from_mins(11),
        "{waited}"
    );
}

#[tokio::test]
async fn answers_are_no_json_or_half_of_it() {
    let (simulation, client) = books().await;
    simulation.inject(on_add(Fault::Html));
    let reply = client
        .try_ask(ADD, json!({ "i": voucher(1, "10.00", "A") }))
        .await
        .unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/html"));
    assert!(simulation.xledger().queue().is_empty());
    simulation.inject(on_add(Fault::TruncatedJson));
    let reply = client
        .try_ask(ADD, json!({ "i": voucher(1, "10.00", "A") }))
        .await
        .unwrap();
    assert!(reply.status == 200 && reply.json().is_null() && reply.text.starts_with("{\"data\""));
    assert_eq!(simulation.xledger().queue().len(), 2);
}

#[tokio::test]
async fn an_answer_has_errors_beside_data() {
    let (simulation, client) = books().await;
    simulation.inject(on_add(Fault::AddColumn {
        name: "errors".to_owned(),
        value: json!([{ "message": "One more thing." }]),
    }));
    let answer = client.add(&voucher(1, "10.00", "A")).await;
    assert!(answer["data"].is_object() && answer["errors"].is_array());
}

#[tokio::test]
async fn limits_and_refusals_strike_on_demand() {
    let (simulation, client) = books().await;
    let ask = async || client.ask("{ __typename }", Value::Null).await;
    for (limit, code) in [
        (Limit::Burst, "BAD_REQUEST.BURST_RATE_LIMIT_REACHED"),
        (Limit::Concurrency, "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED"),
        (Limit::Credits, "BAD_REQUEST.INSUFFICIENT_CREDITS"),
    ] {
        simulation.inject(own(Misbehaviour::Limit {
            limit,
            resets_after_seconds: 1200,
        }));
        let answer = ask().await;
        assert_eq!(error(&answer)["code"], code);
        assert_eq!(
            error(&answer)["extensions"]["resetAt"].is_string(),
            limit == Limit::Credits
        );
    }
    simulation.inject(own(Misbehaviour::TimedOut));
    assert_eq!(message(&ask().await), "Your query timed out.");
    simulation.inject(own(Misbehaviour::BadToken));
    assert!(message(&ask().await).contains("API token"));
    simulation.inject(own(Misbehaviour::Error {
        message: "Something new.".to_owned(),
        code: Some("BAD_REQUEST.SOMETHING_NEW".to_owned()),
        extensions: Some(json!({ "hint": 1 })),
    }));
    let answer = ask().await;
    assert_eq!(error(&answer)["code"], "BAD_REQUEST.SOMETHING_NEW");
    simulation.inject(own(Misbehaviour::Maintenance));
    assert_eq!(
        client
            .try_ask("{ __typename }", Value::Null)
            .await
            .unwrap()
            .status,
        503
    );
    assert!(ask().await["errors"].is_null());
}

#[tokio::test]
async fn a_fault_of_soap_comes_with_any_status() {
    let (simulation, client) = books().await;
    let user = simulation.xledger().user();
    for status in [500, 200] {
        simulation.inject(own(Misbehaviour::SoapFault {
            status,
            role: Role::Receiver,
            reason: "Timeout <expired>".to_owned(),
        }));
        let reply = send(
            &client,
            AUTHENTICATION,
            logon(&user.name, &user.password, "XLEDGER"),
        )
        .await;
        assert_eq!(
            (reply.status, reason(&reply)),
            (status, "Timeout &lt;expired&gt;")
        );
    }
}

#[tokio::test]
async fn what_only_xledger_does_wrong_strikes_no_other_system() {
    let (simulation, client) = books().await;
    simulation.inject(FaultRule::always(Fault::Xledger {
        misbehaviour: Misbehaviour::Maintenance,
    }));
    let reply = client
        .http
        .get(format!("{}/api/data/v9.2/contacts", client.base_url))
        .send()
        .await;
    assert_eq!(reply.unwrap().status(), 401);
}
