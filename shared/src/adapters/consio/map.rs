//! Values: what stands at a place in the platform's words, and the reverse.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Number, Value as Json};
use xxhash_rust::xxh3::Xxh3;

use super::fields::{DateForm, FieldMap, Holds};
use super::pointer::Pointer;
use super::profile::{Resource, Version};
use crate::adapter::{Error, ErrorKind, ExternalRecord, Item};
use crate::model::{FieldError, FieldType, Fields, Value};

/// The longest id of a row.
const LONGEST_ID: usize = 200;

/// Reads what stands at the place of a field.
///
/// # Errors
///
/// What is wrong and what to do, without what stands there.
pub(super) fn read(map: &FieldMap, json: &Json) -> Result<Option<Value>, String> {
    match (&map.holds, json) {
        (Holds::Words(words), json) => match words.iter().find(|(_, value)| value == json) {
            Some((word, _)) => from_word(map, word),
            None if is_nothing(json) => Ok(None),
            None => Err(format!(
                "{} holds a value that `values` has no word for: add it",
                at(map)
            )),
        },
        (_, json) if is_nothing(json) => Ok(None),
        (Holds::Text { .. }, Json::String(text)) => parse(map, text),
        (Holds::Text { .. }, Json::Number(number)) if is_exact(number) => parse(map, &number.to_string()),
        (Holds::Bool, Json::Bool(truth)) => Ok(Some(Value::Bool(*truth))),
        (Holds::Date(form), Json::String(text)) => match date(*form, text) {
            Some(date) => Ok(Some(Value::Date(date))),
            None => Err(format!("{} does not hold a date of the `format`", at(map))),
        },
        (holds, _) => Err(format!("{} does not hold {}", at(map), expected(holds))),
    }
}

fn from_word(map: &FieldMap, word: &str) -> Result<Option<Value>, String> {
    match map.field.holds {
        FieldType::Bool => Ok(Some(Value::Bool(word == "true"))),
        _ => parse(map, word),
    }
}

fn parse(map: &FieldMap, text: &str) -> Result<Option<Value>, String> {
    let told = |error: FieldError| format!("{} {}", at(map), error.reason);
    Value::from_text(map.field, text).map_err(told)
}

fn at(map: &FieldMap) -> String {
    format!("the place {}", map.pointer.as_str())
}

fn is_nothing(json: &Json) -> bool {
    json.is_null() || json.as_str() == Some("")
}

/// A number that is larger may have lost digits on the way.
fn is_exact(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.abs() < 1e15)
}

const fn expected(holds: &Holds) -> &'static str {
    match holds {
        Holds::Text { .. } => "text or a number: map its values under `values`",
        Holds::Date(_) => "a date",
        Holds::Bool => "true or false: map its values under `values`",
        Holds::Words(_) => "a value of `values`",
    }
}

fn date(form: DateForm, text: &str) -> Option<Date> {
    match form {
        DateForm::Iso => Some(text).filter(|text| text.len() == 10)?.parse().ok(),
        DateForm::DateTime => {
            let (date, rest) = text.split_at_checked(10)?;
            Some(date)
                .filter(|_| rest.is_empty() || rest.starts_with(['T', ' ']))?
                .parse()
                .ok()
        }
        DateForm::Dotted => Date::strptime("%d.%m.%Y", text).ok(),
        DateForm::Compact => Some(text)
            .filter(|text| text.len() == 8)
            .and_then(|text| Date::strptime("%Y%m%d", text).ok()),
    }
}

/// Returns what is written for a field.
///
/// # Errors
///
/// What is wrong and what to do, without the value.
pub(super) fn write(map: &FieldMap, value: Option<&Value>) -> Result<Json, String> {
    match (&map.holds, value) {
        (_, None) => Ok(Json::Null),
        (Holds::Words(words), Some(value)) => {
            let word = match value {
                Value::Text(text) => text,
                Value::Bool(true) => "true",
                Value::Bool(false) => "false",
                Value::Date(_) => "",
            };
            let known = words.iter().find(|(known, _)| known == word);
            known
                .map(|(_, value)| value.clone())
                .ok_or_else(|| "is a word that `values` has no value for: add it".to_owned())
        }
        (Holds::Text { as_number: true }, Some(Value::Text(text))) => number(text),
        (Holds::Date(form), Some(Value::Date(date))) => Ok(written(*form, *date).into()),
        (_, Some(Value::Text(text))) => Ok(Json::from(&**text)),
        (_, Some(Value::Date(date))) => Ok(date.to_string().into()),
        (_, Some(Value::Bool(truth))) => Ok(Json::from(*truth)),
    }
}

/// Returns a text of digits as the number that it is.
pub(super) fn number(text: &str) -> Result<Json, String> {
    let number = text
        .parse::<i64>()
        .ok()
        .filter(|number| number.to_string() == text);
    number
        .map(Json::from)
        .ok_or_else(|| "must be a whole number, since the profile writes it `as` one".to_owned())
}

fn written(form: DateForm, date: Date) -> String {
    match form {
        DateForm::Iso => date.to_string(),
        DateForm::DateTime => format!("{date}T00:00:00Z"),
        DateForm::Dotted => date.strftime("%d.%m.%Y").to_string(),
        DateForm::Compact => date.strftime("%Y%m%d").to_string(),
    }
}

/// Reads a row.
///
/// # Errors
///
/// `Malformed` where it has no id: what it is about is not known.
pub(super) fn row(resource: &Resource, json: &Json) -> Result<Item, Error> {
    let rules = &resource.read.row;
    let Some(id) = id_at(&rules.id, json) else {
        let message = "a row has no id where the profile says: check `id` and `list`";
        return Err(Error::new(ErrorKind::Malformed, message).with("kind", resource.kind));
    };
    if rules.deleted.as_ref().is_some_and(|deleted| deleted.holds(json)) {
        return Ok(Item::Deleted {
            id,
            merged_into: None,
        });
    }
    let (mut fields, mut told) = (Fields::new(resource.kind), 0);
    for map in &resource.fields {
        let found = map.pointer.of(json);
        if found.is_none() && !rules.absent_is_empty {
            continue;
        }
        told |= 1 << map.position;
        match read(map, found.unwrap_or(&Json::Null)) {
            Ok(value) => fields.set(map.position, value),
            Err(message) => {
                let field = map.field.name.to_owned();
                return Ok(Item::Faulty { id, field, message });
            }
        }
    }
    let lacking = resource
        .fields
        .iter()
        .find(|map| map.field.required && fields.at(map.position).is_none());
    if let Some(map) = lacking {
        let message = format!("is required, and {} is empty: fill it in", at(map));
        let field = map.field.name.to_owned();
        return Ok(Item::Faulty { id, field, message });
    }
    Ok(Item::Row(ExternalRecord {
        id,
        etag: version(resource, json),
        key: rules.key.as_ref().and_then(|key| id_at(key, json)),
        active: is_active(resource, &fields),
        fields,
        told,
        modified_at: rules.modified.as_ref().and_then(|at| instant(at.of(json)?)),
        ours: false,
    }))
}

/// A row is in use unless the field `active` is mapped and says that it is not.
fn is_active(resource: &Resource, fields: &Fields) -> bool {
    let position = resource.kind.position("active");
    let active = position.and_then(|position| fields.at(position));
    !matches!(active, Some(Value::Bool(false)))
}

/// Returns the id that stands at a place, as text or as a whole number.
pub(super) fn id_at(pointer: &Pointer, json: &Json) -> Option<Box<str>> {
    let id: Box<str> = match pointer.of(json)? {
        Json::String(text) => text.as_str().into(),
        Json::Number(number) if number.is_i64() || number.is_u64() => number.to_string().into(),
        _ => return None,
    };
    let fits = !id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
    fits.then_some(id)
}

/// Returns the version of a row.
pub(super) fn version(resource: &Resource, json: &Json) -> Option<Box<str>> {
    match &resource.read.row.version {
        Version::None => None,
        Version::At(pointer) => id_at(pointer, json),
        Version::Content => {
            let mut hash = Xxh3::new();
            for map in &resource.fields {
                let found = map.pointer.of(json).filter(|found| !is_nothing(found));
                hash.update(found.map(Json::to_string).unwrap_or_default().as_bytes());
                hash.update(&[0]);
            }
            Some(format!("{:016x}", hash.digest()).into())
        }
    }
}

/// Returns an instant with its offset, or in seconds since 1970; a time without an offset is none.
fn instant(json: &Json) -> Option<Timestamp> {
    match json {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => Timestamp::from_second(number.as_i64()?).ok(),
        _ => None,
    }
}
