//! A row while it is read, and what it turns out to be.

use jiff::Timestamp;

use super::map::{self, Cell};
use super::rows::{Rows, Slot};
use super::table::{self, Table};
use crate::adapter::{ExternalRecord, Item};
use crate::model::{Fields, Value};

/// The mark of an entry that stands for a row that is gone.
const DELETED: &str = "/$deletedEntity";

pub(super) struct Draft<'t> {
    table: &'t Table,
    id: Option<Box<str>>,
    key: Option<Box<str>>,
    etag: Option<Box<str>>,
    fields: Fields,
    modified_at: Option<Timestamp>,
    modified_by: Option<Box<str>>,
    active: Option<bool>,
    merged: bool,
    master: Option<Box<str>>,
    deleted: bool,
    deleted_id: Option<Box<str>>,
    /// The mapped columns that were there, a bit for each.
    present: u64,
    fault: Option<(&'static str, String)>,
}

impl<'t> Draft<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        Self {
            table,
            id: None,
            key: None,
            etag: None,
            fields: Fields::new(table.kind),
            modified_at: None,
            modified_by: None,
            active: None,
            merged: false,
            master: None,
            deleted: false,
            deleted_id: None,
            present: 0,
            fault: None,
        }
    }

    pub(super) fn put(&mut self, slot: Slot, cell: Cell<'_>) {
        match slot {
            Slot::Column(index) => self.put_column(index, &cell),
            Slot::Id => self.id = id(&cell),
            Slot::Key => self.key = key(cell),
            Slot::Etag => self.etag = text(cell),
            Slot::State => self.active = state(&cell),
            Slot::ModifiedOn => self.modified_at = map::instant(&cell),
            Slot::ModifiedBy => self.modified_by = id(&cell),
            Slot::Merged => self.merged = cell == Cell::Bool(true),
            Slot::Master => self.master = id(&cell),
            Slot::Context => {
                self.deleted = matches!(&cell, Cell::Text(context) if context.ends_with(DELETED))
            }
            Slot::DeletedId => self.deleted_id = text(cell).and_then(|text| map::guid_in_parentheses(&text)),
            Slot::Unknown => {}
        }
    }

    fn put_column(&mut self, index: usize, cell: &Cell<'_>) {
        let column = &self.table.columns[index];
        self.present |= 1 << index;
        match map::read(column, cell) {
            Ok(value) => self.fields.set(column.position, value),
            Err(message) => self.fault = Some((column.field.name, message)),
        }
    }

    /// Says what the row is; nothing where it has no id.
    pub(super) fn finish(mut self, rows: &mut Rows<'_>) -> Option<Item> {
        if self.deleted {
            let id = self.deleted_id.or(self.id)?;
            return Some(Item::Deleted {
                id,
                merged_into: None,
            });
        }
        let id = self.id.take()?;
        if self.merged && self.master.is_some() {
            return Some(Item::Deleted {
                id,
                merged_into: self.master,
            });
        }
        rows.lacking |= self.lacking();
        match self.fault.take().or_else(|| self.missing()) {
            Some((field, message)) => Some(Item::Faulty {
                id,
                field: field.to_owned(),
                message,
            }),
            None => Some(Item::Row(self.record(id, rows.user))),
        }
    }

    fn lacking(&self) -> u64 {
        let all = (1_u64 << self.table.columns.len()) - 1;
        all & !self.present
    }

    /// Returns the fields whose columns were there, by their positions.
    fn told(&self) -> u64 {
        let columns = self.table.columns.iter().enumerate();
        columns
            .filter(|(index, _)| self.present >> index & 1 == 1)
            .fold(0, |told, (_, column)| told | 1 << column.position)
    }

    fn missing(&self) -> Option<(&'static str, String)> {
        if self.active.is_none() {
            return Some((
                "active",
                "the column statecode is missing or holds no state".to_owned(),
            ));
        }
        let mut required = self.table.columns.iter().filter(|column| column.field.required);
        let empty = required.find(|column| self.fields.at(column.position).is_none())?;
        Some((
            empty.field.name,
            format!("is required, and the column {} is empty: fill it in", empty.name),
        ))
    }

    fn record(mut self, id: Box<str>, user: Option<&str>) -> ExternalRecord {
        let active = self.active.unwrap_or_default();
        let mut told = self.told();
        if self.table.maps_active {
            let position = table::active(self.table.kind);
            self.fields.set(position, Some(Value::Bool(active)));
            told |= 1 << position;
        }
        ExternalRecord {
            id,
            etag: self.etag,
            key: self.key,
            fields: self.fields,
            told,
            modified_at: self.modified_at,
            ours: user.is_some() && self.modified_by.as_deref() == user,
            active,
        }
    }
}

fn id(cell: &Cell<'_>) -> Option<Box<str>> {
    match cell {
        Cell::Text(text) => map::guid(text),
        _ => None,
    }
}

fn text(cell: Cell<'_>) -> Option<Box<str>> {
    match cell {
        Cell::Text(text) if !text.is_empty() => Some(text.into()),
        _ => None,
    }
}

/// A key may be a number; the platform's ids are text.
fn key(cell: Cell<'_>) -> Option<Box<str>> {
    match cell {
        Cell::Whole(number) => Some(number.to_string().into()),
        cell => text(cell),
    }
}

fn state(cell: &Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Whole(0) => Some(true),
        Cell::Whole(1) => Some(false),
        _ => None,
    }
}
