//! What becomes of a reimbursement that was approved, changed or deleted.

use serde_json::json;

use super::world::{World, id, record};
use crate::export::notice::{Cause, Decided, Settlement, decide};
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
        == Decided::Done
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
            Some(world.clock_now() + jiff::SignedDuration::from_secs(1)),
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
        records::approved(world.ports(), &id().organization, &record("4711"), None, None)
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

#[tokio::test]
async fn what_is_changed_and_changed_back_while_it_is_undone_is_booked_in_the_end() {
    let world = automatic().await;
    world.put("4711", "101.00").await;
    world.pass(1).await;
    world.pass(31).await;
    world.put("4711", "99.00").await;
    world.sweep().await;
    world.work().await;
    world.put("4711", "101.00").await;
    world.sweep().await;
    world.work().await;
    for _ in 0..8 {
        world.pass(31).await;
    }
    let standing = world.intents("4711").await;
    assert!(
        matches!(crate::export::booked(&standing), crate::export::Booked::Standing(intent) if intent.total.to_string() == "101.00 NOK"),
        "{standing:#?}"
    );
    assert_eq!(world.sum(), "101.00 NOK");
}

#[tokio::test]
async fn what_is_deleted_and_put_again_while_it_is_undone_is_booked_in_the_end() {
    let world = automatic().await;
    world.put("4711", "101.00").await;
    world.pass(1).await;
    world.pass(31).await;
    world.delete("4711").await;
    world.sweep().await;
    world.work().await;
    world.put("4711", "101.00").await;
    for _ in 0..8 {
        world.pass(31).await;
    }
    assert_eq!(world.sum(), "101.00 NOK");
}

#[tokio::test]
async fn a_correction_of_what_had_not_left_is_booked() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    for _ in 0..3 {
        let down = crate::export::Sent::NotSent("busy".into());
        world.shelf.ledger.answers.lock().unwrap().push(down);
    }
    world.export(&["4711"]).await.unwrap();
    world.work().await;
    world.put("4711", "99.00").await;
    world.sweep().await;
    world.work().await;
    assert_eq!(cause(&world).await, Cause::ChangedAfterExport);
    assert!(settle(&world, "4711", Settlement::Correct).await);
    world.shelf.ledger.answers.lock().unwrap().clear();
    for _ in 0..6 {
        world.pass(31).await;
    }
    assert_eq!(world.booked(), ["99.00 NOK"]);
}

#[tokio::test]
async fn what_changes_while_it_is_being_exported_is_looked_at_again() {
    let world = automatic().await;
    world.put("4711", "101.00").await;
    world.pass(1).await;
    // Whoever exports has read it, and intends it after it was deleted and that was seen to.
    let reason = "asked for".parse().unwrap();
    let forced = world.ask(&["4711"], Some(&reason), crate::flow::Attempt::default());
    world.delete("4711").await;
    world.sweep().await;
    world.work().await;
    drop(forced.await);
    for _ in 0..10 {
        world.pass(31).await;
    }
    assert_eq!(world.sum(), "0.00 NOK", "{:?}", world.booked());
}

#[tokio::test]
async fn what_the_ledger_would_not_take_is_not_sent_again_and_again() {
    let world = automatic().await;
    for _ in 0..50 {
        let refused = crate::export::Sent::Rejected("no such project".into());
        world.shelf.ledger.answers.lock().unwrap().push(refused);
    }
    world.put("4711", "101.00").await;
    for _ in 0..10 {
        world.pass(1).await;
    }
    assert_eq!(
        world.shelf.ledger.sends.load(std::sync::atomic::Ordering::SeqCst),
        1
    );
    assert!(matches!(cause(&world).await, Cause::NotExportable { .. }));
    world.shelf.ledger.answers.lock().unwrap().clear();
    assert!(settle(&world, "4711", Settlement::Retry).await);
    world.pass(1).await;
    world.pass(31).await;
    assert_eq!(world.states("4711").await, [State::Posted]);
}

#[tokio::test]
async fn what_the_ledger_rejects_afterwards_waits_for_somebody_who_can_give_it_up() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    world.export(&["4711"]).await.unwrap();
    world.work().await;
    world.shelf.ledger.entries.lock().unwrap()[0].standing =
        crate::export::Standing::Rejected("closed".into());
    world.clock.advance(std::time::Duration::from_secs(31 * 60));
    world.sweep().await;
    world.work().await;
    assert_eq!(world.states("4711").await, [State::Rejected]);
    assert!(matches!(
        waiting(&world).await.as_slice(),
        [ReviewRow::Voucher(_)]
    ));
}

#[tokio::test]
async fn a_late_word_of_an_approval_neither_revives_nor_reverts() {
    let world = automatic().await;
    let approved = crate::export::samples::reimbursement("4711", "101.00");
    let told = world.clock_now();
    world.put("4711", "99.00").await;
    world.clock.advance(std::time::Duration::from_secs(60));
    let tell = async |at| {
        let organization = id().organization;
        records::approved(
            world.ports(),
            &organization,
            &record("4711"),
            Some(&approved),
            Some(at),
        )
        .await
        .unwrap();
    };
    tell(told).await;
    world.pass(1).await;
    world.pass(31).await;
    assert_eq!(world.booked(), ["99.00 NOK"]);
    world.delete("4711").await;
    tell(told).await;
    for _ in 0..3 {
        world.pass(31).await;
    }
    assert_eq!(world.sum(), "0.00 NOK");
}
