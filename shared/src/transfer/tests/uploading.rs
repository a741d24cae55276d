//! Files that come in.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{CANARY, World, after, decide, now, profile};
use crate::objects::{Link, Objects as _, sha256};
use crate::transfer::{
    Announcement, File, FileDecision, FilePage, FileState, TransferError, accept, announce, done,
    list_accepted_files, pages, read_page,
};

const GOOD: &str = "\u{feff}Tekst;Beløp\r\nOla;1,50\r\n'=x;-2,00\r\n";

async fn announced(world: &World, text: &str, profile: &Value, complete: bool) -> (File, Link) {
    let announcement = Announcement {
        purpose: &world.purpose,
        profile,
        complete,
        bytes: text.len() as u64,
        sha256: &sha256(text.as_bytes()),
    };
    announce(
        &world.store,
        &world.objects,
        &world.integration,
        &announcement,
        "secretary",
        now(),
    )
    .await
    .unwrap()
}

async fn accepted(world: &World, file: &File) -> Result<File, TransferError> {
    accept(
        &world.store,
        &world.objects,
        &world.integration,
        &file.id,
        "secretary",
        after(60),
    )
    .await
}

/// Announces, uploads and accepts.
async fn sent(world: &World, text: &str, complete: bool) -> File {
    let (file, link) = announced(world, text, &profile(), complete).await;
    let content_type = file.content_type.clone().unwrap();
    let bytes = Bytes::from(text.to_owned());
    assert!(world.files.upload(&link, &content_type, bytes, after(10)));
    accepted(world, &file).await.unwrap()
}

async fn page(world: &World, file: &File, after: u64, limit: usize) -> Result<FilePage, TransferError> {
    read_page(
        &world.store,
        &world.objects,
        &world.integration,
        &file.id,
        after,
        limit,
    )
    .await
}

#[tokio::test]
async fn a_file_that_is_as_announced_is_accepted_read_and_done() {
    let world = World::new();
    let file = sent(&world, GOOD, true).await;
    assert_eq!((file.state, file.rows), (FileState::Accepted, 2));
    assert_eq!(file.totals["amount"], "-0.50");
    let waiting = list_accepted_files(&world.store, &world.integration, &world.purpose, 10).await;
    assert_eq!(waiting.unwrap(), std::slice::from_ref(&file));
    let first = page(&world, &file, 0, 1).await.unwrap();
    assert_eq!((first.rows[0].number, first.next), (1, Some(1)));
    assert_eq!(
        Value::from(first.rows[0].value.clone()),
        json!({ "text": "Ola", "amount": "1.50" })
    );
    let second = page(&world, &file, 1, 5).await.unwrap();
    assert_eq!(
        Value::from(second.rows[0].value.clone()),
        json!({ "text": "=x", "amount": "-2.00" })
    );
    assert_eq!((second.rows.len(), second.next), (1, None));
    for _ in 0..2 {
        let file = done(&world.store, &world.integration, &file.id, after(90))
            .await
            .unwrap();
        assert_eq!(file.state, FileState::Done);
    }
    let waiting = list_accepted_files(&world.store, &world.integration, &world.purpose, 10).await;
    assert!(waiting.unwrap().is_empty());
    // What a listing did not have is looked up in it once more, also when it was taken.
    assert_eq!(page(&world, &file, 0, 1).await.unwrap(), first);
}

#[tokio::test]
async fn an_announcement_names_every_fault_and_makes_no_link() {
    let world = World::new();
    let announcement = Announcement {
        purpose: &world.purpose,
        profile: &json!({ "dialect": { "audience": "people", "delimiter": "#" }, "columns": [] }),
        complete: false,
        bytes: 0,
        sha256: "abc",
    };
    let refused = announce(
        &world.store,
        &world.objects,
        &world.integration,
        &announcement,
        "secretary",
        now(),
    )
    .await;
    let Err(TransferError::Announcement(faults)) = refused else {
        panic!("{refused:?}");
    };
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        ["bytes", "sha256", "profile.dialect.delimiter", "profile.columns"]
    );
    assert!(world.all().await.is_empty());
}

#[tokio::test]
async fn what_was_not_uploaded_or_is_another_is_not_accepted_and_can_be_put_again() {
    let world = World::new();
    let (file, link) = announced(&world, GOOD, &profile(), false).await;
    assert!(matches!(
        accepted(&world, &file).await,
        Err(TransferError::NotUploaded)
    ));
    let key = file.object.clone().unwrap();
    for (other, field) in [
        (GOOD.trim_end(), "bytes"),
        (&GOOD.replace("Ola", "Oda"), "sha256"),
    ] {
        world
            .files
            .put(&key, other.to_owned().into(), "text/csv")
            .await
            .unwrap();
        let refused = accepted(&world, &file).await;
        assert!(
            matches!(&refused, Err(TransferError::Differs(faults)) if faults[0].field == field),
            "{refused:?}"
        );
        assert_eq!(world.all().await[0].state, FileState::Announced);
    }
    let content_type = file.content_type.clone().unwrap();
    assert!(world.files.upload(&link, &content_type, GOOD.into(), after(10)));
    assert_eq!(accepted(&world, &file).await.unwrap().state, FileState::Accepted);
}

#[tokio::test]
async fn a_file_that_is_exchanged_after_it_was_accepted_is_not_read() {
    let world = World::new();
    let file = sent(&world, GOOD, false).await;
    let other = GOOD.replace("Ola", "Oda");
    let key = file.object.clone().unwrap();
    world.files.put(&key, other.into(), "text/csv").await.unwrap();
    assert!(matches!(
        page(&world, &file, 0, 1).await,
        Err(TransferError::Differs(_))
    ));
}

#[tokio::test]
async fn a_file_with_another_header_or_dialect_is_refused_whole() {
    for text in [
        "\u{feff}Navn;Beløp\r\nOla;1,50\r\n",
        "\u{feff}Tekst,Beløp\r\nOla,1\r\n",
        "\u{feff}Tekst;Beløp\r\n\"Ola;1,50\r\n",
        "\u{feff}Tekst;Beløp\r\nOla;1.50\r\n",
    ] {
        let world = World::new();
        let file = sent(&world, text, false).await;
        assert_eq!(file.state, FileState::Refused, "{text}");
        assert!(!file.faults.is_empty());
        assert!(matches!(
            page(&world, &file, 0, 1).await,
            Err(TransferError::Unfit(_))
        ));
        // The same answer again, and a human may put it away.
        assert_eq!(accepted(&world, &file).await.unwrap(), file);
        let file = decide(&world, &file, FileDecision::Discarded, after(70))
            .await
            .unwrap();
        assert_eq!(file.state, FileState::Discarded);
        assert!(matches!(
            accepted(&world, &file).await,
            Err(TransferError::Unfit(_))
        ));
    }
}

#[tokio::test]
async fn rows_with_faults_are_told_of_and_left_out_and_do_not_keep_the_others() {
    let world = World::new();
    let text = format!("\u{feff}Tekst;Beløp\r\nOla;1\r\n{CANARY};x\r\nKari\r\nPer;2\r\n");
    let file = sent(&world, &text, false).await;
    assert_eq!((file.state, file.rows), (FileState::Accepted, 2));
    assert_eq!(file.announced.as_ref().unwrap().refused_rows, 2);
    let faults: Vec<_> = file
        .faults
        .iter()
        .map(|fault| (fault.row, fault.line, fault.column.as_str()))
        .collect();
    assert_eq!(faults, [(2, Some(3), "Beløp"), (3, Some(4), "row")]);
    assert!(!serde_json::to_string(&file).unwrap().contains(CANARY));
    let all = page(&world, &file, 0, 10).await.unwrap();
    assert_eq!(all.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 4]);
    assert!(!format!("{all:?}").contains("Ola"));
}

#[tokio::test]
async fn a_complete_listing_with_one_fault_is_refused_since_what_is_missing_would_be_gone() {
    let world = World::new();
    let file = sent(&world, "\u{feff}Tekst;Beløp\r\nOla;1\r\nPer;x\r\n", true).await;
    assert_eq!(file.state, FileState::Refused);
    assert_eq!((file.faults[0].row, file.faults[0].column.as_str()), (0, "file"));
    assert_eq!(file.faults[1].row, 2);
}

#[tokio::test]
async fn of_many_faults_some_are_kept_and_all_are_counted() {
    let world = World::new();
    let mut text = "\u{feff}Tekst;Beløp\r\nOla;1\r\n".to_owned();
    (0..5_000).for_each(|_| text.push_str("Per;x\r\n"));
    let file = sent(&world, &text, false).await;
    assert_eq!((file.rows, file.faults.len()), (1, 50));
    assert_eq!(file.announced.unwrap().refused_rows, 5_000);
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_or_begin_anew() {
    let world = World::new();
    let mut text = "\u{feff}Tekst;Beløp\r\n".to_owned();
    (1..=1_000).for_each(|row| write!(text, "r{row};{row}\r\n").unwrap());
    let file = sent(&world, &text, true).await;
    let mut pages = pages(&world.store, &world.objects, &world.integration, &file.id)
        .await
        .unwrap();
    let (mut after, mut numbers) = (0, Vec::new());
    loop {
        let page = pages.page(after, 300).unwrap();
        numbers.extend(page.rows.iter().map(|row| row.number));
        let Some(next) = page.next else { break };
        after = next;
    }
    assert_eq!(numbers, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(pages.page(10, 1).unwrap().rows[0].number, 11);
    assert!(pages.page(5_000, 1).unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_crash_at_any_write_of_a_file_that_comes_in_is_mended_by_asking_again() {
    for dies_at in 1.. {
        let world = World::new();
        let (file, link) = announced(&world, GOOD, &profile(), true).await;
        let content_type = file.content_type.clone().unwrap();
        assert!(world.files.upload(&link, &content_type, GOOD.into(), after(10)));
        let dying = world.dying_at(dies_at);
        let run = async {
            accepted(&dying, &file).await?;
            done(&dying.store, &dying.integration, &file.id, after(90)).await
        };
        drop(run.await);
        if world.all().await[0].state != FileState::Done {
            assert_eq!(accepted(&world, &file).await.unwrap().state, FileState::Accepted);
        }
        let file = done(&world.store, &world.integration, &file.id, after(90))
            .await
            .unwrap();
        assert_eq!((file.state, file.rows), (FileState::Done, 2));
        assert!(world.kept("file-accepted#").await.is_empty());
        assert_eq!(world.kept("audit#").await.len(), 2);
        if !dying.is_dead() {
            assert!(dies_at > 4);
            break;
        }
    }
}

#[tokio::test]
async fn an_upload_that_never_came_goes_by_itself() {
    let world = World::new();
    announced(&world, GOOD, &profile(), false).await;
    world.rows.drop_expired(after(8 * 86_400));
    assert!(world.all().await.is_empty());
}
