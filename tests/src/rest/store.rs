//! The rows of the register.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What the register keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Collection {
    /// People.
    Members,
    /// What they belong to.
    Memberships,
    /// What they attend.
    Enrollments,
}

impl Collection {
    pub(super) const ALL: [Self; 3] = [Self::Members, Self::Memberships, Self::Enrollments];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Memberships => "memberships",
            Self::Enrollments => "enrollments",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }

    /// Returns the members that a row may be written with, and what stands there when nothing was.
    pub(super) fn template(self) -> Value {
        match self {
            Self::Members => json!({
                "number": null, "name": { "first": null, "last": null }, "born": null, "sex": null,
                "contact": { "email": null, "mobile": null }, "address": { "city": null, "zip": null },
                "noEmail": false, "status": "A",
            }),
            Self::Memberships => json!({
                "number": null, "memberId": null, "type": null, "state": null, "from": null, "to": null,
            }),
            Self::Enrollments => json!({
                "number": null, "memberId": null, "course": null, "progress": null, "registered": null,
            }),
        }
    }
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) content: Value,
    pub(super) revision: u64,
    pub(super) updated_at: Timestamp,
    pub(super) deleted: bool,
}

impl Row {
    /// Returns the row as it is shown.
    pub(super) fn shown(&self, id: u64) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("revision".to_owned(), json!(self.revision.to_string())),
            ("updatedAt".to_owned(), json!(self.updated_at.to_string())),
            ("deleted".to_owned(), json!(self.deleted)),
        ]);
        shown.extend(self.content.as_object().cloned().unwrap_or_default());
        Value::Object(shown)
    }
}

/// Counts what was written through the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Writes {
    /// Rows made.
    pub created: u64,
    /// Rows changed.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// All rows.
#[derive(Debug, Default)]
pub(super) struct Store {
    last: u64,
    rows: BTreeMap<(Collection, u64), Row>,
    pub(super) writes: Writes,
}

impl Store {
    pub(super) fn add(&mut self, collection: Collection, content: Value, now: Timestamp) -> u64 {
        self.last += 1;
        let row = Row {
            content,
            revision: 1,
            updated_at: now,
            deleted: false,
        };
        self.rows.insert((collection, self.last), row);
        self.last
    }

    pub(super) fn get(&self, collection: Collection, id: u64) -> Option<&Row> {
        self.rows.get(&(collection, id))
    }

    pub(super) fn live(&self, collection: Collection, id: u64) -> Option<&Row> {
        self.get(collection, id).filter(|row| !row.deleted)
    }

    pub(super) fn put(&mut self, collection: Collection, id: u64, content: Value, now: Timestamp) {
        if let Some(row) = self.rows.get_mut(&(collection, id)) {
            row.content = content;
            row.revision += 1;
            row.updated_at = now;
        }
    }

    pub(super) fn delete(&mut self, collection: Collection, id: u64, keeps: bool, now: Timestamp) {
        if !keeps {
            self.rows.remove(&(collection, id));
        } else if let Some(row) = self.rows.get_mut(&(collection, id)) {
            row.deleted = true;
            row.revision += 1;
            row.updated_at = now;
        }
    }

    pub(super) fn all(&self, collection: Collection) -> impl Iterator<Item = (u64, &Row)> {
        let rows = self.rows.range((collection, u64::MIN)..=(collection, u64::MAX));
        rows.map(|((_, id), row)| (*id, row))
    }

    pub(super) fn numbered(&self, collection: Collection, number: &str) -> Option<u64> {
        let mut live = self.all(collection).filter(|(_, row)| !row.deleted);
        live.find(|(_, row)| row.content["number"] == *number)
            .map(|(id, _)| id)
    }
}
