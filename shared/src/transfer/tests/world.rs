//! Tables and objects that die where a test says, and a system that takes files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::csv::Profile;
use crate::model::{FilePurpose, FileRowKey, IntegrationId};
use crate::objects::{Head, Link, MemoryObjects, ObjectError, Objects, Upload};
use crate::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Table as Rows, Write};
use crate::transfer::{File, FileDecision, FileState, FileVerdict, Table, list_files};

/// Something that stands for what is said of a person; it must be in no name, error, event or key.
pub(super) const CANARY: &str = "Canary Personsen";

/// Counts what is written, and dies at one of it: before it, or after it and before its answer.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) writes: AtomicUsize,
    pub(super) dies_at: AtomicUsize,
}

impl Life {
    fn is_over(&self) -> bool {
        let dies_at = self.dies_at.load(SeqCst);
        dies_at != 0 && self.writes.load(SeqCst) >= dies_at
    }

    /// Passes a point at which one may die; says whether one is alive after it.
    fn point(&self) -> bool {
        if self.is_over() {
            return false;
        }
        self.writes.fetch_add(1, SeqCst);
        !self.is_over()
    }
}

#[derive(Debug)]
pub(super) struct Mortal<T> {
    pub(super) inner: T,
    pub(super) life: Arc<Life>,
}

fn dead() -> StoreError {
    StoreError::Unavailable("this process is dead".into())
}

fn gone() -> ObjectError {
    ObjectError::Unavailable("this process is dead".into())
}

/// Lets others go first, as a call over a network does.
async fn pause() {
    for _ in 0..fastrand::usize(0..4) {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Store for Mortal<Arc<MemoryStore>> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        pause().await;
        if self.life.is_over() {
            return Err(dead());
        }
        self.inner.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        pause().await;
        if self.life.is_over() {
            return Err(dead());
        }
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        pause().await;
        if !self.life.point() {
            return Err(dead());
        }
        let answer = self.inner.write(writes).await;
        if self.life.point() { answer } else { Err(dead()) }
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.inner.due(list, now, limit).await
    }
}

#[async_trait]
impl Objects for Mortal<Arc<MemoryObjects>> {
    async fn put(&self, key: &str, bytes: Bytes, content_type: &str) -> Result<(), ObjectError> {
        if !self.life.point() {
            return Err(gone());
        }
        let answer = self.inner.put(key, bytes, content_type).await;
        if self.life.point() { answer } else { Err(gone()) }
    }

    async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        self.inner.get(key).await
    }

    async fn head(&self, key: &str) -> Result<Head, ObjectError> {
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.inner.delete(key).await
    }

    async fn link_to_get(
        &self,
        key: &str,
        name: &str,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError> {
        self.inner.link_to_get(key, name, valid, now).await
    }

    async fn link_to_put(
        &self,
        key: &str,
        upload: &Upload<'_>,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError> {
        self.inner.link_to_put(key, upload, valid, now).await
    }
}

/// What is kept, which outlives processes, and a process.
#[derive(Debug)]
pub(super) struct World {
    pub(super) rows: Arc<MemoryStore>,
    pub(super) files: Arc<MemoryObjects>,
    pub(super) store: Mortal<Arc<MemoryStore>>,
    pub(super) objects: Mortal<Arc<MemoryObjects>>,
    pub(super) integration: IntegrationId,
    pub(super) purpose: FilePurpose,
}

impl World {
    pub(super) fn new() -> Self {
        Self::process(Arc::default(), Arc::default(), 0)
    }

    fn process(rows: Arc<MemoryStore>, files: Arc<MemoryObjects>, dies_at: usize) -> Self {
        let life = Arc::new(Life::default());
        life.dies_at.store(dies_at, SeqCst);
        Self {
            store: Mortal {
                inner: Arc::clone(&rows),
                life: Arc::clone(&life),
            },
            objects: Mortal {
                inner: Arc::clone(&files),
                life,
            },
            rows,
            files,
            integration: "hlf:xledger".parse().unwrap(),
            purpose: "gl02b".parse().unwrap(),
        }
    }

    /// Returns another process over what is kept, which dies at a write, or never at the write 0.
    pub(super) fn dying_at(&self, write: usize) -> Self {
        Self::process(Arc::clone(&self.rows), Arc::clone(&self.files), write)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.store.life.is_over()
    }

    pub(super) async fn all(&self) -> Vec<File> {
        let (files, next) = list_files(&*self.rows, &self.integration, None, 1000)
            .await
            .unwrap();
        assert!(next.is_none());
        files
    }

    /// Returns every row of the organization whose place begins so.
    pub(super) async fn kept(&self, prefix: &str) -> Vec<Row> {
        let query = Query::new(Rows::Control, "hlf", prefix, 1_000_000);
        self.rows.query(&query).await.unwrap().rows
    }

    /// Insists that each key is in one file that was not discarded, and each file has the rows that it says.
    pub(super) async fn check_rows(&self, expected: &BTreeSet<String>) {
        let files = self.all().await;
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for file in &files {
            let prefix = format!("file-row#xledger#{}#", file.id);
            let rows = self.kept(&prefix).await;
            assert_eq!(rows.len() as u64, file.rows, "{file:?}");
            if file.state != FileState::Discarded {
                for row in rows {
                    let key = row.key.sort.strip_prefix(&prefix).unwrap();
                    *found.entry(key.to_owned()).or_default() += 1;
                }
            }
        }
        assert!(found.values().all(|times| *times == 1), "{found:?}");
        assert_eq!(&found.into_keys().collect::<BTreeSet<_>>(), expected);
    }
}

pub(super) fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

pub(super) fn after(seconds: i64) -> Timestamp {
    now()
        .checked_add(jiff::SignedDuration::from_secs(seconds))
        .unwrap()
}

pub(super) fn key(key: &str) -> FileRowKey {
    key.parse().unwrap()
}

/// Rows about these keys.
pub(super) fn rows(keys: &[&str]) -> Vec<(FileRowKey, Value)> {
    keys.iter()
        .map(|name| (key(name), row(CANARY, "100.5")))
        .collect()
}

pub(super) fn row(text: &str, amount: &str) -> Value {
    json!({ "text": text, "amount": amount })
}

pub(super) fn profile() -> Value {
    json!({
        "dialect": { "audience": "people" },
        "columns": [
            { "name": "text", "header": "Tekst", "type": "text", "maxLength": 40 },
            { "name": "amount", "header": "Beløp", "type": "decimal", "scale": 2, "required": true }
        ]
    })
}

pub(super) fn table() -> Table {
    Table::new(
        Profile::check(&profile()).unwrap(),
        "gl02b".parse().unwrap(),
        None,
    )
}

/// Decides about a file.
pub(super) async fn decide(
    world: &World,
    file: &File,
    decision: FileDecision,
    now: Timestamp,
) -> Result<File, crate::transfer::TransferError> {
    let reason = "the import log says so".parse().unwrap();
    let verdict = FileVerdict {
        decision,
        reason: &reason,
        by: "treasurer",
        now,
    };
    crate::transfer::decide(&world.store, &world.integration, &file.id, &verdict).await
}
