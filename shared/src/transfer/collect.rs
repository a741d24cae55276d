//! Collecting rows into the file that is open for them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::TransferError;
use super::file::{File, FileDirection, FileState, file_key};
use super::rows::{Filed, Item, filed_key, item_key, open_key, print};
use crate::model::{FileId, FilePurpose, FileRowKey, IntegrationId};
use crate::store::{Content, Expect, Key, Row, Store, StoreError, Write};

/// The most rows of a file; what comes after goes into another.
pub const MAX_ROWS: u64 = 100_000;

/// The most bytes of all rows of a file, so that what is rendered of them is an object.
const MAX_WEIGHT: u64 = 32 << 20;

/// The most bytes of one row.
pub const MAX_ROW_BYTES: usize = 32 << 10;

/// How many rows go into one transaction: two parts each, with a few for their files.
const BATCH: usize = 40;

/// How long after its last row a file is closed …
pub const QUIET: SignedDuration = SignedDuration::from_mins(5);

/// … and how long after its first one at the latest.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Whether a row whose file is closed may go out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Not before its file is discarded, whatever it says now: what is booked by it would be booked twice.
    Never,
    /// When it says something else: what it says takes the place of what it said.
    Changed,
    /// Also when it says the same, once its file is imported: the system was looked at since, and says otherwise.
    Again,
}

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The file that it is in.
    pub file: FileId,
    /// Whether it was put there now, or says something else there now.
    pub written: bool,
}

/// Puts rows into the file that is open for a purpose, or opens one; says where each row is, in their order.
///
/// Collecting the same again writes nothing. A row that says something else replaces itself in a file that still collects;
/// where its file takes no more rows, `repeat` says whether it goes into the next.
///
/// # Errors
///
/// `TooLarge`, with none of the rows written; `Store`: some of them may be, collect them again.
pub async fn collect(
    store: &dyn Store,
    integration: &IntegrationId,
    purpose: &FilePurpose,
    repeat: Repeat,
    rows: &[(FileRowKey, Value)],
    now: Timestamp,
) -> Result<Vec<Placed>, TransferError> {
    let mut last = BTreeMap::new();
    for (key, value) in rows {
        check(key, value)?;
        last.insert(key, value);
    }
    let collect = Collect {
        store,
        integration,
        purpose,
        repeat,
        now,
    };
    let last: Vec<(&FileRowKey, &Value)> = last.into_iter().collect();
    let mut placed = BTreeMap::new();
    for batch in last.chunks(BATCH) {
        placed.extend(collect.batch(batch).await?);
    }
    let place = |(key, _): &(FileRowKey, Value)| placed.get(key).cloned();
    Ok(rows.iter().filter_map(place).collect())
}

fn check(key: &FileRowKey, value: &Value) -> Result<(), TransferError> {
    let bytes = value.to_string().len();
    if bytes <= MAX_ROW_BYTES {
        return Ok(());
    }
    Err(TransferError::TooLarge {
        key: key.to_string(),
        bytes,
        most: MAX_ROW_BYTES,
    })
}

/// Says when a file that collects is to be closed.
pub(super) fn due(file: &File) -> Timestamp {
    let quiet = file.changed_at.checked_add(QUIET);
    let longest = file.opened_at.checked_add(LONGEST);
    quiet
        .unwrap_or(file.changed_at)
        .min(longest.unwrap_or(file.opened_at))
}

struct Collect<'a> {
    store: &'a dyn Store,
    integration: &'a IntegrationId,
    purpose: &'a FilePurpose,
    repeat: Repeat,
    now: Timestamp,
}

/// What is known when a batch begins.
struct Known {
    /// The row that names the open file, by its version.
    open: Expect,
    opened: Option<FileId>,
    /// What went out under each key, with the version of the row that says so.
    filed: Vec<Option<(Filed, u64)>>,
    files: BTreeMap<FileId, (File, u64)>,
}

/// The files that a batch changes, and what else it writes.
#[derive(Default)]
struct Draft {
    files: BTreeMap<FileId, File>,
    writes: Vec<Write>,
}

impl Collect<'_> {
    /// Whoever is refused looks again: somebody else has got further.
    async fn batch(
        &self,
        rows: &[(&FileRowKey, &Value)],
    ) -> Result<BTreeMap<FileRowKey, Placed>, StoreError> {
        loop {
            let known = self.look(rows).await?;
            let (placed, writes) = self.draft(&known, rows);
            if writes.is_empty() {
                return Ok(placed);
            }
            match self.store.write(writes).await {
                Err(StoreError::Refused { .. }) => {}
                answer => return answer.map(|()| placed),
            }
        }
    }

    async fn look(&self, rows: &[(&FileRowKey, &Value)]) -> Result<Known, StoreError> {
        let mut keys = vec![open_key(self.integration, self.purpose)];
        keys.extend(
            rows.iter()
                .map(|(key, _)| filed_key(self.integration, self.purpose, key)),
        );
        let mut found = self.store.get(&keys).await?.into_iter();
        let open = found.next().flatten();
        let opened: Option<FileId> = open.as_ref().map(Row::decode).transpose()?;
        let mut filed = Vec::with_capacity(rows.len());
        for row in found {
            let read = |row: Row| Ok::<_, StoreError>((row.decode::<Filed>()?, row.version));
            filed.push(row.map(read).transpose()?);
        }
        let names = filed.iter().flatten().map(|(filed, _)| &filed.file);
        let mut names: Vec<&FileId> = names.chain(&opened).collect();
        names.sort_unstable();
        names.dedup();
        let places: Vec<Key> = names.iter().map(|id| file_key(self.integration, id)).collect();
        let mut files = BTreeMap::new();
        for row in self.store.get(&places).await?.into_iter().flatten() {
            let file: File = row.decode()?;
            files.insert(file.id.clone(), (file, row.version));
        }
        Ok(Known {
            open: open.map_or(Expect::Absent, |row| Expect::Version(row.version)),
            opened,
            filed,
            files,
        })
    }

    fn draft(
        &self,
        known: &Known,
        rows: &[(&FileRowKey, &Value)],
    ) -> (BTreeMap<FileRowKey, Placed>, Vec<Write>) {
        let mut draft = Draft::default();
        let mut placed = BTreeMap::new();
        let target = self.target(known, rows);
        for ((key, value), filed) in rows.iter().zip(&known.filed) {
            let print = print(value);
            let before = filed.as_ref().and_then(|(filed, _)| {
                let (file, _) = known.files.get(&filed.file)?;
                (file.state != FileState::Discarded).then_some((filed, file))
            });
            let place = match before {
                // It says what it said, or may not say anything else.
                Some((filed, file)) if self.stays(filed, file, &print) => Placed {
                    file: file.id.clone(),
                    written: false,
                },
                Some((_, file)) if file.state == FileState::Collecting => {
                    draft.put(self, (file, false), (key, value), (filed.as_ref(), print));
                    Placed {
                        file: file.id.clone(),
                        written: true,
                    }
                }
                _ => {
                    draft.put(self, (&target, true), (key, value), (filed.as_ref(), print));
                    Placed {
                        file: target.id.clone(),
                        written: true,
                    }
                }
            };
            placed.insert((*key).clone(), place);
        }
        (placed, draft.finish(self, known))
    }

    fn stays(&self, filed: &Filed, file: &File, print: &str) -> bool {
        let again = self.repeat == Repeat::Again && file.state == FileState::Imported;
        let same = filed.print == print && !again;
        same || (file.state != FileState::Collecting && self.repeat == Repeat::Never)
    }

    /// Returns the file that takes what is in no other: the open one, while it has room for all of it, or a new one.
    fn target(&self, known: &Known, rows: &[(&FileRowKey, &Value)]) -> File {
        let weight: usize = rows.iter().map(|(_, value)| value.to_string().len()).sum();
        let has_room = |file: &&File| {
            file.state == FileState::Collecting
                && file.rows + rows.len() as u64 <= MAX_ROWS
                && file.bytes + weight as u64 <= MAX_WEIGHT
        };
        let open = known.opened.as_ref().and_then(|id| known.files.get(id));
        let open = open.map(|(file, _)| file).filter(has_room);
        open.cloned()
            .unwrap_or_else(|| File::new(FileDirection::Out, self.purpose, FileState::Collecting, self.now))
    }
}

impl Draft {
    /// Adds a row to a file; it is the file's version that keeps it from landing in one that was closed.
    fn put(
        &mut self,
        collect: &Collect<'_>,
        (file, is_new): (&File, bool),
        (key, value): (&FileRowKey, &Value),
        (filed, print): (Option<&(Filed, u64)>, String),
    ) {
        let changed = self.files.entry(file.id.clone()).or_insert_with(|| file.clone());
        changed.rows += u64::from(is_new);
        // A row that replaces itself counts once more: a file that changes much is closed a little early.
        changed.bytes += value.to_string().len() as u64;
        changed.changed_at = collect.now.max(file.changed_at);
        let item = Item {
            key: key.clone(),
            value: value.clone(),
        };
        let place = item_key(collect.integration, &file.id, key);
        self.writes
            .push(Write::put(place, Expect::Anything, Content::of(&item)));
        let expect = filed.map_or(Expect::Absent, |(_, version)| Expect::Version(*version));
        let filed = Filed {
            file: file.id.clone(),
            print,
        };
        let place = filed_key(collect.integration, collect.purpose, key);
        self.writes.push(Write::put(place, expect, Content::of(&filed)));
    }

    fn finish(mut self, collect: &Collect<'_>, known: &Known) -> Vec<Write> {
        for (id, file) in &self.files {
            let before = known.files.get(id).map(|(file, version)| (file.state, *version));
            self.writes
                .extend(file.writes(collect.integration, before, Some(due(file))));
            if before.is_none() {
                let place = open_key(collect.integration, collect.purpose);
                self.writes.push(Write::put(place, known.open, Content::of(id)));
            }
        }
        self.writes
    }
}
