//! How much may be asked for.

use jiff::SignedDuration;

use crate::client::{Client, Reply};

const LEVEL: &str = "x-csod-throttling-rate-limit-urilevel";
const REMAINING: &str = "x-csod-requests-remaining-urilevel";

fn told(reply: &Reply) -> (u16, &str, &str) {
    (reply.status, reply.header(LEVEL), reply.header(REMAINING))
}

#[tokio::test]
async fn each_resource_has_a_limit_of_its_own_by_the_minute() {
    for (path, limit) in [
        ("services/api/x/odata/api/views/vw_rpt_user?$top=1", 400),
        ("services/api/x/users/v2/employees?ids=1", 75),
        ("services/api/x/users/v2/employees?externalId=kari", 150),
        ("services/api/x/users/v2/employees/1", 150),
        ("services/api/v1/transcripts/overview?externalId=kari", 417),
        ("services/api/TranscriptAndTask/Transcript?UserId=kari", 417),
    ] {
        let client = Client::new().await;
        client.course();
        for asked in 1..=limit {
            let reply = client.get(path).await;
            let remaining = (limit - asked).to_string();
            assert_eq!(
                told(&reply),
                (200, limit.to_string().as_str(), remaining.as_str()),
                "{path}"
            );
        }
        let reply = client.get(path).await;
        assert_eq!(told(&reply), (429, limit.to_string().as_str(), "0"), "{path}");
    }
}

#[tokio::test]
async fn a_refusal_says_too_many_requests_and_not_when_to_come_back() {
    let client = Client::new().await;
    client.portal().change(|settings| settings.limits.reporting = 0);
    let reply = client.view("vw_rpt_user").await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (429, "CSOD Too many requests")
    );
    assert_eq!(reply.json()["status"], "429");
    assert_eq!(reply.header("retry-after"), "");
}

#[tokio::test]
async fn the_next_minute_is_a_new_one() {
    let client = Client::new().await;
    client.portal().change(|settings| settings.limits.reporting = 1);
    let status = async || client.view("vw_rpt_user").await.status;
    assert_eq!((status().await, status().await), (200, 429));
    client.simulation.advance(SignedDuration::from_secs(60));
    assert_eq!((status().await, status().await), (200, 429));
}

#[tokio::test]
async fn what_is_asked_of_one_resource_counts_for_all() {
    let client = Client::new().await;
    client.course();
    client.portal().change(|settings| settings.limits.per_minute = 3);
    for _ in 0..3 {
        assert_eq!(client.view("vw_rpt_user").await.status, 200);
    }
    let reply = client.transcript("overview?externalId=kari").await;
    assert_eq!(told(&reply), (429, "3", "0"));
    assert_eq!(
        client.sign_in("all").await.get(..5),
        Some("edge_"),
        "tokens are not counted"
    );
}

#[tokio::test]
async fn who_goes_on_asking_uses_up_the_hour() {
    let client = Client::new().await;
    client.portal().change(|settings| {
        settings.limits.reporting = 2;
        settings.limits.per_hour = 6;
    });
    let into_hour = client.simulation.now().as_second().rem_euclid(3600);
    client
        .simulation
        .advance(SignedDuration::from_secs(3600 - into_hour));
    let mut client = client;
    client.token = client.sign_in("all").await;
    let status = async || client.view("vw_rpt_user").await.status;
    for expected in [200, 200, 429, 429, 429, 429] {
        assert_eq!(status().await, expected);
    }
    client.simulation.advance(SignedDuration::from_mins(1));
    assert_eq!(status().await, 429, "nothing is left of the hour");
    client.simulation.advance(SignedDuration::from_mins(59));
    client.token = client.sign_in("all").await;
    assert_eq!(client.view("vw_rpt_user").await.status, 200);
}

#[tokio::test]
async fn what_is_refused_for_its_token_counts_too() {
    let mut client = Client::new().await;
    client.portal().change(|settings| settings.limits.reporting = 2);
    client.token = "made-up".to_owned();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(client.view("vw_rpt_user").await.status);
    }
    assert_eq!(seen, [401, 401, 429]);
}

#[tokio::test]
async fn a_write_beyond_the_limit_is_not_done() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().change(|settings| settings.limits.per_minute = 0);
    assert_eq!(client.assign(object).await.status, 429);
    assert!(client.portal().registrations().is_empty());
}
