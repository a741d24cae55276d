//! Many writers at once.

use std::sync::Arc;

use futures::future::join_all;
use shared::store::{Expect, Store, StoreError};

use super::{in_memory_and_on_dynamodb, key, put, read, value};

in_memory_and_on_dynamodb! {
    of_many_writers_that_expect_the_same_version_exactly_one_succeeds,
    of_many_transactions_that_expect_the_same_version_exactly_one_succeeds,
    concurrent_decrements_take_what_there_is_and_no_more,
    no_reader_sees_a_row_of_a_transaction_that_is_refused,
}

async fn race(store: &Arc<dyn Store>, transaction: bool) -> usize {
    let writers = (0..32).map(|writer| {
        let store = Arc::clone(store);
        let mut writes = vec![put("lease", Expect::Version(1), writer)];
        if transaction {
            writes.push(put(&format!("won#{writer}"), Expect::Absent, writer));
        }
        tokio::spawn(async move { store.write(writes).await })
    });
    let outcomes = join_all(writers).await;
    outcomes
        .into_iter()
        .filter(|outcome| matches!(outcome, Ok(Ok(()))))
        .count()
}

async fn of_many_writers_that_expect_the_same_version_exactly_one_succeeds(store: Arc<dyn Store>) {
    store.write(vec![put("lease", Expect::Absent, 0)]).await.unwrap();
    assert_eq!(race(&store, false).await, 1);
    assert_eq!(read(&*store, "lease").await.unwrap().version, 2);
}

async fn of_many_transactions_that_expect_the_same_version_exactly_one_succeeds(store: Arc<dyn Store>) {
    store.write(vec![put("lease", Expect::Absent, 0)]).await.unwrap();
    assert_eq!(race(&store, true).await, 1);
    let winner = value(&*store, "lease").await.unwrap();
    let keys: Vec<_> = (0..32).map(|writer| key(&format!("won#{writer}"))).collect();
    let rows = store.get(&keys).await.unwrap();
    let won: Vec<u64> = rows.iter().flatten().map(|row| row.decode().unwrap()).collect();
    assert_eq!(won, [winner]);
}

/// Takes one from the row, as long as there is one; says whether it did.
async fn take_one(store: Arc<dyn Store>) -> bool {
    loop {
        let row = read(&*store, "stock").await.unwrap();
        let Some(left) = row.decode::<u64>().unwrap().checked_sub(1) else {
            return false;
        };
        match store
            .write(vec![put("stock", Expect::Version(row.version), left)])
            .await
        {
            Ok(()) => return true,
            Err(StoreError::Refused { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

async fn concurrent_decrements_take_what_there_is_and_no_more(store: Arc<dyn Store>) {
    store
        .write(vec![put("stock", Expect::Absent, 100)])
        .await
        .unwrap();
    let takers = (0..160).map(|_| tokio::spawn(take_one(Arc::clone(&store))));
    let taken = join_all(takers).await;
    assert_eq!(
        taken.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(),
        100
    );
    assert_eq!(value(&*store, "stock").await, Some(0));
    assert_eq!(read(&*store, "stock").await.unwrap().version, 101);
}

async fn no_reader_sees_a_row_of_a_transaction_that_is_refused(store: Arc<dyn Store>) {
    let rows = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
    store.write(rows).await.unwrap();
    let refused = (0..50).map(|_| {
        let store = Arc::clone(&store);
        let writes = vec![put("a", Expect::Version(1), 2), put("b", Expect::Version(9), 2)];
        tokio::spawn(async move { assert!(store.write(writes).await.is_err()) })
    });
    let readers = (0..50).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { assert_eq!(value(&*store, "a").await, Some(1)) })
    });
    let all: Vec<_> = refused.chain(readers).collect();
    assert!(join_all(all).await.iter().all(Result::is_ok));
}
