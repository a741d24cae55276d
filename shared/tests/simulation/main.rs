//! Runs of thousands of seeds: workers are killed and put to sleep at every await, answers are lost, both sides are
//! edited all the while, and in the end both sides hold the same records.
//!
//! `SEED=17 cargo test -p shared --test simulation` runs one seed; `SEEDS=20000` runs more of them.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::future_not_send,
    clippy::print_stdout,
    reason = "a test may panic, print its seed and read it from outside, and has one thread"
)]

mod chaos;
mod dice;
mod system;
mod world;

use std::collections::BTreeSet;

use shared::clock::Clock;
use shared::model::Kind;
use shared::records;
use shared::store::{Due, Store};
use shared::sync::{self, Mode, RunState};

use crate::world::{World, id};

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    number("SEED").map_or_else(
        || (0..number("SEEDS").unwrap_or(1_500)).collect(),
        |seed| vec![seed],
    )
}

fn run_seeds(scenario: impl AsyncFn(u64)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for seed in seeds() {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(scenario(seed))));
        if let Err(panic) = ran {
            println!("failed with SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Lives through edits, runs, kills and faults, and then comes to rest.
async fn live_through(seed: u64) -> World {
    let mut world = World::new(seed).await;
    for _ in 0..world.dice.below(25) {
        world.human().await;
    }
    for _ in 0..40 {
        match world.dice.below(7) {
            0 => world.human().await,
            1 => world.platform().await,
            2 => world.carry().await,
            3 => {
                let mode = if world.dice.one_in(4) {
                    Mode::Full
                } else {
                    Mode::Delta
                };
                drop(world.open(mode, world.dice.one_in(6)).await);
            }
            _ => world.turn().await,
        }
    }
    world.dice.calm();
    world.wake_sleepers().await;
    while world.system.has_files() {
        world.carry().await;
    }
    world.settle().await;
    world.approve_all().await;
    world.drain().await;
    world
}

async fn final_run(world: &mut World, mode: Mode) -> sync::Run {
    let opened = world.open(mode, false).await.unwrap();
    world.settle().await;
    world.approve_all().await;
    sync::read_run(&world.store.inner, &id(), &opened.id)
        .await
        .unwrap()
}

#[test]
fn both_sides_hold_the_same_records_whatever_is_killed_lost_or_edited() {
    run_seeds(async |seed| {
        let mut world = live_through(seed).await;
        final_run(&mut world, Mode::Delta).await;
        let run = final_run(&mut world, Mode::Delta).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
        if std::env::var("DUMP").is_ok() {
            world.dump().await;
        }
        for kind in Kind::ALL {
            assert_eq!(
                world.platform_side(*kind).await,
                world.system_side(*kind),
                "{kind}"
            );
            let live = world.live(*kind).await.len();
            let links = world
                .partition(&records::link_partition(&id(), *kind))
                .await
                .len();
            assert_eq!(
                (live, links),
                (world.system_side(*kind).len(), live),
                "{kind}: no record twice, none lost"
            );
        }
        let pending = world.partition(&records::pending_partition(&id())).await;
        assert!(pending.is_empty(), "{pending:?}");
    });
}

#[test]
fn every_run_that_ended_has_one_event_however_often_it_was_published() {
    run_seeds(async |seed| {
        let mut world = live_through(seed).await;
        for _ in 0..30 {
            world.turn().await;
        }
        let (runs, _) = sync::list_runs(&world.store.inner, &id(), None, 1_000)
            .await
            .unwrap();
        let published = world.bus.inner.published();
        let ids: BTreeSet<&str> = published.iter().map(|one| one.event.event_id.as_str()).collect();
        let told: BTreeSet<&str> = published
            .iter()
            .filter_map(|one| one.event.detail.get("runId")?.as_str())
            .collect();
        assert_eq!(ids.len(), runs.len());
        assert_eq!(told, runs.iter().map(|run| run.id.as_str()).collect());
        assert!(runs.iter().all(sync::Run::has_ended));
        assert!(
            world
                .store
                .inner
                .due(Due::Reconcile, world.clock.now(), 10)
                .await
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn a_run_after_which_nothing_has_changed_writes_no_record() {
    run_seeds(async |seed| {
        let mut world = live_through(seed).await;
        final_run(&mut world, Mode::Delta).await;
        // What went by files is known to have arrived once everything was read.
        final_run(&mut world, Mode::Full).await;
        let before = snapshot(&world).await;
        let delta = final_run(&mut world, Mode::Delta).await;
        let full = final_run(&mut world, Mode::Full).await;
        assert_eq!(before, snapshot(&world).await);
        assert!(
            delta
                .totals
                .values()
                .all(|totals| totals.created + totals.updated + totals.sent == 0)
        );
        assert!(
            full.totals.values().all(|totals| totals.read == totals.unchanged),
            "{full:#?}"
        );
    });
}

#[test]
fn a_dry_run_writes_no_record_and_tells_what_the_next_run_then_does() {
    run_seeds(async |seed| {
        let mut world = live_through(seed).await;
        final_run(&mut world, Mode::Delta).await;
        for _ in 0..10 {
            let _row = world.system.human();
        }
        let before = snapshot(&world).await;
        let dry = world.open(Mode::Delta, true).await.unwrap();
        world.settle().await;
        assert_eq!(before, snapshot(&world).await);
        let dry = sync::read_run(&world.store.inner, &id(), &dry.id).await.unwrap();
        let real = final_run(&mut world, Mode::Delta).await;
        let told = |run: &sync::Run| {
            let totals = run.totals.get(&Kind::Member).copied().unwrap_or_default();
            (totals.read, totals.created, totals.updated, totals.deleted)
        };
        assert_eq!(told(&dry), told(&real));
    });
}

async fn snapshot(world: &World) -> Vec<(String, u64)> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for partition in [
            records::record_partition(&id().organization, *kind),
            records::link_partition(&id(), *kind),
        ] {
            let found = world.partition(&partition).await;
            rows.extend(
                found
                    .into_iter()
                    .map(|row| (format!("{partition}/{}", row.key.sort), row.version)),
            );
        }
    }
    rows
}
