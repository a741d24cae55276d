//! Rows as JSON.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::preferences::Preferences;
use super::row::{Cell, Row};
use super::schema::{Column, Kind, Table};
use crate::wire::Fragment;

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const LOOKUP_TABLE: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// Pages with fewer rows than this are not worth remembering.
const SMALLEST_REMEMBERED: usize = 100;

/// The number of pages that are remembered before all are forgotten.
const MOST_REMEMBERED: usize = 1024;

/// Writes the chosen columns of rows.
#[derive(Debug)]
pub(crate) struct Renderer<'a> {
    table: &'a Table,
    columns: &'a [usize],
    formatted: bool,
    lookup_table: bool,
    navigation: bool,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(table: &'a Table, columns: &'a [usize], preferences: &Preferences) -> Self {
        let (formatted, lookup_table) = (preferences.wants(FORMATTED), preferences.wants(LOOKUP_TABLE));
        Self {
            table,
            columns,
            formatted,
            lookup_table,
            navigation: preferences.wants(NAVIGATION),
        }
    }

    /// Writes rows separated by commas.
    pub(crate) fn rows(&self, rows: &[Arc<Row>]) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() * self.columns.len() * 32);
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.push(b'{');
            self.members(&mut out, row);
            out.push(b'}');
        }
        out
    }

    /// Writes a row's members without braces.
    pub(crate) fn members(&self, out: &mut Vec<u8>, row: &Row) {
        out.extend_from_slice(format!("\"@odata.etag\":\"W/\\\"{}\\\"\"", row.version).as_bytes());
        for &index in self.columns {
            let (column, cell) = (&self.table.columns[index], row.value(self.table, index));
            member(out, &column.property, cell.as_ref());
            if let Some(cell) = &cell {
                self.annotations(out, column, cell);
            }
        }
    }

    fn annotations(&self, out: &mut Vec<u8>, column: &Column, cell: &Cell) {
        if self.formatted
            && let Some(label) = label(&column.kind, cell)
        {
            annotation(out, &column.property, FORMATTED, &label);
        }
        if let Kind::Lookup(lookup) = &column.kind {
            if self.navigation {
                annotation(out, &column.property, NAVIGATION, &lookup.navigation);
            }
            if self.lookup_table {
                annotation(out, &column.property, LOOKUP_TABLE, &lookup.target);
            }
        }
    }

    /// Returns one row as a JSON object.
    pub(crate) fn object(&self, row: &Row) -> Map<String, Value> {
        let mut out = vec![b'{'];
        self.members(&mut out, row);
        out.push(b'}');
        serde_json::from_slice(&out).expect("rows are written as JSON")
    }

    fn fingerprint(&self, rows: &[Arc<Row>]) -> u64 {
        let mut hasher = DefaultHasher::new();
        (
            &self.table.entity_set,
            self.columns,
            self.formatted,
            self.lookup_table,
            self.navigation,
        )
            .hash(&mut hasher);
        for row in rows {
            (row.id, row.version).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn member(out: &mut Vec<u8>, name: &str, cell: Option<&Cell>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    match cell {
        None => out.extend_from_slice(b"null"),
        Some(Cell::Text(text)) => serde_json::to_writer(out, text).expect("writing to memory cannot fail"),
        Some(Cell::Whole(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        Some(Cell::Flag(flag)) => out.extend_from_slice(flag.to_string().as_bytes()),
        Some(cell) => serde_json::to_writer(out, &cell.to_value()).expect("writing to memory cannot fail"),
    }
}

fn annotation(out: &mut Vec<u8>, property: &str, term: &str, value: &str) {
    member(
        out,
        &format!("{property}@{term}"),
        Some(&Cell::Text(value.into())),
    );
}

fn label(kind: &Kind, cell: &Cell) -> Option<String> {
    match (kind, cell) {
        (Kind::Choice(choices), Cell::Whole(number)) => choices
            .iter()
            .find(|(value, _)| value == number)
            .map(|(_, label)| (*label).to_owned()),
        (Kind::Flag(yes, no), Cell::Flag(flag)) => Some(if *flag { *yes } else { *no }.to_owned()),
        (Kind::Day, Cell::Day(day)) => Some(day.strftime("%d.%m.%Y").to_string()),
        (Kind::Version | Kind::Whole, Cell::Whole(number)) => Some(number.to_string()),
        (Kind::Moment, Cell::Moment(_)) => cell.to_value().as_str().map(str::to_owned),
        _ => None,
    }
}

/// Remembers rendered pages, so that the same rows are written and compressed once.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<u64, Arc<Fragment>>>);

impl Pages {
    pub(crate) fn get(&self, renderer: &Renderer<'_>, rows: &[Arc<Row>]) -> Arc<Fragment> {
        if rows.len() < SMALLEST_REMEMBERED {
            return Arc::new(Fragment::new(renderer.rows(rows)));
        }
        let fingerprint = renderer.fingerprint(rows);
        if let Some(known) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&fingerprint)
        {
            return Arc::clone(known);
        }
        let fragment = Arc::new(Fragment::new(renderer.rows(rows)));
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST_REMEMBERED {
            pages.clear();
        }
        pages.insert(fingerprint, Arc::clone(&fragment));
        fragment
    }
}
