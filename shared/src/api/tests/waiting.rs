//! Looking through quarantine, and deciding reviews.

use serde_json::json;

use super::world::{Answer, INTEGRATION, World, integration};
use crate::clock::Clock;
use crate::model::{Kind, RunId};
use crate::store::{Query, Table, Write};
use crate::sync::quarantine::{self, FoundBy, Quarantined, Side};
use crate::sync::review::{self, Review, Subject};

/// An integration with one record in quarantine, on both sides, and deletions that wait for a decision.
async fn waiting() -> World {
    let world = World::connected().await;
    let now = world.clock.now();
    let run = RunId::at(now);
    let waits = |side| {
        let entry = Quarantined {
            kind: Kind::Member,
            side,
            id: "1001".into(),
            field: "email".into(),
            message: "is not an address".into(),
            waits_for_another: false,
            found_by: FoundBy::Run(run.clone()),
            since: now,
        };
        quarantine::put(&integration(), &entry)
    };
    let subject = Subject::Deletions {
        kind: Kind::Member,
        count: 30,
        lists: 1,
        found_by: run.clone(),
    };
    let review = Review {
        subject,
        opened_at: now,
    };
    let writes: Vec<Write> = vec![
        waits(Side::Pull),
        waits(Side::Push),
        review::write(&integration(), &review),
    ];
    world.ports.store.write(writes).await.unwrap();
    world
}

async fn first_review(world: &World) -> String {
    let reviews = world.get(&format!("{INTEGRATION}/reviews")).await.json();
    format!(
        "{INTEGRATION}/reviews/{}",
        reviews["items"][0]["reviewId"].as_str().unwrap()
    )
}

async fn audited(world: &World) -> String {
    let query = Query::new(Table::Control, "hlf", "audit#", 100);
    let page = world.ports.store.query(&query).await.unwrap();
    page.rows.into_iter().map(|row| row.body).collect()
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_dropped_record_is_gone_from_both_sides_of_quarantine_and_the_audit_says_who_dropped_it() {
    let world = waiting().await;
    let path = format!("{INTEGRATION}/quarantine/member/1001");
    assert_eq!(world.delete(&path).await.status, 204);
    let left = world.get(&format!("{INTEGRATION}/quarantine")).await.json();
    assert_eq!(left["items"], json!([]));
    let audited = audited(&world).await;
    assert!(
        audited.contains("drop_quarantined") && audited.contains("administrator"),
        "{audited}"
    );
    assert_eq!(
        told(&world.delete(&path).await),
        (404, "unknown_quarantine".into())
    );
}

#[tokio::test]
async fn a_decided_review_is_gone_and_the_audit_says_who_decided_what() {
    let world = waiting().await;
    let path = first_review(&world).await;
    let answer = world.post(&path, &json!({ "decision": "reject" })).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    let audited = audited(&world).await;
    assert!(
        audited.contains("decide_review") && audited.contains("reject"),
        "{audited}"
    );
    assert_eq!(
        told(&world.post(&path, &json!({ "decision": "reject" })).await),
        (404, "unknown_review".into())
    );
}

#[tokio::test]
async fn a_decision_that_does_not_fit_the_review_changes_nothing() {
    let world = waiting().await;
    let path = first_review(&world).await;
    let answer = world.post(&path, &json!({ "decision": "platform" })).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(!audited(&world).await.contains("decide_review"));
    assert_eq!(first_review(&world).await, path);
}

#[tokio::test]
async fn a_paused_integration_deletes_nothing() {
    let world = waiting().await;
    let path = first_review(&world).await;
    world.post(&format!("{INTEGRATION}/pause"), &json!({})).await;
    let answer = world.post(&path, &json!({ "decision": "approve" })).await;
    assert_eq!(told(&answer), (409, "paused".into()));
    assert_eq!(first_review(&world).await, path);
}

#[tokio::test]
async fn approved_deletions_are_made_by_a_run_of_their_own() {
    let world = waiting().await;
    let path = first_review(&world).await;
    let answer = world.post(&path, &json!({ "decision": "approve" })).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.json()["mode"], "approved");
}
