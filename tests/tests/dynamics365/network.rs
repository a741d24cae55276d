//! Connections that break, stall, and lie.

use jiff::SignedDuration;
use serde_json::json;
use shared::adapter::{ErrorKind, From};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tokio::io::AsyncWriteExt as _;

use crate::world::{World, member, pull_all, rows};

fn status(status: u16) -> Fault {
    Fault::Status {
        status,
        body: None,
        retry_after: None,
    }
}

#[tokio::test]
async fn an_answer_that_is_an_error_or_never_ends_is_malformed() {
    for fault in [Fault::ErrorInBody, Fault::Oversized { bytes: 65 << 20 }] {
        let world = World::new(5).await;
        let told = format!("{fault:?}");
        world.always(fault);
        let pulled = world.adapter().pull(Kind::Member, &From::Start).await;
        assert_eq!(pulled.unwrap_err().kind(), ErrorKind::Malformed, "{told}");
    }
}

#[tokio::test]
async fn a_page_that_fails_again_and_again_is_where_the_next_run_goes_on() {
    let mut world = World::new(25).await;
    world.settings["pageSize"] = json!(10);
    let first = world.adapter().pull(Kind::Member, &From::Start).await.unwrap();
    let shared::adapter::Next::Page(cursor) = first.next else {
        panic!()
    };
    world.inject(FaultRule {
        times: Some(9),
        ..FaultRule::always(status(500)).at("skiptoken")
    });
    let from = From::Page(cursor);
    for _ in 0..3 {
        assert!(world.adapter().pull(Kind::Member, &from).await.is_err());
    }
    let (rest, _) = pull_all(&*world.adapter(), Kind::Member, from).await;
    assert_eq!(rows(&rest).len(), 15);
}

#[tokio::test]
async fn a_system_that_stalls_is_left_when_the_time_is_up() {
    for fault in [
        Fault::Stall,
        Fault::StallInBody,
        Fault::Drip { milliseconds: 200 },
    ] {
        let mut world = World::new(5).await;
        world.time_limit = SignedDuration::from_millis(700);
        let adapter = world.adapter();
        world.always(fault);
        let began = tokio::time::Instant::now();
        let error = adapter.pull(Kind::Member, &From::Start).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(began.elapsed() < std::time::Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_write_that_stalls_is_unknown_and_one_that_cannot_begin_is_not() {
    let mut world = World::new(0).await;
    world.time_limit = SignedDuration::from_millis(700);
    let change = [member("1", json!({ "lastName": "Berg" }))];
    let adapter = world.adapter();
    world.inject(FaultRule::always(Fault::Stall).at("$batch"));
    let error = adapter.push(Kind::Member, &change).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    world.simulation.advance(SignedDuration::from_secs(2));
    let error = adapter.push(Kind::Member, &change).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Unavailable,
        "no time was left to send anything"
    );
}

#[tokio::test]
async fn a_write_that_got_no_connection_is_unavailable_and_not_unknown() {
    let mut world = World::new(0).await;
    let nowhere = "http://127.0.0.1:9";
    let exceptions = format!("{nowhere},{}", world.simulation.base_url());
    world.connections = shared::adapters::Connections::new(
        exceptions.parse().unwrap(),
        std::sync::Arc::new(shared::clock::SystemClock),
    );
    world.settings["baseUrl"] = json!(nowhere);
    let error = world
        .adapter()
        .push(Kind::Member, &[member("1", json!({ "lastName": "Berg" }))])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.fact("cause"), Some("network"));
}

/// Answers whoever connects without ever having been asked for a certificate.
async fn plain_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
                .await
                .unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn a_system_that_does_not_prove_who_it_is_is_not_spoken_to() {
    let mut world = World::new(0).await;
    let plain = plain_server().await;
    let exceptions = format!("{plain},{}", world.simulation.base_url());
    let clock = std::sync::Arc::new(shared::clock::SystemClock);
    world.connections = shared::adapters::Connections::new(exceptions.parse().unwrap(), clock);
    world.settings["baseUrl"] = json!(plain);
    let change = [member("1", json!({ "lastName": "Berg" }))];
    let error = world.adapter().push(Kind::Member, &change).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("cause")),
        (ErrorKind::Unavailable, Some("tls"))
    );
}

#[tokio::test]
async fn an_address_inside_the_network_is_refused_before_anything_is_sent() {
    let world = World::new(0).await;
    for address in [
        "http://127.0.0.1:9001",
        "https://169.254.169.254",
        "https://[::ffff:127.0.0.1]",
        "https://localhost",
    ] {
        let mut settings = world.settings.clone();
        settings["baseUrl"] = json!(address);
        let faults = shared::adapters::check_settings(
            shared::model::System::Dynamics365,
            &settings,
            world.connections.exceptions(),
        );
        assert_eq!(faults.unwrap_err()[0].field, "settings.baseUrl");
    }
}
