//! What happens to rows, as far as a step tells of it.
//!
//! A step is looked for when something happens, inside the transaction; what is rolled back is told to nobody.
//!
//! Rows whose lookup is emptied because the row that it pointed to is gone are not told of: nothing says that they are.

use std::sync::Arc;

use uuid::Uuid;

use super::registration::{Cells, ENDPOINT, STEP, attributes, purpose};
use super::row::Row;
use super::schema::Table;
use super::store::Store;
use super::write::Author;

/// Says what happened to a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Happening<'a> {
    Created,
    /// These columns were written, whether they held the same before or not.
    Updated(&'a [u16]),
    Deleted,
}

/// Something that one step tells of.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(super) step: Uuid,
    pub(super) receiver: Receiver,
    pub(super) message: &'static str,
    pub(super) table: Arc<Table>,
    /// The row afterwards; of a row that is gone, the last.
    pub(super) row: Arc<Row>,
    /// The columns that were written.
    pub(super) changed: Vec<u16>,
    pub(super) user: Uuid,
    /// Whole seconds since the Unix epoch.
    pub(super) at: i64,
    pub(super) tag: Option<String>,
    pub(super) correlation: Uuid,
    pub(super) operation: Uuid,
}

/// Whom a step tells.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) url: String,
    pub(super) proof: Option<i64>,
    pub(super) value: String,
}

impl Happening<'_> {
    fn message(self) -> &'static str {
        match self {
            Self::Created => "Create",
            Self::Updated(_) => "Update",
            Self::Deleted => "Delete",
        }
    }

    fn columns(self, row: &Row) -> Vec<u16> {
        match self {
            Self::Created => row.cells.iter().map(|(column, _)| *column).collect(),
            Self::Updated(columns) => columns.to_vec(),
            Self::Deleted => Vec::new(),
        }
    }
}

/// Notes what happened to a row for every step that tells of it.
pub(super) fn raise(
    store: &mut Store,
    table: &Arc<Table>,
    row: &Arc<Row>,
    happening: Happening<'_>,
    author: Author<'_>,
) {
    for (step, receiver) in told(store, table, happening) {
        store.note(Event {
            step,
            receiver,
            message: happening.message(),
            table: Arc::clone(table),
            row: Arc::clone(row),
            changed: happening.columns(row),
            user: author.user,
            at: author.at,
            tag: author.tag.map(str::to_owned),
            correlation: author.correlation,
            operation: Uuid::new_v4(),
        });
    }
}

fn told(store: &Store, table: &Table, happening: Happening<'_>) -> Vec<(Uuid, Receiver)> {
    let Some(steps) = store.by_logical_name(STEP) else {
        return Vec::new();
    };
    let tells = |row: &&Arc<Row>| {
        let step = Cells {
            table: &steps.table,
            row,
        };
        step.number("statecode") == Some(0)
            && purpose(store, &step) == Some((happening.message(), &table.logical_name))
            && admits(&step, table, happening)
    };
    let to = |row: &Arc<Row>| {
        let step = Cells {
            table: &steps.table,
            row,
        };
        Some((row.id, receiver(store, &step)?))
    };
    steps.after(None).filter(tells).filter_map(to).collect()
}

/// Says whether a step looks at any of the columns that were written.
fn admits(step: &Cells<'_>, table: &Table, happening: Happening<'_>) -> bool {
    let Happening::Updated(written) = happening else {
        return true;
    };
    let is_written = |name: &str| {
        let named = |column: &u16| table.columns[usize::from(*column)].logical_name == name;
        written.iter().any(named)
    };
    attributes(step).is_none_or(|mut names| names.any(is_written))
}

fn receiver(store: &Store, step: &Cells<'_>) -> Option<Receiver> {
    let endpoint = Cells::of(store, ENDPOINT, step.id("_eventhandler_value")?)?;
    Some(Receiver {
        url: endpoint.text("url")?.to_owned(),
        proof: endpoint.number("authtype"),
        value: endpoint.text("authvalue")?.to_owned(),
    })
}
