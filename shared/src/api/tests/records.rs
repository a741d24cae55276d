//! The platform's records.

use http::Method;
use serde_json::json;

use super::world::{INTEGRATION, World, ask, configuration};
use crate::store::{Query, Row, Table};

const MEMBER: &str = "/v1/organizations/hlf/members/100234";
const MEMBERSHIP: &str = "/v1/organizations/hlf/memberships/7";

const ENROLLMENT: &str = "/v1/organizations/hlf/course-enrollments/7";

async fn pending(world: &World) -> Vec<Row> {
    let query = Query::new(Table::Records, "hlf#dynamics365#pending", "", 100);
    world.ports.store.query(&query).await.unwrap().rows
}

#[tokio::test]
async fn what_is_put_is_what_is_read() {
    let world = World::new();
    for name in ["Åse Bjørk-Ødegård", "O'Brien", "李小龍", "👩‍👩‍👧", "e\u{301}", " "] {
        let put = world
            .put(MEMBER, &json!({ "lastName": name, "birthDate": "1980-02-29" }))
            .await;
        assert!(put.status.is_success(), "{}", put.body);
        let read = world.get(MEMBER).await;
        assert_eq!(
            (&read.json()["lastName"], read.header("etag")),
            (&json!(name), put.header("etag"))
        );
        assert_eq!(
            (&read.json()["id"], &read.json()["modifiedBy"]),
            (&json!("100234"), &json!("platform"))
        );
    }
}

#[tokio::test]
async fn a_put_that_changes_nothing_writes_nothing() {
    let world = World::connected().await;
    let body = json!({ "lastName": "Ek", "city": "" });
    let first = world.put(MEMBER, &body).await;
    let version = pending(&world).await[0].version;
    let again = world.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    assert_eq!(
        (again.status.as_u16(), again.header("etag")),
        (200, first.header("etag"))
    );
    assert_eq!(pending(&world).await[0].version, version);
}

#[tokio::test]
async fn a_change_waits_for_every_integration_that_goes_both_ways() {
    let world = World::connected().await;
    world.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    assert_eq!(pending(&world).await[0].key.sort, "member#100234");
    let other = World::new();
    let mut wanted = configuration();
    wanted["direction"] = json!("pull");
    other.put(INTEGRATION, &wanted).await;
    other.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    assert!(pending(&other).await.is_empty());
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_record_is_told_at_once() {
    let body =
        json!({ "birthDate": "31.01.2026", "nickname": "x", "gender": "canary", "city": "c".repeat(81) });
    let answer = World::new().put(MEMBER, &body).await;
    let mut fields = answer.fields();
    fields.sort();
    assert_eq!(fields, ["birthDate", "city", "gender", "nickname"]);
    assert!(!answer.body.contains("canary"));
    assert_eq!(World::new().put(MEMBER, &json!({})).await.fields(), ["lastName"]);
}

#[tokio::test]
async fn of_two_puts_of_one_version_one_is_refused() {
    let world = World::new();
    let tag = world
        .put(MEMBER, &json!({ "lastName": "a" }))
        .await
        .header("etag")
        .to_owned();
    let put = |name: &str| {
        ask(Method::PUT, MEMBER)
            .json(&json!({ "lastName": name }))
            .header("if-match", &tag)
    };
    assert_eq!(world.answer(put("b")).await.status, 200);
    assert_eq!(world.answer(put("c")).await.status, 412);
    let fresh = ask(Method::PUT, MEMBER)
        .json(&json!({ "lastName": "d" }))
        .header("if-none-match", "*");
    assert_eq!(world.answer(fresh).await.status, 412);
}

#[tokio::test]
async fn of_many_puts_at_once_none_is_lost() {
    let world = World::connected().await;
    let bodies: Vec<_> = (0..20)
        .map(|number| json!({ "lastName": format!("n{number}") }))
        .collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| world.put(MEMBER, body))).await;
    assert!(answers.iter().all(|answer| answer.status.is_success()));
    assert_eq!(world.get(MEMBER).await.header("etag"), "\"20\"");
}

#[tokio::test]
async fn a_deleted_record_is_gone_is_told_and_may_come_back() {
    let world = World::connected().await;
    world.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    let told = pending(&world).await[0].version;
    assert_eq!(world.delete(MEMBER).await.status, 204);
    assert!(pending(&world).await[0].version > told);
    assert_eq!(world.delete(MEMBER).await.status, 204);
    assert_eq!(world.get(MEMBER).await.code(), "unknown_record");
    assert_eq!(
        world.get("/v1/organizations/hlf/members").await.json()["items"],
        json!([])
    );
    assert_eq!(world.put(MEMBER, &json!({ "lastName": "Ek" })).await.status, 201);
    assert_eq!(world.get(MEMBER).await.header("etag"), "\"3\"");
}

#[tokio::test]
async fn what_is_left_of_a_deleted_record_is_nothing_of_the_person() {
    let world = World::new();
    world.put(MEMBER, &json!({ "lastName": "canary" })).await;
    world.delete(MEMBER).await;
    let rows = world
        .ports
        .store
        .query(&Query::new(Table::Records, "hlf#member", "", 10))
        .await
        .unwrap()
        .rows;
    assert!(rows[0].body.contains("deletedAt") && !rows[0].body.contains("canary"));
}

#[tokio::test]
async fn a_membership_belongs_to_a_member_that_is_there() {
    let world = World::new();
    for id in ["100234", "no such id!"] {
        let answer = world.put(MEMBERSHIP, &json!({ "memberId": id })).await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (400, vec!["memberId".to_owned()])
        );
    }
    world.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    assert_eq!(
        world
            .put(MEMBERSHIP, &json!({ "memberId": "100234" }))
            .await
            .status,
        201
    );
    world.delete(MEMBER).await;
    assert_eq!(
        world
            .put(MEMBERSHIP, &json!({ "memberId": "100234", "type": "x" }))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn organizations_do_not_see_each_other() {
    let world = World::new();
    world.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    assert_eq!(
        world.get("/v1/organizations/other/members/100234").await.status,
        404
    );
    assert_eq!(
        world.get("/v1/organizations/other/members").await.json()["items"],
        json!([])
    );
}

#[tokio::test]
async fn an_enrollment_is_of_a_member_who_is_there_and_says_how_far_they_are() {
    let world = World::connected().await;
    let body = json!({ "memberId": "100234", "courseId": "peer-support", "status": "in_progress", "dueOn": "2026-03-01" });
    assert_eq!(world.put(ENROLLMENT, &body).await.fields(), ["memberId"]);
    world.put(MEMBER, &json!({ "lastName": "Ek" })).await;
    assert_eq!(world.put(ENROLLMENT, &body).await.status, 201);
    let read = world.get(ENROLLMENT).await.json();
    for name in ["memberId", "courseId", "status", "dueOn"] {
        assert_eq!(read[name], body[name], "{name}");
    }
    let listed = world.get("/v1/organizations/hlf/course-enrollments").await.json();
    assert_eq!(listed["items"], json!([read]));
    let halfway = json!({ "memberId": "100234", "courseId": "peer-support", "status": "halfway" });
    assert_eq!(world.put(ENROLLMENT, &halfway).await.fields(), ["status"]);
    assert_eq!(world.delete(ENROLLMENT).await.status, 204);
    assert_eq!(world.get(ENROLLMENT).await.code(), "unknown_record");
}
