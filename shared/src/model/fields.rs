//! The values of one record's fields.

use jiff::civil::Date;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};
use unicode_normalization::{UnicodeNormalization, is_nfc};
use xxhash_rust::xxh3::Xxh3;

use super::{FieldDefinition, FieldType, Kind};

/// What one field holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, a choice or a reference; never empty.
    Text(Box<str>),
    /// A calendar date.
    Date(Date),
    /// True or false.
    Bool(bool),
}

/// Hides what it holds: a value may be personal data, and `Debug` output reaches logs.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Date(_) => "Date(…)",
            Self::Bool(_) => "Bool(…)",
        })
    }
}

/// Says which field was refused, and why, without repeating what it held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct FieldError {
    /// The field, as the API names it.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl FieldError {
    /// Names a field and what is wrong with it.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// The values of one record, a slot for each field of its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fields {
    kind: Kind,
    slots: Vec<Option<Value>>,
}

impl Fields {
    /// Makes a record without values.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            slots: vec![None; kind.fields().len()],
        }
    }

    /// Returns the kind of record.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the value at a position of [`Kind::fields`].
    #[must_use]
    pub fn at(&self, position: usize) -> Option<&Value> {
        self.slots.get(position).and_then(Option::as_ref)
    }

    /// Returns the value of a named field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.at(self.kind.position(name)?)
    }

    /// Puts a value at a position of [`Kind::fields`]; a position outside it changes nothing.
    pub fn set(&mut self, position: usize, value: Option<Value>) {
        if let Some(slot) = self.slots.get_mut(position) {
            *slot = value;
        }
    }

    /// Returns every field with its position and value.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &'static FieldDefinition, Option<&Value>)> {
        let definitions = self.kind.fields().iter().enumerate();
        definitions
            .zip(&self.slots)
            .map(|((position, field), slot)| (position, field, slot.as_ref()))
    }

    /// Takes over, from `other`, the fields at the positions in `which`.
    pub fn take(&mut self, other: &Self, which: u64) {
        for position in (0..self.slots.len()).filter(|position| which >> position & 1 == 1) {
            self.set(position, other.at(position).cloned());
        }
    }

    /// Says whether no field at the positions in `which` has a value.
    #[must_use]
    pub fn is_empty(&self, which: u64) -> bool {
        self.iter()
            .all(|(position, _, value)| value.is_none() || which >> position & 1 == 0)
    }

    /// Returns a fingerprint of one field's value.
    ///
    /// Two texts that differ only in Unicode composition have the same one.
    #[must_use]
    pub fn fingerprint(&self, position: usize) -> u64 {
        let mut hash = Xxh3::new();
        match self.at(position) {
            Some(value) => value.feed(&mut hash),
            None => hash.update(&[0]),
        }
        hash.digest()
    }

    /// Reads a JSON object of fields, checking each by its definition.
    ///
    /// `null` and `""` both mean that the field has no value.
    ///
    /// # Errors
    ///
    /// All faults at once: unknown names, wrong types, texts that are too long or hold control characters.
    /// Whether required fields are there is asked with [`Fields::missing`].
    pub fn from_json(kind: Kind, object: &Map<String, Json>) -> Result<Self, Vec<FieldError>> {
        let mut fields = Self::new(kind);
        let mut errors = Vec::new();
        for (name, json) in object {
            match kind.position(name) {
                None => errors.push(FieldError::new(name, format!("is not a field of a {kind}"))),
                Some(position) => match Value::from_json(&kind.fields()[position], json) {
                    Ok(value) => fields.set(position, value),
                    Err(error) => errors.push(error),
                },
            }
        }
        if errors.is_empty() {
            Ok(fields)
        } else {
            Err(errors)
        }
    }

    /// Returns the required fields that have no value.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.iter()
            .filter(|(_, field, value)| field.required && value.is_none())
            .map(|(_, field, _)| field.name)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (_, field, value) in self.iter() {
            match value {
                Some(Value::Text(text)) => map.serialize_entry(field.name, text)?,
                Some(Value::Date(date)) => map.serialize_entry(field.name, date)?,
                Some(Value::Bool(truth)) => map.serialize_entry(field.name, truth)?,
                None => {}
            }
        }
        map.end()
    }
}

impl Value {
    /// Reads a text as what the field holds; `None` where the text is empty.
    ///
    /// # Errors
    ///
    /// Says what the field would accept; never repeats the text.
    pub fn from_text(field: &FieldDefinition, text: &str) -> Result<Option<Self>, FieldError> {
        if text.is_empty() {
            return Ok(None);
        }
        let refuse = |reason: String| Err(FieldError::new(field.name, reason));
        match field.holds {
            FieldType::Text(max) if text.chars().count() > max => {
                refuse(format!("is longer than {max} characters"))
            }
            FieldType::Text(_) | FieldType::Reference(_) if text.chars().any(is_forbidden) => {
                refuse("holds a control character".to_owned())
            }
            FieldType::Choice(words) if !words.contains(&text) => {
                refuse(format!("must be one of {}", words.join(", ")))
            }
            FieldType::Text(_) | FieldType::Reference(_) | FieldType::Choice(_) => {
                Ok(Some(Self::Text(text.into())))
            }
            FieldType::Date => match text.parse() {
                Ok(date) if text.len() == 10 => Ok(Some(Self::Date(date))),
                _ => refuse("must be a date such as 2026-01-31".to_owned()),
            },
            FieldType::Bool => refuse("must be true or false".to_owned()),
        }
    }

    fn from_json(field: &FieldDefinition, json: &Json) -> Result<Option<Self>, FieldError> {
        match (json, field.holds) {
            (Json::Null, _) => Ok(None),
            (Json::Bool(truth), FieldType::Bool) => Ok(Some(Self::Bool(*truth))),
            (Json::String(text), _) => Self::from_text(field, text),
            (_, FieldType::Bool) => Err(FieldError::new(field.name, "must be true or false")),
            (_, FieldType::Date) => Err(FieldError::new(field.name, "must be a date such as 2026-01-31")),
            _ => Err(FieldError::new(field.name, "must be a text")),
        }
    }

    fn feed(&self, hash: &mut Xxh3) {
        match self {
            Self::Text(text) if is_nfc(text) => feed_text(hash, text),
            Self::Text(text) => feed_text(hash, &text.nfc().collect::<String>()),
            Self::Date(date) => {
                hash.update(&[2]);
                hash.update(&date.year().to_le_bytes());
                hash.update(&[date.month().to_le_bytes()[0], date.day().to_le_bytes()[0]]);
            }
            Self::Bool(truth) => hash.update(&[3, u8::from(*truth)]),
        }
    }
}

fn feed_text(hash: &mut Xxh3, text: &str) {
    hash.update(&[1]);
    hash.update(text.as_bytes());
}

fn is_forbidden(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(json: serde_json::Value) -> Result<Fields, Vec<FieldError>> {
        Fields::from_json(Kind::Member, json.as_object().unwrap())
    }

    #[test]
    fn every_fault_is_named_at_once_and_no_value_is_repeated() {
        let errors = member(serde_json::json!({
            "nickname": "secret-a", "birthDate": "31.01.2026", "doNotEmail": "secret-b", "lastName": "x\u{0}",
            "city": "c".repeat(81), "gender": "secret-d",
        }))
        .unwrap_err();
        let text = errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ");
        for name in [
            "nickname",
            "birthDate",
            "doNotEmail",
            "lastName",
            "city",
            "gender",
        ] {
            assert!(text.contains(name), "{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn names_of_any_script_survive_byte_for_byte() {
        for name in ["Åse Bjørk-Ødegård", "O'Brien", "李小龍", "👩‍👩‍👧", "e\u{301}", " "] {
            let fields = member(serde_json::json!({ "lastName": name })).unwrap();
            assert_eq!(serde_json::to_value(&fields).unwrap()["lastName"], name);
        }
    }

    #[test]
    fn null_and_the_empty_text_are_no_value_but_a_space_is_one() {
        let none = Fields::new(Kind::Member);
        assert_eq!(member(serde_json::json!({ "city": null })).unwrap(), none);
        assert_eq!(member(serde_json::json!({ "city": "" })).unwrap(), none);
        assert_ne!(member(serde_json::json!({ "city": " " })).unwrap(), none);
    }

    #[test]
    fn debug_output_shows_no_value() {
        let fields = member(serde_json::json!({ "lastName": "canary" })).unwrap();
        assert!(!format!("{fields:?}").contains("canary"));
    }
}
