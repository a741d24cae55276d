//! Reimbursements, their exports, and what a human decides about them, as callers see them.

use http::Method;
use serde_json::{Value, json};

use super::world::{Answer, World, ask};
use crate::adapter::ErrorKind;
use crate::export::Sent;
use crate::export::samples::reimbursement_json;
use crate::flow::work::{Job, Worker, work};
use crate::http::Exceptions;
use crate::integration::{Integration, integration_key};
use crate::model::System;
use crate::publish::MemoryPublish;
use crate::store::{Content, Expect, Write};

const ORGANIZATION: &str = "/v1/organizations/hlf";
const XLEDGER: &str = "/v1/organizations/hlf/integrations/xledger";

/// A service in which `hlf` has connected its books.
async fn world() -> World {
    let world = World::new();
    let now = world.ports.now();
    let integration: Integration = serde_json::from_value(json!({
        "id": "hlf:xledger", "displayName": "Accounts", "state": "active", "direction": "both",
        "deleteGuard": { "percent": 10, "rows": 20 }, "settings": {}, "mappingVersion": 1,
        "createdAt": now, "updatedAt": now,
    }))
    .unwrap();
    let row = Write::put(
        integration_key(&integration.id),
        Expect::Absent,
        Content::of(&integration),
    );
    world.ports.store.write(vec![row]).await.unwrap();
    world
}

async fn put(world: &World, id: &str, body: &Value) -> Answer {
    let place = format!("{ORGANIZATION}/reimbursements/{id}");
    world.answer(ask(Method::PUT, &place).json(body)).await
}

async fn export(world: &World, body: Value) -> Answer {
    let place = format!("{ORGANIZATION}/reimbursements/export");
    world.answer(ask(Method::POST, &place).json(&body)).await
}

async fn get(world: &World, place: &str) -> Value {
    let answer = world.answer(ask(Method::GET, place)).await;
    assert_eq!(answer.status, 200, "{place}: {}", answer.body);
    answer.json()
}

async fn drain(world: &World) {
    let worker = Worker {
        ports: world.ports.clone(),
        publish: std::sync::Arc::new(MemoryPublish::new()),
        connect: std::sync::Arc::clone(&world.books),
        exceptions: Exceptions::none(),
        registrar: crate::flow::watch::Registrar {
            keys: std::sync::Arc::clone(&world.keys),
            api_url: "https://api.example".parse().unwrap(),
        },
    };
    while let Some(received) = world.queue.receive(System::Xledger) {
        let job: Job = serde_json::from_str(&received.message.body).unwrap();
        work(&worker, &job).await.unwrap();
        world.queue.ack(&received);
    }
}

#[tokio::test]
async fn a_reimbursement_is_put_shown_listed_and_deleted_as_other_records_are() {
    let world = world().await;
    let body = reimbursement_json("101.00");
    assert_eq!(put(&world, "4711", &body).await.status, 201);
    assert_eq!(put(&world, "4711", &body).await.status, 200);
    let place = format!("{ORGANIZATION}/reimbursements/4711");
    let shown = world.answer(ask(Method::GET, &place)).await;
    assert_eq!(
        shown.header("etag"),
        "\"1\"",
        "what says the same is not written again"
    );
    assert_eq!(shown.json()["lines"], body["lines"]);
    let listed = get(&world, &format!("{ORGANIZATION}/reimbursements")).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let old = ask(Method::PUT, &place).header("if-match", "\"7\"").json(&body);
    assert_eq!(world.answer(old).await.status, 412);
    assert_eq!(world.answer(ask(Method::DELETE, &place)).await.status, 204);
    assert_eq!(world.answer(ask(Method::GET, &place)).await.status, 404);
}

#[tokio::test]
async fn every_fault_of_a_reimbursement_is_told_at_once() {
    let world = world().await;
    let mut bad = reimbursement_json("101.00");
    bad["lines"][0]["amount"] = json!("1e3");
    bad["currency"] = json!("NOK");
    bad["claimant"]["kind"] = json!("friend");
    bad["surprise"] = json!(true);
    let answer = put(&world, "4711", &bad).await;
    assert_eq!(answer.status, 400);
    let told = answer.json()["errors"].to_string();
    for field in ["lines[0].amount", "claimant.kind", "surprise"] {
        assert!(told.contains(field), "{told}");
    }
}

#[tokio::test]
async fn a_batch_is_answered_with_what_is_booked_and_what_is_not_and_why() {
    let world = world().await;
    put(&world, "1", &reimbursement_json("101.00")).await;
    let mut unapproved = reimbursement_json("50.00");
    unapproved.as_object_mut().unwrap().remove("approval");
    put(&world, "2", &unapproved).await;
    let answer = export(&world, json!({ "reimbursementIds": ["1", "2", "3"] })).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let told = answer.json();
    assert_eq!(told["route"], "graphql");
    assert_eq!(told["exports"][0]["reimbursementId"], "1");
    assert_eq!(told["exports"][0]["state"], "intended");
    let refused: Vec<_> = told["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| {
            (
                refused["reimbursementId"].clone(),
                refused["faults"][0]["code"].clone(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [(json!("2"), json!("unapproved")), (json!("3"), json!("missing"))]
    );
    drain(&world).await;
    let exports = get(&world, &format!("{ORGANIZATION}/reimbursements/1/exports")).await;
    assert_eq!(exports["items"][0]["state"], "accepted");
    let all = get(&world, &format!("{XLEDGER}/exports")).await;
    assert_eq!(all["items"], exports["items"]);
}

#[tokio::test]
async fn where_nothing_can_be_booked_the_answer_is_a_problem_with_each_reason() {
    let world = world().await;
    let answer = export(&world, json!({ "reimbursementIds": ["3"] })).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["code"], "not_exportable");
    assert_eq!(answer.json()["errors"][0]["field"], "reimbursements.3.id");
}

#[tokio::test]
async fn a_request_that_is_no_export_is_refused() {
    let world = world().await;
    let many: Vec<_> = (0..501).map(|id| id.to_string()).collect();
    for (body, field) in [
        (json!({ "reimbursementIds": [] }), "reimbursementIds"),
        (json!({ "reimbursementIds": many }), "reimbursementIds"),
        (json!({ "reimbursementIds": ["a/b"] }), "reimbursementIds"),
        (json!({}), "reimbursementIds"),
        (json!({ "reimbursementIds": ["1"], "force": {} }), "reason"),
        (
            json!({ "reimbursementIds": ["1"], "force": { "reason": " " } }),
            "force.reason",
        ),
        (json!({ "reimbursementIds": ["1"], "route": "csv" }), "route"),
    ] {
        let answer = export(&world, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(answer.body.contains(field), "{body}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_request_that_is_made_twice_with_one_key_books_once() {
    let world = world().await;
    put(&world, "1", &reimbursement_json("101.00")).await;
    let place = format!("{ORGANIZATION}/reimbursements/export");
    let request = || {
        ask(Method::POST, &place)
            .header("idempotency-key", "once")
            .json(&json!({ "reimbursementIds": ["1"] }))
    };
    let first = world.answer(request()).await;
    let again = world.answer(request()).await;
    assert_eq!((first.status, first.body), (again.status, again.body));
}

#[tokio::test]
async fn books_that_do_not_answer_and_books_that_refuse_are_told_apart() {
    for (kind, status, code) in [
        (ErrorKind::Unavailable, 503, "unavailable"),
        (ErrorKind::PermissionDenied, 502, "system_refused"),
        (ErrorKind::Unauthenticated, 409, "needs_reauthorization"),
    ] {
        let world = world().await;
        put(&world, "1", &reimbursement_json("101.00")).await;
        *world.shelf.fails.lock().unwrap() = Some(kind);
        let answer = export(&world, json!({ "reimbursementIds": ["1"] })).await;
        assert_eq!(answer.status, status, "{kind:?}: {}", answer.body);
        assert_eq!(answer.json()["code"], code, "{kind:?}");
    }
}

#[tokio::test]
async fn a_voucher_of_which_nobody_knows_waits_for_a_decision_with_a_reason() {
    let world = world().await;
    put(&world, "1", &reimbursement_json("101.00")).await;
    world.shelf.ledger.answers.lock().unwrap().push(Sent::Unknown);
    export(&world, json!({ "reimbursementIds": ["1"] })).await;
    drain(&world).await;
    for _ in 0..60 {
        world.clock.advance(std::time::Duration::from_secs(31 * 60));
        world.reconcile().await;
        drain(&world).await;
    }
    let reviews = get(&world, &format!("{XLEDGER}/reviews")).await;
    let review = &reviews["items"][0];
    assert_eq!(review["subject"], "export", "{reviews}");
    assert_eq!(review["export"]["why"], "unanswered");
    assert_eq!(
        review["decisions"],
        json!(["it_is_there", "send_again", "cancel"])
    );
    let place = format!("{XLEDGER}/reviews/{}", review["reviewId"].as_str().unwrap());
    let decide = async |body: Value| world.answer(ask(Method::POST, &place).json(&body)).await;
    let without = decide(json!({ "decision": "cancel" })).await;
    assert_eq!(without.status, 400);
    assert!(without.body.contains("reason"), "{}", without.body);
    let unfit = decide(json!({ "decision": "approve", "reason": "why not" })).await;
    assert_eq!(unfit.status, 400);
    assert!(unfit.body.contains("decision"), "{}", unfit.body);
    let done = decide(json!({ "decision": "cancel", "reason": "paid in cash" })).await;
    assert_eq!(done.status, 204, "{}", done.body);
    assert_eq!(
        decide(json!({ "decision": "cancel", "reason": "again" }))
            .await
            .status,
        404
    );
    let reviews = get(&world, &format!("{XLEDGER}/reviews")).await;
    assert_eq!(reviews["items"], json!([]));
}

#[tokio::test]
async fn it_is_too_early_to_say_that_something_is_not_there_while_it_may_arrive() {
    let world = world().await;
    put(&world, "1", &reimbursement_json("101.00")).await;
    world.shelf.ledger.answers.lock().unwrap().push(Sent::Unknown);
    export(&world, json!({ "reimbursementIds": ["1"] })).await;
    drain(&world).await;
    for _ in 0..14 {
        world.clock.advance(std::time::Duration::from_secs(31 * 60));
        world.reconcile().await;
        drain(&world).await;
    }
    let reviews = get(&world, &format!("{XLEDGER}/reviews")).await;
    let Some(id) = reviews["items"][0]["reviewId"].as_str() else {
        panic!("{reviews}")
    };
    let place = format!("{XLEDGER}/reviews/{id}");
    let early =
        ask(Method::POST, &place).json(&json!({ "decision": "send_again", "reason": "no trace of it" }));
    let answer = world.answer(early).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].as_str()),
        (409, Some("decision_too_early"))
    );
    assert!(reviews["items"][0]["mayArriveUntil"].is_string(), "{reviews}");
}

#[tokio::test]
async fn a_reimbursement_that_was_changed_after_its_export_is_decided_among_the_reviews() {
    let world = world().await;
    put(&world, "1", &reimbursement_json("101.00")).await;
    export(&world, json!({ "reimbursementIds": ["1"] })).await;
    drain(&world).await;
    world.shelf.ledger.post();
    world.clock.advance(std::time::Duration::from_secs(31 * 60));
    world.reconcile().await;
    drain(&world).await;
    put(&world, "1", &reimbursement_json("99.00")).await;
    world.reconcile().await;
    drain(&world).await;
    let reviews = get(&world, &format!("{XLEDGER}/reviews")).await;
    let review = &reviews["items"][0];
    assert_eq!(
        (&review["subject"], &review["cause"]),
        (&json!("reimbursement"), &json!("changed_after_export"))
    );
    assert_eq!(review["reviewId"], "reimbursement:1");
    let place = format!("{XLEDGER}/reviews/reimbursement:1");
    let correct =
        ask(Method::POST, &place).json(&json!({ "decision": "correct", "reason": "a new receipt" }));
    assert_eq!(world.answer(correct).await.status, 204);
    for _ in 0..4 {
        world.shelf.ledger.post();
        world.clock.advance(std::time::Duration::from_secs(31 * 60));
        world.reconcile().await;
        drain(&world).await;
    }
    let exports = get(&world, &format!("{ORGANIZATION}/reimbursements/1/exports")).await;
    let states: Vec<_> = exports["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|export| &export["state"])
        .collect();
    assert_eq!(states, ["posted"; 3]);
    assert_eq!(exports["items"][1]["reversalOf"], 0);
}

#[tokio::test]
async fn the_books_are_compared_when_somebody_asks() {
    let world = world().await;
    put(&world, "1", &reimbursement_json("101.00")).await;
    export(&world, json!({ "reimbursementIds": ["1"] })).await;
    drain(&world).await;
    let place = format!("{XLEDGER}/books/comparison");
    let since = ask(Method::POST, &place).json(&json!({ "since": "2026-01-01" }));
    assert_eq!(world.answer(since).await.status, 202);
    drain(&world).await;
    let books = get(&world, &format!("{XLEDGER}/books")).await;
    assert_eq!(books["comparison"]["vouchers"], 1, "{books}");
    assert_eq!(books["comparison"]["differences"], json!([]));
    assert!(books["requestsThisMonth"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn an_integration_that_keeps_books_has_nothing_to_sync() {
    let world = world().await;
    let answer = world.answer(ask(Method::POST, &format!("{XLEDGER}/sync"))).await;
    assert_eq!(answer.json()["code"], "nothing_to_sync", "{}", answer.body);
    let schedule = json!({ "expression": "rate(1 hour)", "zone": "Europe/Oslo" });
    let answer = world
        .answer(ask(Method::PUT, &format!("{XLEDGER}/schedule")).json(&schedule))
        .await;
    assert_eq!(answer.json()["code"], "nothing_to_sync", "{}", answer.body);
}
