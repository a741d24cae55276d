//! Lists: of a partition, and of what is due.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::store::{Content, Due, Expect, Key, Query, Store, StoreError, Table, Write};

use super::{in_memory_and_on_dynamodb, key, put, write_all};

in_memory_and_on_dynamodb! {
    a_list_has_the_rows_of_one_partition_that_begin_with_the_prefix,
    a_list_goes_on_after_a_place_in_either_order,
    a_list_that_goes_on_outside_its_prefix_has_all_or_none,
    the_pages_of_a_list_share_no_row_and_miss_none,
    a_list_goes_on_over_more_than_a_megabyte,
    a_list_of_no_rows_is_invalid,
    what_is_due_is_listed_oldest_first_and_nothing_later,
    a_row_that_is_put_without_a_due_time_or_deleted_is_due_no_more,
    no_list_shows_what_is_due_in_another,
    only_control_rows_can_be_due,
}

async fn list(store: &Arc<dyn Store>, query: Query) -> Vec<String> {
    let page = store.query(&query).await.unwrap();
    page.rows.into_iter().map(|row| row.key.sort).collect()
}

fn of(prefix: &str) -> Query {
    Query::new(Table::Control, "hlf", prefix, 100)
}

async fn fill(store: &Arc<dyn Store>) {
    let writes = ["run#1", "run#2", "run#3", "rum", "lease", "ru", "run#", "så#1"];
    let writes = writes.map(|sort| put(sort, Expect::Absent, 1));
    write_all(store, writes.to_vec()).await;
    for partition in ["hl", "hlf2", "hlf#"] {
        let key = Key::new(Table::Control, partition, "run#9");
        let put = Write::put(key, Expect::Absent, Content::of(&1));
        store.write(vec![put]).await.unwrap();
    }
}

async fn a_list_has_the_rows_of_one_partition_that_begin_with_the_prefix(store: Arc<dyn Store>) {
    fill(&store).await;
    assert_eq!(
        list(&store, of("run#")).await,
        ["run#", "run#1", "run#2", "run#3"]
    );
    assert_eq!(
        list(&store, of("run#").newest_first()).await,
        ["run#3", "run#2", "run#1", "run#"]
    );
    assert_eq!(list(&store, of("så")).await, ["så#1"]);
    assert_eq!(list(&store, of("")).await.len(), 8);
    assert!(list(&store, of("none")).await.is_empty());
}

async fn a_list_goes_on_after_a_place_in_either_order(store: Arc<dyn Store>) {
    fill(&store).await;
    let after = |place: &str| of("run#").after(Some(place.to_owned()));
    assert_eq!(list(&store, after("run#1")).await, ["run#2", "run#3"]);
    assert_eq!(list(&store, after("run#1x")).await, ["run#2", "run#3"]);
    assert_eq!(
        list(&store, after("run#2").newest_first()).await,
        ["run#1", "run#"]
    );
    assert!(list(&store, after("run#3")).await.is_empty());
}

async fn a_list_that_goes_on_outside_its_prefix_has_all_or_none(store: Arc<dyn Store>) {
    fill(&store).await;
    let after = |place: &str| of("run#").after(Some(place.to_owned()));
    assert_eq!(list(&store, after("lease")).await.len(), 4);
    assert_eq!(list(&store, after("s").newest_first()).await.len(), 4);
    assert!(list(&store, after("s")).await.is_empty());
    assert!(list(&store, after("lease").newest_first()).await.is_empty());
}

async fn the_pages_of_a_list_share_no_row_and_miss_none(store: Arc<dyn Store>) {
    let names: Vec<String> = (0..23).map(|number| format!("row#{number:02}")).collect();
    let writes = names.iter().map(|name| put(name, Expect::Absent, 1)).collect();
    store.write(writes).await.unwrap();
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let query = Query::new(Table::Control, "hlf", "row#", 5).after(next);
        let page = store.query(&query).await.unwrap();
        assert!(page.rows.len() <= 5);
        found.extend(page.rows.into_iter().map(|row| row.key.sort));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(found, names);
}

async fn a_list_goes_on_over_more_than_a_megabyte(store: Arc<dyn Store>) {
    let body = "x".repeat(100 * 1024);
    for number in 0..30 {
        let key = key(&format!("row#{number:02}"));
        let put = Write::put(key, Expect::Absent, Content::of(&body));
        store.write(vec![put]).await.unwrap();
    }
    let page = store.query(&of("row#")).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (30, None));
}

async fn a_list_of_no_rows_is_invalid(store: Arc<dyn Store>) {
    let query = Query::new(Table::Control, "hlf", "", 0);
    assert!(matches!(store.query(&query).await, Err(StoreError::Invalid(_))));
    assert!(matches!(
        store.due(Due::Reconcile, noon(), 0).await,
        Err(StoreError::Invalid(_))
    ));
}

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn due(sort: &str, milliseconds: i64) -> Write {
    let at = noon() + SignedDuration::from_millis(milliseconds);
    Write::put(key(sort), Expect::Anything, Content::of(&1).due_at(at))
}

async fn what_is_due_is_listed_oldest_first_and_nothing_later(store: Arc<dyn Store>) {
    let rows = vec![
        due("a", 0),
        due("b", -60_000),
        due("c", 1),
        due("d", -1),
        due("e", 60_000),
    ];
    write_all(&store, rows).await;
    write_all(&store, vec![put("f", Expect::Absent, 1)]).await;
    assert_eq!(
        store.due(Due::Reconcile, noon(), 10).await.unwrap(),
        [key("b"), key("d"), key("a")]
    );
    assert_eq!(
        store.due(Due::Reconcile, noon(), 2).await.unwrap(),
        [key("b"), key("d")]
    );
}

async fn a_row_that_is_put_without_a_due_time_or_deleted_is_due_no_more(store: Arc<dyn Store>) {
    write_all(&store, vec![due("a", -2), due("b", -1), due("c", 0)]).await;
    store.write(vec![put("a", Expect::Version(1), 2)]).await.unwrap();
    let together = vec![Write::delete(key("b"), Expect::Version(1)), due("c", -5)];
    store.write(together).await.unwrap();
    assert_eq!(store.due(Due::Reconcile, noon(), 10).await.unwrap(), [key("c")]);
}

async fn no_list_shows_what_is_due_in_another(store: Arc<dyn Store>) {
    let token = |sort: &str, milliseconds| {
        let at = noon() + SignedDuration::from_millis(milliseconds);
        let content = Content::of(&1).due_in(Due::Tokens, at);
        Write::put(key(sort), Expect::Anything, content)
    };
    let rows = vec![
        token("a", -2),
        due("b", -1),
        token("c", -3),
        due("d", 0),
        token("e", 1),
    ];
    write_all(&store, rows).await;
    let lists = async || {
        let lists = [Due::Reconcile, Due::Tokens].map(|list| store.due(list, noon(), 10));
        let [reconcile, tokens] = futures::future::join_all(lists).await.try_into().unwrap();
        [reconcile.unwrap(), tokens.unwrap()]
    };
    assert_eq!(
        lists().await,
        [vec![key("b"), key("d")], vec![key("c"), key("a")]]
    );
    let moved = vec![due("a", -2), token("b", -1)];
    store.write(moved).await.unwrap();
    assert_eq!(
        lists().await,
        [vec![key("a"), key("d")], vec![key("c"), key("b")]]
    );
    assert!(matches!(
        store.due(Due::Tokens, noon(), 0).await,
        Err(StoreError::Invalid(_))
    ));
}

async fn only_control_rows_can_be_due(store: Arc<dyn Store>) {
    for list in [Due::Reconcile, Due::Tokens] {
        let key = Key::new(Table::Records, "hlf", "a");
        let put = Write::put(key, Expect::Absent, Content::of(&1).due_in(list, noon()));
        assert!(matches!(
            store.write(vec![put]).await,
            Err(StoreError::Invalid(_))
        ));
    }
}
