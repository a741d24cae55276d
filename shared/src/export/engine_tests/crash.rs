//! A crash at every point of the way from the click to the first rest.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::super::engine::Worked;
use super::super::ledger::Dedup;
use super::super::reference::Revision;
use super::super::samples::now;
use super::super::step::State;
use super::world::{Script, Tables, World};
use crate::clock::ManualClock;

/// Carries a voucher on from wherever it was left, as `reconcile` does, until nothing more happens.
async fn mend(world: &World) -> State {
    for _ in 0..20 {
        world.advance(3_600);
        world.ledger.post();
        drop(world.intend("101.00").await.unwrap());
        if let Worked::Done(intent) = world.try_work(Revision::FIRST).await.unwrap()
            && matches!(intent.progress.state, State::Posted | State::Review)
        {
            return intent.progress.state;
        }
    }
    world.first().await.progress.state
}

/// Runs from the click to the first rest, and dies at one point: before a call, or after it and before its answer.
async fn crash(dedup: Dedup, in_tables: bool, at: usize) -> (World, bool) {
    let world = World {
        tables: Tables::default(),
        clock: ManualClock::new(now()),
        ledger: Script::new(dedup),
    };
    let crash = if in_tables {
        &world.tables.crash
    } else {
        &world.ledger.crash
    };
    crash.at.store(at, SeqCst);
    let run = async {
        drop(world.intend("101.00").await.unwrap());
        drop(world.try_work(Revision::FIRST).await.unwrap());
    };
    let died = tokio::time::timeout(Duration::from_secs(1), run).await.is_err();
    world.tables.crash.at.store(0, SeqCst);
    world.ledger.crash.at.store(0, SeqCst);
    (world, died)
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_point_books_once_or_asks_a_human() {
    let mut points = 0;
    for dedup in [Dedup::UniqueKey, Dedup::Queryable, Dedup::None] {
        for in_tables in [true, false] {
            for at in 1.. {
                let (world, died) = crash(dedup, in_tables, at).await;
                let state = mend(&world).await;
                let asked = state == State::Review;
                assert!(world.ledger.booked() <= 1, "{dedup:?} {in_tables} {at}");
                assert!(
                    asked || world.ledger.booked() == 1,
                    "{dedup:?} {in_tables} {at}: {state:?}"
                );
                let fits = match dedup {
                    Dedup::UniqueKey => state == State::Posted,
                    Dedup::Queryable => state == State::Posted || asked,
                    Dedup::None => state == State::Accepted || asked,
                };
                assert!(fits, "{dedup:?} {in_tables} {at}: {state:?}");
                points += usize::from(died);
                if !died {
                    break;
                }
            }
        }
    }
    assert!(points > 30, "{points}");
}
