//! What goes out.

use shared::model::Kind;
use shared::sync::{Mode, RunState};
use shared::transfer::{FileDecision, FileState};

use crate::world::World;
use crate::{filled, person};
use serde_json::json;

#[tokio::test]
async fn a_record_made_here_goes_out_once_and_is_linked_by_its_key() {
    let mut world = filled().await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    let membership = json!({ "memberId": "ours", "type": "Ordinær" });
    world.put(Kind::Membership, "belongs", membership).await;
    let run = world.sync().await;
    assert_eq!(run.totals[&Kind::Member].handed_over, 1);
    let files = world.outbox().await;
    assert_eq!(files.len(), 2);
    let rows = world.read(&files[0]).await;
    assert_eq!((&rows[0]["id"], &rows[0]["key"]), (&json!(null), &json!("ours")));
    for mode in [Mode::Delta, Mode::Full, Mode::Delta] {
        world.run(mode).await;
        assert_eq!(world.outbox().await.len(), 2);
    }
    world.import_all().await;
    for mode in [Mode::Delta, Mode::Full] {
        world.run(mode).await;
        assert!(world.outbox().await.is_empty());
    }
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    world.consio.change(Kind::Member, "C4", "city", "Bodø");
    world.upload_all().await;
    world.sync().await;
    assert_eq!(world.says(Kind::Member, "ours", "city").await.unwrap(), "Bodø");
    world.check_equal().await;
    assert!(world.went_out().await.values().all(|times| *times == 1));
}

#[tokio::test]
async fn what_is_here_before_the_first_upload_goes_out_and_comes_back_as_the_same_records() {
    let mut world = World::new().await;
    for name in ["a", "b", "c"] {
        world.put(Kind::Member, name, person(name)).await;
    }
    // The system may have them already.
    let run = world.run(Mode::Delta).await;
    assert_eq!(
        (run.state, run.totals[&Kind::Member].waiting),
        (RunState::Partial, 3),
        "{run:?}"
    );
    assert!(
        run.warnings
            .iter()
            .any(|warning| warning.contains("a complete upload of members"))
    );
    assert!(world.outbox().await.is_empty());
    world.upload_all().await;
    world.sync().await;
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.run(Mode::Full).await;
    assert!(world.outbox().await.is_empty());
    assert_eq!(world.platform(Kind::Member).await.len(), 3);
    world.check_equal().await;
}

#[tokio::test]
async fn a_change_here_is_not_taken_back_by_an_upload_from_before_its_import() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    for complete in [false, true] {
        world
            .upload(Kind::Member, world.export(Kind::Member), complete)
            .await;
        world.sync().await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bergen");
    }
    assert_eq!(world.outbox().await.len(), 1);
    world.upload(Kind::Member, world.export(Kind::Member), true).await;
    world.sync().await;
    assert_eq!(world.outbox().await.len(), 1, "it is in the file that waits");
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    assert!(world.outbox().await.is_empty());
    assert!(world.went_out().await.values().all(|times| *times == 1));
    world.check_equal().await;
    assert_eq!(world.system(Kind::Member)["C1"]["city"], "Bergen");
}

#[tokio::test]
async fn a_row_that_the_system_did_not_take_goes_out_again() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    world.consio.refuses.insert("C1".to_owned());
    world.import_all().await;
    world.consio.refuses.clear();
    world.upload_all().await;
    world.sync().await;
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bergen");
    assert_eq!(world.outbox().await.len(), 1, "it goes out once more");
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
}

#[tokio::test]
async fn the_rows_of_a_discarded_file_go_out_in_another() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    world.sync().await;
    let files = world.outbox().await;
    world.say(&files[0], FileDecision::Discarded).await;
    world.sweep().await;
    assert_eq!(world.pending().await, 2);
    world.sync().await;
    let files = world.outbox().await;
    assert_eq!(world.read(&files[0]).await.len(), 2);
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert!(world.went_out().await.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_change_made_while_its_file_waits_goes_out_in_the_next() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    assert_eq!(world.outbox().await.len(), 1);
    world.change(Kind::Member, "C1", "city", "Bodø").await;
    world.sync().await;
    assert_eq!(world.outbox().await.len(), 2);
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert_eq!(world.system(Kind::Member)["C1"]["city"], "Bodø");
}

#[tokio::test]
async fn a_change_made_while_its_file_collects_takes_the_place_of_the_one_before() {
    let mut world = filled().await;
    for city in ["Bergen", "Bodø"] {
        world.change(Kind::Member, "C1", "city", city).await;
        world.sync().await;
    }
    let files = world.outbox().await;
    assert_eq!(files.len(), 1);
    assert_eq!(world.read(&files[0]).await[0]["city"], "Bodø");
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
}

#[tokio::test]
async fn a_change_that_is_taken_back_here_is_taken_back_there() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    assert_eq!(world.outbox().await.len(), 1);
    world.change(Kind::Member, "C1", "city", "Oslo").await;
    world.sync().await;
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Oslo");
}

#[tokio::test]
async fn a_change_that_is_taken_back_while_its_file_collects_never_leaves() {
    let mut world = filled().await;
    for city in ["Bergen", "Oslo"] {
        world.change(Kind::Member, "C1", "city", city).await;
        world.sync().await;
    }
    world.import_all().await;
    assert_eq!(world.system(Kind::Member)["C1"]["city"], "Oslo");
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Oslo");
}

#[tokio::test]
async fn a_file_that_was_imported_is_not_discarded_any_more() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    world.import_all().await;
    assert!(
        world
            .out()
            .await
            .iter()
            .all(|file| file.state == FileState::Imported)
    );
    world.sweep().await;
    world.sync().await;
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_change_that_is_taken_back_after_its_file_was_discarded_leaves_all_as_it_was() {
    let mut world = filled().await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    let files = world.outbox().await;
    world.say(&files[0], FileDecision::Discarded).await;
    world.change(Kind::Member, "C1", "city", "Oslo").await;
    world.sweep().await;
    world.sync().await;
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert_eq!(world.system(Kind::Member)["C1"]["city"], "Oslo");
}

#[tokio::test]
async fn many_changes_go_out_in_one_file() {
    let mut world = World::new().await;
    for number in 0..150 {
        world
            .put(Kind::Member, &format!("ours{number}"), person("Lie"))
            .await;
    }
    world.upload_all().await;
    world.sync().await;
    let files = world.outbox().await;
    assert_eq!(files.len(), 1);
    assert_eq!(world.read(&files[0]).await.len(), 150);
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
}

#[tokio::test]
async fn a_text_that_looks_like_a_formula_or_a_number_comes_back_as_it_was() {
    let mut world = filled().await;
    for (name, city) in [
        ("a", "=1+1"),
        ("b", "007"),
        ("c", "'s-Gravenhage"),
        ("d", "one; \"two\"\nthree"),
        ("e", "-"),
    ] {
        let mut fields = person(name);
        fields["city"] = json!(city);
        world.put(Kind::Member, name, fields).await;
    }
    world.sync().await;
    world.import_all().await;
    assert_eq!(world.system(Kind::Member)["a"]["city"], "=1+1");
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn a_field_that_is_emptied_on_either_side_is_emptied_on_the_other() {
    let mut world = filled().await;
    world.put(Kind::Member, "C1", json!({ "lastName": "Ek" })).await;
    world.sync().await;
    world.import_all().await;
    world.consio.clear(Kind::Member, "C2", "city");
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
    assert_eq!(world.system(Kind::Member)["C1"], json!({ "lastName": "Ek" }));
    assert_eq!(world.says(Kind::Member, "C2", "city").await, None);
}

#[tokio::test]
async fn a_new_row_that_the_system_did_not_take_goes_out_again() {
    let mut world = filled().await;
    world.put(Kind::Member, "ours", person("Lie")).await;
    world.sync().await;
    world.consio.refuses.insert("ours".to_owned());
    world.import_all().await;
    world.consio.refuses.clear();
    world.upload_all().await;
    world.sync().await;
    world.run(Mode::Full).await;
    world.import_all().await;
    world.upload_all().await;
    world.sync().await;
    world.check_equal().await;
}
