//! The values of reporting views.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cornerstone::time::view;

/// Holds one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Whole(i64),
    Flag(bool),
    Text(String),
    Moment(Timestamp),
    Id(Uuid),
}

/// Says what a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Flag,
    Text,
    Moment,
    Id,
}

impl Kind {
    /// Returns the name of the type in messages.
    pub(super) fn edm_type(self) -> &'static str {
        match self {
            Self::Whole => "Edm.Int32",
            Self::Flag => "Edm.Boolean",
            Self::Text => "Edm.String",
            Self::Moment => "Edm.DateTimeOffset",
            Self::Id => "Edm.Guid",
        }
    }

    /// Reads a word of a filter as a value of this kind.
    pub(super) fn read(self, word: &str) -> Option<Cell> {
        match self {
            _ if word == "null" => Some(Cell::Null),
            Self::Whole => word.parse().ok().map(Cell::Whole),
            Self::Flag => word.parse().ok().map(Cell::Flag),
            Self::Moment => word.parse().ok().map(Cell::Moment),
            Self::Id if word.len() == 36 => word.parse().ok().map(Cell::Id),
            Self::Id | Self::Text => None,
        }
    }
}

impl Cell {
    pub(super) fn whole(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Whole)
    }

    pub(super) fn moment(value: Option<Timestamp>) -> Self {
        value.map_or(Self::Null, Self::Moment)
    }

    pub(super) fn text(value: Option<&str>) -> Self {
        value.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Whole(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Text(text) => json!(text),
            Self::Moment(at) => json!(view(*at)),
            Self::Id(id) => json!(id),
        }
    }

    /// Compares with a value of the same kind; null comes first, and is neither above nor below in filters.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(b),
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
            (Self::Moment(a), Self::Moment(b)) => a.cmp(b),
            (Self::Id(a), Self::Id(b)) => a.cmp(b),
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}
