//! A crash at every write of the way of a file, and whoever comes after it.

use jiff::Timestamp;

use super::super::mend::of;
use super::world::{World, after, decide, now, rows, table};
use crate::objects::{Objects as _, sha256};
use crate::store::{Due, Store as _};
use crate::transfer::{
    FileDecision, FileState, Mend, Repeat, TransferError, collect, list_waiting_files, mend,
};

const KEYS: [&str; 3] = ["1", "2", "3"];

/// Collects, closes what is due, decides, and tells the rows when to go.
async fn run(world: &World, decision: FileDecision, at: Timestamp) -> Result<(), TransferError> {
    collect(
        &world.store,
        &world.integration,
        &world.purpose,
        Repeat::Never,
        &rows(&KEYS),
        at,
    )
    .await?;
    sweep(world, at + jiff::SignedDuration::from_mins(10)).await?;
    for file in world.all().await {
        if file.state == FileState::Ready {
            decide(world, &file, decision, at + jiff::SignedDuration::from_mins(11)).await?;
        }
    }
    sweep(world, at + jiff::SignedDuration::from_mins(12)).await
}

async fn sweep(world: &World, now: Timestamp) -> Result<(), TransferError> {
    let table = table();
    for (integration, id) in world
        .rows
        .due(Due::Reconcile, now, 100)
        .await
        .unwrap()
        .iter()
        .filter_map(of)
    {
        let what = Mend {
            store: &world.store,
            objects: &world.objects,
            render: Some(&table),
            now,
        };
        mend(&what, &integration, &id).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_crash_at_any_write_leaves_each_row_in_one_file_and_what_was_begun_is_ended() {
    let mut points = 0;
    for dies_at in 1.. {
        let world = World::new();
        let first = world.dying_at(dies_at);
        let answer = run(&first, FileDecision::Imported, now()).await;
        if !first.is_dead() {
            answer.unwrap();
            break;
        }
        points += 1;
        // Whoever called does so again, an hour later.
        run(&world, FileDecision::Imported, after(3_600)).await.unwrap();
        world.check_rows(&KEYS.map(str::to_owned).into()).await;
        check(&world).await;
    }
    assert!(points >= 12, "{points}");
}

#[tokio::test]
async fn a_crash_at_any_write_of_a_file_that_is_discarded_loses_no_row() {
    for dies_at in 1.. {
        let world = World::new();
        let first = world.dying_at(dies_at);
        let answer = run(&first, FileDecision::Discarded, now()).await;
        if !first.is_dead() {
            answer.unwrap();
            break;
        }
        run(&world, FileDecision::Imported, after(3_600)).await.unwrap();
        world.check_rows(&KEYS.map(str::to_owned).into()).await;
        check(&world).await;
    }
}

/// Insists that each file is settled, told of, and the one that lies there.
async fn check(world: &World) {
    let files = world.all().await;
    let mut told = 0;
    for file in &files {
        assert!(
            matches!(file.state, FileState::Imported | FileState::Discarded),
            "{file:?}"
        );
        let bytes = world.files.get(file.object.as_deref().unwrap()).await.unwrap();
        assert_eq!(file.sha256, Some(sha256(&bytes)));
        told += 2;
    }
    assert_eq!(world.kept("outbox#").await.len(), told);
    assert_eq!(world.files.keys().len(), files.len());
    let waiting = list_waiting_files(&world.store, &world.integration, 10).await;
    assert!(waiting.unwrap().is_empty());
    let due = world.rows.due(Due::Reconcile, after(100_000), 100).await.unwrap();
    assert!(due.iter().filter_map(of).next().is_none(), "{due:?}");
    world.rows.drop_expired(after(100 * 86_400));
    assert!(world.kept("file-row#").await.is_empty());
}
