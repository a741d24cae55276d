//! The tables in memory, for fast tests and simulation; gone with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::counts::Counter;
use super::limits::{self, row_size};
use super::{Action, Content, Counts, Due, Expect, Key, Page, Query, Row, Store, StoreError, Write};

/// Keeps rows in memory, under the rules of the real tables.
///
/// As there, a row whose `expires_at` has passed stays until [`MemoryStore::drop_expired`] takes it: a caller
/// to whom the time matters looks at it.
#[derive(Default)]
pub struct MemoryStore {
    rows: Mutex<Rows>,
    counter: Counter,
}

type Rows = BTreeMap<Key, Kept>;

struct Kept {
    version: u64,
    fence: Option<u64>,
    body: String,
    due: Option<(Due, i64)>,
    expires_at: Option<Timestamp>,
}

impl MemoryStore {
    /// Makes empty tables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what was asked of the tables so far; units by AWS's published rules.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counter.counts()
    }

    /// Drops the rows that have expired by `now`, as the real tables do some time within two days.
    pub fn drop_expired(&self, now: Timestamp) {
        self.rows()
            .retain(|_, kept| kept.expires_at.is_none_or(|at| at > now));
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows().len();
        f.debug_struct("MemoryStore")
            .field("rows", &rows)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        keys.iter().try_for_each(limits::check_key)?;
        let found: Vec<_> = {
            let rows = self.rows();
            keys.iter()
                .map(|key| rows.get(key).map(|kept| kept.row(key)))
                .collect()
        };
        for chunk in found.chunks(100) {
            self.counter
                .read(chunk.len(), chunk.iter().map(|row| row_units(row.as_ref())).sum());
        }
        Ok(found)
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        limits::check_query(query)?;
        let rows = list(&self.rows(), query);
        let size: usize = rows.iter().map(|row| row_size(&row.key, &row.body)).sum();
        self.counter.read(rows.len(), read_units(size));
        let full = rows.len() == query.limit;
        let next = rows.last().filter(|_| full).map(|row| row.key.sort.clone());
        Ok(Page { rows, next })
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        limits::check_writes(&writes)?;
        if writes.is_empty() {
            return Ok(());
        }
        let mut rows = self.rows();
        self.counter.write(writes.len(), write_units(&rows, &writes));
        let parts = refused(&rows, &writes);
        if !parts.is_empty() {
            return Err(StoreError::Refused { parts });
        }
        for write in writes {
            apply(&mut rows, write);
        }
        Ok(())
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        if limit == 0 {
            return Err(limits::Unacceptable::Limit.into());
        }
        let mut due = due_rows(&self.rows(), list, now.as_millisecond());
        due.truncate(limit);
        self.counter
            .read(due.len(), (due.len() as f64 / 80.0).ceil() / 2.0);
        Ok(due.into_iter().map(|(_, key)| key).collect())
    }
}

impl Kept {
    fn row(&self, key: &Key) -> Row {
        Row {
            key: key.clone(),
            version: self.version,
            fence: self.fence,
            body: self.body.clone(),
        }
    }

    fn replaced_by(old: Option<&Self>, content: Content) -> Self {
        Self {
            version: old.map_or(0, |old| old.version) + 1,
            fence: content.fence.or_else(|| old.and_then(|old| old.fence)),
            body: content.body,
            due: listed(content.due),
            expires_at: content.expires_at,
        }
    }

    fn meets(old: Option<&Self>, expect: Expect) -> bool {
        match (expect, old) {
            (Expect::Anything, _) | (Expect::Absent, None) => true,
            (Expect::Version(version), Some(old)) => old.version == version,
            (Expect::HeldUnder(fence), Some(old)) => old.fence == Some(fence),
            (Expect::Fenced { version, fence }, Some(old)) => {
                old.version == version && old.fence.is_none_or(|stored| stored <= fence)
            }
            (Expect::Absent, Some(_)) | (_, None) => false,
        }
    }
}

fn refused(rows: &Rows, writes: &[Write]) -> Vec<usize> {
    let parts = writes.iter().enumerate();
    parts
        .filter(|(_, write)| !Kept::meets(rows.get(&write.key), write.expect))
        .map(|(part, _)| part)
        .collect()
}

fn apply(rows: &mut Rows, write: Write) {
    match write.action {
        Action::Put(content) => {
            let kept = Kept::replaced_by(rows.get(&write.key), content);
            rows.insert(write.key, kept);
        }
        Action::Delete => {
            rows.remove(&write.key);
        }
        Action::Check => {}
    }
}

fn list(rows: &Rows, query: &Query) -> Vec<Row> {
    let place = |sort: &str| Key::new(query.table, query.partition.clone(), sort);
    let begins = |(key, _): &(&Key, &Kept)| key.sort.starts_with(&query.prefix);
    let first = place(&query.prefix);
    // The least key of all partitions that come after this one.
    let end = Key::new(query.table, format!("{}\0", query.partition), "");
    let after = query.after.as_deref().map(place);
    let to_row = |(key, kept): (&Key, &Kept)| kept.row(key);
    if query.newest_first {
        let end = after.unwrap_or(end).max(first.clone());
        let backwards = rows.range(first..end).rev().skip_while(|row| !begins(row));
        return backwards.take(query.limit).map(to_row).collect();
    }
    let start = after
        .filter(|after| *after >= first)
        .map_or(Bound::Included(first), Bound::Excluded);
    let forwards = rows.range((start, Bound::Excluded(end))).take_while(begins);
    forwards.take(query.limit).map(to_row).collect()
}

/// Says in which list a row is, and where in it.
fn listed(due: Option<(Due, Timestamp)>) -> Option<(Due, i64)> {
    due.map(|(list, at)| (list, at.as_millisecond()))
}

fn due_rows(rows: &Rows, list: Due, now: i64) -> Vec<(i64, Key)> {
    let is_due = |due: &(Due, i64)| due.0 == list && due.1 <= now;
    let mut due: Vec<_> = rows
        .iter()
        .filter_map(|(key, kept)| kept.due.filter(is_due).map(|(_, at)| (at, key.clone())))
        .collect();
    due.sort_unstable();
    due
}

fn row_units(row: Option<&Row>) -> f64 {
    read_units(row.map_or(0, |row| row_size(&row.key, &row.body)))
}

fn read_units(size: usize) -> f64 {
    size.div_ceil(4096).max(1) as f64
}

fn write_units(rows: &Rows, writes: &[Write]) -> f64 {
    let units: usize = writes
        .iter()
        .map(|write| part_units(rows.get(&write.key), write))
        .sum();
    let each = if writes.len() > 1 { 2 } else { 1 };
    (units * each) as f64
}

/// Counts the larger of the row before and after, and one unit for each entry of the index that comes or goes.
fn part_units(old: Option<&Kept>, write: &Write) -> usize {
    let before = old.map_or(0, |old| row_size(&write.key, &old.body));
    let (after, due) = match &write.action {
        Action::Put(content) => (row_size(&write.key, &content.body), listed(content.due)),
        Action::Delete => (0, None),
        Action::Check => return before.div_ceil(1024).max(1),
    };
    let was_due = old.and_then(|old| old.due);
    let moved = usize::from(was_due != due);
    let index = moved * (usize::from(was_due.is_some()) + usize::from(due.is_some()));
    before.max(after).div_ceil(1024).max(1) + index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;

    fn key(sort: &str) -> Key {
        Key::new(Table::Control, "hlf", sort)
    }

    #[tokio::test]
    async fn a_single_write_counts_once_and_a_part_of_a_transaction_twice() {
        let store = MemoryStore::new();
        let put = |sort| Write::put(key(sort), Expect::Anything, Content::of(&1));
        store.write(vec![put("a")]).await.unwrap();
        assert_eq!(store.counts().write_units, 1.0);
        store.write(vec![put("b"), put("c")]).await.unwrap();
        assert_eq!(store.counts().write_units, 5.0);
        assert_eq!(
            (store.counts().write_requests, store.counts().rows_written),
            (2, 3)
        );
    }

    #[tokio::test]
    async fn an_expired_row_stays_until_it_is_dropped() {
        let store = MemoryStore::new();
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let content = Content::of(&1).expires_at(at);
        store
            .write(vec![Write::put(key("a"), Expect::Absent, content)])
            .await
            .unwrap();
        assert!(store.get(&[key("a")]).await.unwrap()[0].is_some());
        store.drop_expired(at);
        assert!(store.get(&[key("a")]).await.unwrap()[0].is_none());
    }
}
