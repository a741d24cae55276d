//! What a listing saw, and what it therefore did not see.
//!
//! A row is gone when the system says so, or when a *complete* listing does not have it, and in both cases only once
//! the system, asked for that row alone, says that there is none. What was seen is kept page by page, as eight bytes
//! for each row: two rows with the same eight bytes would hide one deletion, and never cause one.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Engine, Stop, Work};
use super::position::Position;
use super::run::Run;
use super::writer::is_recent;
use crate::model::{Kind, Link, RunId};
use crate::records;
use crate::store::{Content, Expect, Key, Query, Row, StoreError, Table, Write};

/// How long the lists of a run are kept. A review that is approved later finds none, and the next full run finds the
/// deletions again.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How many links are looked at in one go.
const SWEEP: usize = 5_000;

/// The most ids of one list: between two checkpoints, each of them is asked for and deleted.
const LIST: usize = 500;

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    /// Eight bytes for each row.
    rows: String,
}

/// Ids of rows that are said to be gone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Deletions {
    pub(super) ids: Vec<Box<str>>,
}

fn key(integration: &crate::model::IntegrationId, run: &RunId, list: &str, kind: Kind, number: u32) -> Key {
    let sort = format!("{list}#{}#{run}#{kind}#{number:06}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

fn put(run: &Run, list: &str, kind: Kind, number: u32, content: Content) -> Write {
    let expires_at = run.opened_at + KEPT;
    let key = key(&run.integration, &run.id, list, kind, number);
    Write::put(key, Expect::Anything, content.expires_at(expires_at))
}

/// Shortens an id to the eight bytes that are kept of it.
pub(super) fn mark(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

/// Returns the write that keeps what a page held.
pub(super) fn seen(run: &Run, kind: Kind, page: u32, marks: &[u64]) -> Write {
    let bytes: Vec<u8> = marks.iter().flat_map(|mark| mark.to_le_bytes()).collect();
    put(
        run,
        "seen",
        kind,
        page,
        Content::of(&Seen {
            rows: STANDARD_NO_PAD.encode(bytes),
        }),
    )
}

/// Keeps ids with the next checkpoint, in lists that one slice can work through; returns how many lists there are then.
pub(super) fn keep_deletions(work: &mut Work, kind: Kind, mut lists: u32, ids: &[Box<str>]) -> u32 {
    for ids in ids.chunks(LIST) {
        let list = deletions(&work.run, kind, lists, ids);
        work.with_checkpoint.push(list);
        lists += 1;
    }
    lists
}

/// Returns the write that keeps a list of deletions.
fn deletions(run: &Run, kind: Kind, list: u32, ids: &[Box<str>]) -> Write {
    put(
        run,
        "deletions",
        kind,
        list,
        Content::of(&Deletions { ids: ids.to_vec() }),
    )
}

impl Engine<'_> {
    /// Looks, after a complete listing, for links whose row was not in it.
    pub(super) async fn sweep(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Sweep {
            kind,
            since,
            pages,
            mut after,
            mut lists,
        } = work.run.position.clone()
        else {
            return Ok(());
        };
        let seen = self.all_seen(&work.run, kind, pages).await?;
        loop {
            let partition = records::link_partition(&self.integration.id, kind);
            let page = self
                .query(&Query::new(Table::Records, partition, "", SWEEP).after(after))
                .await?;
            let mut absent = Vec::new();
            for row in page.rows {
                let is_seen = seen.binary_search(&mark(&row.key.sort)).is_ok();
                if !is_seen && !self.is_ahead(kind, &row)? {
                    absent.push(row.key.sort.into_boxed_str());
                }
            }
            work.totals(kind).absent += absent.len() as u64;
            lists = keep_deletions(work, kind, lists, &absent);
            let Some(next) = page.next else { break };
            after = Some(next);
            let position = Position::Sweep {
                kind,
                since: since.clone(),
                pages,
                after: after.clone(),
                lists,
            };
            self.checkpoint(work, position).await?;
        }
        if lists == 0 {
            return self.end_of_kind(work, kind, Some(since), false).await;
        }
        let found_by = work.run.id.clone();
        let position = Position::Delete {
            kind,
            since: Some(since),
            lists,
            list: 0,
            found_by,
            approved: false,
        };
        self.checkpoint(work, position).await
    }

    /// Says whether a row is younger than pages that are behind: that they do not have it says nothing of it.
    fn is_ahead(&self, kind: Kind, row: &Row) -> Result<bool, StoreError> {
        let lag = self.lag(kind);
        if lag.is_zero() {
            return Ok(false);
        }
        let link: Link = row.decode()?;
        Ok(link
            .hinted_at
            .is_some_and(|at| is_recent(at, self.clock.now(), lag)))
    }

    /// Returns what all pages of a listing held, sorted.
    async fn all_seen(&self, run: &Run, kind: Kind, pages: u32) -> Result<Vec<u64>, Stop> {
        let mut marks = Vec::new();
        for first in (0..pages).step_by(20) {
            let numbers = first..pages.min(first + 20);
            let keys: Vec<Key> = numbers
                .map(|page| key(&run.integration, &run.id, "seen", kind, page))
                .collect();
            for row in self.read(&keys).await? {
                marks.extend(decode(row)?);
            }
        }
        marks.sort_unstable();
        Ok(marks)
    }

    /// Reads one list of deletions.
    pub(super) async fn deletion_list(
        &self,
        found_by: &RunId,
        kind: Kind,
        list: u32,
    ) -> Result<Vec<Box<str>>, Stop> {
        let key = key(&self.integration.id, found_by, "deletions", kind, list);
        let row = self.read(&[key]).await?.pop().flatten();
        let list: Option<Deletions> = row.map(|row| row.decode()).transpose()?;
        Ok(list.map_or_else(Vec::new, |list| list.ids))
    }
}

/// A page that is missing is no page that was empty: its rows would all be taken for deleted.
fn decode(row: Option<crate::store::Row>) -> Result<Vec<u64>, StoreError> {
    let malformed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Malformed {
        sort: "seen".to_owned(),
        source,
    };
    let row = row.ok_or_else(|| malformed("a page of the listing is missing".into()))?;
    let seen: Seen = row.decode()?;
    let bytes = STANDARD_NO_PAD
        .decode(seen.rows)
        .map_err(|error| malformed(error.into()))?;
    Ok(bytes
        .chunks_exact(8)
        .filter_map(|chunk| chunk.try_into().ok())
        .map(u64::from_le_bytes)
        .collect())
}
