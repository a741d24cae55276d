//! What comes in.

use std::time::Duration;

use serde_json::json;
use shared::model::Kind;
use shared::sync::{Mode, RunState};
use shared::transfer::{FileDecision, FileState};

use crate::world::World;
use crate::{filled, person};

#[tokio::test]
async fn the_first_upload_fills_the_platform_and_is_done_after_the_run() {
    let mut world = World::new().await;
    let first = world.consio.make(Kind::Member, &person("Ek"));
    let membership = json!({ "memberId": first, "type": "Ordinær", "to": "2026-12-31" });
    world.consio.make(Kind::Membership, &membership);
    let uploads = world.upload_all().await;
    let run = world.sync().await;
    assert_eq!(
        (
            run.totals[&Kind::Member].created,
            run.totals[&Kind::Membership].created
        ),
        (1, 1)
    );
    world.check_equal().await;
    for upload in &uploads {
        assert_eq!(world.state(upload).await, FileState::Done);
    }
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_run_without_a_new_upload_does_nothing() {
    let world = filled().await;
    for mode in [Mode::Delta, Mode::Full, Mode::Delta] {
        let run = world.run(mode).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
        for totals in run.totals.values() {
            assert_eq!(
                (totals.read, totals.sent, totals.deleted, totals.absent),
                (0, 0, 0, 0)
            );
        }
        assert!(run.warnings.is_empty(), "{run:#?}");
    }
    assert!(world.outbox().await.is_empty());
    world.check_equal().await;
}

#[tokio::test]
async fn a_membership_refers_to_a_member_by_either_id_and_waits_for_one_that_is_not_there_yet() {
    let mut world = filled().await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    world.sync().await;
    world.import_all().await;
    // The system tells the member's key, since that is what the file had.
    let membership = json!({ "memberId": "ours", "type": "Støtte" });
    world.consio.make(Kind::Membership, &membership);
    let early = world.export_some(Kind::Membership, &["C5"]);
    world.upload(Kind::Membership, early, false).await;
    world.sync().await;
    assert_eq!(
        world.says(Kind::Membership, "C5", "memberId").await.unwrap(),
        "ours"
    );
    // And one of a member of whom no upload has told yet.
    let later = world.consio.make(Kind::Member, &person("Moe"));
    let orphan = json!({ "memberId": later, "type": "Ordinær" });
    let orphan = world.consio.make(Kind::Membership, &orphan);
    let upload = world.export_some(Kind::Membership, &[&orphan]);
    world.upload(Kind::Membership, upload, false).await;
    assert_eq!(world.run(Mode::Delta).await.state, RunState::Partial);
    assert_eq!(world.quarantined().await.len(), 1);
    world
        .upload(Kind::Member, world.export(Kind::Member), false)
        .await;
    world.sync().await;
    assert_eq!(world.quarantined().await.len(), 0);
    assert_eq!(
        world.says(Kind::Membership, &orphan, "memberId").await.unwrap(),
        later
    );
}

#[tokio::test]
async fn uploads_are_taken_in_the_order_in_which_they_were_announced() {
    let mut world = filled().await;
    let mut uploads = Vec::new();
    for city in ["Bergen", "Ålesund", "Bodø"] {
        world.consio.change(Kind::Member, "C1", "city", city);
        let export = world.export_some(Kind::Member, &["C1"]);
        uploads.push(world.upload(Kind::Member, export, false).await);
    }
    let run = world.sync().await;
    assert_eq!(run.totals[&Kind::Member].read, 3);
    for upload in &uploads {
        assert_eq!(world.state(upload).await, FileState::Done);
    }
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bodø");
    world.check_equal().await;
}

#[tokio::test]
async fn a_complete_upload_makes_those_before_it_moot() {
    let mut world = filled().await;
    world.consio.change(Kind::Member, "C1", "city", "Bergen");
    let moot = world.export_some(Kind::Member, &["C1"]);
    let moot = world.upload(Kind::Member, moot, false).await;
    world.consio.change(Kind::Member, "C1", "city", "Ålesund");
    let complete = world.upload(Kind::Member, world.export(Kind::Member), true).await;
    world.consio.change(Kind::Member, "C2", "city", "Bodø");
    let after = world.export_some(Kind::Member, &["C2"]);
    let after = world.upload(Kind::Member, after, false).await;
    let run = world.sync().await;
    assert_eq!(run.totals[&Kind::Member].read, 3, "what is moot is not read");
    for upload in [&moot, &complete, &after] {
        assert_eq!(world.state(upload).await, FileState::Done);
    }
    world.check_equal().await;
}

#[tokio::test]
async fn an_upload_without_rows_is_done_as_well() {
    let world = filled().await;
    let empty = world.export_some(Kind::Member, &[]);
    let empty = world.upload(Kind::Member, empty, false).await;
    world.sync().await;
    world.sync().await;
    assert_eq!(world.state(&empty).await, FileState::Done);
    world.check_equal().await;
}

#[tokio::test]
async fn an_upload_of_30_000_rows_is_read_over_many_pages_and_slices() {
    let mut world = World::new().await;
    for number in 0..30_000 {
        let fields = json!({ "lastName": format!("N{number}") });
        world.consio.make(Kind::Member, &fields);
    }
    let upload = world.upload(Kind::Member, world.export(Kind::Member), true).await;
    world.store.take(Duration::from_millis(300));
    let run = world.sync().await;
    assert_eq!(run.totals[&Kind::Member].created, 30_000);
    assert!(run.cost.slices >= 3, "{:?}", run.cost);
    assert_eq!(world.state(&upload).await, FileState::Done);
    world.check_equal().await;
}

/// Has a run read some of an upload of many rows, and stop between two slices.
async fn read_halfway(complete: bool) -> (World, shared::sync::Run, shared::model::FileId) {
    let mut world = filled().await;
    for number in 0..5_000 {
        let fields = json!({ "lastName": format!("N{number}") });
        world.consio.make(Kind::Member, &fields);
    }
    let upload = world
        .upload(Kind::Member, world.export(Kind::Member), complete)
        .await;
    world.store.take(Duration::from_millis(1_500));
    let run = world.open(Mode::Delta).await.unwrap();
    while world.read_run(&run).await.slice == 0 {
        world.turn().await.unwrap().unwrap();
    }
    world.store.take(Duration::ZERO);
    let read = world.read_run(&run).await.totals[&Kind::Member].read;
    assert!((1_000..5_000).contains(&read), "{read}");
    (world, run, upload)
}

#[tokio::test]
async fn the_reading_begins_anew_where_a_file_is_discarded_between_two_slices() {
    for complete in [false, true] {
        let (mut world, run, upload) = read_halfway(complete).await;
        world.say_of(&upload, FileDecision::Discarded).await;
        world.consio.change(Kind::Member, "C1", "city", "Bodø");
        let other = world.export_some(Kind::Member, &["C1"]);
        let other = world.upload(Kind::Member, other, false).await;
        world.settle().await;
        let run = world.read_run(&run).await;
        assert_eq!(run.state, RunState::Succeeded, "complete: {complete}, {run:#?}");
        assert_eq!(world.state(&upload).await, FileState::Discarded);
        assert_eq!(world.state(&other).await, FileState::Done);
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bodø");
        world.upload(Kind::Member, world.export(Kind::Member), true).await;
        world.sync().await;
        world.check_equal().await;
    }
}

#[tokio::test]
async fn a_row_that_waits_for_another_is_taken_though_its_upload_was_done_long_ago() {
    let mut world = World::new().await;
    let member = world.consio.make(Kind::Member, &person("Ek"));
    let membership = json!({ "memberId": member, "type": "Ordinær" });
    world.consio.make(Kind::Membership, &membership);
    world
        .upload(Kind::Membership, world.export(Kind::Membership), false)
        .await;
    assert_eq!(world.run(Mode::Delta).await.state, RunState::Partial);
    world.run(Mode::Delta).await;
    assert_eq!(world.quarantined().await.len(), 1);
    world
        .upload(Kind::Member, world.export(Kind::Member), false)
        .await;
    world.sync().await;
    world.check_equal().await;
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_left_out_and_told_of_and_the_others_are_taken() {
    let mut world = filled().await;
    world.consio.change(Kind::Member, "C1", "city", "Bodø");
    let text = String::from_utf8(world.export(Kind::Member)).unwrap();
    let (head, _) = text.split_once("\r\n").unwrap();
    let birth_date = head.split(';').position(|column| column == "birthDate").unwrap();
    let faulty: Vec<String> = text
        .lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(';').collect();
            if cells[0] == "C2" {
                cells[birth_date] = "soon";
            }
            cells.join(";")
        })
        .collect();
    let upload = world
        .upload(Kind::Member, faulty.join("\r\n").into_bytes(), false)
        .await;
    assert_eq!(world.faults(&upload).await, 1);
    world.sync().await;
    assert_eq!(world.state(&upload).await, FileState::Done);
    world.check_equal().await;
}

#[tokio::test]
async fn an_upload_of_some_columns_leaves_the_others_as_they_are() {
    let mut world = filled().await;
    world
        .change(Kind::Member, "C1", "email", "kari@example.org")
        .await;
    world.sync().await;
    world.consio.change(Kind::Member, "C1", "city", "Bodø");
    let columns = [
        json!({ "name": "id", "type": "text" }),
        json!({ "name": "city", "type": "text" }),
    ];
    let profile = json!({ "dialect": { "audience": "machine" }, "columns": columns });
    let csv = shared::csv::Profile::check(&profile).unwrap();
    world
        .upload_by(
            &profile,
            Kind::Member,
            world.consio.export(Kind::Member, &csv),
            false,
        )
        .await;
    world.sync().await;
    let fields = world.fields(Kind::Member, "C1").await.unwrap();
    assert_eq!(
        (&fields["city"], &fields["lastName"]),
        (&json!("Bodø"), &json!("Ek"))
    );
    // What went out and was not told of is still no change of theirs when it comes back.
    world.import_all().await;
    world.change(Kind::Member, "C1", "email", "ek@example.org").await;
    world.upload_all().await;
    world.sync().await;
    let email = world.says(Kind::Member, "C1", "email").await;
    assert_eq!(email.unwrap(), "ek@example.org");
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
}

#[tokio::test]
async fn more_uploads_than_one_reading_takes_are_taken_by_the_next() {
    let mut world = filled().await;
    for number in 0..120 {
        world
            .consio
            .change(Kind::Member, "C1", "city", &format!("City {number}"));
        let export = world.export_some(Kind::Member, &["C1"]);
        // A complete one among them, with more than one reading takes after it.
        if number == 10 {
            world.upload(Kind::Member, world.export(Kind::Member), true).await;
        } else {
            world.upload(Kind::Member, export, false).await;
        }
    }
    for _ in 0..3 {
        world.sync().await;
    }
    assert!(
        world
            .uploads()
            .await
            .iter()
            .all(|file| file.state == FileState::Done)
    );
    world.check_equal().await;
}

#[tokio::test]
async fn a_file_that_went_out_and_is_uploaded_as_it_was_does_no_harm() {
    let mut world = filled().await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    world.sync().await;
    let files = world.outbox().await;
    let rows = world.read(&files[0]).await;
    let copy = crate::consio::write(&World::csv(Kind::Member), rows.into_iter());
    world.upload(Kind::Member, copy, false).await;
    world.run(Mode::Delta).await;
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    // It goes on under the name by which it was linked first.
    assert!(world.is_linked(Kind::Member, "ours").await);
    assert_eq!(world.platform(Kind::Member).await, world.system(Kind::Member));
    assert!(world.quarantined().await.is_empty());
}
