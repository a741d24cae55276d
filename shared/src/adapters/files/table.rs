//! Rows with a column for each field of a record, which is what files have where a system prescribes nothing else.
//!
//! | column | holds |
//! | --- | --- |
//! | `id` | the system's id of the row; empty where the platform has made the record and the system has not told of it yet |
//! | `key` | the platform's id, which the system has to keep and to tell again for what the platform has made |
//! | `deleted` | whether the record is gone |
//! | each mapped field | what it holds, by its name on the platform |

use serde_json::{Map, Value as Json, json};

use crate::adapter::{Change, ChangeAction, ExternalRecord, Item};
use crate::csv::{Audience, Column, Profile};
use crate::model::{FieldDefinition, FieldError, FieldType, Fields, Kind, Value};
use crate::transfer::FileRow;

const ID: &str = "id";
const KEY: &str = "key";
const DELETED: &str = "deleted";

/// The columns of one kind of record.
#[derive(Debug, Clone, Copy)]
pub(in crate::adapters) struct Columns {
    pub(in crate::adapters) kind: Kind,
    /// Which fields have one, by position in [`Kind::fields`].
    pub(in crate::adapters) mapped: u64,
}

impl Columns {
    fn fields(self) -> impl Iterator<Item = (usize, &'static FieldDefinition)> {
        let fields = self.kind.fields().iter().enumerate();
        fields.filter(move |(position, _)| self.mapped >> position & 1 == 1)
    }

    /// Returns the profile by which files go out, and by which uploads are read unless they are announced with another.
    pub(in crate::adapters) fn profile(self, audience: Audience) -> Json {
        let deleted = json!({ "name": DELETED, "type": "bool" });
        let own = [text(ID), text(KEY), deleted];
        let columns: Vec<Json> = own.into_iter().chain(self.columns()).collect();
        json!({ "dialect": { "audience": audience }, "columns": columns })
    }

    /// Returns a column for each field.
    pub(in crate::adapters) fn columns(self) -> impl Iterator<Item = Json> {
        self.fields().map(|(_, field)| match field.holds {
            FieldType::Text(most) => json!({ "name": field.name, "type": "text", "maxLength": most }),
            FieldType::Reference(_) => text(field.name),
            FieldType::Date => json!({ "name": field.name, "type": "date" }),
            FieldType::Bool => json!({ "name": field.name, "type": "bool" }),
            FieldType::Choice(words) => json!({ "name": field.name, "type": "choice", "words": words }),
        })
    }

    /// Returns the row that tells of a change.
    pub(in crate::adapters) fn row(self, change: &Change) -> Json {
        let mut row = Map::new();
        let id = change.target.as_ref().map(|target| &target.id);
        row.insert(ID.to_owned(), json!(id));
        row.insert(KEY.to_owned(), json!(change.key));
        row.insert(
            DELETED.to_owned(),
            json!(matches!(change.action, ChangeAction::Remove)),
        );
        if let ChangeAction::Write { fields, .. } = &change.action {
            let Json::Object(told) = json!(fields) else {
                return Json::Object(row);
            };
            let mapped = |name: &str| self.fields().any(|(_, field)| field.name == name);
            row.extend(told.into_iter().filter(|(name, _)| mapped(name)));
        }
        Json::Object(row)
    }

    /// Returns the platform's id in a row.
    pub(in crate::adapters) fn key(self, row: &FileRow) -> Option<&str> {
        told(row, KEY)
    }

    /// Reads a row of an upload.
    pub(in crate::adapters) fn item(self, row: &FileRow) -> Item {
        let (id, key) = (told(row, ID), told(row, KEY));
        let Some(name) = id.or(key) else {
            let message = "is empty, and so is key: fill one of them in, or leave the row out";
            return faulty_row(row, ID, message);
        };
        if row.value.get(DELETED) == Some(&Json::Bool(true)) {
            return Item::Deleted {
                id: name.into(),
                merged_into: None,
            };
        }
        let fields = match self.read(&row.value, |_, value| Ok(value.clone())) {
            Ok(fields) => fields,
            Err(fault) => {
                return Item::Faulty {
                    id: name.into(),
                    field: fault.field,
                    message: fault.reason,
                };
            }
        };
        Item::Row(self.record(name, key, &row.value, fields))
    }

    /// Reads the fields of a row, each after it was put into the platform's words.
    ///
    /// # Errors
    ///
    /// The first field that does not fit.
    pub(in crate::adapters) fn read(
        self,
        row: &Map<String, Json>,
        in_words: impl Fn(&FieldDefinition, &Json) -> Result<Json, String>,
    ) -> Result<Fields, FieldError> {
        let mut object = Map::new();
        for (_, field) in self.fields() {
            if let Some(value) = row.get(field.name) {
                let value = in_words(field, value).map_err(|reason| FieldError::new(field.name, reason))?;
                object.insert(field.name.to_owned(), value);
            }
        }
        Fields::from_json(self.kind, &object).map_err(|faults| {
            let first = faults.into_iter().next();
            first.unwrap_or_else(|| FieldError::new("row", "cannot be read"))
        })
    }

    /// Makes a row of the system of what was read; files know no versions.
    pub(in crate::adapters) fn record(
        self,
        id: &str,
        key: Option<&str>,
        row: &Map<String, Json>,
        fields: Fields,
    ) -> ExternalRecord {
        let told = self.fields().filter(|(_, field)| row.contains_key(field.name));
        let told = told.fold(0, |bits, (position, _)| bits | 1 << position);
        ExternalRecord {
            id: id.into(),
            etag: None,
            key: key.map(Into::into),
            active: fields.get("active") != Some(&Value::Bool(false)),
            fields,
            told,
            modified_at: None,
            ours: false,
        }
    }

    /// Checks that the rows of a profile can be read: each column is known, and of a type that its field takes.
    pub(in crate::adapters) fn check(self, profile: &Profile, own: &[&str]) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for (place, column) in profile.columns().iter().enumerate() {
            let field = self.fields().find(|(_, field)| field.name == column.name());
            let fits = match (field, column.name()) {
                (Some((_, field)), _) => fits(field.holds, column),
                (None, name) if own.contains(&name) => {
                    let holds = if name == DELETED {
                        FieldType::Bool
                    } else {
                        FieldType::Text(0)
                    };
                    fits(holds, column)
                }
                (None, _) => {
                    let more = if own.is_empty() {
                        String::new()
                    } else {
                        format!(" nor one of {}", own.join(", "))
                    };
                    let reason = format!("is no mapped field of a {}{more}", self.kind);
                    faults.push(FieldError::new(format!("profile.columns.{place}.name"), reason));
                    continue;
                }
            };
            if let Err(reason) = fits {
                faults.push(FieldError::new(format!("profile.columns.{place}.type"), reason));
            }
        }
        faults
    }

    /// Checks that a profile has columns that tell one row from another.
    pub(in crate::adapters) fn check_own(self, profile: &Profile) -> Vec<FieldError> {
        let mut faults = self.check(profile, &[ID, KEY, DELETED]);
        if profile.position(ID).or(profile.position(KEY)).is_none() {
            faults.push(FieldError::new("profile.columns", "must have a column id or key"));
        }
        faults
    }
}

/// Begins what is told in the place of an id that a row does not have; no record has such an id.
const NAMELESS: &str = "row:";

fn told<'r>(row: &'r FileRow, name: &str) -> Option<&'r str> {
    let text = row.value.get(name).and_then(Json::as_str);
    text.filter(|text| !text.is_empty())
}

fn text(name: &str) -> Json {
    json!({ "name": name, "type": "text" })
}

/// Says that a row without a name cannot be read; it is told by its number.
pub(in crate::adapters) fn faulty_row(row: &FileRow, field: &str, message: &str) -> Item {
    Item::Faulty {
        id: format!("{NAMELESS}{}", row.number).into(),
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// Says whether it is a row of which nobody can say which record it is about.
pub(super) fn is_nameless(item: &Item) -> bool {
    matches!(item, Item::Faulty { id, .. } if is_number(id))
}

/// Says whether it is not the name of a row, but its number in the upload that it stood in.
pub(super) fn is_number(id: &str) -> bool {
    id.starts_with(NAMELESS)
}

fn fits(holds: FieldType, column: &Column) -> Result<(), &'static str> {
    match (holds, column.type_name()) {
        (FieldType::Date, "date") | (FieldType::Bool, "bool") => Ok(()),
        (FieldType::Date, _) => Err("must be date"),
        (FieldType::Bool, _) => Err("must be bool"),
        (_, "text" | "choice") => Ok(()),
        _ => Err("must be text or choice"),
    }
}
