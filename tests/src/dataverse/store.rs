//! The rows of every table, their versions, and the log that deltas are read from.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use uuid::Uuid;

use super::events::Event;
use super::row::{Cell, Row, fold};
use super::schema::{Kind, Table};

/// Versions start here so that etags look like those of an organization with a history.
const FIRST_VERSION: u64 = 1_000_000;

/// The table of users, whose rows are not simulated.
const USERS: &str = "systemuser";

/// Holds all tables under one version counter.
#[derive(Debug)]
pub(crate) struct Store {
    tables: Vec<Rows>,
    version: u64,
    undo: Option<Vec<Undo>>,
    /// What happened that webhooks tell of.
    events: Vec<Event>,
    /// How many of them there were when a roll-back became possible.
    settled: usize,
}

/// Holds the rows of one table.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) table: Arc<Table>,
    /// Rises with every change of the table's definition.
    pub(crate) metadata_version: u32,
    rows: BTreeMap<Uuid, Arc<Row>>,
    keys: Vec<HashMap<Box<str>, Uuid>>,
    log: BTreeMap<u64, Change>,
    tombstones: HashMap<Uuid, u64>,
    /// Pairs of a row that is pointed to and a row of this table that points to it.
    references: BTreeSet<(Uuid, Uuid)>,
}

/// Says what last happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Written(Uuid),
    Deleted(Uuid),
}

#[derive(Debug)]
struct Undo {
    table: usize,
    id: Uuid,
    row: Option<Arc<Row>>,
    tombstone: Option<u64>,
}

impl Store {
    pub(crate) fn new(tables: Vec<Arc<Table>>) -> Self {
        let tables = tables.into_iter().map(Rows::new).collect();
        Self {
            tables,
            version: FIRST_VERSION,
            undo: None,
            events: Vec::new(),
            settled: 0,
        }
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Rows> {
        self.tables.iter()
    }

    pub(crate) fn position(&self, entity_set: &str) -> Option<usize> {
        self.tables
            .iter()
            .position(|rows| rows.table.entity_set == entity_set)
    }

    pub(crate) fn by_logical_name(&self, name: &str) -> Option<&Rows> {
        self.tables.iter().find(|rows| rows.table.logical_name == name)
    }

    pub(crate) fn rows(&self, table: usize) -> &Rows {
        &self.tables[table]
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Uses a version up, so that all that came before can be told from all that follows.
    pub(crate) fn skip_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Writes a row under a new version and returns it as stored.
    pub(crate) fn put(&mut self, table: usize, mut row: Row) -> Arc<Row> {
        self.remember(table, row.id);
        self.version += 1;
        row.version = self.version;
        let row = Arc::new(row);
        self.tables[table].put(Arc::clone(&row));
        row
    }

    /// Deletes a row and leaves a tombstone.
    pub(crate) fn delete(&mut self, table: usize, id: Uuid) {
        self.remember(table, id);
        self.version += 1;
        self.tables[table].bury(id, self.version);
    }

    /// Begins to remember what a roll-back needs.
    pub(crate) fn begin(&mut self) {
        self.undo = Some(Vec::new());
        self.settled = self.events.len();
    }

    /// Keeps everything since [`Self::begin`].
    pub(crate) fn commit(&mut self) {
        self.undo = None;
    }

    /// Takes everything since [`Self::begin`] back; its versions are never used again.
    pub(crate) fn roll_back(&mut self) {
        self.events.truncate(self.settled);
        for undo in self.undo.take().into_iter().flatten().rev() {
            self.tables[undo.table].restore(undo.id, undo.row, undo.tombstone);
        }
    }

    /// Notes something that webhooks tell of.
    pub(crate) fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Takes what happened, in its order.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Changes a table's definition as far as its delta links are concerned.
    pub(crate) fn change_metadata(&mut self, table: usize) {
        self.tables[table].metadata_version += 1;
    }

    fn remember(&mut self, table: usize, id: Uuid) {
        let rows = &self.tables[table];
        let (row, tombstone) = (rows.get(id).cloned(), rows.tombstones.get(&id).copied());
        if let Some(undo) = &mut self.undo {
            undo.push(Undo {
                table,
                id,
                row,
                tombstone,
            });
        }
    }
}

impl Rows {
    fn new(table: Arc<Table>) -> Self {
        let keys = table.keys.iter().map(|_| HashMap::new()).collect();
        Self {
            table,
            metadata_version: 1,
            rows: BTreeMap::new(),
            keys,
            log: BTreeMap::new(),
            tombstones: HashMap::new(),
            references: BTreeSet::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Arc<Row>> {
        self.rows.get(&id)
    }

    /// Returns the rows by id, after one id where it is given.
    pub(crate) fn after(&self, id: Option<Uuid>) -> impl Iterator<Item = &Arc<Row>> {
        let start = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range((start, Bound::Unbounded)).map(|(_, row)| row)
    }

    /// Returns the id under a key's values.
    pub(crate) fn find(&self, key: usize, values: &[Cell]) -> Option<Uuid> {
        self.keys[key].get(&key_text(values)).copied()
    }

    /// Returns the key that a row would share with another row.
    pub(crate) fn collision(&self, row: &Row) -> Option<usize> {
        (0..self.keys.len()).find(|&key| {
            let holder = self
                .key_of(key, row)
                .and_then(|text| self.keys[key].get(&text).copied());
            holder.is_some_and(|holder| holder != row.id)
        })
    }

    /// Returns what happened in `(from, to]`, each row once, by version.
    pub(crate) fn changes(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, Change)> {
        let range = (Bound::Excluded(from), Bound::Included(to.max(from + 1)));
        self.log
            .range(range)
            .filter(move |(version, _)| **version <= to)
            .map(|(&version, &change)| (version, change))
    }

    fn put(&mut self, row: Arc<Row>) {
        self.forget(row.id);
        for key in 0..self.keys.len() {
            if let Some(text) = self.key_of(key, &row) {
                self.keys[key].insert(text, row.id);
            }
        }
        self.references
            .extend(self.targets(&row).into_iter().map(|target| (target, row.id)));
        self.log.insert(row.version, Change::Written(row.id));
        self.rows.insert(row.id, row);
    }

    fn bury(&mut self, id: Uuid, version: u64) {
        self.forget(id);
        self.log.insert(version, Change::Deleted(id));
        self.tombstones.insert(id, version);
    }

    /// Removes every trace of a row, alive or dead.
    fn forget(&mut self, id: Uuid) {
        if let Some(version) = self.tombstones.remove(&id) {
            self.log.remove(&version);
        }
        let Some(row) = self.rows.remove(&id) else { return };
        self.log.remove(&row.version);
        for target in self.targets(&row) {
            self.references.remove(&(target, id));
        }
        for key in 0..self.keys.len() {
            if let Some(text) = self.key_of(key, &row) {
                self.keys[key].remove(&text);
            }
        }
    }

    fn restore(&mut self, id: Uuid, row: Option<Arc<Row>>, tombstone: Option<u64>) {
        self.forget(id);
        if let Some(version) = tombstone {
            self.bury(id, version);
        }
        if let Some(row) = row {
            self.put(row);
        }
    }

    fn key_of(&self, key: usize, row: &Row) -> Option<Box<str>> {
        let columns = &self.table.keys[key].columns;
        let cells = columns
            .iter()
            .map(|column| row.value(&self.table, self.table.index(column)?));
        cells.collect::<Option<Vec<_>>>().map(|cells| key_text(&cells))
    }

    /// Returns the position of the alternate key that consists of exactly these properties.
    pub(crate) fn key_position(&self, properties: &[&str]) -> Option<usize> {
        self.table.keys.iter().position(|key| {
            key.columns.len() == properties.len()
                && key.columns.iter().all(|name| properties.contains(&name.as_str()))
        })
    }

    /// Returns the rows that point to a row, each with the columns that do.
    pub(crate) fn pointing_to(&self, target: Uuid) -> impl Iterator<Item = (&Arc<Row>, Vec<usize>)> {
        let pairs = self
            .references
            .range((target, Uuid::nil())..=(target, Uuid::max()));
        pairs.filter_map(move |(_, id)| {
            let row = self.rows.get(id)?;
            let points = |column: &usize| row.get(*column) == Some(&Cell::Id(target));
            Some((row, self.lookups().filter(points).collect()))
        })
    }

    fn targets(&self, row: &Row) -> Vec<Uuid> {
        let target = |column| match row.get(column) {
            Some(Cell::Id(id)) => Some(*id),
            _ => None,
        };
        self.lookups().filter_map(target).collect()
    }

    /// Returns the lookup columns, without those that say who wrote a row.
    fn lookups(&self) -> impl Iterator<Item = usize> {
        let points = |kind: &Kind| matches!(kind, Kind::Lookup(lookup) if lookup.target != USERS);
        let columns = self.table.columns.iter().enumerate();
        columns
            .filter(move |(_, column)| points(&column.kind))
            .map(|(index, _)| index)
    }
}

/// Joins key values as the unique index compares them.
fn key_text(values: &[Cell]) -> Box<str> {
    let mut text = String::new();
    for value in values {
        match value {
            Cell::Text(value) => text.push_str(&fold(value)),
            other => text.push_str(&other.to_value().to_string()),
        }
        text.push('\u{1f}');
    }
    text.into()
}
