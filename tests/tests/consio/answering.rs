//! Answers that are no success, and what the caller does next.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{ErrorKind, Found, From};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::rest::{Limit, settings::Wait};

use crate::world::{World, find_one, member, pull_all, push_one};

fn status(status: u16, body: Option<Value>) -> Fault {
    Fault::Status {
        status,
        body,
        retry_after: None,
    }
}

async fn pulled(fault: Fault, change: impl FnOnce(&mut World)) -> Option<ErrorKind> {
    let mut world = World::new(3).await;
    change(&mut world);
    world.inject(FaultRule::always(fault).at("/rest/v1/"));
    let adapter = world.adapter();
    adapter
        .pull(Kind::Member, &From::Start)
        .await
        .err()
        .map(|error| error.kind())
}

#[tokio::test]
async fn every_answer_is_sorted_by_what_the_caller_does_next() {
    for (fault, expected) in [
        (status(401, None), ErrorKind::Unauthenticated),
        (status(403, None), ErrorKind::PermissionDenied),
        (status(404, None), ErrorKind::NotFound),
        (status(409, None), ErrorKind::Conflict),
        (status(422, None), ErrorKind::Rejected),
        (status(500, None), ErrorKind::Unavailable),
        (status(503, None), ErrorKind::Unavailable),
        (status(418, None), ErrorKind::Malformed),
        (Fault::Html, ErrorKind::Malformed),
        (status(200, Some(json!("<rows/>"))), ErrorKind::Malformed),
        (status(200, Some(json!({ "data": "none" }))), ErrorKind::Malformed),
        (
            status(200, Some(json!({ "data": [{ "id": null }] }))),
            ErrorKind::Malformed,
        ),
        (Fault::TruncatedJson, ErrorKind::Malformed),
        (Fault::Oversized { bytes: 17 << 20 }, ErrorKind::Malformed),
        (Fault::WrongContentLength, ErrorKind::Unavailable),
        (Fault::ResetBefore, ErrorKind::Unavailable),
        (
            Fault::Redirect {
                status: 302,
                location: "https://elsewhere.example/".to_owned(),
            },
            ErrorKind::Malformed,
        ),
    ] {
        let name = format!("{fault:?}");
        assert_eq!(pulled(fault, |_| {}).await, Some(expected), "{name}");
    }
}

#[tokio::test]
async fn an_error_that_comes_with_200_is_one_where_the_profile_says_so() {
    let error = || {
        status(
            200,
            Some(json!({ "ok": false, "error": { "code": "DOWN" }, "data": [], "meta": { "total": 0 } })),
        )
    };
    let rule = |means: &'static str| {
        move |world: &mut World| {
            world.settings["answers"]["rules"] = json!([
                { "status": [500], "means": "rejected" },
                { "pointer": "/ok", "equals": [false], "means": means },
            ]);
        }
    };
    for (means, expected) in [
        ("temporary", ErrorKind::Unavailable),
        ("rejected", ErrorKind::Rejected),
        ("conflict", ErrorKind::Conflict),
        ("notFound", ErrorKind::NotFound),
        ("unauthenticated", ErrorKind::Unauthenticated),
        ("permissionDenied", ErrorKind::PermissionDenied),
        ("cursorExpired", ErrorKind::CursorExpired),
    ] {
        assert_eq!(pulled(error(), rule(means)).await, Some(expected), "{means}");
    }
    assert_eq!(pulled(error(), rule("success")).await, None);
    assert_eq!(
        pulled(status(500, None), rule("success")).await,
        Some(ErrorKind::Rejected)
    );
}

#[tokio::test]
async fn a_limit_is_kept_to_wherever_the_wait_is_told() {
    for (told, least) in [
        (Wait::RetryAfter, 60),
        (Wait::Header, 60),
        (Wait::Body, 60),
        (Wait::Nowhere, 29),
    ] {
        let mut world = World::new(3).await;
        world.settings["answers"]["waitHeader"] = json!("x-register-wait");
        world.settings["answers"]["wait"] = json!("/error/wait");
        let limit = Limit {
            requests: 1,
            seconds: 60,
            told,
        };
        world
            .register()
            .change_settings(|settings| settings.limit = Some(limit));
        let adapter = world.adapter();
        adapter.pull(Kind::Member, &From::Start).await.unwrap();
        let now = world.simulation.now();
        let error = adapter.pull(Kind::Member, &From::Start).await.unwrap_err();
        let ErrorKind::RateLimited { until } = error.kind() else {
            panic!("{told:?}: {error:?}")
        };
        let wait = until.duration_since(now).as_secs();
        assert!((least..=least + 3).contains(&wait), "{told:?}: {wait}");
        // Nothing more is sent before its time, by any adapter of the process.
        let asked = world.requests();
        let error = world
            .adapter()
            .pull(Kind::Member, &From::Start)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited { until });
        assert_eq!((world.requests(), world.register().offences()), (asked, 0));
        world.simulation.advance(SignedDuration::from_secs(120));
        world.adapter().pull(Kind::Member, &From::Start).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_said_by_the_system_and_not_by_a_page_for_humans() {
    let world = World::new(1).await;
    let adapter = world.adapter();
    assert!(matches!(
        find_one(&*adapter, "999").await.unwrap(),
        Found::Nothing
    ));
    let page = "<!DOCTYPE html><html><body><h1>404</h1></body></html>";
    world.inject(FaultRule::always(status(404, Some(json!(page)))).at("/rest/v1/members/"));
    let error = find_one(&*adapter, "999").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("missing")),
        (ErrorKind::NotFound, Some("route"))
    );
}

#[tokio::test]
async fn a_single_row_that_may_not_be_seen_is_hidden_and_where_none_may_the_resource_is_closed() {
    let world = World::new(2).await;
    let ids: Vec<Box<str>> = world
        .rows()
        .iter()
        .map(|row| row["id"].to_string().into())
        .collect();
    world.inject(FaultRule::once(status(403, None)).at("/rest/v1/members/"));
    let adapter = world.adapter();
    let found = adapter.find(Kind::Member, &ids).await.unwrap();
    assert!(matches!(found.as_slice(), [Found::Hidden, Found::Here(_)]));
    world.inject(FaultRule::always(status(403, None)).at("/rest/v1/members/"));
    let error = adapter.find(Kind::Member, &ids).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn another_row_than_was_asked_for_is_no_answer() {
    let world = World::new(2).await;
    let other = world.rows().remove(1);
    let id = world.rows()[0]["id"].to_string();
    world.inject(FaultRule::always(status(200, Some(other))).at("/rest/v1/members/"));
    let error = find_one(&*world.adapter(), &id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn an_id_that_would_leave_its_segment_leads_nowhere_else() {
    let world = World::new(1).await;
    let adapter = world.adapter();
    for id in ["../memberships/1", "1/../../..", "1?number=2", "%2e%2e%2f", "1#"] {
        assert!(
            matches!(find_one(&*adapter, id).await.unwrap(), Found::Nothing),
            "{id}"
        );
        let asked = world.simulation.journal().pop().unwrap().target;
        assert_eq!(
            asked.matches('/').count(),
            "/rest/v1/members/x".matches('/').count(),
            "{asked}"
        );
        assert!(!asked.contains(['?', '#']), "{asked}");
    }
    assert_eq!(
        find_one(&*adapter, "..").await.unwrap_err().kind(),
        ErrorKind::Rejected
    );
}

#[tokio::test]
async fn a_slow_system_is_waited_for_and_one_that_stalls_is_not_for_ever() {
    let world = World::new(3).await;
    world.inject(FaultRule::once(Fault::Delay { milliseconds: 300 }).at("/rest/v1/"));
    let adapter = world.adapter();
    pull_all(&*adapter, Kind::Member, From::Start).await;
    world.inject(FaultRule::once(status(500, None)).at("/rest/v1/"));
    pull_all(&*adapter, Kind::Member, From::Start).await;
}

#[tokio::test]
async fn a_refusal_shows_its_code_and_no_sentence() {
    let world = World::new(0).await;
    let name = "canary".repeat(10);
    let error = push_one(&*world.adapter(), member("1", json!({ "lastName": name })))
        .await
        .unwrap_err();
    assert_eq!(error.fact("code"), Some("VALIDATION_FAILED"));
    assert!(!format!("{error} {error:?}").contains("canary"));
    for code in [
        json!("Kari Nordmann"),
        json!("31018012345"),
        json!("a@b.example"),
        json!(12_345_678_901_u64),
    ] {
        let fault = status(422, Some(json!({ "error": { "code": code } })));
        world.inject(FaultRule::once(fault).on(&Method::POST));
        let error = push_one(&*world.adapter(), member("1", json!({ "lastName": "x" })))
            .await
            .unwrap_err();
        assert_eq!(error.fact("code"), None, "{code}");
    }
}
