//! Misbehaviour on demand.

use std::time::{Duration, Instant};

use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tests::cornerstone::faults::Misbehaviour;
use tests::cornerstone::{Outage, Resource, Status};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::client::Client;

const WRITES: &str = "/services/api/v1/transcripts/";

fn once(client: &Client, misbehaviour: Misbehaviour) {
    client
        .simulation
        .inject(FaultRule::once(Fault::Cornerstone { misbehaviour }));
}

#[tokio::test]
async fn the_whole_portal_is_down_and_comes_back() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().set_outage(Outage::All);
    for reply in [
        client.view("vw_rpt_user").await,
        client.assign(object).await,
        client.get("services/api/x/users/v2/employees/1").await,
        client
            .ask(Method::POST, "services/api/oauth2/token", &[], Some(&json!({})))
            .await
            .unwrap(),
    ] {
        assert_eq!(
            (reply.status, reply.text.starts_with("<!DOCTYPE html>")),
            (503, true)
        );
        assert!(
            reply.header("content-type").starts_with("text/html") && reply.header("retry-after").is_empty()
        );
    }
    client.portal().set_outage(Outage::None);
    assert_eq!(client.assign(object).await.status, 200);
    assert_eq!(client.portal().api_writes(), 1, "nothing was done meanwhile");
}

#[tokio::test]
async fn one_resource_is_down_and_the_others_are_not() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().set_outage(Outage::of(Resource::Reporting));
    assert_eq!(client.view("vw_rpt_user").await.status, 503);
    assert_eq!(client.assign(object).await.status, 200);
    client.portal().set_outage(Outage::of(Resource::Token));
    assert_eq!(client.view("vw_rpt_user").await.status, 200);
}

#[tokio::test]
async fn a_slow_portal_is_slow() {
    let client = Client::new().await;
    client
        .portal()
        .change(|settings| settings.latency = Duration::from_millis(300));
    let began = Instant::now();
    assert_eq!(client.view("vw_rpt_user").await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_connection_is_lost_before_or_after_the_write() {
    for (fault, writes) in [(Fault::ResetBefore, 0), (Fault::ResetAfter, 1)] {
        let client = Client::new().await;
        let object = client.course();
        client.simulation.inject(FaultRule::once(fault).at(WRITES));
        let lost = client
            .try_write("assign", object, json!({ "assignment": "registered" }))
            .await;
        lost.unwrap_err();
        assert_eq!(client.portal().api_writes(), writes);
    }
}

#[tokio::test]
async fn a_gateway_answers_in_the_place_of_a_portal_that_did_the_work() {
    let client = Client::new().await;
    let object = client.course();
    let fault = Fault::StatusAfter {
        status: 504,
        body: None,
        retry_after: None,
    };
    client.simulation.inject(FaultRule::once(fault).at(WRITES));
    assert_eq!(client.assign(object).await.status, 504);
    assert_eq!(client.portal().api_writes(), 1);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_done_later() {
    for status in [None, Some(504)] {
        let client = Client::new().await;
        let object = client.course();
        once(&client, Misbehaviour::ApplyLater { seconds: 120, status });
        let answer = client
            .try_write("assign", object, json!({ "assignment": "registered" }))
            .await;
        assert_eq!(answer.ok().map(|reply| reply.status), status);
        assert!(client.portal().registrations().is_empty());
        client.simulation.advance(SignedDuration::from_secs(120));
        assert_eq!(client.portal().registrations().len(), 1);
    }
}

#[tokio::test]
async fn a_good_status_comes_with_a_bad_body() {
    let client = Client::new().await;
    client.portal().seed("u", 20, 1, 20, 1);
    let read = async |fault: Fault| {
        client.simulation.inject(FaultRule::once(fault));
        client.view("vw_rpt_transcript").await
    };
    let reply = read(Fault::Html).await;
    assert_eq!(
        (reply.status, reply.text.starts_with("<!DOCTYPE html>")),
        (200, true)
    );
    let reply = read(Fault::TruncatedJson).await;
    assert_eq!(
        (reply.status, reply.json().is_null(), reply.text.starts_with('{')),
        (200, true, true)
    );
    let misbehaviour = Misbehaviour::ErrorInEnvelope {
        message: "Noe gikk galt".to_owned(),
    };
    let reply = read(Fault::Cornerstone { misbehaviour }).await;
    assert_eq!((reply.status, reply.message().as_str()), (200, "Noe gikk galt"));
    for fault in [Fault::TruncatedBody, Fault::WrongContentLength] {
        client.simulation.inject(FaultRule::once(fault));
        let path = "services/api/x/odata/api/views/vw_rpt_transcript";
        let reply = client.ask(Method::GET, path, &[], None).await;
        assert!(reply.is_err() || reply.unwrap().json().is_null());
    }
}

#[tokio::test]
async fn rows_repeat_vanish_and_change_their_kind() {
    let client = Client::new().await;
    client.portal().seed("u", 5, 1, 5, 1);
    let name = || "user_lo_status_group_id".to_owned();
    let read = async |fault: Fault| {
        client.simulation.inject(FaultRule::once(fault));
        client.view("vw_rpt_transcript").await.rows()
    };
    assert_eq!(read(Fault::RepeatRows { count: 2 }).await.len(), 7);
    assert_eq!(read(Fault::DropRows { count: 2 }).await.len(), 3);
    assert!(read(Fault::EmptyPage).await.is_empty());
    assert!(read(Fault::RetypeColumn { name: name() }).await[0][name()].is_string());
    assert!(read(Fault::NullColumn { name: name() }).await[0][name()].is_null());
    assert!(
        read(Fault::RemoveColumn { name: name() }).await[0]
            .get(name())
            .is_none()
    );
}

#[tokio::test]
async fn a_next_link_leads_elsewhere_or_is_not_there() {
    let client = Client::new().await;
    client.portal().seed("u", 5, 1, 5, 1);
    let read = async |fault: Fault| {
        client.simulation.inject(FaultRule::once(fault));
        let path = "services/api/x/odata/api/views/vw_rpt_transcript";
        let prefer = [("prefer", "odata.maxpagesize=2")];
        let reply = client.ask(Method::GET, path, &prefer, None).await.unwrap();
        reply.json()["@odata.nextLink"].as_str().map(str::to_owned)
    };
    let origin = "https://elsewhere.example".to_owned();
    let link = read(Fault::ForeignNextLink { origin }).await.unwrap();
    let expected = "https://elsewhere.example/services/api/x/odata/api/views/vw_rpt_transcript?$skiptoken=";
    assert!(link.starts_with(expected), "{link}");
    assert_eq!(read(Fault::NoLinks).await, None);
}

#[tokio::test]
async fn a_next_link_ends_between_two_pages() {
    let client = Client::new().await;
    client.portal().seed("u", 5, 1, 5, 1);
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let path = "services/api/x/odata/api/views/vw_rpt_transcript";
    let first = client.ask(Method::GET, path, &prefer, None).await.unwrap().json();
    once(&client, Misbehaviour::ExpireNextLinks);
    assert_eq!(
        client
            .get(first["@odata.nextLink"].as_str().unwrap())
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn limits_are_told_absurdly_or_not_at_all() {
    let client = Client::new().await;
    let header = "x-csod-requests-remaining-urilevel";
    for remaining in [None, Some("-1"), Some("soon")] {
        once(
            &client,
            Misbehaviour::TooManyRequests {
                level: None,
                remaining: remaining.map(str::to_owned),
            },
        );
        let reply = client.view("vw_rpt_user").await;
        assert_eq!(
            (reply.status, reply.header(header)),
            (429, remaining.unwrap_or_default())
        );
    }
    assert_eq!(client.view("vw_rpt_user").await.status, 200, "it was no limit");
}

#[tokio::test]
async fn a_fault_speaks_as_the_portal_does() {
    let client = Client::new().await;
    for (misbehaviour, status, message) in [
        (Misbehaviour::Unauthorized, 401, "CSOD Unauthorized Exception"),
        (Misbehaviour::NotFound, 404, "record not found"),
    ] {
        once(&client, misbehaviour);
        let reply = client.view("vw_rpt_user").await;
        assert_eq!((reply.status, reply.message().as_str()), (status, message));
    }
    once(&client, Misbehaviour::Outage);
    assert_eq!(client.view("vw_rpt_user").await.status, 503);
}

#[tokio::test]
async fn a_registration_vanishes_between_the_view_and_the_transcript() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().enrol("kari", object, Status::Registered);
    client.catch_up();
    assert_eq!(client.view("vw_rpt_transcript").await.rows().len(), 1);
    assert_eq!(client.portal().purge("kari", object), 1);
    let reply = client
        .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
        .await;
    assert_eq!(reply.status, 404);
}
