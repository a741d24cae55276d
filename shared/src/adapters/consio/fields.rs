//! The map from fields to places in a row, as a profile gives it.

use serde_json::Value as Json;

use super::pointer::Pointer;
use super::profile::Place;
use crate::model::{FieldDefinition, FieldType, Group, Kind};
use crate::settings::Section;

/// A place in a row that holds one field.
#[derive(Debug, Clone)]
pub(super) struct FieldMap {
    /// The field's position in [`Kind::fields`].
    pub(super) position: usize,
    pub(super) field: &'static FieldDefinition,
    pub(super) pointer: Pointer,
    pub(super) holds: Holds,
}

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Holds {
    /// Text, or the id of another row; a number is read as its text, and written as one where the profile says so.
    Text {
        as_number: bool,
    },
    Date(DateForm),
    Bool,
    /// A value for each word of the platform's, `true` and `false` among them.
    Words(Vec<(String, Json)>),
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateForm {
    /// `2026-01-31`
    Iso,
    /// `2026-01-31T00:00:00Z`: the date as it is written, in whatever zone.
    DateTime,
    /// `31.01.2026`
    Dotted,
    /// `20260131`
    Compact,
}

/// Reads `fields`; those of excluded groups are left out.
pub(super) fn read(resource: &Section<'_>, kind: Kind, excluded: &[Group]) -> Option<Vec<FieldMap>> {
    let Some(section) = resource.section("fields") else {
        if resource.get("fields").is_none() {
            resource.fault("fields", "is required");
        }
        return None;
    };
    for field in kind.fields().iter().filter(|field| field.required) {
        if !section.entries().any(|(name, _)| name == field.name) {
            section.fault(field.name, "is required");
        }
    }
    let fields = section
        .entries()
        .filter_map(|(name, value)| field(&section, kind, name, value));
    let mut fields: Vec<FieldMap> = fields.collect();
    for (at, field) in fields.iter().enumerate() {
        let earlier = fields.iter().take(at);
        if earlier
            .clone()
            .any(|other| other.pointer.overlaps(&field.pointer))
        {
            section.fault(
                field.field.name,
                "stands where another field stands, or inside it",
            );
        }
    }
    fields.retain(|field| !excluded.contains(&field.field.group));
    Some(fields)
}

/// Refuses what cannot be written.
pub(super) fn check_writable(resource: &Section<'_>, fields: &[FieldMap]) {
    for field in fields.iter().filter(|field| !field.pointer.is_writable()) {
        let reason =
            "is an element of a list, or the whole row, and cannot be written: leave it or `write` out";
        resource.fault(&format!("fields.{}", field.field.name), reason);
    }
}

fn field(section: &Section<'_>, kind: Kind, name: &str, value: &Json) -> Option<FieldMap> {
    let Some(position) = kind.position(name) else {
        section.fault(name, format!("is not a field of a {kind}"));
        return None;
    };
    let definition = kind.fields().get(position)?;
    let (pointer, holds) = match value {
        Json::String(text) => {
            let pointer = Pointer::parse(text).map_err(|reason| section.fault(name, reason));
            (pointer.ok()?, usual(definition))
        }
        Json::Object(_) => described(&section.entry(name)?, definition)?,
        _ => {
            section.fault(name, "must be a JSON pointer, or an object with one as `pointer`");
            return None;
        }
    };
    Some(FieldMap {
        position,
        field: definition,
        pointer,
        holds,
    })
}

const fn usual(field: &FieldDefinition) -> Holds {
    match field.holds {
        FieldType::Date => Holds::Date(DateForm::Iso),
        FieldType::Bool => Holds::Bool,
        FieldType::Text(_) | FieldType::Choice(_) | FieldType::Reference(_) => {
            Holds::Text { as_number: false }
        }
    }
}

fn described(section: &Section<'_>, field: &FieldDefinition) -> Option<(Pointer, Holds)> {
    let pointer = section.required("pointer", Pointer::parse);
    let as_number = section.text("as", number);
    let form = section.text("format", date_form);
    let words = section.section("values").map(|words| read_words(&words, field));
    section.finish();
    let dates = field.holds == FieldType::Date;
    if form.is_some() && !dates {
        section.fault("format", "is for dates only");
    }
    if as_number.is_some() && !matches!(field.holds, FieldType::Text(_) | FieldType::Reference(_)) {
        section.fault("as", "is for text and references only");
    }
    if words.is_some() && matches!(field.holds, FieldType::Date | FieldType::Reference(_)) {
        section.fault("values", "is for text, choices, and true and false only");
    }
    let holds = match (words, form, as_number) {
        (Some(words), ..) => Holds::Words(words),
        (None, Some(form), _) if dates => Holds::Date(form),
        (None, _, Some(())) => Holds::Text { as_number: true },
        _ => usual(field),
    };
    Some((pointer?, holds))
}

fn number(text: &str) -> Result<(), String> {
    match text {
        "number" => Ok(()),
        _ => Err("must be number, or left out".to_owned()),
    }
}

fn date_form(text: &str) -> Result<DateForm, String> {
    match text {
        "yyyy-MM-dd" => Ok(DateForm::Iso),
        "dateTime" => Ok(DateForm::DateTime),
        "dd.MM.yyyy" => Ok(DateForm::Dotted),
        "yyyyMMdd" => Ok(DateForm::Compact),
        _ => Err("must be yyyy-MM-dd, dateTime, dd.MM.yyyy or yyyyMMdd".to_owned()),
    }
}

fn read_words(section: &Section<'_>, field: &FieldDefinition) -> Vec<(String, Json)> {
    let mut words: Vec<(String, Json)> = Vec::new();
    for (word, value) in section.entries() {
        let plain = value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64();
        let allowed = match field.holds {
            FieldType::Choice(allowed) => allowed.contains(&word),
            FieldType::Bool => word == "true" || word == "false",
            _ => !word.is_empty(),
        };
        match (plain, allowed) {
            (false, _) => section.fault(word, "must be a text, a whole number, true or false"),
            (_, false) => section.fault(word, "is not a word of this field"),
            _ if words.iter().any(|(_, taken)| taken == value) => {
                section.fault(word, "is a value that another word has");
            }
            _ => words.push((word.to_owned(), value.clone())),
        }
    }
    if field.holds == FieldType::Bool && words.len() != 2 {
        section.fault("true", "and false must both have a value");
    }
    words
}

/// Reads a place that something is written to: a pointer, or an object with `pointer` and `as`.
pub(super) fn place(section: &Section<'_>, name: &'static str) -> Option<Place> {
    let place = match section.get(name)? {
        Json::Object(_) => {
            let inner = section.section(name)?;
            let pointer = inner.required("pointer", Pointer::parse);
            let as_number = inner.text("as", number).is_some();
            inner.finish();
            Place {
                pointer: pointer?,
                as_number,
            }
        }
        _ => Place {
            pointer: section.text(name, Pointer::parse)?,
            as_number: false,
        },
    };
    if !place.pointer.is_writable() {
        section.fault(name, "must be a member of the row that can be written");
    }
    Some(place)
}
