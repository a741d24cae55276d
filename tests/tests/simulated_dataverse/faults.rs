use http::Method;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::limits::Limit;

use crate::client::{Reply, organization};

#[tokio::test]
async fn a_fault_strikes_the_requests_it_is_meant_for() {
    let (simulation, client) = organization(3).await;
    let fault = Fault::Status {
        status: 503,
        body: None,
        retry_after: Some("7".to_owned()),
    };
    simulation.inject(FaultRule::once(fault).on(&Method::GET).at("contacts").after(1));
    assert_eq!(client.get("WhoAmI").await.status, 200);
    assert_eq!(client.get("contacts").await.status, 200);
    let struck = client.get("contacts").await;
    assert_eq!((struck.status, struck.header("retry-after")), (503, "7"));
    assert_eq!(client.get("contacts").await.status, 200);
}

#[tokio::test]
async fn a_reset_loses_the_answer_before_or_after_the_work() {
    let (simulation, client) = organization(0).await;
    let create = || client.send(Method::POST, "contacts", &[], None);
    let body = json!({"firstname": "A"});
    simulation.inject(FaultRule::once(Fault::ResetBefore).at("contacts"));
    create().await.map(|reply| reply.status).unwrap_err();
    assert_eq!(simulation.row_count("contacts"), 0);
    simulation.inject(FaultRule::once(Fault::ResetAfter).at("contacts"));
    client
        .send(Method::POST, "contacts", &[], Some(&body))
        .await
        .map(|reply| reply.status)
        .unwrap_err();
    assert_eq!(simulation.row_count("contacts"), 1);
    assert_eq!(
        simulation
            .journal()
            .iter()
            .filter(|entry| entry.status == 0)
            .count(),
        2
    );
}

#[tokio::test]
async fn a_gateway_answers_in_the_place_of_a_system_that_did_the_work() {
    let (simulation, client) = organization(0).await;
    let fault = Fault::StatusAfter {
        status: 502,
        body: Some(json!("<html>Bad gateway</html>")),
        retry_after: Some("3".to_owned()),
    };
    simulation.inject(FaultRule::once(fault).at("contacts"));
    let reply = client.post("contacts", &json!({"firstname": "A"})).await;
    assert_eq!((reply.status, reply.header("retry-after")), (502, "3"));
    assert_eq!(reply.header("content-type"), "text/html");
    assert_eq!(simulation.row_count("contacts"), 1);
}

#[tokio::test]
async fn a_fault_strikes_the_bodies_it_is_meant_for() {
    let (simulation, client) = organization(0).await;
    let fault = Fault::Status {
        status: 503,
        body: None,
        retry_after: None,
    };
    simulation.inject(FaultRule::always(fault).holding("Berg"));
    let create = async |name: &str| client.post("contacts", &json!({"lastname": name})).await.status;
    assert_eq!((create("Berg").await, create("Dahl").await), (503, 204));
}

fn date(reply: &Reply) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(reply.header("date")).ok()
}

#[tokio::test]
async fn answers_are_dated_by_the_simulated_clock() {
    let (simulation, client) = organization(0).await;
    simulation.advance(SignedDuration::from_hours(24 * 400));
    let told = date(&client.get("WhoAmI").await).unwrap();
    assert!(told.duration_since(simulation.now()).abs() < SignedDuration::from_secs(5));
}

#[tokio::test]
async fn answers_are_dated_by_a_clock_that_is_wrong_or_not_at_all() {
    let (simulation, client) = organization(0).await;
    simulation.inject(FaultRule::once(Fault::SkewedDate { seconds: -600 }));
    let told = date(&client.get("WhoAmI").await).unwrap();
    let apart = simulation.now().duration_since(told) - SignedDuration::from_mins(10);
    assert!(apart.abs() < SignedDuration::from_secs(5));
    for (value, seen) in [(None, ""), (Some("yesterday".to_owned()), "yesterday")] {
        let name = "date".to_owned();
        simulation.inject(FaultRule::once(Fault::Header { name, value }));
        assert_eq!(client.get("WhoAmI").await.header("date"), seen);
    }
}

#[tokio::test]
async fn bodies_break_in_every_way() {
    let (simulation, client) = organization(50).await;
    simulation.inject(FaultRule::once(Fault::WrongContentLength).at("contacts"));
    client
        .send(Method::GET, "contacts", &[], None)
        .await
        .map(|reply| reply.status)
        .unwrap_err();
    for fault in [Fault::TruncatedJson, Fault::TruncatedBody] {
        simulation.inject(FaultRule::once(fault).at("contacts"));
        let reply = client.get("contacts").await;
        assert!(reply.status == 200 && serde_json::from_slice::<Value>(&reply.bytes).is_err());
    }
    simulation.inject(FaultRule::once(Fault::Oversized { bytes: 1_000_000 }).at("contacts"));
    assert!(client.get("contacts").await.bytes.len() > 1_000_000);
    simulation.inject(FaultRule::once(Fault::Html).at("contacts"));
    assert_eq!(client.get("contacts").await.header("content-type"), "text/html");
    simulation.inject(FaultRule::once(Fault::ErrorInBody).at("contacts"));
    let reply = client.get("contacts").await;
    assert!(reply.status == 200 && reply.code() == "0x80040216");
}

#[tokio::test]
async fn pages_shrink_repeat_and_lose_their_links() {
    let (simulation, client) = organization(40).await;
    let preference = "odata.maxpagesize=10";
    simulation.inject(FaultRule::always(Fault::DropRows { count: 4 }));
    assert_eq!(client.all("contacts", preference).await.0.len(), 24);
    simulation.clear_faults();
    simulation.inject(FaultRule::always(Fault::DuplicateRows { count: 2 }));
    assert_eq!(client.all("contacts", preference).await.0.len(), 46);
    simulation.clear_faults();
    simulation.inject(FaultRule::once(Fault::NoLinks).after(1));
    assert_eq!(client.all("contacts", preference).await.0.len(), 20);
    simulation.inject(FaultRule::once(Fault::ForeignNextLink {
        origin: "https://elsewhere.example".to_owned(),
    }));
    let reply = client.prefer("contacts", preference).await;
    assert!(
        reply
            .link("@odata.nextLink")
            .unwrap()
            .starts_with("https://elsewhere.example/api/data/")
    );
    simulation.inject(FaultRule::once(Fault::EmptyPage));
    assert!(client.prefer("contacts", preference).await.rows().is_empty());
}

#[tokio::test]
async fn columns_drift() {
    let (simulation, client) = organization(1).await;
    let name = "lastname".to_owned();
    for (fault, seen) in [
        (Fault::RemoveColumn { name: name.clone() }, None),
        (Fault::NullColumn { name: name.clone() }, Some("null")),
        (Fault::RetypeColumn { name: name.clone() }, Some("number")),
    ] {
        simulation.inject(FaultRule::once(fault));
        let row = client.get("contacts?$select=lastname").await.rows().remove(0);
        let kind = row
            .get("lastname")
            .map(|value| if value.is_null() { "null" } else { "number" });
        assert!(kind == seen && !row["lastname"].is_string());
    }
    simulation.inject(FaultRule::once(Fault::AddColumn {
        name: "new_x".to_owned(),
        value: json!(1),
    }));
    assert_eq!(
        client.get("contacts?$select=lastname").await.rows()[0]["new_x"],
        1
    );
}

#[tokio::test]
async fn a_human_edits_just_before_our_write() {
    let (simulation, client) = organization(0).await;
    let path = format!("contacts({})", client.contact(&json!({"firstname": "A"})).await);
    let etag = client.get(&path).await.header("etag").to_owned();
    simulation.inject(FaultRule::once(Fault::HumanEdit { changes: None }).on(&Method::PATCH));
    let body = json!({"firstname": "B"});
    assert_eq!(
        client
            .patch_with(&path, &[("if-match", &etag)], &body)
            .await
            .status,
        412
    );
}

#[tokio::test]
async fn batches_answer_in_odd_ways() {
    let (simulation, client) = organization(0).await;
    let part = |number: u8| {
        format!(
            "--b\r\nContent-Type: application/http\r\n\r\nPATCH /api/data/v9.2/contacts(hlf_memberno='{number}') \
             HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{}}\r\n"
        )
    };
    let body = format!("{}{}--b--\r\n", part(1), part(2));
    simulation.inject(FaultRule::once(Fault::MissingPart { index: 0 }));
    let text = client.batch(&[], &body).await.text();
    assert!(!text.contains("hlf_memberno='1'") && text.contains("hlf_memberno='2'"));
    simulation.inject(FaultRule::once(Fault::MisorderedParts));
    let text = client.batch(&[], &body).await.text();
    assert!(text.find("hlf_memberno='2'") < text.find("hlf_memberno='1'"));
    simulation.inject(FaultRule::once(Fault::OddBoundary));
    let reply = client.batch(&[], &body).await;
    assert!(
        reply.header("content-type").contains("\"batch response")
            && reply.text().starts_with("--batch response")
    );
    let struck = Fault::TooManyRequests {
        limit: Limit::Requests,
        retry_after: Some("soon".to_owned()),
    };
    simulation.inject(FaultRule::once(struck).at("hlf_memberno='2'"));
    let reply = client
        .batch(&[("prefer", "odata.continue-on-error")], &body)
        .await;
    assert!(
        reply.status == 200 && reply.text().contains("429") && reply.text().contains("Retry-After: soon")
    );
}
