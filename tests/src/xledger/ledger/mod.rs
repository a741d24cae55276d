//! The books behind all ways in: registers, the import queue, the job, and what was posted.

mod job;
pub(super) mod line;
pub(super) mod register;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use jiff::civil::Date;

pub use job::{ImportError, JobReport};
pub use line::{Entry, Line};
pub use register::Item;

use self::register::{Registers, Wanted};
use super::settings::Settings;
use super::webhook::{Change, Webhook};

/// Everything that Xledger keeps.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) settings: Settings,
    pub(super) registers: Registers,
    pub(super) queue: Vec<Line>,
    pub(super) errors: Vec<ImportError>,
    pub(super) posted: Vec<Entry>,
    pub(super) webhooks: Vec<Webhook>,
    /// The closed months, by entity.
    closed: BTreeSet<(String, i16, i8)>,
    /// Why the job refuses lines, by what their sender called them.
    pub(super) rejected: BTreeMap<String, String>,
    next_id: i64,
    last_transaction_number: i64,
    last_number: i64,
    sync_version: u64,
    /// Files that were uploaded or imported, by name.
    pub(super) files: VecDeque<String>,
}

impl Ledger {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            registers: Registers::default(),
            queue: Vec::new(),
            errors: Vec::new(),
            posted: Vec::new(),
            webhooks: Vec::new(),
            closed: BTreeSet::new(),
            rejected: BTreeMap::new(),
            next_id: 500_000,
            last_transaction_number: 9_000,
            last_number: 1_900_000_000,
            sync_version: 0,
            files: VecDeque::new(),
        }
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// Returns a number for a voucher whose sender gave it none.
    pub(super) fn next_number(&mut self) -> i64 {
        self.last_number += 1;
        self.last_number
    }

    /// Returns the id of an entity.
    pub(super) fn owner(&self, entity: &str) -> i64 {
        let item = self.registers.find("Entity", &Wanted::code(entity));
        item.map_or(0, |item| item.db_id)
    }

    /// Puts a line into the queue; the id, the times and the visibility are given here.
    pub(super) fn enqueue(&mut self, mut line: Line, now: Timestamp) -> i64 {
        line.db_id = self.next_id();
        (line.created_at, line.modified_at) = (now, now);
        line.visible_at = now + self.settings.read_back_lag;
        let id = line.db_id;
        self.queue.push(line);
        self.changed("glImportItemsMutated", id);
        id
    }

    /// Closes a month of an entity, or opens it again.
    pub(super) fn close(&mut self, entity: &str, year: i16, month: i8, closed: bool) {
        let key = (entity.to_owned(), year, month);
        if closed {
            self.closed.insert(key);
        } else {
            self.closed.remove(&key);
        }
    }

    fn is_closed(&self, entity: &str, date: Date) -> bool {
        let key = (entity.to_owned(), date.year(), date.month());
        self.closed.contains(&key)
    }

    /// Notes a change for the webhooks that listen.
    pub(super) fn changed(&mut self, stream: &'static str, db_id: i64) {
        self.sync_version += 1;
        let change = Change {
            stream,
            db_id,
            sync_version: self.sync_version,
        };
        self.webhooks.iter_mut().for_each(|webhook| webhook.note(&change));
    }
}
