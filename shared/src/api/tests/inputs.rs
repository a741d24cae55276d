//! What is sent, and what each must get.

use std::sync::Arc;

use http::Method;
use serde_json::json;

use super::breaking::{Panicking, Side};
use super::world::{INTEGRATION, World, ask, configuration};

const MEMBER: &str = "/v1/organizations/hlf/members/100234";

async fn refusal(content_type: &str, body: &str) -> (u16, String) {
    let ask = ask(Method::PUT, MEMBER)
        .header("content-type", content_type)
        .body(body.to_owned());
    let answer = World::new().answer(ask).await;
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_body_that_is_not_one_plain_json_object_is_refused() {
    let invalid = (400, "invalid_json".to_owned());
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}{}",
        "{} x",
        "\u{feff}{}",
        r#"{"lastName":"a","lastName":"b"}"#,
        r#"{"lastName":"\ud800"}"#,
        r#"{"lastName":1e400}"#,
    ] {
        assert_eq!(refusal("application/json", body).await, invalid, "{body}");
    }
    assert_eq!(
        refusal("application/json", &r#"{"a":"#.repeat(50_000)).await,
        invalid
    );
}

#[tokio::test]
async fn a_body_of_another_kind_or_size_is_refused() {
    let unsupported = (415, "unsupported_media_type".to_owned());
    for content_type in [
        "text/plain",
        "application/json; charset=utf-16",
        "application/xml",
        "",
    ] {
        assert_eq!(refusal(content_type, "{}").await, unsupported, "{content_type}");
    }
    let large = format!(r#"{{"lastName":"{}"}}"#, "a".repeat(300_000));
    assert_eq!(
        refusal("application/json", &large).await,
        (413, "too_large".to_owned())
    );
    let zipped = ask(Method::PUT, MEMBER)
        .json(&json!({}))
        .header("content-encoding", "gzip");
    assert_eq!(World::new().answer(zipped).await.status, 415);
    let fine = ask(Method::PUT, MEMBER).header("content-type", "Application/JSON;charset=\"UTF-8\"");
    assert_eq!(
        World::new()
            .answer(fine.body(r#"{"lastName":"Ek"}"#))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn fields_that_nobody_may_set_are_refused_by_name() {
    let world = World::new();
    let body =
        json!({ "lastName": "Ek", "createdBy": "me", "modifiedAt": "2026-01-01T00:00:00Z", "id": "7" });
    let answer = world.put(MEMBER, &body).await;
    assert_eq!(answer.status, 400);
    let mut fields = answer.fields();
    fields.sort();
    assert_eq!(fields, ["createdBy", "id", "modifiedAt"]);
    let mut wanted = configuration();
    wanted["state"] = json!("active");
    wanted["secretArn"] = json!("x");
    assert_eq!(
        world.put(INTEGRATION, &wanted).await.fields(),
        ["secretArn", "state"]
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_small_request_is_named_without_repeating_it() {
    let world = World::connected().await;
    let path = format!("{INTEGRATION}/sync");
    for (body, field) in [
        (json!({ "mode": "canary" }), "mode"),
        (json!({ "dryRun": "canary" }), "dryRun"),
        (json!({ "organizationId": "other" }), "organizationId"),
    ] {
        let answer = world.post(&path, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (400, vec![field.to_owned()]),
            "{}",
            answer.body
        );
        assert!(!answer.body.contains("canary"), "{}", answer.body);
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems_too() {
    let world = World::new();
    for path in [
        "/",
        "/v2/organizations/hlf/members",
        "/v1/organizations/hlf/members/",
        "/health",
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (404, "unknown_route"),
            "{path}"
        );
    }
    let answer = world.answer(ask(Method::PATCH, MEMBER)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (405, "method_not_allowed")
    );
    assert!(answer.header("allow").contains("PUT"), "{:?}", answer.headers);
}

#[tokio::test]
async fn an_unknown_system_is_told_which_are_known() {
    let answer = World::new().get("/v1/organizations/hlf/integrations/sap").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "unknown_integration_type")
    );
    assert!(answer.json()["detail"].as_str().unwrap().contains("dynamics365"));
}

#[tokio::test]
async fn an_unknown_integration_is_named() {
    let answer = World::new().get(INTEGRATION).await;
    assert_eq!(answer.code(), "unknown_integration");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("hlf") && detail.contains("dynamics365"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_foreign_origin_is_given_no_access() {
    let ask = ask(Method::OPTIONS, MEMBER).header("origin", "https://evil.example");
    let answer = World::new()
        .answer(ask.header("access-control-request-method", "PUT"))
        .await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn lists_end_and_hold_each_item_once() {
    let world = World::new();
    for number in 0..7 {
        let path = format!("/v1/organizations/hlf/members/{number}");
        world.put(&path, &json!({ "lastName": "Ek" })).await;
    }
    let (mut ids, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let page = world
            .get(&format!("/v1/organizations/hlf/members{query}"))
            .await
            .json();
        ids.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=3&after={next}");
    }
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn an_endpoint_that_panics_is_our_fault_and_tells_nothing() {
    let answer = World::on(Arc::new(Panicking)).get(MEMBER).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "internal")
    );
    assert!(!answer.body.contains("canary"), "{}", answer.body);
    assert!(
        answer.json()["instance"]
            .as_str()
            .unwrap()
            .contains(answer.header("x-request-id"))
    );
}

#[tokio::test]
async fn tables_that_do_not_answer_are_asked_again_later() {
    let world = World::new();
    let (broken, _) = world.dying(0, Side::Before);
    for answer in [
        broken.get(MEMBER).await,
        broken.put(MEMBER, &json!({ "lastName": "Ek" })).await,
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "unavailable")
        );
        assert!(!answer.header("retry-after").is_empty());
        assert!(!answer.body.contains("dead"), "{}", answer.body);
    }
}
