use std::time::Duration;

use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::Value;

use crate::client::{books, error, line, voucher};

#[tokio::test]
async fn a_burst_is_refused_until_it_is_over() {
    let (simulation, client) = books().await;
    simulation.xledger().change(|settings| {
        settings.limits.burst = 3;
        settings.limits.burst_window = SignedDuration::from_mins(5);
    });
    for _ in 0..3 {
        assert!(client.ask("{ __typename }", Value::Null).await["errors"].is_null());
    }
    let answer = client.ask("{ __typename }", Value::Null).await;
    assert_eq!(error(&answer)["code"], "BAD_REQUEST.BURST_RATE_LIMIT_REACHED");
    assert!(error(&answer)["extensions"].is_null());
    simulation.advance(SignedDuration::from_mins(6));
    assert!(client.ask("{ __typename }", Value::Null).await["errors"].is_null());
}

#[tokio::test]
async fn too_many_requests_at_once_are_refused() {
    let (simulation, client) = books().await;
    simulation.xledger().change(|settings| {
        settings.limits.concurrent = 2;
        settings.latency = Duration::from_millis(400);
    });
    let answers = join_all((0..5).map(|_| client.ask("{ __typename }", Value::Null))).await;
    let refused = answers
        .iter()
        .filter(|answer| answer["errors"][0]["code"] == "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED");
    assert_eq!(refused.count(), 3);
    assert!(client.ask("{ __typename }", Value::Null).await["errors"].is_null());
}

#[tokio::test]
async fn a_caller_that_hangs_up_gives_its_place_back() {
    let (simulation, client) = books().await;
    simulation.xledger().change(|settings| {
        settings.limits.concurrent = 1;
        settings.latency = Duration::from_secs(3);
    });
    let hasty = tokio::time::timeout(
        Duration::from_millis(300),
        client.ask("{ __typename }", Value::Null),
    );
    hasty.await.unwrap_err();
    simulation
        .xledger()
        .change(|settings| settings.latency = Duration::ZERO);
    for _ in 0..100 {
        if client.ask("{ __typename }", Value::Null).await["errors"].is_null() {
            return;
        }
        simulation.advance(SignedDuration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place was never given back");
}

#[tokio::test]
async fn credits_come_back_when_the_answer_says() {
    let (simulation, client) = books().await;
    simulation.xledger().change(|settings| {
        settings.limits.credits = 4;
        settings.limits.credit_period = SignedDuration::from_mins(20);
    });
    let noon: jiff::Timestamp = "2027-01-15T11:00:00Z".parse().unwrap();
    simulation.advance(noon.duration_since(simulation.now()));
    let lines: Vec<Value> = (0..300)
        .map(|at| line(1, "7140", "1.00", &at.to_string()))
        .collect();
    client.added(&lines).await;
    let answer = client.ask("{ __typename }", Value::Null).await;
    assert_eq!(error(&answer)["code"], "BAD_REQUEST.INSUFFICIENT_CREDITS");
    let resets_at = error(&answer)["extensions"]["resetAt"].as_str().unwrap();
    assert!(resets_at.starts_with("2027-01-15T12:20"), "{resets_at}");
    simulation.advance(SignedDuration::from_mins(21));
    assert!(client.ask("{ __typename }", Value::Null).await["errors"].is_null());
}

#[tokio::test]
async fn requests_are_counted_by_month() {
    let (simulation, client) = books().await;
    client.added(&voucher(1, "10.00", "A")).await;
    client.ask("{ __typename }", Value::Null).await;
    let month = simulation.xledger().month();
    assert_eq!(month.requests, 2);
    assert!(month.bytes_up > 500 && month.bytes_down > 50);
    simulation.advance(SignedDuration::from_hours(24 * 32));
    assert_eq!(simulation.xledger().month().requests, 0);
}

#[tokio::test]
async fn maintenance_answers_503_with_a_page_for_humans_while_the_job_goes_on() {
    let (simulation, client) = books().await;
    client.added(&voucher(1, "10.00", "A")).await;
    simulation.xledger().set_maintenance(true);
    let reply = client.try_ask("{ __typename }", Value::Null).await.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (503, "text/html"));
    simulation.advance(SignedDuration::from_hours(36));
    simulation.xledger().set_maintenance(false);
    assert_eq!(client.nodes("journalEntries", "dbId").await.len(), 2);
}
