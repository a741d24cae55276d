//! Listing rows: `$select`, `$filter`, `$orderby`, `$top`, and pages.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::error::{Outcome, Refusal};
use super::filter::{Filter, Properties};
use super::link::Mode;
use super::options::Options;
use super::preferences::{LARGEST_PAGE, Preferences};
use super::row::{Cell, Row};
use super::schema::{Kind, Table};
use super::store::Rows;

/// Holds a checked query over one table.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) columns: Vec<usize>,
    pub(crate) filter: Option<Filter>,
    pub(crate) order: Vec<(usize, bool)>,
    pub(crate) top: Option<usize>,
    pub(crate) count: bool,
}

/// Holds one page of a listing.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) rows: Vec<Arc<Row>>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Mode>,
}

impl Properties for Table {
    fn find(&self, name: &str) -> Option<(usize, Kind)> {
        let index = self.readable(name)?;
        Some((index, self.columns[index].kind.clone()))
    }

    fn type_name(&self) -> &str {
        &self.logical_name
    }
}

impl Query {
    pub(crate) fn parse(table: &Table, options: &Options, preferences: &Preferences) -> Outcome<Self> {
        let filter = options
            .get("$filter")
            .map(|text| Filter::parse(text, table))
            .transpose()?;
        let top = options.get("$top").map(top).transpose()?;
        Ok(Self {
            columns: select(table, options)?,
            filter,
            order: options
                .get("$orderby")
                .map(|text| order(table, text))
                .transpose()?
                .unwrap_or_default(),
            // Documented: together with a page size, `$top` is ignored.
            top: top.filter(|_| preferences.max_page_size.is_none()),
            count: options.get("$count") == Some("true"),
        })
    }

    fn admits(&self, table: &Table, row: &Row) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.matches(&|column| row.value(table, column)))
    }

    /// Lists one page, after `position` where it is given.
    pub(crate) fn page(&self, rows: &Rows, position: Option<(Uuid, Vec<Value>)>, size: usize) -> Listing {
        let size = self.top.unwrap_or(size).min(size);
        if self.order.is_empty() {
            let after = position.map(|(after, _)| after);
            let found = rows.after(after).filter(|row| self.admits(&rows.table, row));
            return self.cut(&rows.table, found.take(size + 1).cloned().collect(), size);
        }
        let mut found: Vec<_> = rows
            .after(None)
            .filter(|row| self.admits(&rows.table, row))
            .cloned()
            .collect();
        found.sort_by(|a, b| self.compare(&rows.table, (&self.keys(&rows.table, a), a.id), b));
        if let Some((after, keys)) = position {
            let keys = self.read_keys(&rows.table, &keys);
            found.retain(|row| self.compare(&rows.table, (&keys, after), row) == Ordering::Less);
        }
        found.truncate(size + 1);
        self.cut(&rows.table, found, size)
    }

    /// Counts the rows that match, as far as the Web API counts.
    pub(crate) fn count(&self, rows: &Rows) -> usize {
        rows.after(None)
            .filter(|row| self.admits(&rows.table, row))
            .take(LARGEST_PAGE)
            .count()
    }

    fn cut(&self, table: &Table, mut rows: Vec<Arc<Row>>, size: usize) -> Listing {
        let more = rows.len() > size && self.top.is_none();
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|last| {
            let keys = self.keys(table, last);
            let keys = keys
                .iter()
                .map(|key| key.as_ref().map_or(Value::Null, Cell::to_value))
                .collect();
            Mode::List { after: last.id, keys }
        });
        Listing { rows, next }
    }

    fn keys(&self, table: &Table, row: &Row) -> Vec<Option<Cell>> {
        self.order
            .iter()
            .map(|(column, _)| row.value(table, *column))
            .collect()
    }

    fn read_keys(&self, table: &Table, keys: &[Value]) -> Vec<Option<Cell>> {
        let kinds = self.order.iter().map(|(column, _)| &table.columns[*column].kind);
        kinds
            .zip(keys)
            .map(|(kind, key)| Cell::from_value(kind, key))
            .collect()
    }

    fn compare(&self, table: &Table, (keys, id): (&[Option<Cell>], Uuid), row: &Row) -> Ordering {
        for ((column, descending), key) in self.order.iter().zip(keys) {
            let order = compare_cells(key.as_ref(), row.value(table, *column).as_ref());
            let order = if *descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        id.cmp(&row.id)
    }
}

/// Orders nulls before everything else.
fn compare_cells(a: Option<&Cell>, b: Option<&Cell>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.order(b),
        _ => a.is_some().cmp(&b.is_some()),
    }
}

/// Returns the columns to answer with; the primary id is always among them.
pub(crate) fn select(table: &Table, options: &Options) -> Outcome<Vec<usize>> {
    let Some(text) = options.get("$select") else {
        let readable = |column: &usize| table.columns[*column].on_read;
        return Ok((0..table.columns.len()).filter(readable).collect());
    };
    let find = |name: &str| {
        table
            .readable(name)
            .ok_or_else(|| Refusal::unknown_property(name, &table.logical_name))
    };
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut columns = names.map(find).collect::<Outcome<Vec<_>>>()?;
    columns.extend(table.index(&table.primary_id));
    let mut seen = std::collections::HashSet::new();
    columns.retain(|column| seen.insert(*column));
    Ok(columns)
}

fn top(text: &str) -> Outcome<usize> {
    let refusal = || Refusal::bad_request(format!("Invalid value '{text}' for $top query option found."));
    text.parse().ok().filter(|top| *top > 0).ok_or_else(refusal)
}

fn order(table: &Table, text: &str) -> Outcome<Vec<(usize, bool)>> {
    text.split(',')
        .map(|term| order_term(table, term.trim()))
        .collect()
}

fn order_term(table: &Table, term: &str) -> Outcome<(usize, bool)> {
    let (name, direction) = term.split_once(' ').unwrap_or((term, "asc"));
    let column = table
        .readable(name)
        .ok_or_else(|| Refusal::unknown_property(name, &table.logical_name))?;
    match direction.trim() {
        "asc" => Ok((column, false)),
        "desc" => Ok((column, true)),
        other => Err(Refusal::bad_request(format!(
            "Syntax error in $orderby: '{other}'."
        ))),
    }
}
