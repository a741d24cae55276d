//! What is gone.

use serde_json::json;
use shared::integration::{DeleteGuard, Integration};
use shared::model::Kind;
use shared::sync::review::Decision;
use shared::sync::{Mode, RunState};
use shared::transfer::FileState;

use crate::consio::write;
use crate::world::{World, integration};
use crate::{filled, person};

/// Both sides hold so many members, and three are as many as may go unasked.
async fn crowd(members: usize) -> World {
    crowd_told_by(members, true).await
}

async fn crowd_told_by(members: usize, complete: bool) -> World {
    let integration = Integration {
        delete_guard: DeleteGuard { percent: 1, rows: 3 },
        ..integration()
    };
    let mut world = World::of(&integration).await;
    for number in 0..members {
        world.consio.make(Kind::Member, &person(&format!("N{number}")));
    }
    world
        .upload(Kind::Member, world.export(Kind::Member), complete)
        .await;
    world.sync().await;
    world.check_equal().await;
    world
}

/// Rows that say of themselves that they are gone.
fn deleted(ids: &[String]) -> Vec<u8> {
    let rows = ids.iter().map(|id| {
        let row = json!({ "id": id, "deleted": true });
        row.as_object().unwrap().clone()
    });
    write(&World::csv(Kind::Member), rows)
}

fn first(number: usize) -> Vec<String> {
    (1..=number).map(|number| format!("C{number}")).collect()
}

#[tokio::test]
async fn what_a_complete_upload_lacks_is_deleted() {
    let mut world = crowd(10).await;
    for id in first(2) {
        world.consio.delete(Kind::Member, &id);
    }
    world.upload_all().await;
    let run = world.sync().await;
    assert_eq!(run.totals[&Kind::Member].removed, 2);
    world.check_equal().await;
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn an_upload_that_is_not_complete_deletes_what_it_says_is_gone_and_nothing_else() {
    let mut world = crowd(10).await;
    for id in first(2) {
        world.consio.delete(Kind::Member, &id);
    }
    let some = world.export_some(Kind::Member, &["C5"]);
    world.upload(Kind::Member, some, false).await;
    world.upload(Kind::Member, deleted(&first(2)), false).await;
    let run = world.sync().await;
    assert_eq!(run.totals[&Kind::Member].removed, 2);
    world.check_equal().await;
}

#[tokio::test]
async fn deletions_that_are_too_many_wait_for_a_human_and_are_made_though_the_upload_is_done() {
    for complete in [true, false] {
        let mut world = crowd(10).await;
        for id in first(5) {
            world.consio.delete(Kind::Member, &id);
        }
        let upload = match complete {
            true => world.export(Kind::Member),
            false => deleted(&first(5)),
        };
        let upload = world.upload(Kind::Member, upload, complete).await;
        let run = world.run(Mode::Delta).await;
        assert_eq!(run.state, RunState::Partial, "{run:#?}");
        assert_eq!(world.state(&upload).await, FileState::Done);
        assert_eq!(world.platform(Kind::Member).await.len(), 10);
        world.run(Mode::Delta).await;
        world.decide(Decision::Approve).await;
        assert_eq!(
            world.platform(Kind::Member).await.len(),
            5,
            "complete: {complete}"
        );
        world.check_equal().await;
    }
}

#[tokio::test]
async fn an_approved_deletion_is_not_made_where_a_later_upload_has_the_row() {
    for complete in [true, false] {
        let world = crowd(10).await;
        let whole = world.export(Kind::Member);
        let upload = match complete {
            true => world.export_some(Kind::Member, &["C8", "C9", "C10"]),
            false => deleted(&first(7)),
        };
        world.upload(Kind::Member, upload, complete).await;
        world.run(Mode::Delta).await;
        world.upload(Kind::Member, whole, false).await;
        world.run(Mode::Delta).await;
        world.decide(Decision::Approve).await;
        assert_eq!(
            world.platform(Kind::Member).await.len(),
            10,
            "complete: {complete}"
        );
        world.check_equal().await;
    }
}

#[tokio::test]
async fn a_complete_upload_of_nothing_at_all_is_not_believed_unasked() {
    let world = filled().await;
    let nothing = world.export_some(Kind::Member, &[]);
    world.upload(Kind::Member, nothing, true).await;
    let run = world.run(Mode::Delta).await;
    assert_eq!(run.state, RunState::Partial, "{run:#?}");
    assert_eq!(world.platform(Kind::Member).await.len(), 2);
    assert_eq!(world.reviews().await.len(), 1);
}

#[tokio::test]
async fn a_row_without_a_name_is_told_of_and_keeps_a_complete_upload_from_deleting() {
    let world = filled().await;
    let rows = [
        json!({ "id": "C1", "lastName": "Ek" }),
        json!({ "lastName": "Berg" }),
    ];
    let rows = rows.iter().map(|row| row.as_object().unwrap().clone());
    let upload = write(&World::csv(Kind::Member), rows);
    world.upload(Kind::Member, upload, true).await;
    let run = world.run(Mode::Delta).await;
    assert_eq!(run.state, RunState::Partial, "{run:#?}");
    assert!(
        run.warnings
            .iter()
            .any(|warning| warning.contains("name no record")),
        "{run:#?}"
    );
    assert_eq!(world.platform(Kind::Member).await.len(), 2);
    assert_eq!(world.quarantined().await.len(), 1);
    // Once it is mended, nothing is left of it.
    for complete in [false, true] {
        world
            .upload(Kind::Member, world.export(Kind::Member), complete)
            .await;
        world.run(Mode::Delta).await;
        world.sync().await;
        assert_eq!(world.quarantined().await.len(), 0, "complete: {complete}");
    }
    world.check_equal().await;
}

#[tokio::test]
async fn a_record_that_was_deleted_here_goes_out_as_deleted_and_no_upload_from_before_revives_it() {
    let mut world = filled().await;
    let stale = world.export(Kind::Member);
    world.delete(Kind::Membership, "C3").await;
    world.delete(Kind::Member, "C1").await;
    world.sync().await;
    let files = world.outbox().await;
    assert_eq!(files.len(), 2);
    for file in &files {
        assert_eq!(world.read(file).await[0]["deleted"], json!(true));
    }
    for complete in [false, true] {
        world.upload(Kind::Member, stale.clone(), complete).await;
        world.sync().await;
        assert!(world.fields(Kind::Member, "C1").await.is_none());
    }
    assert_eq!(world.outbox().await.len(), 2, "nothing goes out twice");
    world.import_all().await;
    assert_eq!(world.consio.rows(Kind::Member).count(), 1);
    world.upload_all().await;
    world.run(Mode::Delta).await;
    if !world.reviews().await.is_empty() {
        world.decide(Decision::Approve).await;
    }
    world.check_equal().await;
    world.run(Mode::Full).await;
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_deletion_that_the_system_did_not_take_goes_out_again() {
    let mut world = filled().await;
    world.delete(Kind::Member, "C2").await;
    world.sync().await;
    world.consio.refuses.insert("C2".to_owned());
    world.import_all().await;
    world.consio.refuses.clear();
    world.upload_all().await;
    world.sync().await;
    assert_eq!(world.outbox().await.len(), 1);
    world.import_all().await;
    world.upload_all().await;
    world.run(Mode::Delta).await;
    world.check_equal().await;
}

#[tokio::test]
async fn a_record_that_was_deleted_before_an_upload_told_of_it_is_deleted_there_too() {
    let mut world = filled().await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    world.sync().await;
    world.import_all().await;
    world.delete(Kind::Member, "ours").await;
    world.sync().await;
    world.upload_all().await;
    world.sync().await;
    assert!(
        world.fields(Kind::Member, "ours").await.is_none(),
        "it stays deleted"
    );
    world.import_all().await;
    world.upload_all().await;
    world.run(Mode::Delta).await;
    world.check_equal().await;
}

#[tokio::test]
async fn where_no_upload_was_ever_complete_an_approved_deletion_is_made_all_the_same() {
    let mut world = crowd_told_by(10, false).await;
    for id in first(5) {
        world.consio.delete(Kind::Member, &id);
    }
    world.upload(Kind::Member, deleted(&first(5)), false).await;
    assert_eq!(world.run(Mode::Delta).await.state, RunState::Partial);
    let other = world.export_some(Kind::Member, &["C9"]);
    world.upload(Kind::Member, other, false).await;
    world.sync().await;
    world.decide(Decision::Approve).await;
    world.check_equal().await;
}

#[tokio::test]
async fn a_review_of_deletions_that_is_rejected_deletes_nothing() {
    let world = crowd(10).await;
    let some = world.export_some(Kind::Member, &["C1"]);
    world.upload(Kind::Member, some, true).await;
    world.run(Mode::Delta).await;
    world.decide(Decision::Reject).await;
    world.sync().await;
    world.check_equal().await;
}

#[tokio::test]
async fn a_dry_run_deletes_nothing_hands_nothing_over_and_leaves_the_upload_to_the_next() {
    let mut world = crowd(10).await;
    world.consio.delete(Kind::Member, "C1");
    world.change(Kind::Member, "C2", "city", "Bergen").await;
    let upload = world.upload(Kind::Member, world.export(Kind::Member), true).await;
    let run = world.dry_run().await;
    assert_eq!(
        (run.totals[&Kind::Member].absent, run.totals[&Kind::Member].sent),
        (1, 1),
        "{run:#?}"
    );
    assert_eq!(world.state(&upload).await, FileState::Accepted);
    assert_eq!(world.platform(Kind::Member).await.len(), 10);
    assert!(world.outbox().await.is_empty());
    world.sync().await;
    assert_eq!(world.state(&upload).await, FileState::Done);
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
}
