//! Rows that are made and changed, and what becomes of answers that are lost.

use serde_json::json;
use shared::adapter::{ErrorKind, From};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::asking::{push_one, seen, target};
use crate::subject::{Case, every_written_case, status, tried, value_of};

#[tokio::test]
async fn what_is_written_is_what_find_and_the_next_reading_tell() {
    for case in every_written_case().await {
        case.seed(2);
        let (adapter, values) = (case.subject.adapter(), tried(case.kind).1);
        let (_, since) = case.pull(From::Start).await;
        let rows = case.ids().len();
        let made = target(&push_one(&*adapter, case.new_row(0)).await.unwrap());
        assert_eq!(
            value_of(&case.found(&made.id).await),
            values[0],
            "{}",
            case.name()
        );
        let as_found = seen(&case.found(&made.id).await);
        let change = case.change_of(as_found, values[1]);
        let changed = target(&push_one(&*adapter, change).await.unwrap());
        assert_eq!(changed.id, made.id);
        case.settle();
        let items = case.told_since(since).await;
        for row in [&case.found(&made.id).await, case.row_of(&items, &made.id)] {
            assert_eq!(value_of(row), values[1], "{}", case.name());
            let key = case.new_row(0).key.to_string();
            assert!(
                row.key.as_deref().is_none_or(|told| *told == *key),
                "{}",
                case.name()
            );
            assert!(row.active);
        }
        let there = case.there();
        assert!(
            there.contains(&(made.id.to_string(), json!(values[1]))),
            "{}",
            case.name()
        );
        assert_eq!(there.len(), rows + 1, "{}", case.name());
    }
}

#[tokio::test]
async fn what_is_pushed_again_makes_one_row_whichever_answer_was_lost() {
    let after = Fault::StatusAfter {
        status: 502,
        body: None,
        retry_after: None,
    };
    for case in every_written_case().await {
        let asked = requests_of_a_push(&case).await;
        assert!(asked > 0);
        for fault in [Fault::ResetAfter, Fault::ResetBefore, after.clone(), status(503)] {
            for skip in 0..asked {
                let case = case.anew().await;
                let there = case.ids().len();
                let adapter = case.subject.adapter();
                drop(case.pull(From::Start).await);
                case.inject(FaultRule::once(fault.clone()).after(skip));
                let name = format!("{} {fault:?} {skip}", case.name());
                let mut row = None;
                for _ in 0..2 {
                    match push_one(&*adapter, case.new_row(0)).await {
                        Ok(pushed) => row = Some(target(&pushed).id.to_string()),
                        Err(error) if error.kind() == ErrorKind::Conflict => {
                            row = error.fact("row").map(str::to_owned);
                        }
                        Err(error) => assert!(error.kind().is_temporary(), "{name}: {error:?}"),
                    }
                }
                let ids = case.ids();
                assert_eq!(ids.len(), there + 1, "{name}");
                assert!(row.is_some_and(|row| ids.contains(&row)), "{name}");
            }
        }
    }
}

/// Returns how many requests it takes to make a row.
async fn requests_of_a_push(case: &Case) -> u32 {
    let case = case.anew().await;
    drop(case.pull(From::Start).await);
    let before = case.requests();
    push_one(&*case.subject.adapter(), case.new_row(0)).await.unwrap();
    (case.requests() - before) as u32
}

#[tokio::test]
async fn a_row_that_changed_in_between_is_a_conflict_and_is_not_overwritten() {
    for case in every_written_case().await {
        case.seed(1);
        let (id, values) = (case.ids().remove(0), tried(case.kind).1);
        let before = seen(&case.found(&id).await);
        case.subject.edit(case.kind, &id, values[1]);
        let adapter = case.subject.adapter();
        let change = case.change_of(before, values[2]);
        let error = push_one(&*adapter, change).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{}", case.name());
        assert!(
            case.there().contains(&(id.clone(), json!(values[1]))),
            "{}",
            case.name()
        );
        // Whoever has read it again may change it.
        let change = case.change_of(seen(&case.found(&id).await), values[2]);
        push_one(&*adapter, change).await.unwrap();
        assert!(case.there().contains(&(id, json!(values[2]))), "{}", case.name());
    }
}

#[tokio::test]
async fn one_change_that_fails_leaves_the_others_of_its_batch_as_they_are() {
    for case in every_written_case().await {
        case.seed(1);
        let id = case.ids().remove(0);
        let gone = seen(&case.found(&id).await);
        case.subject.delete(case.kind, &id);
        let there = case.ids().len();
        let changes = [
            case.new_row(0),
            case.change_of(gone, tried(case.kind).1[1]),
            case.new_row(1),
        ];
        let outcomes = case.subject.adapter().push(case.kind, &changes).await.unwrap();
        let kinds: Vec<_> = outcomes
            .iter()
            .map(|outcome| outcome.as_ref().err().map(shared::adapter::Error::kind))
            .collect();
        assert_eq!(kinds, [None, Some(ErrorKind::NotFound), None], "{}", case.name());
        assert_eq!(case.ids().len(), there + 2, "{}", case.name());
    }
}
