//! Sign-in servers that misbehave on demand.

use std::time::{Duration, Instant};

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::app::{App, Reply};

const TOKEN: &str = "/oauth2/v2.0/token";

fn once(app: &App, fault: Fault) {
    app.simulation.inject(FaultRule::once(fault).at(TOKEN));
}

async fn renewed_under(fault: Fault) -> (App, Reply) {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    once(&app, fault);
    let reply = app.renew(&refresh).await;
    (app, reply)
}

fn refreshes(app: &App) -> u64 {
    app.simulation.entra().families()[0].refreshes
}

fn add(name: &str, value: Value) -> Fault {
    Fault::AddColumn {
        name: name.to_owned(),
        value,
    }
}

#[tokio::test]
async fn a_late_answer_is_late_before_or_after_the_work() {
    for (fault, done_at_half_time) in [
        (Fault::Delay { milliseconds: 1000 }, 0),
        (Fault::DelayAfter { milliseconds: 1000 }, 1),
    ] {
        let app = App::new().await;
        let refresh = app.signed_in().await.refresh();
        once(&app, fault);
        let began = Instant::now();
        let at_half_time = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            refreshes(&app)
        };
        let (reply, seen) = futures::join!(app.renew(&refresh), at_half_time);
        assert!(reply.status == 200 && began.elapsed() >= Duration::from_secs(1));
        assert_eq!(seen, done_at_half_time);
    }
}

#[tokio::test]
async fn a_lost_answer_is_lost_before_or_after_the_refresh_token_was_used() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    for (fault, used) in [(Fault::ResetBefore, 0), (Fault::ResetAfter, 1)] {
        once(&app, fault);
        app.try_ask(&fields).await.unwrap_err();
        assert_eq!(refreshes(&app), used);
    }
    let calls = app.simulation.entra().calls_of(&app.client_id, "refresh_token");
    assert_eq!((calls.given, calls.refused), (1, 0));
    assert_eq!(
        app.renew(&refresh).await.refusal().2,
        50_173,
        "and to try again ends the family"
    );
}

#[tokio::test]
async fn a_busy_server_says_anything_about_when_to_come_back() {
    for (status, text) in [
        (429, "7"),
        (503, "Wed, 21 Oct 2099 07:28:00 GMT"),
        (429, "-1"),
        (503, "1000000000"),
        (429, "soon"),
    ] {
        let (app, reply) = renewed_under(Fault::Status {
            status,
            body: None,
            retry_after: Some(text.to_owned()),
        })
        .await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, text));
        assert_eq!(refreshes(&app), 0);
    }
}

#[tokio::test]
async fn a_gateway_answers_in_the_place_of_a_server_that_did_the_work() {
    for (status, body, kind) in [
        (502, Some(json!("<html>Bad gateway</html>")), "text/html"),
        (504, None, ""),
        (200, Some(json!({ "error": "server_error" })), "application/json"),
    ] {
        let (app, reply) = renewed_under(Fault::StatusAfter {
            status,
            body,
            retry_after: Some("3".to_owned()),
        })
        .await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, "3"));
        assert!(reply.header("content-type").starts_with(kind));
        assert_eq!(refreshes(&app), 1);
    }
}

#[tokio::test]
async fn a_good_status_comes_with_a_bad_body() {
    let (_, reply) = renewed_under(Fault::Html).await;
    assert!(reply.status == 200 && reply.text.starts_with("<!DOCTYPE html>"));
    let (_, reply) = renewed_under(Fault::Status {
        status: 200,
        body: None,
        retry_after: None,
    })
    .await;
    assert!(reply.status == 200 && reply.text.is_empty());
    let (app, reply) = renewed_under(Fault::TruncatedJson).await;
    assert!(reply.status == 200 && reply.text.starts_with('{') && reply.json().is_null());
    assert_eq!(refreshes(&app), 1);
}

#[tokio::test]
async fn members_of_an_answer_are_missing_or_of_another_kind() {
    let expires_in = "expires_in".to_owned();
    for (fault, member, seen) in [
        (add("token_type", json!("mac")), "token_type", json!("mac")),
        (add("token_type", json!("bearer")), "token_type", json!("bearer")),
        (
            Fault::RemoveColumn {
                name: "token_type".to_owned(),
            },
            "token_type",
            json!(null),
        ),
        (
            Fault::RemoveColumn {
                name: expires_in.clone(),
            },
            "expires_in",
            json!(null),
        ),
        (
            Fault::RetypeColumn { name: expires_in },
            "expires_in",
            json!("3599"),
        ),
        (add("scope", json!("openid")), "scope", json!("openid")),
        (
            add("error", json!("server_error")),
            "error",
            json!("server_error"),
        ),
        (
            Fault::RemoveColumn {
                name: "refresh_token".to_owned(),
            },
            "refresh_token",
            json!(null),
        ),
    ] {
        let (_, reply) = renewed_under(fault).await;
        assert_eq!((reply.status, &reply.json()[member]), (200, &seen));
        assert_eq!(reply.json()["ext_expires_in"], json!(3599), "the rest stays");
    }
}

fn date(reply: &Reply) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(reply.header("date")).ok()
}

#[tokio::test]
async fn an_answer_is_dated_by_a_clock_that_is_wrong_or_not_at_all() {
    let (app, reply) = renewed_under(Fault::SkewedDate { seconds: -600 }).await;
    let apart = app.simulation.now().duration_since(date(&reply).unwrap());
    assert!((apart - SignedDuration::from_mins(10)).abs() < SignedDuration::from_secs(5));
    for (value, seen) in [(None, ""), (Some("yesterday".to_owned()), "yesterday")] {
        let name = "date".to_owned();
        let (_, reply) = renewed_under(Fault::Header { name, value }).await;
        assert_eq!((reply.status, reply.header("date")), (200, seen));
    }
}

#[tokio::test]
async fn a_fault_strikes_one_grant_type_only() {
    let app = App::new().await;
    let refresh = app.signed_in().await.refresh();
    let down = Fault::Status {
        status: 503,
        body: None,
        retry_after: None,
    };
    app.simulation.inject(
        FaultRule::always(down)
            .at(TOKEN)
            .holding("grant_type=refresh_token"),
    );
    assert_eq!(app.for_itself(&[]).await.status, 200);
    assert_eq!(app.renew(&refresh).await.status, 503);
}

#[tokio::test]
async fn faults_strike_cornerstone_too() {
    let app = App::new().await;
    app.simulation
        .inject(FaultRule::once(Fault::Html).at("/services/api/oauth2/token"));
    let address = format!("{}/services/api/oauth2/token", app.simulation.base_url());
    let reply = crate::app::read(app.http.post(address)).await.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/html"));
}
