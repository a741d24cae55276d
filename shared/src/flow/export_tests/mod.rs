//! Tests of the way from a request, or an approval, into books.

mod crash;
mod filing;
mod noticing;
pub(crate) mod world;

use serde_json::json;

use self::world::{World, id, record};
use super::{Attempt, ExportError, compare_books, last_comparison};
use crate::adapter::ErrorKind;
use crate::export::{FaultCode, Standing, State, this_month};
use crate::integration::State as IntegrationState;

#[tokio::test]
async fn all_faults_of_a_batch_are_told_at_once_and_the_others_are_booked() {
    let world = World::new().await;
    world.lock_account("7142");
    world.put("good", "101.00").await;
    let mut toll = crate::export::samples::reimbursement_json("50.00");
    toll["lines"][0]["expenseType"] = json!("toll");
    toll["claimant"]["code"] = json!("50013");
    toll.as_object_mut().unwrap().remove("approval");
    world.put_json("bad", toll).await;
    let exported = world.export(&["good", "bad", "missing", "good"]).await.unwrap();
    assert_eq!(exported.intents.len(), 1);
    let refused: Vec<_> = exported
        .refused
        .iter()
        .map(|refused| (refused.reimbursement.as_str(), refused.faults[0].code))
        .collect();
    assert_eq!(
        refused,
        [("bad", FaultCode::Unapproved), ("missing", FaultCode::Missing)]
    );
    world.work().await;
    world.pass(31).await;
    assert_eq!(world.states("good").await, [State::Posted]);
    assert_eq!(world.booked(), ["101.00 NOK"]);
}

#[tokio::test]
async fn what_is_exported_is_not_exported_again_unless_somebody_says_why() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    world.export(&["4711"]).await.unwrap();
    world.work().await;
    world.pass(31).await;
    let again = world.export(&["4711"]).await.unwrap();
    assert!(again.intents.is_empty());
    assert_eq!(again.refused[0].faults[0].code, FaultCode::AlreadyExported);
    let reason = "the first one was removed in the books".parse().unwrap();
    let forced = world
        .ask(&["4711"], Some(&reason), Attempt::default())
        .await
        .unwrap();
    assert_eq!(u16::from(forced.intents[0].revision), 1);
    world.work().await;
    assert_eq!(world.booked(), ["101.00 NOK", "101.00 NOK"]);
}

#[tokio::test]
async fn a_rehearsal_writes_nothing() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    let (ids, integration) = ([record("4711")], id());
    let request = super::ExportRequest {
        integration: &integration,
        reimbursements: &ids,
        dry_run: true,
        force: None,
        by: "treasurer",
        attempt: Attempt::default(),
    };
    let exported = super::export(world.ports(), &*world.worker.connect, &request)
        .await
        .unwrap();
    assert_eq!((exported.ready.len(), exported.intents.len()), (1, 0));
    assert!(world.intents("4711").await.is_empty());
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_is_an_error_and_nothing_is_intended() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    *world.shelf.fails.lock().unwrap() = Some(ErrorKind::Unavailable);
    let error = world.export(&["4711"]).await.unwrap_err();
    assert!(matches!(error, ExportError::Books(_)), "{error:?}");
    assert!(world.intents("4711").await.is_empty());
    assert_eq!(world.state().await, IntegrationState::Active);
}

#[tokio::test]
async fn the_route_is_remembered_and_looked_for_anew_only_where_it_does_not_work_at_all() {
    let world = World::new().await;
    let probes = || world.shelf.probes.load(std::sync::atomic::Ordering::SeqCst);
    for (at, name) in ["1", "2", "3"].iter().enumerate() {
        world.put(name, "101.00").await;
        world.export(&[name]).await.unwrap();
        assert_eq!(probes(), 1, "export {at}");
    }
    world.put("4", "101.00").await;
    *world.shelf.fails.lock().unwrap() = Some(ErrorKind::Unavailable);
    world.export(&["4"]).await.unwrap_err();
    assert_eq!(probes(), 1, "what passes is no reason to look for another");
    *world.shelf.fails.lock().unwrap() = Some(ErrorKind::PermissionDenied);
    world.export(&["4"]).await.unwrap_err();
    assert_eq!(probes(), 2);
    *world.shelf.fails.lock().unwrap() = None;
    world.export(&["4"]).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(25 * 60 * 60));
    world.put("5", "101.00").await;
    world.export(&["5"]).await.unwrap();
    assert_eq!(probes(), 4, "a day later it is asked again");
}

#[tokio::test]
async fn a_credential_that_is_refused_puts_the_integration_at_rest() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    *world.shelf.fails.lock().unwrap() = Some(ErrorKind::Unauthenticated);
    world.export(&["4711"]).await.unwrap_err();
    assert_eq!(world.state().await, IntegrationState::NeedsReauthorization);

    let world = World::new().await;
    world.put("4711", "101.00").await;
    world.export(&["4711"]).await.unwrap();
    *world.shelf.refusal.lock().unwrap() = Some(ErrorKind::Unauthenticated);
    world.work().await;
    assert_eq!(world.state().await, IntegrationState::NeedsReauthorization);
}

#[tokio::test]
async fn what_waits_for_an_integration_that_rests_is_booked_when_it_works_again() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    world.export(&["4711"]).await.unwrap();
    world.set_state("paused").await;
    world.work().await;
    for _ in 0..4 {
        world.pass(15).await;
    }
    assert_eq!(world.states("4711").await, [State::Intended]);
    world.set_state("active").await;
    world.pass(15).await;
    world.pass(31).await;
    assert_eq!(world.states("4711").await, [State::Posted]);
}

#[tokio::test]
async fn nothing_is_sent_once_the_requests_of_the_month_are_spent_and_all_of_it_in_the_next() {
    let world = World::new().await;
    *world.shelf.monthly.lock().unwrap() = Some(3);
    world.put("4711", "101.00").await;
    world.export(&["4711"]).await.unwrap();
    world.put("4712", "102.00").await;
    world.export(&["4712"]).await.unwrap();
    let month = this_month(&world.tables.inner, &id(), world.clock_now())
        .await
        .unwrap();
    assert_eq!(month.requests, 3);
    world.work().await;
    world.pass(60).await;
    assert!(world.booked().is_empty());
    // It is intended all the same, with what could be checked.
    world.put("4713", "103.00").await;
    let exported = world.export(&["4713"]).await.unwrap();
    assert!(exported.budget.unwrap().is_spent());
    for _ in 0..31 {
        world.pass(24 * 60).await;
    }
    assert_eq!(world.booked(), ["101.00 NOK", "102.00 NOK", "103.00 NOK"]);
}

#[tokio::test]
async fn the_books_are_compared_every_night_and_each_row_that_differs_is_named() {
    let world = World::new().await;
    for (name, amount) in [("1", "101.00"), ("2", "102.00"), ("3", "103.00")] {
        world.put(name, amount).await;
    }
    world.export(&["1", "2", "3"]).await.unwrap();
    world.work().await;
    world.pass(31).await;
    for _ in 0..24 {
        world.pass(60).await;
    }
    let night = last_comparison(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (night.vouchers, night.entries, night.differences.len()),
        (3, 3, 0)
    );
    assert!(night.at.is_some() && night.failure.is_none(), "{night:?}");

    let lost = world.shelf.ledger.entries.lock().unwrap().remove(0);
    {
        let mut entries = world.shelf.ledger.entries.lock().unwrap();
        entries[0].total = "1.00 NOK".parse().unwrap();
        let mut strange = entries[0].clone();
        let organization = "another".parse().unwrap();
        strange.reference =
            crate::export::Reference::of(&organization, &record("x"), crate::export::Revision::FIRST);
        strange.standing = Standing::Posted;
        entries.push(strange);
    }
    for _ in 0..24 {
        world.pass(60).await;
    }
    let night = last_comparison(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    let mut names: Vec<_> = night
        .differences
        .iter()
        .map(|row| row["difference"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["missing_there", "other_amount", "unknown_here"]);
    assert!(
        night
            .differences
            .iter()
            .any(|row| row["reference"] == lost.reference.as_str())
    );
    assert!(world.told().contains(&"books.differ.v1".to_owned()));
}

#[tokio::test]
async fn books_that_cannot_be_asked_are_compared_later_and_the_last_result_stays() {
    let world = World::new().await;
    world.put("1", "101.00").await;
    world.export(&["1"]).await.unwrap();
    world.work().await;
    world.pass(31).await;
    compare_books(world.ports(), &id(), None).await.unwrap();
    world.work().await;
    let before = last_comparison(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    *world.shelf.fails.lock().unwrap() = Some(ErrorKind::Unavailable);
    world.clock.advance(std::time::Duration::from_secs(60));
    compare_books(world.ports(), &id(), Some(jiff::civil::date(2026, 1, 1)))
        .await
        .unwrap();
    world.work().await;
    let after = last_comparison(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    assert!(after.failure.is_some());
    assert_eq!(after.at, before.at);
    *world.shelf.fails.lock().unwrap() = None;
    world.pass(31).await;
    let after = last_comparison(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    assert!(after.failure.is_none() && after.at > before.at, "{after:?}");
}

#[tokio::test]
async fn a_voucher_dated_long_ago_is_asked_for_before_it_is_called_missing() {
    let world = World::new().await;
    let mut old = crate::export::samples::reimbursement_json("101.00");
    old["approval"]["at"] = json!("2025-01-15T12:00:00Z");
    world.put_json("old", old).await;
    world.export(&["old"]).await.unwrap();
    world.work().await;
    world.pass(31).await;
    // The listing of the books begins later than the voucher's date.
    *world.shelf.lists.lock().unwrap() = false;
    compare_books(world.ports(), &id(), None).await.unwrap();
    world.work().await;
    let found = last_comparison(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.vouchers, found.differences.len()), (1, 0), "{found:?}");
}

#[test]
fn the_event_has_the_fields_of_its_schema_and_no_other() {
    let schema = include_str!("../../../../events/result-events/books.differ.v1.schema.json");
    let comparison = super::compare::Comparison {
        since: Some(jiff::civil::date(2026, 1, 1)),
        ..Default::default()
    };
    super::compare::event(&id(), &comparison, 3, crate::export::samples::now()).check(schema);
}

#[tokio::test]
async fn what_is_due_of_an_integration_that_is_gone_waits_for_its_return() {
    let world = World::new().await;
    world.put("4711", "101.00").await;
    world.export(&["4711"]).await.unwrap();
    world.remove().await;
    world.work().await;
    for _ in 0..4 {
        world.pass(60).await;
    }
    assert!(world.queue.is_empty(crate::model::System::Xledger));
    assert_eq!(world.states("4711").await, [State::Intended]);
    world.set_state("active").await;
    world.pass(25 * 60).await;
    world.pass(31).await;
    assert_eq!(world.states("4711").await, [State::Posted]);
}
