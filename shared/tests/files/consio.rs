//! A system that takes files and gives them: rows under ids of its own, which keep the key that they came with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use shared::csv::{Cell, Profile, Reader, Writer};
use shared::model::Kind;

/// A row, by the names of the columns.
pub(crate) type Cells = Map<String, Value>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// The platform's id, once a file has told it.
    pub(crate) key: Option<String>,
    pub(crate) fields: Cells,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Consio {
    tables: BTreeMap<Kind, BTreeMap<String, Row>>,
    made: u32,
    /// Ids and keys of rows that it passes over when a file is imported.
    pub(crate) refuses: BTreeSet<String>,
}

impl Consio {
    pub(crate) fn rows(&self, kind: Kind) -> impl Iterator<Item = (&String, &Row)> {
        self.tables.get(&kind).into_iter().flatten()
    }

    pub(crate) fn row(&self, kind: Kind, id: &str) -> Option<&Row> {
        self.tables.get(&kind)?.get(id)
    }

    /// Somebody makes a row; returns its id.
    pub(crate) fn make(&mut self, kind: Kind, fields: &Value) -> String {
        self.made += 1;
        let id = format!("C{}", self.made);
        let row = Row {
            key: None,
            fields: fields.as_object().unwrap().clone(),
        };
        self.tables.entry(kind).or_default().insert(id.clone(), row);
        id
    }

    /// Somebody changes a row.
    pub(crate) fn change(&mut self, kind: Kind, id: &str, field: &str, value: &str) {
        let row = self.tables.get_mut(&kind).unwrap().get_mut(id).unwrap();
        row.fields.insert(field.to_owned(), json!(value));
    }

    /// Somebody empties a field.
    pub(crate) fn clear(&mut self, kind: Kind, id: &str, field: &str) {
        let row = self.tables.get_mut(&kind).unwrap().get_mut(id).unwrap();
        row.fields.remove(field).unwrap();
    }

    /// Somebody deletes a row.
    pub(crate) fn delete(&mut self, kind: Kind, id: &str) {
        self.tables.get_mut(&kind).unwrap().remove(id).unwrap();
    }

    /// Takes a file in.
    pub(crate) fn import(&mut self, kind: Kind, profile: &Profile, bytes: &[u8]) {
        for cells in read(profile, bytes) {
            self.import_row(kind, cells);
        }
    }

    fn import_row(&mut self, kind: Kind, cells: Cells) {
        let text = |name: &str| cells.get(name).and_then(Value::as_str).map(str::to_owned);
        let (id, key) = (text("id"), text("key"));
        let names = [&id, &key];
        if names
            .into_iter()
            .flatten()
            .any(|name| self.refuses.contains(name))
        {
            return;
        }
        let member = text("memberId").map(|member| self.own_id(Kind::Member, &member));
        let known = id.clone().or_else(|| self.by_key(kind, key.as_deref()?));
        if cells.get("deleted") == Some(&json!(true)) {
            let table = self.tables.entry(kind).or_default();
            known.and_then(|id| table.remove(&id));
            return;
        }
        let id = known.unwrap_or_else(|| self.make(kind, &json!({})));
        let Some(row) = self.tables.entry(kind).or_default().get_mut(&id) else {
            return;
        };
        row.key = key.or(row.key.take());
        row.fields = cells;
        row.fields
            .retain(|name, value| !value.is_null() && !["id", "key", "deleted"].contains(&name.as_str()));
        if let Some(member) = member {
            row.fields.insert("memberId".to_owned(), json!(member));
        }
    }

    fn by_key(&self, kind: Kind, key: &str) -> Option<String> {
        let mut rows = self.rows(kind);
        rows.find(|(_, row)| row.key.as_deref() == Some(key))
            .map(|(id, _)| id.clone())
    }

    fn own_id(&self, kind: Kind, name: &str) -> String {
        self.by_key(kind, name).unwrap_or_else(|| name.to_owned())
    }

    /// Returns the platform's name of a row.
    pub(crate) fn record_id(&self, kind: Kind, id: &str) -> String {
        let key = self.row(kind, id).and_then(|row| row.key.clone());
        key.unwrap_or_else(|| id.to_owned())
    }

    /// Exports all rows of a kind.
    pub(crate) fn export(&self, kind: Kind, profile: &Profile) -> Vec<u8> {
        self.export_some(kind, profile, |_| true)
    }

    /// Exports the rows of a kind with these ids.
    pub(crate) fn export_some(&self, kind: Kind, profile: &Profile, which: impl Fn(&str) -> bool) -> Vec<u8> {
        let rows = self.rows(kind).filter(|(id, _)| which(id)).map(|(id, row)| {
            let mut cells = row.fields.clone();
            cells.insert("id".to_owned(), json!(id));
            cells.insert("key".to_owned(), json!(row.key));
            cells
        });
        write(profile, rows)
    }
}

/// Reads a file.
pub(crate) fn read(profile: &Profile, bytes: &[u8]) -> Vec<Cells> {
    let mut reader = Reader::new(profile, bytes).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.read().unwrap() {
        let row = row.unwrap();
        let cells = profile.columns().iter().zip(row.cells());
        rows.push(
            cells
                .map(|(column, cell)| (column.name().to_owned(), cell.to_json()))
                .collect(),
        );
    }
    reader.finish().unwrap();
    rows
}

/// Writes a file.
pub(crate) fn write(profile: &Profile, rows: impl Iterator<Item = Cells>) -> Vec<u8> {
    let mut writer = Writer::new(profile, Vec::new()).unwrap();
    for row in rows {
        let cells = profile.columns().iter().map(|column| {
            let value = row.get(column.name()).unwrap_or(&Value::Null);
            column.cell(value).unwrap()
        });
        let cells: Vec<Cell<'_>> = cells.collect();
        writer.write(&cells).unwrap();
    }
    writer.finish().unwrap().0
}
