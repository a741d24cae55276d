//! How rows become a file: what an adapter says about that, and the usual way, a table by a profile.

use std::collections::BTreeMap;
use std::fmt::Debug;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::decide::FileDecision;
use crate::csv::{Cell, Column, Feed, Profile, WriteError, Writer};
use crate::model::{FieldError, FileId, FilePurpose, FileRowKey, IntegrationId, Kind};

/// What is rendered; the same whenever the same file is rendered again.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Whose file it is.
    pub integration: &'a IntegrationId,
    /// Which file.
    pub file: &'a FileId,
    /// What its rows are for.
    pub purpose: &'a FilePurpose,
    /// Since when it takes no more rows.
    pub closed_at: Timestamp,
}

/// A file that was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its name: letters of ASCII, digits, `.`, `-` and `_`, and nothing of a person.
    pub name: String,
    /// What it says it is, such as `text/csv; charset=utf-8`.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Control totals, by name, as exact decimal text: what the human compares on import.
    pub totals: BTreeMap<String, String>,
}

/// A row that cannot be written as the system wants it; says nothing of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the row cannot be written: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Unrenderable(pub Vec<FieldError>);

/// Renders the files of a system.
///
/// # Behaviour
///
/// - It is pure: the same head and rows give the same bytes and name, in any process.
/// - It takes rows one by one, in the order of the bytes of their keys, and keeps what it has to.
/// - A name has nothing of a row in it.
pub trait Render: Debug + Send + Sync {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// The system knows no such file: `purpose` says so.
    fn begin<'a>(&'a self, head: &Head<'_>) -> Result<Box<dyn Rendering + 'a>, Unrenderable>;

    /// Says which records rows for a purpose are about, by their keys, where those are to be sent again: of a discarded file
    /// since nothing has them, of an imported one since there is an API that says whether it took them.
    fn again(&self, purpose: &FilePurpose, decision: FileDecision) -> Option<Kind>;
}

/// A file while it is rendered.
pub trait Rendering: Send {
    /// Takes the next row.
    ///
    /// # Errors
    ///
    /// It cannot be written; the file is given up when all rows have been looked at.
    fn row(&mut self, key: &FileRowKey, value: &Value) -> Result<(), Unrenderable>;

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// It cannot be written as a whole.
    fn finish(self: Box<Self>) -> Result<Rendered, Unrenderable>;
}

/// Renders rows that are objects as a table: a column takes the member of its name.
///
/// A text, date, choice or decimal is a JSON text, a decimal as in `"-1234.50"`; an integer is a number, a truth a boolean; null
/// and what is missing is an empty cell. Texts are guarded as the profile's audience has it. A member that is no column is
/// refused: it would get lost.
#[derive(Debug, Clone)]
pub struct Table {
    profile: Profile,
    feed: Feed,
    holds: Option<Holds>,
}

/// Which records the rows of a table are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holds {
    /// Their kind; their ids are the keys of rows.
    pub kind: Kind,
    /// Whether there is an API that tells what became of an import.
    pub has_api: bool,
}

impl Table {
    /// Renders by a profile; `feed` is what the file is called after, `holds` what its rows are about.
    #[must_use]
    pub const fn new(profile: Profile, feed: Feed, holds: Option<Holds>) -> Self {
        Self { profile, feed, holds }
    }
}

impl Render for Table {
    fn again(&self, _: &FilePurpose, decision: FileDecision) -> Option<Kind> {
        let Holds { kind, has_api } = self.holds?;
        (has_api || decision == FileDecision::Discarded).then_some(kind)
    }

    fn begin<'a>(&'a self, head: &Head<'_>) -> Result<Box<dyn Rendering + 'a>, Unrenderable> {
        let day = head.closed_at.strftime("%Y%m%d");
        let writer = Writer::new(&self.profile, Vec::new()).map_err(|_| broken())?;
        Ok(Box::new(Rows {
            table: self,
            name: format!(
                "{}_{}_{day}_{}.csv",
                head.integration.organization, self.feed, head.file
            ),
            writer,
        }))
    }
}

/// Renders a table for each purpose.
#[derive(Debug, Clone)]
pub struct Tables(pub BTreeMap<FilePurpose, Table>);

impl Render for Tables {
    fn begin<'a>(&'a self, head: &Head<'_>) -> Result<Box<dyn Rendering + 'a>, Unrenderable> {
        let table = self.0.get(head.purpose);
        table
            .ok_or_else(|| fault("purpose", "is none of this system's files"))?
            .begin(head)
    }

    fn again(&self, purpose: &FilePurpose, decision: FileDecision) -> Option<Kind> {
        self.0.get(purpose)?.again(purpose, decision)
    }
}

struct Rows<'a> {
    table: &'a Table,
    name: String,
    writer: Writer<Vec<u8>>,
}

impl Rendering for Rows<'_> {
    fn row(&mut self, _: &FileRowKey, value: &Value) -> Result<(), Unrenderable> {
        let columns = self.table.profile.columns();
        let object = value
            .as_object()
            .ok_or_else(|| fault("row", "must be an object"))?;
        let cells = cells(columns, object).map_err(Unrenderable)?;
        self.writer.write(&cells).map_err(unrenderable)
    }

    fn finish(self: Box<Self>) -> Result<Rendered, Unrenderable> {
        let (bytes, totals) = self.writer.finish().map_err(unrenderable)?;
        let sums = totals.sums.into_iter().map(|(name, sum)| (name, sum.to_string()));
        Ok(Rendered {
            name: self.name,
            content_type: self.table.profile.content_type(),
            bytes,
            totals: sums.collect(),
        })
    }
}

fn cells<'a>(columns: &[Column], object: &'a Map<String, Value>) -> Result<Vec<Cell<'a>>, Vec<FieldError>> {
    let mut faults = Vec::new();
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        match column.cell(object.get(column.name()).unwrap_or(&Value::Null)) {
            Ok(cell) => cells.push(cell),
            Err(reason) => faults.push(FieldError::new(column.header(), reason)),
        }
    }
    let known = |name: &str| columns.iter().any(|column| column.name() == name);
    if object.keys().any(|name| !known(name)) {
        faults.push(FieldError::new("row", "has a member that no column takes"));
    }
    if faults.is_empty() { Ok(cells) } else { Err(faults) }
}

fn fault(field: &str, reason: &str) -> Unrenderable {
    Unrenderable(vec![FieldError::new(field, reason)])
}

fn broken() -> Unrenderable {
    fault("file", "could not be written")
}

fn unrenderable(error: WriteError) -> Unrenderable {
    match error {
        WriteError::Row(error) => Unrenderable(error.faults),
        WriteError::Sum { column } => fault(&column, "has a sum with too many digits"),
        WriteError::Io(_) | WriteError::Broken => broken(),
    }
}
