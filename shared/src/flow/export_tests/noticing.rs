//! What becomes of a reimbursement that was approved, changed or deleted.

use serde_json::json;

use super::world::{World, id, record};
use crate::export::notice::{Cause, Settlement, decide};
use crate::export::samples::reimbursement_json;
use crate::export::{Decision, FaultCode, ReviewRow, State, Verdict, list_reviews};
use crate::records;

async fn waiting(world: &World) -> Vec<ReviewRow> {
    list_reviews(&world.tables.inner, &id(), None, 10)
        .await
        .unwrap()
        .0
}

async fn cause(world: &World) -> Cause {
    match waiting(world).await.pop() {
        Some(ReviewRow::Reimbursement(waiting)) => waiting.cause,
        other => panic!("{other:?}"),
    }
}

async fn settle(world: &World, name: &str, settlement: Settlement) -> bool {
    let reason = "the treasurer said so".parse().unwrap();
    decide(
        &world.tables.inner,
        &id(),
        &record(name),
        (settlement, &reason),
        "treasurer",
        world.clock_now(),
    )
    .await
    .unwrap()
}

async fn automatic() -> World {
    let world = World::new().await;
    *world.shelf.automatic.lock().unwrap() = true;
    world
}

#[tokio::test]
async fn what_is_approved_exports_by_itself_where_the_integration_says_so() {
    for says_so in [true, false] {
        let world = World::new().await;
        *world.shelf.automatic.lock().unwrap() = says_so;
        let mut unapproved = reimbursement_json("101.00");
        unapproved.as_object_mut().unwrap().remove("approval");
        world.put_json("4711", unapproved).await;
        world.pass(1).await;
        assert!(world.intents("4711").await.is_empty(), "nobody has approved it");
        let approved = crate::export::samples::reimbursement("4711", "101.00");
        records::approved(
            world.ports(),
            &id().organization,
            &record("4711"),
            Some(&approved),
        )
        .await
        .unwrap();
        world.pass(1).await;
        world.pass(31).await;
        let expected: &[State] = if says_so { &[State::Posted] } else { &[] };
        assert_eq!(world.states("4711").await, expected);
    }
}

#[tokio::test]
async fn an_approval_that_is_told_twice_or_before_its_reimbursement_books_once() {
    let world = automatic().await;
    let approved = async || {
        records::approved(world.ports(), &id().organization, &record("4711"), None)
            .await
            .unwrap();
        world.pass(1).await;
    };
    approved().await;
    assert!(world.intents("4711").await.is_empty());
    world.put("4711", "101.00").await;
    world.pass(1).await;
    approved().await;
    approved().await;
    world.pass(31).await;
    assert_eq!(world.states("4711").await, [State::Posted]);
    assert_eq!(world.booked(), ["101.00 NOK"]);
}

#[tokio::test]
async fn what_was_changed_after_its_export_is_undone_and_booked_anew() {
    let world = automatic().await;
    world.put("4711", "101.00").await;
    world.pass(1).await;
    world.pass(31).await;
    world.put("4711", "99.00").await;
    world.pass(1).await;
    for _ in 0..3 {
        world.pass(31).await;
    }
    assert_eq!(world.states("4711").await, [State::Posted; 3]);
    assert_eq!(world.booked(), ["-101.00 NOK", "101.00 NOK", "99.00 NOK"]);
    assert!(waiting(&world).await.is_empty());
}

#[tokio::test]
async fn what_was_deleted_after_its_export_is_undone() {
    let world = automatic().await;
    world.put("4711", "101.00").await;
    world.pass(1).await;
    world.pass(31).await;
    world.delete("4711").await;
    world.pass(1).await;
    world.pass(31).await;
    assert_eq!(world.booked(), ["-101.00 NOK", "101.00 NOK"]);
}

#[tokio::test]
async fn what_was_changed_before_it_left_leaves_as_it_is_now() {
    let world = automatic().await;
    world.put("4711", "101.00").await;
    world.sweep().await;
    // The notice is seen to, and the voucher is not carried on yet.
    let received = world.queue.receive(crate::model::System::Xledger).unwrap();
    let job = serde_json::from_str(&received.message.body).unwrap();
    crate::flow::work::work(&world.worker, &job).await.unwrap();
    world.queue.ack(&received);
    assert_eq!(world.states("4711").await, [State::Intended]);
    world.set_state("paused").await;
    world.put("4711", "99.00").await;
    world.work().await;
    world.set_state("active").await;
    for _ in 0..5 {
        world.pass(31).await;
    }
    let booked = world.booked();
    // Whether the first had left before the change was seen decides whether it has to be undone.
    let sum = match booked.len() {
        1 => booked == ["99.00 NOK"],
        _ => booked == ["-101.00 NOK", "101.00 NOK", "99.00 NOK"],
    };
    assert!(sum, "{booked:?}");
}

#[tokio::test]
async fn where_nothing_is_done_by_itself_a_human_says_whether_to_correct() {
    for (settlement, expected) in [
        (
            Settlement::Correct,
            vec!["-101.00 NOK", "101.00 NOK", "99.00 NOK"],
        ),
        (Settlement::Leave, vec!["101.00 NOK"]),
    ] {
        let world = World::new().await;
        world.put("4711", "101.00").await;
        world.export(&["4711"]).await.unwrap();
        world.work().await;
        world.pass(31).await;
        world.put("4711", "99.00").await;
        world.pass(1).await;
        assert_eq!(cause(&world).await, Cause::ChangedAfterExport);
        assert!(settle(&world, "4711", settlement).await);
        assert!(!settle(&world, "4711", settlement).await, "it is decided once");
        assert!(waiting(&world).await.is_empty());
        for _ in 0..4 {
            world.pass(31).await;
        }
        assert_eq!(world.booked(), expected, "{settlement:?}");
        let audited = world.audit().await;
        assert!(
            audited.iter().any(|row| row.contains("decide_reimbursement")),
            "{audited:?}"
        );
    }
}

#[tokio::test]
async fn an_approval_that_cannot_be_booked_waits_with_every_reason_until_it_can() {
    let world = automatic().await;
    let mut bad = reimbursement_json("101.00");
    bad["lines"][0]["expenseType"] = json!("theatre");
    bad["lines"][0]["vatCode"] = json!("unknown");
    world.put_json("4711", bad).await;
    world.pass(1).await;
    let Cause::NotExportable { faults } = cause(&world).await else {
        panic!()
    };
    let codes: Vec<_> = faults.iter().map(|fault| fault.code).collect();
    assert!(codes.contains(&FaultCode::UnknownExpenseType), "{codes:?}");
    // The reimbursement is put right.
    world.put("4711", "101.00").await;
    world.pass(1).await;
    world.pass(31).await;
    assert_eq!(world.states("4711").await, [State::Posted]);
    assert!(waiting(&world).await.is_empty());
}

#[tokio::test]
async fn an_account_that_was_opened_is_tried_again_when_somebody_says_so() {
    let world = automatic().await;
    world.lock_account("7140");
    world.put("4711", "101.00").await;
    world.pass(1).await;
    assert!(matches!(cause(&world).await, Cause::NotExportable { .. }));
    world.lock_account("none");
    assert!(settle(&world, "4711", Settlement::Retry).await);
    world.pass(1).await;
    world.pass(31).await;
    assert_eq!(world.states("4711").await, [State::Posted]);
}

#[tokio::test]
async fn a_change_while_nobody_knows_whether_it_is_booked_waits_for_that() {
    let world = automatic().await;
    world
        .shelf
        .ledger
        .answers
        .lock()
        .unwrap()
        .push(crate::export::Sent::Unknown);
    world.put("4711", "101.00").await;
    world.pass(1).await;
    world.put("4711", "99.00").await;
    for _ in 0..40 {
        world.pass(31).await;
    }
    assert_eq!(world.states("4711").await, [State::Review]);
    world.clock.advance(std::time::Duration::from_secs(25 * 60 * 60));
    let reason = "it is not in the books".parse().unwrap();
    let verdict = Verdict {
        decision: Decision::Cancel,
        reason: &reason,
        by: "treasurer",
        now: world.clock_now(),
    };
    let first = world.intents("4711").await.remove(0);
    crate::export::decide(
        &world.tables.inner,
        &id(),
        &record("4711"),
        first.revision,
        &verdict,
    )
    .await
    .unwrap();
    for _ in 0..3 {
        world.pass(31).await;
    }
    assert_eq!(world.booked(), ["99.00 NOK"]);
}

#[tokio::test]
async fn a_decision_that_nobody_can_make_yet_is_not_made() {
    let world = automatic().await;
    assert!(!settle(&world, "4711", Settlement::Correct).await);
    world.put("4711", "101.00").await;
    world.pass(1).await;
    assert!(!settle(&world, "4711", Settlement::Leave).await);
}
