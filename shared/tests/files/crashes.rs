//! A process that dies, or tables that fail once, at every call of a run: what comes after it ends what was begun.

use shared::model::Kind;
use shared::sync::Mode;
use shared::transfer::{FileDecision, FileState};

use crate::mortal::Fault;
use crate::world::World;
use crate::{filled, person};
use serde_json::json;

/// Tries something under a fault at each call, and then lets a world without faults come to rest.
async fn survive(
    prepare: impl AsyncFn() -> World,
    attempt: impl AsyncFn(&World),
    finish: impl AsyncFn(&mut World),
) -> u64 {
    let mut points = 0;
    for fault in [Fault::Death, Fault::Blip] {
        for point in 1.. {
            let mut world = prepare().await;
            world.store.fail_at(point, fault);
            attempt(&world).await;
            let happened = world.store.heal();
            world.wait(10);
            world.settle().await;
            finish(&mut world).await;
            if !happened {
                break;
            }
            points += 1;
        }
    }
    points
}

/// Works a run as far as it goes.
async fn begin_run(world: &World) {
    world.open(Mode::Delta).await;
    while let Some(Ok(())) = world.turn().await {}
}

#[tokio::test]
async fn a_run_that_takes_uploads_ends_what_it_began_wherever_it_is_killed() {
    let prepare = async || {
        let mut world = filled().await;
        world.consio.change(Kind::Member, "C1", "city", "Bodø");
        let gone = world.consio.make(Kind::Member, &person("Moe"));
        let export = world.export_some(Kind::Member, &[&gone]);
        world.upload(Kind::Member, export, false).await;
        world.sync().await;
        world.consio.delete(Kind::Member, &gone);
        let made = world.consio.make(Kind::Member, &person("Lie"));
        let membership = json!({ "memberId": made, "type": "Støtte" });
        world.consio.make(Kind::Membership, &membership);
        world.upload_all().await;
        world
    };
    let finish = async |world: &mut World| {
        world.sync().await;
        world.check_equal().await;
        world.sync().await;
        for upload in world.uploads().await {
            assert_eq!(upload.state, FileState::Done);
        }
        assert!(world.outbox().await.is_empty(), "nothing has to go out");
    };
    let points = survive(prepare, begin_run, finish).await;
    assert!(points > 100, "{points}");
}

/// Everything that can go out: something made, something changed and something deleted.
async fn changed_here() -> World {
    let mut world = filled().await;
    let gone = world.consio.make(Kind::Member, &person("Moe"));
    let export = world.export_some(Kind::Member, &[&gone]);
    world.upload(Kind::Member, export, false).await;
    world.sync().await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    world
        .put(Kind::Membership, "belongs", json!({ "memberId": "ours" }))
        .await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.delete(Kind::Member, &gone).await;
    world
}

/// Each change is in one file, and both sides are equal once those were imported.
async fn went_out_once(world: &mut World) {
    world.sync().await;
    world.import_all().await;
    let out = world.went_out().await;
    assert_eq!(out.len(), 4, "{out:?}");
    assert!(out.values().all(|times| *times == 1), "{out:?}");
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_run_that_hands_changes_over_loses_none_and_sends_none_twice_wherever_it_is_killed() {
    let points = survive(changed_here, begin_run, went_out_once).await;
    assert!(points > 100, "{points}");
}

#[tokio::test]
async fn the_rows_of_a_discarded_file_go_out_again_wherever_that_is_interrupted() {
    let prepare = async || {
        let world = changed_here().await;
        world.sync().await;
        for file in world.outbox().await {
            world.say(&file, FileDecision::Discarded).await;
        }
        world
    };
    let attempt = async |world: &World| world.sweep().await;
    let finish = async |world: &mut World| {
        world.sweep().await;
        went_out_once(world).await;
    };
    let points = survive(prepare, attempt, finish).await;
    assert!(points > 20, "{points}");
}
