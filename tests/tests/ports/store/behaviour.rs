//! Reads and writes.

use std::sync::Arc;

use jiff::Timestamp;
use shared::store::{Content, Expect, Key, MAX_WRITES, Store, StoreError, Table, Write};

use super::{in_memory_and_on_dynamodb, key, put, read, refused_parts, value};

in_memory_and_on_dynamodb! {
    a_read_sees_every_write_that_was_answered_before_it_began,
    a_transaction_happens_wholly_or_not_at_all,
    a_refused_transaction_names_the_parts_whose_expectation_failed,
    a_version_goes_up_by_one_from_one,
    an_older_fence_is_refused_and_an_equal_or_later_one_is_not,
    a_put_without_a_fence_keeps_the_one_that_is_stored,
    a_delete_is_made_where_its_expectation_is_met,
    a_check_changes_nothing,
    rows_are_returned_in_the_order_of_their_keys_of_any_number,
    a_transaction_has_at_most_a_hundred_parts,
    a_transaction_about_one_row_twice_is_invalid,
    a_row_over_the_limit_is_invalid,
    a_key_that_no_table_takes_is_invalid,
    an_expired_row_is_still_read,
    nothing_to_write_and_nothing_to_read_succeeds,
}

async fn a_read_sees_every_write_that_was_answered_before_it_began(store: Arc<dyn Store>) {
    for round in 0..20 {
        store
            .write(vec![put("a", Expect::Anything, round)])
            .await
            .unwrap();
        assert_eq!(value(&*store, "a").await, Some(round));
    }
}

async fn a_transaction_happens_wholly_or_not_at_all(store: Arc<dyn Store>) {
    store.write(vec![put("a", Expect::Absent, 1)]).await.unwrap();
    let halting = vec![put("b", Expect::Absent, 2), put("a", Expect::Version(7), 2)];
    assert_eq!(refused_parts(store.write(halting).await), [1]);
    assert_eq!(value(&*store, "a").await, Some(1));
    assert_eq!(value(&*store, "b").await, None);
    let whole = vec![put("b", Expect::Absent, 2), put("a", Expect::Version(1), 2)];
    store.write(whole).await.unwrap();
    assert_eq!(value(&*store, "a").await, Some(2));
    assert_eq!(value(&*store, "b").await, Some(2));
}

async fn a_refused_transaction_names_the_parts_whose_expectation_failed(store: Arc<dyn Store>) {
    store.write(vec![put("there", Expect::Absent, 1)]).await.unwrap();
    let writes = vec![
        put("there", Expect::Absent, 2),
        put("new", Expect::Absent, 2),
        Write::delete(key("gone"), Expect::Version(1)),
        Write::check(key("nowhere"), Expect::Version(1)),
        put("other", Expect::Anything, 2),
    ];
    assert_eq!(refused_parts(store.write(writes).await), [0, 2, 3]);
    let alone = store.write(vec![put("there", Expect::Absent, 2)]).await;
    assert_eq!(refused_parts(alone), [0]);
}

async fn a_version_goes_up_by_one_from_one(store: Arc<dyn Store>) {
    let expectations = [
        Expect::Absent,
        Expect::Version(1),
        Expect::Anything,
        Expect::Fenced { version: 3, fence: 9 },
    ];
    for (expect, version) in expectations.into_iter().zip(1..) {
        store.write(vec![put("a", expect, version)]).await.unwrap();
        assert_eq!(read(&*store, "a").await.unwrap().version, version);
    }
    store.write(vec![put("b", Expect::Anything, 1)]).await.unwrap();
    assert_eq!(read(&*store, "b").await.unwrap().version, 1);
}

async fn an_older_fence_is_refused_and_an_equal_or_later_one_is_not(store: Arc<dyn Store>) {
    let fenced = |version, fence| {
        let content = Content::of(&fence).fenced(fence);
        vec![Write::put(key("a"), Expect::Fenced { version, fence }, content)]
    };
    store.write(vec![put("a", Expect::Absent, 0)]).await.unwrap();
    store.write(fenced(1, 5)).await.unwrap();
    assert_eq!(refused_parts(store.write(fenced(2, 4)).await), [0]);
    store.write(fenced(2, 5)).await.unwrap();
    store.write(fenced(3, 6)).await.unwrap();
    let row = read(&*store, "a").await.unwrap();
    assert_eq!((row.version, row.fence), (4, Some(6)));
}

async fn a_put_without_a_fence_keeps_the_one_that_is_stored(store: Arc<dyn Store>) {
    let fenced = Write::put(key("a"), Expect::Absent, Content::of(&1).fenced(5));
    store.write(vec![fenced]).await.unwrap();
    store.write(vec![put("a", Expect::Version(1), 2)]).await.unwrap();
    let together = vec![put("a", Expect::Anything, 3), put("b", Expect::Absent, 3)];
    store.write(together).await.unwrap();
    let row = read(&*store, "a").await.unwrap();
    assert_eq!((row.version, row.fence), (3, Some(5)));
}

async fn a_delete_is_made_where_its_expectation_is_met(store: Arc<dyn Store>) {
    let delete = |expect| vec![Write::delete(key("a"), expect)];
    store.write(delete(Expect::Absent)).await.unwrap();
    store.write(delete(Expect::Anything)).await.unwrap();
    assert_eq!(refused_parts(store.write(delete(Expect::Version(1))).await), [0]);
    store.write(vec![put("a", Expect::Absent, 1)]).await.unwrap();
    assert_eq!(refused_parts(store.write(delete(Expect::Absent)).await), [0]);
    assert_eq!(refused_parts(store.write(delete(Expect::Version(2))).await), [0]);
    store.write(delete(Expect::Version(1))).await.unwrap();
    assert_eq!(value(&*store, "a").await, None);
    store.write(vec![put("a", Expect::Absent, 2)]).await.unwrap();
    assert_eq!(read(&*store, "a").await.unwrap().version, 1);
}

async fn a_check_changes_nothing(store: Arc<dyn Store>) {
    store.write(vec![put("a", Expect::Absent, 1)]).await.unwrap();
    let before = read(&*store, "a").await;
    let check = |expect| vec![Write::check(key("a"), expect)];
    store.write(check(Expect::Version(1))).await.unwrap();
    assert_eq!(refused_parts(store.write(check(Expect::Version(2))).await), [0]);
    assert_eq!(refused_parts(store.write(check(Expect::Absent)).await), [0]);
    assert!(matches!(
        store.write(check(Expect::Anything)).await,
        Err(StoreError::Invalid(_))
    ));
    assert_eq!(read(&*store, "a").await, before);
}

async fn rows_are_returned_in_the_order_of_their_keys_of_any_number(store: Arc<dyn Store>) {
    let place = |number: u64| {
        let table = if number.is_multiple_of(2) {
            Table::Control
        } else {
            Table::Records
        };
        Key::new(table, "hlf", format!("row#{number}"))
    };
    let writes: Vec<_> = (0..200)
        .map(|number| Write::put(place(number), Expect::Absent, Content::of(&number)))
        .collect();
    for writes in writes.chunks(MAX_WRITES) {
        store.write(writes.to_vec()).await.unwrap();
    }
    let asked: Vec<u64> = (0..250).rev().chain([7, 7]).collect();
    let keys: Vec<_> = asked.iter().copied().map(place).collect();
    let rows = store.get(&keys).await.unwrap();
    let found: Vec<Option<u64>> = rows
        .iter()
        .map(|row| row.as_ref().map(|row| row.decode().unwrap()))
        .collect();
    let expected: Vec<_> = asked
        .iter()
        .map(|number| Some(*number).filter(|number| *number < 200))
        .collect();
    assert_eq!(found, expected);
}

async fn a_transaction_has_at_most_a_hundred_parts(store: Arc<dyn Store>) {
    let writes = |count: u64| {
        let writes = (0..count).map(|number| put(&format!("row#{number}"), Expect::Anything, number));
        writes.collect::<Vec<_>>()
    };
    store.write(writes(100)).await.unwrap();
    let outcome = store.write(writes(101)).await;
    assert!(matches!(outcome, Err(StoreError::Invalid(_))));
}

async fn a_transaction_about_one_row_twice_is_invalid(store: Arc<dyn Store>) {
    let twice = vec![
        put("a", Expect::Anything, 1),
        Write::delete(key("a"), Expect::Anything),
    ];
    assert!(matches!(store.write(twice).await, Err(StoreError::Invalid(_))));
}

async fn a_row_over_the_limit_is_invalid(store: Arc<dyn Store>) {
    let row = |bytes| {
        vec![Write::put(
            key("a"),
            Expect::Anything,
            Content::of(&"x".repeat(bytes)),
        )]
    };
    store.write(row(399 * 1024)).await.unwrap();
    let outcome = store.write(row(400 * 1024)).await;
    assert!(matches!(outcome, Err(StoreError::Invalid(_))));
}

async fn a_key_that_no_table_takes_is_invalid(store: Arc<dyn Store>) {
    let long = "x".repeat(1025);
    for key in [key(""), key(&long), Key::new(Table::Control, "", "a")] {
        let put = Write::put(key.clone(), Expect::Anything, Content::of(&1));
        assert!(matches!(
            store.write(vec![put]).await,
            Err(StoreError::Invalid(_))
        ));
        assert!(matches!(store.get(&[key]).await, Err(StoreError::Invalid(_))));
    }
}

async fn an_expired_row_is_still_read(store: Arc<dyn Store>) {
    let long_ago: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let content = Content::of(&1).expires_at(long_ago);
    store
        .write(vec![Write::put(key("a"), Expect::Absent, content)])
        .await
        .unwrap();
    assert_eq!(value(&*store, "a").await, Some(1));
}

async fn nothing_to_write_and_nothing_to_read_succeeds(store: Arc<dyn Store>) {
    store.write(Vec::new()).await.unwrap();
    assert!(store.get(&[]).await.unwrap().is_empty());
}
