//! Tables and columns, as an integration maps them.

use crate::model::{FieldDefinition, Kind};

/// What a row that is taken out of use becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDelete {
    Deactivate,
    Delete,
    Ignore,
}

/// A table that holds one kind of record.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) kind: Kind,
    pub(super) entity_set: String,
    pub(super) logical_name: String,
    pub(super) primary_key: String,
    pub(super) alternate_key: Option<String>,
    pub(super) tracks_changes: bool,
    pub(super) on_delete: OnDelete,
    /// Whether `active` is read from and written to `statecode`.
    pub(super) maps_active: bool,
    pub(super) columns: Vec<Column>,
}

/// A column that holds one field.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The field's position in [`Kind::fields`].
    pub(super) position: usize,
    pub(super) field: &'static FieldDefinition,
    /// The property under which it is read.
    pub(super) name: String,
    pub(super) holds: Holds,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Date,
    Bool,
    /// A number for each word.
    Choice(Vec<(String, i64)>),
    /// Another row: written through a navigation property that is bound to a row of an entity set.
    Lookup {
        bind: String,
        entity_set: String,
    },
}

impl Table {
    /// Returns the bits of the fields that are mapped.
    pub(super) fn mapped(&self) -> u64 {
        let active = self.maps_active.then(|| active(self.kind));
        let columns = self.columns.iter().map(|column| column.position);
        columns
            .chain(active)
            .fold(0, |bits, position| bits | 1 << position)
    }

    /// Says whether rows can be merged into one another.
    pub(super) fn merges(&self) -> bool {
        self.logical_name == "contact"
    }

    /// Returns the value of `$select`: what is mapped, and what is needed to know a row by.
    pub(super) fn select(&self) -> String {
        let own = [
            self.primary_key.as_str(),
            "statecode",
            "modifiedon",
            "_modifiedby_value",
        ];
        let merge = ["merged", "_masterid_value"];
        let mut names: Vec<&str> = own.into_iter().collect();
        names.extend(self.alternate_key.as_deref());
        names.extend(self.columns.iter().map(|column| column.name.as_str()));
        names.extend(merge.into_iter().filter(|_| self.merges()));
        names.join(",")
    }

    /// Returns the value of `$select` for the answer to a write.
    pub(super) fn echo(&self) -> String {
        let names = [
            Some(self.primary_key.as_str()),
            Some("statecode"),
            self.alternate_key.as_deref(),
        ];
        names.into_iter().flatten().collect::<Vec<_>>().join(",")
    }

    /// Returns the field whose column a text names, as metadata or as a property.
    pub(super) fn field_named_in(&self, text: &str) -> Option<&'static str> {
        let names = |column: &&Column| {
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .any(|word| word == column.logical_name())
        };
        self.columns.iter().find(names).map(|column| column.field.name)
    }
}

impl Column {
    /// Returns the column's name in metadata; a lookup is read as `_{name}_value`.
    pub(super) fn logical_name(&self) -> &str {
        let inner = self
            .name
            .strip_prefix('_')
            .and_then(|name| name.strip_suffix("_value"));
        match self.holds {
            Holds::Lookup { .. } => inner.unwrap_or(&self.name),
            _ => &self.name,
        }
    }
}

/// Returns the position of the field that says whether a record is in use.
pub(super) fn active(kind: Kind) -> usize {
    kind.position("active")
        .expect("every kind has the field `active`")
}
