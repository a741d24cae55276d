//! The map from fields to columns, as settings give it.

use serde_json::Value;

use super::table::{Column, Holds};
use crate::model::{FieldType, Kind};
use crate::settings::{Section, identifier};

/// The columns that every contact has; preferences are left out, so that none is overwritten unasked.
///
/// Source: Microsoft Learn, "Contact table/entity reference (Microsoft Dataverse)".
const CONTACT: &[(&str, &str)] = &[
    ("firstName", "firstname"),
    ("middleName", "middlename"),
    ("lastName", "lastname"),
    ("birthDate", "birthdate"),
    ("gender", "gendercode"),
    ("email", "emailaddress1"),
    ("phone", "telephone1"),
    ("mobilePhone", "mobilephone"),
    ("addressLine1", "address1_line1"),
    ("addressLine2", "address1_line2"),
    ("postalCode", "address1_postalcode"),
    ("city", "address1_city"),
    ("country", "address1_country"),
];

/// The standard choices of `gendercode`.
const GENDERS: &[(&str, i64)] = &[("male", 1), ("female", 2)];

/// Columns that the system itself writes.
const NOT_FOR_FIELDS: &[&str] = &[
    "statecode",
    "statuscode",
    "createdon",
    "modifiedon",
    "versionnumber",
    "fullname",
    "merged",
    "address1_composite",
];

/// Reads `fields` and `values`.
pub(super) fn read(table: &Section<'_>, kind: Kind) -> Option<Vec<Column>> {
    let values = table.section("values");
    let mut columns = match (table.get("fields"), kind) {
        (Some(_), _) => read_fields(&table.section("fields")?, kind),
        (None, Kind::Member) => standard(kind),
        (None, _) => {
            table.fault("fields", "is required");
            return None;
        }
    };
    if let Some(values) = values {
        read_values(&values, &mut columns);
    }
    Some(columns)
}

/// Refuses keys among the columns that are written, and columns that two fields share.
pub(super) fn check_keys(table: &Section<'_>, columns: &[Column], primary: &str, alternate: Option<&str>) {
    for (at, column) in columns.iter().enumerate() {
        let fault = |reason| table.fault(&format!("fields.{}", column.field.name), reason);
        if column.name == primary || Some(column.name.as_str()) == alternate {
            fault("must not be a key: keys are not written");
        }
        if columns.iter().take(at).any(|earlier| earlier.name == column.name) {
            fault("is a column that another field has");
        }
    }
}

fn standard(kind: Kind) -> Vec<Column> {
    let column = |&(field, name): &(&str, &str)| plain(kind, kind.position(field)?, name.to_owned());
    CONTACT.iter().filter_map(column).collect()
}

fn read_fields(section: &Section<'_>, kind: Kind) -> Vec<Column> {
    for field in kind.fields().iter().filter(|field| field.required) {
        if !section.entries().any(|(name, _)| name == field.name) {
            section.fault(field.name, "is required");
        }
    }
    section
        .entries()
        .filter_map(|(field, value)| read_field(section, kind, field, value))
        .collect()
}

fn read_field(section: &Section<'_>, kind: Kind, field: &str, value: &Value) -> Option<Column> {
    let Some(position) = kind.position(field) else {
        section.fault(field, format!("is not a field of a {kind}"));
        return None;
    };
    let read = match (kind.fields()[position].holds, value) {
        _ if field == "active" => Err("is always the column statecode: leave it out".to_owned()),
        (FieldType::Reference(_), Value::Object(_)) => return lookup(&section.entry(field)?, kind, position),
        (FieldType::Reference(_), _) => Err("must be an object with lookup, bind and entitySet".to_owned()),
        (_, Value::String(name)) => column_name(name),
        _ => Err("must be the name of a column".to_owned()),
    };
    let name = read.map_err(|reason| section.fault(field, reason)).ok()?;
    plain(kind, position, name)
}

fn column_name(text: &str) -> Result<String, String> {
    match NOT_FOR_FIELDS.contains(&text) {
        true => Err("is a column that the system itself writes".to_owned()),
        false => identifier(text),
    }
}

fn lookup(section: &Section<'_>, kind: Kind, position: usize) -> Option<Column> {
    let name = section.required("lookup", |text| {
        match text.starts_with('_') && text.ends_with("_value") {
            true => identifier(text),
            false => {
                Err("must be the name under which a lookup is read, such as _hlf_contact_value".to_owned())
            }
        }
    });
    let bind = section.required("bind", identifier);
    let entity_set = section.required("entitySet", identifier);
    section.finish();
    Some(Column {
        position,
        field: &kind.fields()[position],
        name: name?,
        holds: Holds::Lookup {
            bind: bind?,
            entity_set: entity_set?,
        },
    })
}

fn plain(kind: Kind, position: usize, name: String) -> Option<Column> {
    let field = &kind.fields()[position];
    let holds = match field.holds {
        FieldType::Text(_) => Holds::Text,
        FieldType::Date => Holds::Date,
        FieldType::Bool => Holds::Bool,
        FieldType::Choice(_) => Holds::Choice(
            GENDERS
                .iter()
                .map(|&(word, number)| (word.to_owned(), number))
                .collect(),
        ),
        FieldType::Reference(_) => return None,
    };
    Some(Column {
        position,
        field,
        name,
        holds,
    })
}

fn read_values(section: &Section<'_>, columns: &mut [Column]) {
    for (field, _) in section.entries() {
        let column = columns.iter_mut().find(|column| column.field.name == field);
        let Some(column) = column.filter(|column| matches!(column.holds, Holds::Text | Holds::Choice(_)))
        else {
            section.fault(field, "is not a mapped field that holds text or a choice");
            continue;
        };
        if let Some(words) = section.entry(field) {
            column.holds = Holds::Choice(read_words(&words, column.field.holds));
        }
    }
}

fn read_words(section: &Section<'_>, holds: FieldType) -> Vec<(String, i64)> {
    let mut words: Vec<(String, i64)> = Vec::new();
    for (word, value) in section.entries() {
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        match number {
            None => section.fault(word, "must be the number of a choice"),
            Some(number) if words.iter().any(|(_, taken)| *taken == number) => {
                section.fault(word, "is a number that another word has");
            }
            Some(_) if matches!(holds, FieldType::Choice(allowed) if !allowed.contains(&word)) => {
                section.fault(word, "is not a word of this field");
            }
            Some(number) => words.push((word.to_owned(), number)),
        }
    }
    words
}
