//! Listings, what has changed since, and single rows.

use shared::adapter::{ErrorKind, Found, From, Item};

use crate::asking::{after, rows, seen};
use crate::pair::files;
use crate::subject::{every_case, tried, value_of};

#[tokio::test]
async fn everything_that_is_there_is_read_page_by_page_and_each_row_once() {
    for case in every_case().await {
        case.seed(12);
        let adapter = case.subject.adapter();
        let first = adapter.pull(case.kind, &From::Start).await.unwrap();
        assert!(after(first.next).is_ok(), "{}: one page is not all", case.name());
        let (items, _) = case.pull(From::Start).await;
        let unmapped = rows(&items)
            .into_iter()
            .find(|row| row.told & !case.can.mapped != 0);
        assert!(unmapped.is_none(), "{}: {unmapped:?}", case.name());
        let mut read: Vec<_> = rows(&items)
            .into_iter()
            .map(|row| (row.id.to_string(), value_of(row)))
            .collect();
        read.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(
            (read, items.len()),
            (case.there(), case.ids().len()),
            "{}",
            case.name()
        );
    }
}

#[tokio::test]
async fn a_page_that_is_asked_for_again_says_the_same() {
    for case in every_case().await {
        case.seed(12);
        let first = case
            .subject
            .adapter()
            .pull(case.kind, &From::Start)
            .await
            .unwrap();
        let page = after(first.next).unwrap();
        let mut told = Vec::new();
        for _ in 0..2 {
            // The second time in a process that knows nothing of the first.
            let adapter = case.subject.adapter_anew(&case.subject.integration(), &files().0);
            let again = adapter.pull(case.kind, &page).await.unwrap();
            told.push(format!("{:?}", again.items));
        }
        assert_eq!(told[0], told[1], "{}", case.name());
        assert!(told[0].len() > 2, "{}: the page is not empty", case.name());
    }
}

#[tokio::test]
async fn what_was_made_changed_and_deleted_since_is_told() {
    for case in every_case().await {
        case.seed(4);
        let before = case.ids();
        let (_, since) = case.pull(From::Start).await;
        let tells_nothing = matches!(&since, From::Since(cursor) if cursor.is_none());
        assert_eq!(tells_nothing, !case.can.tracks_changes, "{}", case.name());
        case.subject.edit(case.kind, &before[0], tried(case.kind).1[1]);
        case.subject.delete(case.kind, &before[1]);
        case.subject.add(case.kind);
        case.settle();
        let items = case.told_since(since).await;
        for (id, value) in case
            .there()
            .into_iter()
            .filter(|(id, _)| *id == before[0] || !before.contains(id))
        {
            assert_eq!(value_of(case.row_of(&items, &id)), value, "{}", case.name());
        }
        let is_gone = |item: &Item| matches!(item, Item::Deleted { id, .. } if **id == *before[1]);
        let is_there = rows(&items).iter().any(|row| *row.id == *before[1]);
        let told = items.iter().any(is_gone);
        assert_eq!(
            (told, is_there),
            (case.can.tracks_changes, false),
            "{}",
            case.name()
        );
    }
}

#[tokio::test]
async fn a_row_is_found_and_one_that_is_gone_is_not() {
    for case in every_case().await {
        case.seed(2);
        let ids = case.ids();
        let (items, _) = case.pull(From::Start).await;
        let target = seen(case.row_of(&items, &ids[1]));
        case.subject.delete(case.kind, &ids[1]);
        let asked: Vec<Box<str>> = ids.iter().map(|id| id.as_str().into()).collect();
        let adapter = case.subject.adapter();
        let found = adapter.find(case.kind, &asked).await.unwrap();
        assert!(matches!(&found[0], Found::Here(Item::Row(row)) if row.id == asked[0]));
        assert!(
            matches!(&found[1], Found::Nothing | Found::Here(Item::Deleted { .. })),
            "{}: {:?}",
            case.name(),
            found[1]
        );
        if case.can.pushes {
            let change = case.change_of(target, tried(case.kind).1[1]);
            let error = crate::asking::push_one(&*adapter, change).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{}", case.name());
            assert!(
                !case.ids().contains(&ids[1]),
                "{}: it was made again",
                case.name()
            );
        }
    }
}
