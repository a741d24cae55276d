//! Vouchers that go out as a file, which somebody imports.

use super::world::{World, id, record};
use crate::adapters;
use crate::export::{FaultCode, Reason, Route, State};
use crate::integration;
use crate::objects::MemoryObjects;
use crate::transfer::{self, File, FileDecision, FileState, FileVerdict};

async fn filing() -> World {
    let world = World::new().await;
    *world.shelf.routes.lock().unwrap() = vec![Route::Csv];
    world
}

async fn files(world: &World) -> Vec<File> {
    let listed = transfer::list_files(&world.tables.inner, &id(), None, 10).await;
    listed.unwrap().0
}

/// Has the newest file made, as whoever downloads it does.
async fn close(world: &World, objects: &MemoryObjects) -> File {
    let stored = integration::read(&world.tables.inner, &id())
        .await
        .unwrap()
        .unwrap();
    let render = adapters::renderer(&stored.integration).unwrap();
    let file = files(world).await.remove(0);
    transfer::close(
        &world.tables.inner,
        objects,
        &id(),
        &file.id,
        &*render,
        world.clock_now(),
    )
    .await
    .unwrap()
}

async fn settle(world: &World, file: &File, decision: FileDecision) {
    let reason: Reason = "the accountant said so".parse().unwrap();
    let verdict = FileVerdict {
        decision,
        reason: &reason,
        by: "treasurer",
        now: world.clock_now(),
    };
    transfer::decide(&world.tables.inner, &id(), &file.id, &verdict)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_goes_out_as_a_file_is_booked_once_somebody_says_that_it_was_imported() {
    let world = filing().await;
    for name in ["1", "2"] {
        world.put(name, "101.00").await;
    }
    world.export(&["1", "2"]).await.unwrap();
    world.work().await;
    assert_eq!(world.states("1").await, [State::Accepted]);
    let objects = MemoryObjects::new();
    let file = close(&world, &objects).await;
    assert_eq!((file.state, file.rows), (FileState::Ready, 2));
    for _ in 0..3 {
        world.pass(31).await;
    }
    assert_eq!(
        world.states("1").await,
        [State::Accepted],
        "a file that lies there is not booked"
    );
    settle(&world, &file, FileDecision::Imported).await;
    world.pass(31).await;
    assert_eq!(world.states("1").await, [State::Posted]);
    assert_eq!(world.states("2").await, [State::Posted]);
    let again = world.export(&["1"]).await.unwrap();
    assert_eq!(again.refused[0].faults[0].code, FaultCode::AlreadyExported);
}

#[tokio::test]
async fn what_was_in_a_file_that_is_discarded_goes_out_again_once_it_is_given_up() {
    let world = filing().await;
    world.put("1", "101.00").await;
    world.export(&["1"]).await.unwrap();
    world.work().await;
    let objects = MemoryObjects::new();
    let file = close(&world, &objects).await;
    settle(&world, &file, FileDecision::Discarded).await;
    world.pass(31).await;
    assert_eq!(world.states("1").await, [State::Rejected]);
    let refused = world.export(&["1"]).await.unwrap();
    assert_eq!(refused.refused[0].faults[0].code, FaultCode::RejectedByLedger);
    let intent = world.intents("1").await.remove(0);
    let reason: Reason = "the file was never imported".parse().unwrap();
    let verdict = crate::export::Verdict {
        decision: crate::export::Decision::Cancel,
        reason: &reason,
        by: "treasurer",
        now: world.clock_now(),
    };
    crate::export::decide(
        &world.tables.inner,
        &id(),
        &record("1"),
        intent.revision,
        &verdict,
    )
    .await
    .unwrap();
    world.export(&["1"]).await.unwrap();
    world.work().await;
    let newest = files(&world).await.remove(0);
    assert_ne!(newest.id, file.id);
    settle(&world, &close(&world, &objects).await, FileDecision::Imported).await;
    world.pass(31).await;
    assert_eq!(world.states("1").await, [State::Posted]);
}

#[tokio::test]
async fn a_claim_goes_out_by_one_way() {
    let world = filing().await;
    world.put("1", "101.00").await;
    world.export(&["1"]).await.unwrap();
    world.work().await;
    // The API is back.
    world.clock.advance(std::time::Duration::from_secs(25 * 60 * 60));
    *world.shelf.routes.lock().unwrap() = vec![Route::Graphql];
    let again = world.export(&["1"]).await.unwrap();
    assert!(again.intents.is_empty(), "{again:?}");
    world.pass(31).await;
    assert!(world.booked().is_empty(), "nothing went to the API");
}
