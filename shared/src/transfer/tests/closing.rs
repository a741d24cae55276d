//! What a human gets, and says became of it.

use serde_json::Value;

use super::super::mend::of;
use super::world::{CANARY, World, after, decide, key, now, row, rows, table};
use crate::model::{FilePurpose, FileRowKey, Kind};
use crate::objects::{Objects as _, Trouble, sha256};
use crate::publish::ResultEvent;
use crate::store::{Due, Store as _};
use crate::transfer::{
    File, FileDecision, FileState, Head, Mend, Render, Rendered, Rendering, Repeat, TransferError,
    Unrenderable, close, collect, download, list_waiting_files, mend, standings,
};

const READY: &str = include_str!("../../../../events/result-events/file.ready.v1.schema.json");
const DECIDED: &str = include_str!("../../../../events/result-events/file.decided.v1.schema.json");

async fn open(world: &World, rows: &[(FileRowKey, Value)]) -> File {
    let placed = collect(
        &world.store,
        &world.integration,
        &world.purpose,
        Repeat::Never,
        rows,
        now(),
    )
    .await
    .unwrap();
    let id = &placed[0].file;
    let files = world.all().await;
    files.into_iter().find(|file| file.id == *id).unwrap()
}

async fn shut(world: &World, file: &File) -> Result<File, TransferError> {
    close(
        &world.store,
        &world.objects,
        &world.integration,
        &file.id,
        &table(),
        after(60),
    )
    .await
}

/// Does what is due, as `reconcile` does; says how much that was.
async fn sweep(world: &World, now: jiff::Timestamp, render: Option<&dyn Render>) -> usize {
    let due = world.rows.due(Due::Reconcile, now, 100).await.unwrap();
    let mut done = 0;
    for (integration, id) in due.iter().filter_map(of) {
        let what = Mend {
            store: &world.store,
            objects: &world.objects,
            render,
            now,
        };
        done += usize::from(mend(&what, &integration, &id).await.unwrap());
    }
    done
}

async fn events(world: &World) -> Vec<ResultEvent> {
    let rows = world.kept("outbox#").await;
    rows.iter().map(|row| row.decode().unwrap()).collect()
}

#[tokio::test]
async fn a_file_has_its_rows_in_the_order_of_their_keys_guarded_with_totals_and_checksum() {
    let world = World::new();
    let collected = [
        (key("b"), row("=1+1", "-2.5")),
        (key("a"), row("Ola; \"O\"", "10")),
        (key("C"), row("-5", "0.01")),
    ];
    let file = open(&world, &collected).await;
    let file = shut(&world, &file).await.unwrap();
    let bytes = world.files.get(file.object.as_deref().unwrap()).await.unwrap();
    let text = "\u{feff}Tekst;Beløp\r\n'-5;0,01\r\n\"Ola; \"\"O\"\"\";10,00\r\n'=1+1;-2,50\r\n";
    assert_eq!(std::str::from_utf8(&bytes).unwrap(), text);
    assert_eq!(file.state, FileState::Ready);
    assert_eq!((file.rows, file.bytes), (3, bytes.len() as u64));
    assert_eq!(file.sha256, Some(sha256(&bytes)));
    assert_eq!(file.totals["amount"], "7.51");
    let name = format!("hlf_gl02b_20260301_{}.csv", file.id);
    assert_eq!(file.name.as_deref(), Some(name.as_str()));
    let print: String = sha256(&bytes).chars().take(16).collect();
    let object = format!("hlf/xledger/{}/{print}/{name}", file.id);
    assert_eq!(file.object, Some(object));
}

/// Names files after a row.
#[derive(Debug)]
struct Telling;

impl Render for Telling {
    fn again(&self, _: &FilePurpose, _: FileDecision) -> Option<Kind> {
        None
    }

    fn begin<'a>(&'a self, head: &Head<'_>) -> Result<Box<dyn Rendering + 'a>, Unrenderable> {
        Ok(Box::new(Tells(format!("{}_", head.file))))
    }
}

struct Tells(String);

impl Rendering for Tells {
    fn row(&mut self, _: &FileRowKey, value: &Value) -> Result<(), Unrenderable> {
        self.0 += value["text"].as_str().unwrap();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Rendered, Unrenderable> {
        Ok(Rendered {
            name: self.0,
            content_type: "text/plain".to_owned(),
            bytes: Vec::new(),
            totals: std::collections::BTreeMap::new(),
        })
    }
}

#[tokio::test]
async fn a_name_that_tells_of_a_person_is_refused_and_an_id_of_digits_is_none() {
    for (text, state) in [
        ("01019012345", FileState::Failed),
        ("010190.12345", FileState::Failed),
        ("../x", FileState::Failed),
        (CANARY, FileState::Failed),
        ("x.csv", FileState::Ready),
    ] {
        let world = World::new();
        let file = open(&world, &[(key("1"), row(text, "1"))]).await;
        let closed = close(
            &world.store,
            &world.objects,
            &world.integration,
            &file.id,
            &Telling,
            after(60),
        )
        .await
        .unwrap();
        assert_eq!(closed.state, state, "{text}");
        assert_eq!(closed.name.is_some(), state == FileState::Ready);
    }
}

#[tokio::test]
async fn ids_are_no_numbers_of_persons_whatever_their_digits() {
    for _ in 0..500 {
        let world = World::new();
        let file = open(&world, &rows(&["1"])).await;
        assert_eq!(shut(&world, &file).await.unwrap().state, FileState::Ready);
    }
}

#[tokio::test]
async fn a_link_to_download_ends_by_itself_and_is_there_while_the_file_may_be_used() {
    let world = World::new();
    let file = open(&world, &rows(&["1"])).await;
    assert_eq!(download(&world.objects, &file, now()).await.unwrap(), None);
    let file = shut(&world, &file).await.unwrap();
    let link = download(&world.objects, &file, after(100))
        .await
        .unwrap()
        .unwrap();
    assert!(world.files.follow(&link, after(100 + 599)).is_some());
    assert_eq!(world.files.follow(&link, after(100 + 600)), None);
    assert!(!format!("{link:?}").contains("://"));
    let file = decide(&world, &file, FileDecision::Discarded, after(200))
        .await
        .unwrap();
    assert_eq!(download(&world.objects, &file, after(300)).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_is_closed_when_it_is_due_and_not_before() {
    let world = World::new();
    open(&world, &rows(&["1"])).await;
    assert_eq!(sweep(&world, after(299), Some(&table())).await, 0);
    assert_eq!(sweep(&world, after(300), Some(&table())).await, 1);
    assert_eq!(world.all().await[0].state, FileState::Ready);
    assert_eq!(sweep(&world, after(100_000), Some(&table())).await, 0);
}

#[tokio::test]
async fn a_file_that_nobody_can_render_is_looked_at_again_after_an_hour() {
    let world = World::new();
    open(&world, &rows(&["1"])).await;
    assert_eq!(sweep(&world, after(300), None).await, 0);
    assert!(
        world
            .rows
            .due(Due::Reconcile, after(3_899), 1)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(sweep(&world, after(3_900), Some(&table())).await, 1);
}

#[tokio::test]
async fn a_file_whose_objects_are_down_is_closed_once_they_are_back() {
    let world = World::new();
    let file = open(&world, &rows(&["1"])).await;
    world.files.trouble(Trouble::Down);
    let failed = shut(&world, &file).await;
    assert!(matches!(failed, Err(TransferError::Objects(_))));
    assert_eq!(world.all().await[0].state, FileState::Closing);
    world.files.trouble(None);
    assert_eq!(sweep(&world, after(60 + 120), Some(&table())).await, 1);
    assert_eq!(world.all().await[0].state, FileState::Ready);
}

#[tokio::test]
async fn a_file_with_a_row_that_cannot_be_written_fails_and_says_where_and_nothing_of_the_row() {
    let world = World::new();
    let long = CANARY.repeat(10);
    let bad = [
        (key("a"), row("fine", "1")),
        (key("b"), row(&long, "x")),
        (
            key("c"),
            serde_json::json!({ "text": CANARY, "amount": "1", "more": 1 }),
        ),
        (key("d"), row(&long, "1")),
    ];
    let file = open(&world, &bad).await;
    let file = shut(&world, &file).await.unwrap();
    assert_eq!(file.state, FileState::Failed);
    let faults: Vec<_> = file
        .faults
        .iter()
        .map(|fault| (fault.row, fault.column.as_str()))
        .collect();
    assert_eq!(faults, [(2, "Beløp"), (3, "row"), (4, "Tekst")]);
    assert!(!serde_json::to_string(&file).unwrap().contains(CANARY));
    assert!(world.files.keys().is_empty() && events(&world).await.is_empty());
    let imported = decide(&world, &file, FileDecision::Imported, after(70)).await;
    assert!(matches!(imported, Err(TransferError::Unfit(FileState::Failed))));
    decide(&world, &file, FileDecision::Discarded, after(70))
        .await
        .unwrap();
    let mended = open(&world, &rows(&["a", "b", "c", "d"])).await;
    assert_eq!(mended.rows, 4);
}

#[tokio::test]
async fn what_became_of_a_file_is_decided_once_kept_and_told() {
    let world = World::new();
    let file = open(&world, &rows(&["1"])).await;
    let early = decide(&world, &file, FileDecision::Imported, after(10)).await;
    assert!(matches!(early, Err(TransferError::Unfit(FileState::Collecting))));
    let file = shut(&world, &file).await.unwrap();
    assert_eq!(waiting(&world).await, 1);
    let file = decide(&world, &file, FileDecision::Imported, after(70))
        .await
        .unwrap();
    let decided = file.decided.clone().unwrap();
    assert_eq!(
        (&*decided.by, &*decided.reason),
        ("treasurer", "the import log says so")
    );
    let again = decide(&world, &file, FileDecision::Imported, after(80))
        .await
        .unwrap();
    assert_eq!(again, file);
    let other = decide(&world, &file, FileDecision::Discarded, after(80)).await;
    assert!(matches!(other, Err(TransferError::Unfit(FileState::Imported))));
    assert_eq!((waiting(&world).await, world.kept("audit#").await.len()), (0, 1));
    let events = events(&world).await;
    events
        .iter()
        .zip([READY, DECIDED])
        .for_each(|(event, schema)| event.check(schema));
    assert_eq!(events.len(), 2);
}

async fn waiting(world: &World) -> usize {
    let waiting = list_waiting_files(&world.store, &world.integration, 10).await;
    waiting.unwrap().len()
}

#[tokio::test]
async fn the_rows_of_a_settled_file_are_gone_after_a_month_and_where_they_went_is_known_for_a_year() {
    let world = World::new();
    let names: Vec<String> = (0..200).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let file = open(&world, &rows(&names)).await;
    let file = shut(&world, &file).await.unwrap();
    decide(&world, &file, FileDecision::Imported, after(70))
        .await
        .unwrap();
    // One that goes out again stays.
    assert_eq!(sweep(&world, after(80), None).await, 1);
    assert_eq!(sweep(&world, after(90), None).await, 0);
    let days = |days: i64| after(days * 86_400 + 70);
    for (day, items, filed, files) in [(29, 200, 200, 1), (31, 0, 200, 1), (401, 0, 0, 0)] {
        world.rows.drop_expired(days(day));
        assert_eq!(world.kept("file-row#").await.len(), items, "day {day}");
        assert_eq!(world.kept("filed#").await.len(), filed, "day {day}");
        assert_eq!(world.kept("file#").await.len(), files, "day {day}");
    }
}

#[tokio::test]
async fn a_row_that_goes_out_again_is_known_as_long_as_its_new_file_is() {
    let world = World::new();
    let file = open(&world, &rows(&["1", "2"])).await;
    let file = shut(&world, &file).await.unwrap();
    decide(&world, &file, FileDecision::Discarded, after(70))
        .await
        .unwrap();
    let second = open(&world, &rows(&["1"])).await;
    assert_eq!(sweep(&world, after(80), None).await, 1);
    world.rows.drop_expired(after(500 * 86_400));
    let keys = [key("1"), key("2")];
    let found = standings(&world.store, &world.integration, &world.purpose, &keys)
        .await
        .unwrap();
    assert_eq!(found[0].as_ref().map(|standing| &standing.file), Some(&second.id));
    assert_eq!(found[1], None);
    assert_eq!(world.kept("file-row#").await.len(), 1);
}

#[tokio::test]
async fn nothing_of_a_row_is_anywhere_but_in_its_item_and_its_object() {
    let world = World::new();
    let file = open(&world, &rows(&["1"])).await;
    let file = shut(&world, &file).await.unwrap();
    decide(&world, &file, FileDecision::Imported, after(70))
        .await
        .unwrap();
    for row in world.kept("").await.iter().chain(&world.kept("outbox").await) {
        let is_item = row.key.sort.starts_with("file-row#");
        assert_eq!(row.body.contains("Canary"), is_item, "{}", row.key.sort);
        assert!(!row.key.sort.contains("Canary"));
    }
    assert!(world.files.keys().iter().all(|key| !key.contains("Canary")));
    assert_eq!(world.files.keys().len(), 1);
}
