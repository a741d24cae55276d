//! Tests of the engine over tables: each way through the protocol, and a crash at every point of it.

mod crash;
pub(crate) mod world;

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use self::world::{Script, Slow, World, id};
use super::correct::{Corrected, correct};
use super::decide::DecideError;
use super::engine::{CLAIM, Exporter, WorkError, Worked};
use super::intend::{IntendError, Intended, Request, force, intend, reroute};
use super::intent::{intent_key, number_key, read_voucher, voucher_key};
use super::ledger::{Dedup, Route, Sent, Standing};
use super::reference::{Reference, Revision};
use super::review::list_reviews;
use super::samples::{integration, now, ready};
use super::step::{Decision, State, Why};
use crate::clock::{Clock, ManualClock};
use crate::store::{Content, Due, Expect, MemoryStore, Store, StoreError, Write};

#[tokio::test]
async fn what_is_accepted_is_exported_only_once_it_is_posted() {
    for dedup in [Dedup::UniqueKey, Dedup::Queryable] {
        let world = World::new(Script::new(dedup)).await;
        assert_eq!(world.work().await, State::Accepted);
        assert_eq!(world.work().await, State::Accepted, "it is still queued");
        world.ledger.post();
        assert_eq!(world.work().await, State::Posted);
        assert_eq!((world.ledger.booked(), world.ledger.sends.load(SeqCst)), (1, 1));
        let told: Vec<_> = world
            .rows("outbox#")
            .await
            .iter()
            .map(|row| row.body.contains("posted"))
            .collect();
        assert_eq!(told, [false, true]);
        let due = world
            .tables
            .due(Due::Reconcile, Timestamp::MAX, 10)
            .await
            .unwrap();
        let told = |key: &crate::store::Key| {
            key.sort.starts_with("outbox#") || key.sort.starts_with(super::notice::PREFIX)
        };
        assert!(due.iter().all(told), "{due:?}");
    }
}

#[tokio::test]
async fn a_duplicate_is_success_after_its_fields_have_been_compared() {
    for (total, expected) in [("101.00 NOK", State::Posted), ("100.00 NOK", State::Review)] {
        let world = World::new(Script::new(Dedup::UniqueKey)).await;
        let intent = world.first().await;
        let voucher = read_voucher(&world.tables, &integration(), &intent)
            .await
            .unwrap();
        world.ledger.book(&voucher, Standing::Posted);
        world.ledger.entries.lock().unwrap()[0].total = total.parse().unwrap();
        assert_eq!(world.work().await, expected);
        let intent = world.first().await;
        assert_eq!(intent.reason.is_some(), expected == State::Review, "{intent:?}");
    }
}

#[tokio::test]
async fn what_nobody_answered_is_looked_for_and_never_sent_again() {
    let world = World::new(Script::answering(Dedup::Queryable, [Sent::Unknown])).await;
    assert_eq!(world.work().await, State::Doubtful);
    for look in 1..=6 {
        let expected = if look < 6 { State::Doubtful } else { State::Review };
        assert_eq!(world.work().await, expected, "look {look}");
    }
    let reviews = list_reviews(&world.tables, &integration(), None, 10)
        .await
        .unwrap()
        .0;
    assert_eq!(reviews.len(), 1);
    assert_eq!(world.first().await.progress.why, Some(Why::Unanswered));
    // It arrives a day late, and the daily look finds it.
    let intent = world.first().await;
    let voucher = read_voucher(&world.tables, &integration(), &intent)
        .await
        .unwrap();
    world.ledger.book(&voucher, Standing::Posted);
    assert_eq!(world.work().await, State::Posted);
    assert_eq!(world.ledger.sends.load(SeqCst), 1);
    assert!(
        list_reviews(&world.tables, &integration(), None, 10)
            .await
            .unwrap()
            .0
            .is_empty()
    );
}

#[tokio::test]
async fn where_nobody_can_be_asked_no_answer_is_a_review_at_once() {
    let world = World::new(Script::answering(Dedup::None, [Sent::Unknown])).await;
    assert_eq!(world.work().await, State::Review);
    assert_eq!(world.work().await, State::Review, "nothing more is done");
    assert_eq!(
        (world.ledger.sends.load(SeqCst), world.ledger.finds.load(SeqCst)),
        (1, 0)
    );
}

#[tokio::test]
async fn what_did_not_leave_is_sent_later() {
    for dedup in [Dedup::UniqueKey, Dedup::Queryable, Dedup::None] {
        let world = World::new(Script::answering(dedup, [Sent::NotSent("busy".into())])).await;
        assert_eq!(world.work().await, State::Intended);
        assert_eq!(world.work().await, State::Accepted);
        assert_eq!(world.ledger.booked(), 1);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again_by_itself() {
    let world = World::new(Script::answering(
        Dedup::Queryable,
        [Sent::Rejected("period closed".into())],
    ))
    .await;
    assert_eq!(world.work().await, State::Refused);
    assert_eq!(world.first().await.reason.as_deref(), Some("period closed"));
    assert_eq!(world.work().await, State::Refused);
    assert_eq!(world.ledger.sends.load(SeqCst), 1);
    // Corrected and exported again, it has the same reference, and its voucher is the new one.
    assert!(matches!(world.intend("99.00").await, Ok(Intended::New(_))));
    assert_eq!(world.work().await, State::Accepted);
    let intents = world.intents().await;
    assert_eq!(
        (intents.len(), intents[0].total.to_string().as_str()),
        (1, "99.00 NOK")
    );
}

#[tokio::test]
async fn an_export_is_intended_once_however_often_it_is_asked_for() {
    let world = World::new(Script::new(Dedup::None)).await;
    for _ in 0..3 {
        assert!(
            matches!(world.intend("99.00").await, Ok(Intended::Before(intent)) if intent.total.amount() == "101.00")
        );
    }
    assert_eq!(
        (world.intents().await.len(), world.rows("voucher#").await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_number_that_is_taken_gives_way_to_the_next_and_a_reference_does_not() {
    let (tables, integration) = (MemoryStore::new(), integration());
    let ready = ready("4711", "101.00");
    let (reference, number) = (ready.voucher.reference(), ready.voucher.number());
    let other = Reference::of(&"hlf".parse().unwrap(), &"1".parse().unwrap(), Revision::FIRST);
    let taken = Write::put(
        number_key(&integration, number),
        Expect::Absent,
        Content::of(&other),
    );
    tables.write(vec![taken]).await.unwrap();
    let request = Request {
        integration: &integration,
        route: Route::Graphql,
        by: "treasurer",
        now: now(),
    };
    let Ok(Intended::New(intent)) = intend(&tables, &request, &ready).await else {
        panic!("it is intended")
    };
    assert_eq!(intent.number, reference.number(1));
    let voucher = read_voucher(&tables, &integration, &intent).await.unwrap();
    assert_eq!(voucher.number(), intent.number);

    let tables = MemoryStore::new();
    let taken = Write::put(
        voucher_key(&integration, reference),
        Expect::Absent,
        Content::of(&1),
    );
    tables.write(vec![taken]).await.unwrap();
    assert!(matches!(
        intend(&tables, &request, &ready).await,
        Err(IntendError::ReferenceTaken(_))
    ));
}

#[tokio::test]
async fn a_voucher_goes_one_way_until_nothing_can_have_left() {
    let world = World::new(Script::answering(Dedup::None, [Sent::Unknown])).await;
    let integration = integration();
    let by_file = |now| Request {
        integration: &integration,
        route: Route::Csv,
        by: "treasurer",
        now,
    };
    let intent = world.first().await;
    let moved = reroute(&world.tables, &by_file(now()), &intent).await.unwrap();
    assert!(matches!(
        world.try_work(Revision::FIRST).await,
        Err(WorkError::Route(Route::Csv, Route::Graphql))
    ));
    reroute(&world.tables, &world.request(&integration), &moved)
        .await
        .unwrap();
    assert_eq!(world.work().await, State::Review);
    let rerouted = reroute(&world.tables, &by_file(now()), &intent).await;
    assert!(matches!(rerouted, Err(IntendError::RouteFixed(_))));
    let again = intend(&world.tables, &by_file(now()), &ready("4711", "101.00")).await;
    assert!(matches!(again, Ok(Intended::Before(intent)) if intent.route == Route::Graphql));
    // A human who says that it is not there frees it for another way.
    world.advance(2 * 86_400);
    world.decide(Decision::Cancel).await.unwrap();
    let again = intend(
        &world.tables,
        &by_file(world.clock.now()),
        &ready("4711", "101.00"),
    )
    .await;
    assert!(
        matches!(again, Ok(Intended::New(intent)) if intent.route == Route::Csv && intent.revision == Revision::FIRST)
    );
}

#[tokio::test]
async fn a_human_decides_with_a_reason_and_not_before_nothing_can_arrive() {
    let world = World::new(Script::answering(Dedup::None, [Sent::Unknown])).await;
    assert!(matches!(
        world.decide(Decision::SendAgain).await,
        Err(DecideError::Unfit(State::Intended))
    ));
    world.work().await;
    for decision in [Decision::SendAgain, Decision::Cancel] {
        let early = world.decide(decision).await;
        let expected = now() + CLAIM + 24.hours();
        assert!(
            matches!(early, Err(DecideError::Early(from)) if from == expected),
            "{early:?}"
        );
    }
    assert!(world.rows("audit#").await.is_empty());
    world.advance(25 * 3_600);
    world.decide(Decision::SendAgain).await.unwrap();
    let audit = world.rows("audit#").await;
    assert_eq!(audit.len(), 1);
    for part in ["decide_export", "send_again", "looked it up", "accountant"] {
        assert!(audit[0].body.contains(part), "{}", audit[0].body);
    }
    assert_eq!(world.work().await, State::Accepted);
    assert_eq!(
        world.decide(Decision::ItIsThere).await.unwrap().progress.state,
        State::Posted
    );
    assert_eq!(world.ledger.sends.load(SeqCst), 2);
}

#[tokio::test]
async fn forcing_books_under_another_reference_and_says_who_and_why() {
    let world = World::new(Script::new(Dedup::None)).await;
    world.work().await;
    let (integration, reason) = (integration(), "the bank sent it back".parse().unwrap());
    let forced = force(
        &world.tables,
        &world.request(&integration),
        &ready("4711", "101.00"),
        &reason,
    )
    .await
    .unwrap();
    assert_eq!(u16::from(forced.revision), 1);
    assert_ne!(forced.reference, world.first().await.reference);
    let audit = world.rows("audit#").await;
    assert_eq!(audit.len(), 1);
    assert!(audit[0].body.contains("force_export") && audit[0].body.contains("the bank sent it back"));
}

async fn corrected(world: &World, amount: Option<&str>) -> Result<Corrected, IntendError> {
    let integration = integration();
    let wanted = amount.map(|amount| ready("4711", amount));
    let date = "2026-03-02".parse().unwrap();
    correct(
        &world.tables,
        &world.request(&integration),
        &id(),
        wanted.as_ref(),
        date,
    )
    .await
}

#[tokio::test]
async fn what_changed_after_it_was_exported_is_reversed_first_and_then_booked_anew() {
    let world = World::new(Script::new(Dedup::Queryable)).await;
    world.work().await;
    assert!(
        matches!(
            corrected(&world, Some("99.00")).await,
            Err(IntendError::Unsettled(_))
        ),
        "it is only queued"
    );
    world.ledger.post();
    world.work().await;
    assert_eq!(
        corrected(&world, Some("101.00")).await.unwrap(),
        Corrected::Unneeded
    );
    let Ok(Corrected::Reversed {
        reversal,
        replacement: Some(replacement),
    }) = corrected(&world, Some("99.00")).await
    else {
        panic!("it is corrected");
    };
    assert_eq!(reversal.total.to_string(), "-101.00 NOK");
    assert_eq!(world.try_work(replacement.revision).await.unwrap(), Worked::Waits);
    world.try_work(reversal.revision).await.unwrap();
    assert_eq!(
        world.try_work(replacement.revision).await.unwrap(),
        Worked::Waits,
        "the reversal is only queued"
    );
    world.ledger.post();
    world.try_work(reversal.revision).await.unwrap();
    world.try_work(replacement.revision).await.unwrap();
    world.ledger.post();
    world.try_work(replacement.revision).await.unwrap();
    let totals: Vec<_> = world
        .ledger
        .entries
        .lock()
        .unwrap()
        .iter()
        .map(|entry| entry.total.to_string())
        .collect();
    assert_eq!(totals, ["101.00 NOK", "-101.00 NOK", "99.00 NOK"]);
    // Deleted, it is only reversed.
    assert!(matches!(
        corrected(&world, None).await,
        Ok(Corrected::Reversed {
            replacement: None,
            ..
        })
    ));
    // That it is wanted again is not yet done by what undoes it.
    for wanted in [Some("99.00"), None] {
        assert!(matches!(
            corrected(&world, wanted).await,
            Err(IntendError::Unsettled(_))
        ));
    }
}

#[tokio::test]
async fn what_replaces_a_voucher_that_could_not_be_reversed_is_given_up() {
    let world = World::new(Script::new(Dedup::Queryable)).await;
    world.work().await;
    world.ledger.post();
    world.work().await;
    let Ok(Corrected::Reversed {
        reversal,
        replacement: Some(replacement),
    }) = corrected(&world, Some("99.00")).await
    else {
        panic!("it is corrected");
    };
    world
        .ledger
        .answers
        .lock()
        .unwrap()
        .push(Sent::Rejected("period closed".into()));
    world.try_work(reversal.revision).await.unwrap();
    world.try_work(replacement.revision).await.unwrap();
    let states = async || {
        let intents = world.intents().await;
        let states: Vec<_> = intents.iter().map(|intent| intent.progress.state).collect();
        states
    };
    assert_eq!(
        states().await,
        [State::Posted, State::Refused, State::Intended],
        "it waits for a human, who is told"
    );
    let (reviews, _) = list_reviews(&world.tables, &integration(), None, 10)
        .await
        .unwrap();
    assert_eq!(reviews.len(), 1);
    world
        .decide_about(reversal.revision, Decision::Cancel)
        .await
        .unwrap();
    world.try_work(replacement.revision).await.unwrap();
    assert_eq!(
        states().await,
        [State::Posted, State::Cancelled, State::Cancelled]
    );
    let (reviews, _) = list_reviews(&world.tables, &integration(), None, 10)
        .await
        .unwrap();
    assert!(reviews.is_empty());
}

#[tokio::test]
async fn what_has_not_left_is_withdrawn_and_what_is_in_doubt_is_settled_first() {
    let world = World::new(Script::answering(Dedup::None, [Sent::Unknown])).await;
    assert!(matches!(
        corrected(&world, None).await,
        Ok(Corrected::Withdrawn(_))
    ));
    assert_eq!(corrected(&world, None).await.unwrap(), Corrected::NotBooked);
    world.intend("101.00").await.unwrap();
    world.work().await;
    assert!(matches!(
        corrected(&world, None).await,
        Err(IntendError::Unsettled(_))
    ));
}

#[tokio::test]
async fn a_voucher_that_is_not_the_one_that_was_intended_is_not_sent() {
    let world = World::new(Script::new(Dedup::None)).await;
    let intent = world.first().await;
    let other = ready("4711", "999.00").voucher;
    let key = voucher_key(&integration(), &intent.reference);
    world
        .tables
        .write(vec![Write::put(key, Expect::Anything, Content::of(&other))])
        .await
        .unwrap();
    assert!(matches!(
        world.try_work(Revision::FIRST).await,
        Err(WorkError::Store(StoreError::Malformed { .. }))
    ));
    assert_eq!(world.ledger.sends.load(SeqCst), 0);
}

#[tokio::test]
async fn what_somebody_else_holds_is_left_alone_and_who_is_fenced_off_writes_nothing() {
    let world = World::new(Script::new(Dedup::None)).await;
    let intent = world.first().await;
    let key = intent_key(&integration(), &intent.reimbursement, intent.revision);
    // Held by somebody else.
    let mut held = intent.clone();
    held.held_until = Some(now() + CLAIM);
    world
        .tables
        .write(vec![Write::put(
            key.clone(),
            Expect::Anything,
            Content::of(&held).fenced(7),
        )])
        .await
        .unwrap();
    assert_eq!(
        world.try_work(Revision::FIRST).await.unwrap(),
        Worked::Held(now() + CLAIM)
    );
    // The fence of a later holder: whoever read this row before it is refused.
    world
        .tables
        .write(vec![Write::put(
            key,
            Expect::Anything,
            Content::of(&intent).fenced(99),
        )])
        .await
        .unwrap();
    assert_eq!(world.try_work(Revision::FIRST).await.unwrap(), Worked::Fenced);
    assert_eq!(world.ledger.sends.load(SeqCst), 0);
}

#[tokio::test]
async fn who_has_too_little_left_of_a_claim_does_not_send() {
    for (pace, sends) in [(60, 1), (80, 0)] {
        let world = World::new(Script::new(Dedup::Queryable)).await;
        let clock = Slow {
            clock: ManualClock::new(now()),
            pace: Duration::from_secs(pace),
        };
        let exporter = Exporter {
            store: &world.tables,
            clock: &clock,
            integration: &integration(),
            ledger: &world.ledger,
        };
        let worked = exporter.work(&id(), Revision::FIRST).await.unwrap();
        assert_eq!(worked == Worked::Late, sends == 0, "{worked:?}");
        assert_eq!(world.ledger.sends.load(SeqCst), sends);
        // It had not left, which nobody can know: it is looked for, and not sent.
        world.advance(86_400);
        assert_eq!(world.work().await == State::Doubtful, sends == 0);
        assert_eq!(world.ledger.sends.load(SeqCst), sends);
    }
}
