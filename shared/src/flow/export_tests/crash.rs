//! Whoever dies at any call of the tables, between the request and the books, leaves nothing lost and nothing twice.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::world::World;
use crate::export::State;
use crate::flow::Attempt;
use crate::store::Store as _;

const NAMES: [&str; 2] = ["1", "2"];

/// Runs something that dies at one call of the tables; says whether it got so far.
async fn dying(world: &World, at: usize, what: impl Future<Output = ()>) -> bool {
    let crash = &world.tables.crash;
    crash.passed.store(0, SeqCst);
    crash.at.store(at, SeqCst);
    let died = tokio::time::timeout(Duration::from_secs(1), what).await.is_err();
    crash.at.store(0, SeqCst);
    died
}

async fn reviews(world: &World) -> usize {
    let (store, id) = (&world.tables.inner, super::world::id());
    crate::export::list_reviews(store, &id, None, 9)
        .await
        .unwrap()
        .0
        .len()
}

async fn settle(world: &World) {
    for _ in 0..40 {
        // Whatever was received by somebody who died is delivered again.
        world.clock.advance(Duration::from_secs(13 * 60));
        world.pass(31).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_dies_anywhere_and_is_made_again_books_each_once() {
    let mut points = 0;
    for at in 1.. {
        let world = World::new().await;
        for name in NAMES {
            world.put(name, "101.00").await;
        }
        let since = world.clock_now();
        let died = dying(&world, at, async {
            drop(world.export(&NAMES).await);
            world.work().await;
        })
        .await;
        let attempt = Attempt { resumes: Some(since) };
        drop(world.ask(&NAMES, None, attempt).await);
        settle(&world).await;
        is_settled(&world, &format!("call {at}")).await;
        points += usize::from(died);
        if !died {
            break;
        }
    }
    assert!(points > 20, "{points}");
}

/// Says that each of two was booked once, or waits for a human.
async fn is_settled(world: &World, what: &str) {
    for name in NAMES {
        let states = world.states(name).await;
        assert_eq!(states.len(), 1, "{what}");
        assert!(
            matches!(states[0], State::Posted | State::Review),
            "{what}: {states:?}"
        );
    }
    assert_eq!(world.booked().len() + reviews(world).await, 2, "{what}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_dies_anywhere_and_then_dies_anywhere_else_books_each_once() {
    let mut pairs = 0;
    // Every other call of the first attempt with every other of the second; the test above has each of them by itself.
    for first in (1..).step_by(2) {
        let mut died_at_all = false;
        for second in (1..).step_by(2) {
            let world = World::new().await;
            for name in NAMES {
                world.put(name, "101.00").await;
            }
            let attempt = Attempt {
                resumes: Some(world.clock_now()),
            };
            let died = dying(&world, first, async {
                drop(world.export(&NAMES).await);
                world.work().await;
            })
            .await;
            world.clock.advance(Duration::from_secs(13 * 60));
            let died_again = dying(&world, second, async {
                drop(world.ask(&NAMES, None, attempt).await);
                world.work().await;
            })
            .await;
            drop(world.ask(&NAMES, None, attempt).await);
            settle(&world).await;
            is_settled(&world, &format!("calls {first} and {second}")).await;
            died_at_all |= died;
            pairs += usize::from(died && died_again);
            if !died_again {
                break;
            }
        }
        if !died_at_all {
            break;
        }
    }
    assert!(pairs > 100, "{pairs}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_dies_anywhere_is_corrected_once() {
    let mut points = 0;
    for at in 1.. {
        let world = World::new().await;
        *world.shelf.automatic.lock().unwrap() = true;
        world.put("1", "101.00").await;
        world.pass(1).await;
        world.pass(31).await;
        let died = dying(&world, at, async {
            world.put("1", "99.00").await;
            world.sweep_quietly().await;
            world.work().await;
        })
        .await;
        // A write of the platform that was not answered is made again.
        world.put("1", "99.00").await;
        settle(&world).await;
        let reviews = reviews(&world).await;
        if reviews == 0 {
            assert_eq!(
                world.booked(),
                ["-101.00 NOK", "101.00 NOK", "99.00 NOK"],
                "call {at}"
            );
        } else {
            assert!(world.booked().len() <= 2, "call {at}: {:?}", world.booked());
        }
        let notices = world
            .tables
            .inner
            .due(crate::store::Due::Reconcile, jiff::Timestamp::MAX, 99);
        let left = notices.await.unwrap();
        assert!(
            reviews > 0 || !left.iter().any(|key| key.sort.starts_with("export-notice#")),
            "call {at}: {left:?}"
        );
        points += usize::from(died);
        if !died {
            break;
        }
    }
    assert!(points > 20, "{points}");
}
