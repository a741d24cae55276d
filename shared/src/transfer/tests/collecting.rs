//! Rows on their way into a file.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::Value;

use super::super::collect::due;
use super::super::file::FileDirection;
use super::super::list::find;
use super::world::{World, after, decide, key, now, row, rows, table};
use crate::model::FileRowKey;
use crate::store::Store as _;
use crate::transfer::{
    File, FileDecision, FileState, MAX_ROW_BYTES, MAX_ROWS, Placed, Repeat, TransferError, close, collect,
    standing,
};

async fn put(world: &World, repeat: Repeat, rows: &[(FileRowKey, Value)]) -> Vec<Placed> {
    collect(
        &world.store,
        &world.integration,
        &world.purpose,
        repeat,
        rows,
        now(),
    )
    .await
    .unwrap()
}

async fn shut(world: &World, placed: &Placed) -> File {
    close(
        &world.store,
        &world.objects,
        &world.integration,
        &placed.file,
        &table(),
        after(60),
    )
    .await
    .unwrap()
}

async fn state_of(world: &World, name: &str) -> Option<FileState> {
    let standing = standing(&world.store, &world.integration, &world.purpose, &key(name)).await;
    standing.unwrap().map(|standing| standing.state)
}

#[tokio::test]
async fn what_is_collected_twice_is_in_the_file_once_and_is_written_once() {
    let world = World::new();
    let first = put(&world, Repeat::Never, &rows(&["1", "2"])).await;
    assert!(first.iter().all(|placed| placed.written));
    let before = world.rows.counts().write_requests;
    let again = put(&world, Repeat::Never, &rows(&["2", "1", "2"])).await;
    assert_eq!(again.len(), 3);
    assert!(
        again
            .iter()
            .all(|placed| !placed.written && placed.file == first[0].file)
    );
    assert_eq!(world.rows.counts().write_requests, before);
    world.check_rows(&["1", "2"].map(str::to_owned).into()).await;
}

#[tokio::test]
async fn a_row_that_says_something_else_replaces_itself_while_its_file_collects() {
    let world = World::new();
    let first = put(&world, Repeat::Never, &rows(&["1"])).await;
    let other = put(&world, Repeat::Never, &[(key("1"), row("other", "7"))]).await;
    assert!(other[0].written && other[0].file == first[0].file);
    let file = shut(&world, &first[0]).await;
    assert_eq!((file.rows, file.totals["amount"].as_str()), (1, "7.00"));
}

#[tokio::test]
async fn a_row_whose_file_is_closed_goes_out_again_only_as_it_may() {
    let changed = [(key("1"), row("other", "7"))];
    for (repeat, rows, written) in [
        (Repeat::Never, rows(&["1"]), false),
        (Repeat::Never, changed.to_vec(), false),
        (Repeat::Changed, rows_of("1"), false),
        (Repeat::Changed, changed.to_vec(), true),
    ] {
        let world = World::new();
        let first = put(&world, repeat, &rows_of("1")).await;
        for decided in [false, true] {
            let file = shut(&world, &first[0]).await;
            if decided {
                decide(&world, &file, FileDecision::Imported, after(70))
                    .await
                    .unwrap();
            }
            let again = put(&world, repeat, &rows).await;
            // The second time it is in the file that it went into the first time.
            assert_eq!(again[0].written, written && !decided, "{repeat:?}");
            assert_eq!(again[0].file != first[0].file, written, "{repeat:?}");
        }
    }
}

fn rows_of(name: &str) -> Vec<(FileRowKey, Value)> {
    rows(&[name])
}

#[tokio::test]
async fn the_rows_of_a_file_that_was_discarded_can_be_collected_again() {
    let world = World::new();
    let first = put(&world, Repeat::Never, &rows(&["1", "2"])).await;
    let file = shut(&world, &first[0]).await;
    assert_eq!(state_of(&world, "1").await, Some(FileState::Ready));
    decide(&world, &file, FileDecision::Discarded, after(70))
        .await
        .unwrap();
    assert_eq!(state_of(&world, "1").await, Some(FileState::Discarded));
    let again = put(&world, Repeat::Never, &rows(&["1"])).await;
    assert!(again[0].written && again[0].file != first[0].file);
    assert_eq!(state_of(&world, "1").await, Some(FileState::Collecting));
    assert_eq!(state_of(&world, "2").await, Some(FileState::Discarded));
    assert_eq!(state_of(&world, "3").await, None);
    world.check_rows(&["1".to_owned()].into()).await;
}

#[tokio::test]
async fn purposes_and_systems_have_files_of_their_own() {
    let world = World::new();
    let first = put(&world, Repeat::Never, &rows(&["1"])).await;
    let other = World {
        purpose: "transcript:online_course".parse().unwrap(),
        ..world.dying_at(0)
    };
    let second = put(&other, Repeat::Never, &rows(&["1"])).await;
    let third = World {
        integration: "hlf:cornerstone".parse().unwrap(),
        ..world.dying_at(0)
    };
    let third = put(&third, Repeat::Never, &rows(&["1"])).await;
    let files: BTreeSet<_> = [first, second, third]
        .iter()
        .map(|placed| placed[0].file.clone())
        .collect();
    assert_eq!(files.len(), 3);
}

#[tokio::test]
async fn a_full_file_takes_no_more_and_another_is_opened() {
    let world = World::new();
    let first = put(&world, Repeat::Never, &rows(&["1"])).await;
    let (mut file, version) = find(&world.store, &world.integration, &first[0].file)
        .await
        .unwrap()
        .unwrap();
    let before = (file.state, version);
    file.rows = MAX_ROWS - 1;
    world
        .rows
        .write(file.writes(&world.integration, Some(before), Some(due(&file))))
        .await
        .unwrap();
    let last = put(&world, Repeat::Never, &rows(&["2"])).await;
    assert_eq!(last[0].file, first[0].file);
    let next = put(&world, Repeat::Never, &rows(&["1", "3"])).await;
    assert_eq!((&next[0].file, next[0].written), (&first[0].file, false));
    assert!(next[1].file != first[0].file && next[1].written);
    // What is in the full one is replaced there, as long as it collects.
    let other = put(&world, Repeat::Never, &[(key("1"), row("other", "7"))]).await;
    assert!(other[0].written && other[0].file == first[0].file);
}

#[tokio::test]
async fn a_row_that_is_too_large_is_refused_before_any_is_written() {
    let world = World::new();
    let large = row(&"x".repeat(MAX_ROW_BYTES), "1");
    let rows = [rows(&["1"]).remove(0), (key("2"), large)];
    let refused = collect(
        &world.store,
        &world.integration,
        &world.purpose,
        Repeat::Never,
        &rows,
        now(),
    )
    .await;
    assert!(matches!(refused, Err(TransferError::TooLarge { key, .. }) if key == "2"));
    assert!(world.kept("file").await.is_empty());
}

#[tokio::test]
async fn a_file_is_due_some_minutes_after_its_last_row_and_an_hour_after_its_first() {
    let mut file = File::new(
        FileDirection::Out,
        &"gl02b".parse().unwrap(),
        FileState::Collecting,
        now(),
    );
    assert_eq!(due(&file), after(5 * 60));
    file.changed_at = after(59 * 60);
    assert_eq!(due(&file), after(60 * 60));
}

/// Many collect the same rows and others, while somebody closes whatever is open.
async fn race(seed: u64) {
    fastrand::seed(seed);
    let world = World::new();
    let names: Vec<String> = (0..60).map(|number| format!("r{number}")).collect();
    let collectors = (0..6).map(|collector| {
        let names = &names;
        let world = world.dying_at(0);
        async move {
            for start in (0..60).step_by(10) {
                let start = (start + collector * 7) % 60;
                let chosen: Vec<&str> = (start..start + 15).map(|at| names[at % 60].as_str()).collect();
                put(&world, Repeat::Never, &rows(&chosen)).await;
            }
        }
    });
    let closer = async {
        for _ in 0..12 {
            for file in world.all().await {
                let placed = Placed {
                    file: file.id.clone(),
                    written: false,
                };
                if fastrand::bool() && file.state == FileState::Collecting {
                    shut(&world, &placed).await;
                }
            }
            for _ in 0..fastrand::usize(0..40) {
                tokio::task::yield_now().await;
            }
        }
    };
    futures::join!(join_all(collectors), closer);
    world.check_rows(&names.iter().cloned().collect()).await;
    for file in world.all().await {
        if file.state == FileState::Ready {
            let bytes = crate::objects::Objects::get(&*world.files, file.object.as_deref().unwrap())
                .await
                .unwrap();
            let lines = std::str::from_utf8(&bytes).unwrap().lines().count() as u64;
            assert_eq!(lines, file.rows + 1, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn of_many_who_collect_at_once_while_files_are_closed_each_row_lands_once() {
    for seed in 0..60 {
        race(seed).await;
    }
}
