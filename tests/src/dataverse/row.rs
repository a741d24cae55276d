//! Rows: few cells, no nulls, and shared between the store and the answers being written.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::schema::{Kind, Table};

/// Holds one value that is not null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(Box<str>),
    Whole(i64),
    Flag(bool),
    /// Whole seconds since the Unix epoch.
    Moment(i64),
    Day(Date),
    Id(Uuid),
}

/// Holds one version of one row; a change makes a new one.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) version: u64,
    /// Cells by column, ascending.
    pub(crate) cells: Box<[(u16, Cell)]>,
}

impl Cell {
    /// Compares as the database does: text without regard to case.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => fold(a).cmp(&fold(b)),
            (Self::Whole(a), Self::Whole(b)) | (Self::Moment(a), Self::Moment(b)) => a.cmp(b),
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Day(a), Self::Day(b)) => a.cmp(b),
            (Self::Id(a), Self::Id(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(&**text),
            Self::Whole(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
            Self::Moment(seconds) => Value::from(moment(*seconds)),
            Self::Day(day) => Value::from(day.to_string()),
            Self::Id(id) => Value::from(id.to_string()),
        }
    }

    /// Reads a JSON value as the column's kind; `None` when it does not fit.
    pub(crate) fn from_value(kind: &Kind, value: &Value) -> Option<Self> {
        match kind {
            Kind::Text(_) => value.as_str().map(|text| Self::Text(text.into())),
            Kind::Whole | Kind::Choice(_) | Kind::Version => value.as_i64().map(Self::Whole),
            Kind::Flag(..) => value.as_bool().map(Self::Flag),
            Kind::Moment => value
                .as_str()?
                .parse::<Timestamp>()
                .ok()
                .map(|at| Self::Moment(at.as_second())),
            Kind::Day => day(value.as_str()?).map(Self::Day),
            Kind::PrimaryId | Kind::Lookup(_) => value.as_str()?.parse().ok().map(Self::Id),
        }
    }
}

impl Row {
    /// Returns a stored cell.
    pub(crate) fn get(&self, column: usize) -> Option<&Cell> {
        let column = u16::try_from(column).ok()?;
        let at = self
            .cells
            .binary_search_by_key(&column, |(index, _)| *index)
            .ok()?;
        Some(&self.cells[at].1)
    }

    /// Returns a column's value, whether stored or inherent in the row.
    pub(crate) fn value(&self, table: &Table, column: usize) -> Option<Cell> {
        match table.columns[column].kind {
            Kind::PrimaryId => Some(Cell::Id(self.id)),
            Kind::Version => i64::try_from(self.version).ok().map(Cell::Whole),
            _ => self.get(column).cloned(),
        }
    }

    /// Returns the row with some cells set and others emptied, and no version yet.
    pub(crate) fn changed(&self, changes: Vec<(u16, Option<Cell>)>) -> Self {
        let mut cells: std::collections::BTreeMap<u16, Cell> = self.cells.iter().cloned().collect();
        for (column, cell) in changes {
            match cell {
                Some(cell) => cells.insert(column, cell),
                None => cells.remove(&column),
            };
        }
        Self {
            id: self.id,
            version: 0,
            cells: cells.into_iter().collect(),
        }
    }

    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// Folds text as the database's case-insensitive collation does.
pub(crate) fn fold(text: &str) -> String {
    text.trim_end().to_lowercase()
}

pub(crate) fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::MIN)
        .to_string()
}

/// Reads `yyyy-MM-dd` and nothing longer.
pub(crate) fn day(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}
