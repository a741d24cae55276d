//! What an organization configures of its files.
//!
//! # Shape
//!
//! Each can be left out; `columns` are names of `GL02b`, or objects that say what a column of another name holds:
//!
//! ```json
//! { "layout": "gl02b", "delimiter": ";", "encoding": "utf-8", "header": true, "lineEnd": "crlf", "decimalMark": ".",
//!   "dateForm": "yyyyMMdd", "quoting": "never", "bom": false, "refuseFormulas": true, "endMark": "x", "system": "GL02b",
//!   "currency": "NOK" }
//! ```
//!
//! ```json
//! { "columns": ["voucherType", "VoucherNo", "VoucherDate", "account", { "header": "Posting 3", "holds": "glObject3" }, "amount"] }
//! ```

use serde_json::{Map, Value, json};

use super::columns::{ENTITY, GL02B, Holds};
use crate::adapters::xledger::soap::home_currency;
use crate::csv::Profile;
use crate::model::{Currency, FieldError};
use crate::settings::{Faults, Section};

/// What no voucher can be told without.
const NEEDED: [Holds; 4] = [Holds::Number, Holds::Date, Holds::Account, Holds::Amount];

/// The members of a dialect that may be set, and what they are where they are not.
const DIALECT: [(&str, &str); 6] = [
    ("delimiter", ";"),
    ("encoding", "utf-8"),
    ("lineEnd", "crlf"),
    ("decimalMark", "."),
    ("dateForm", "yyyyMMdd"),
    ("quoting", "never"),
];
const FLAGS: [(&str, bool); 3] = [("header", true), ("bom", false), ("refuseFormulas", true)];

/// A file as an import definition takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProfile {
    pub(super) profile: Profile,
    /// What each column holds.
    pub(super) holds: Vec<Holds>,
    pub(super) system: Box<str>,
    pub(super) end: Box<str>,
    pub(super) currency: Currency,
}

type Column = (Box<str>, Holds);

impl FileProfile {
    /// Returns the media type of a file.
    pub(in crate::adapters::xledger) fn content_type(&self) -> String {
        self.profile.content_type()
    }

    /// Reads a profile; `{}` is `GL02b`.
    ///
    /// # Errors
    ///
    /// Every fault, under `settings.file`.
    pub fn check(json: &Value) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let read = Section::open("settings.file", json, &faults).and_then(|section| Self::read(&section));
        faults.or(read)
    }

    pub(in crate::adapters::xledger) fn read(section: &Section<'_>) -> Option<Self> {
        let layout = section.text("layout", layout);
        if layout.is_some() && section.get("columns").is_some() {
            section.fault("layout", "must not be given beside columns");
        }
        let with_entity = layout.unwrap_or(true);
        let columns = match section.get("columns") {
            Some(columns) => read_columns(section, columns),
            None => Some(usual(with_entity)),
        };
        let end = section.text("endMark", |text| Ok(Box::from(text)));
        let end = end.unwrap_or_else(|| "x".into());
        let usual_system = if with_entity { "GL02b" } else { "GL02" };
        let system = section.text("system", system);
        let currency = section.text("currency", home_currency);
        let dialect = dialect(section);
        section.finish();
        let columns = columns?;
        find_missing(section, &columns);
        Some(Self {
            profile: profile(section, dialect, &columns, &end)?,
            holds: columns.iter().map(|(_, holds)| *holds).collect(),
            system: system.unwrap_or_else(|| usual_system.into()),
            end,
            currency: currency.or_else(|| home_currency("NOK").ok())?,
        })
    }

    pub(super) fn has(&self, holds: Holds) -> bool {
        self.holds.contains(&holds)
    }
}

/// `GL02b`, as it is where nothing else is said.
impl Default for FileProfile {
    fn default() -> Self {
        Self::check(&json!({})).expect("what is left out fits")
    }
}

/// Says whether a layout has the entity.
fn layout(text: &str) -> Result<bool, String> {
    match text {
        "gl02b" => Ok(true),
        "gl02" => Ok(false),
        _ => Err("must be one of gl02b gl02".to_owned()),
    }
}

fn system(text: &str) -> Result<Box<str>, String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " -_.".contains(letter);
    let fits = !text.trim().is_empty() && text.len() <= 25 && text.chars().all(plain);
    fits.then(|| text.into())
        .ok_or_else(|| "must be 1 to 25 letters, digits, blanks and -_.".to_owned())
}

fn usual(with_entity: bool) -> Vec<Column> {
    let columns = GL02B
        .iter()
        .filter(|(header, _)| with_entity || *header != ENTITY);
    columns
        .map(|(header, holds)| ((*header).into(), *holds))
        .collect()
}

fn read_columns(section: &Section<'_>, columns: &Value) -> Option<Vec<Column>> {
    let Some(list) = columns.as_array() else {
        section.fault("columns", "must be a list");
        return None;
    };
    let read = list.iter().enumerate().map(|(at, value)| {
        let column = read_column(value);
        column
            .map_err(|reason| section.fault(&format!("columns.{at}"), reason))
            .ok()
    });
    // Every one is read before any is missed.
    let read: Vec<Option<Column>> = read.collect();
    read.into_iter().collect()
}

fn read_column(value: &Value) -> Result<Column, String> {
    if let Some(name) = value.as_str() {
        let known = GL02B.iter().find(|(header, _)| *header == name);
        let known = known.map(|(header, holds)| ((*header).into(), *holds));
        return known.ok_or_else(|| {
            "must be a column of GL02b, or an object such as {\"header\": \"Posting 3\", \"holds\": \"glObject3\"}".to_owned()
        });
    }
    let object = value.as_object().filter(|object| object.len() == 2);
    let member = |name: &str| object?.get(name)?.as_str();
    match (member("header"), member("holds")) {
        (Some(header), Some(holds)) => Ok((header.into(), Holds::accept(holds)?)),
        _ => Err("must be a text, or an object of header and holds".to_owned()),
    }
}

fn find_missing(section: &Section<'_>, columns: &[Column]) {
    for needed in NEEDED {
        if !columns.iter().any(|(_, holds)| *holds == needed) {
            section.fault("columns", format!("must have one that holds {}", needed.word()));
        }
    }
}

fn dialect(section: &Section<'_>) -> Value {
    let mut dialect = Map::new();
    dialect.insert("audience".to_owned(), "machine".into());
    for (name, usual) in DIALECT {
        let value = section.text(name, |text| Ok(text.to_owned()));
        dialect.insert(name.to_owned(), value.unwrap_or_else(|| usual.to_owned()).into());
    }
    for (name, usual) in FLAGS {
        dialect.insert(name.to_owned(), section.flag(name).unwrap_or(usual).into());
    }
    Value::Object(dialect)
}

/// Lets [`crate::csv`] judge dialect and columns, and tells its faults by the names that settings have.
fn profile(section: &Section<'_>, dialect: Value, columns: &[Column], end: &str) -> Option<Profile> {
    let columns = columns.iter().enumerate();
    let columns: Vec<Value> = columns
        .map(|(at, (header, holds))| holds.column(&format!("c{at}"), header, end))
        .collect();
    let checked = Profile::check(&json!({ "dialect": dialect, "columns": columns }));
    let tell = |fault: FieldError| {
        let path = fault.field.strip_prefix("profile.").unwrap_or(&fault.field);
        let path = path.strip_prefix("dialect.").unwrap_or(path);
        let path = if path.ends_with(".words") { "endMark" } else { path };
        section.fault(path, fault.reason);
    };
    checked.map_err(|faults| faults.into_iter().for_each(tell)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &Value) -> Vec<String> {
        let faults = FileProfile::check(json).unwrap_err();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn what_is_left_out_is_gl02b() {
        let profile = FileProfile::default();
        let headers: Vec<&str> = profile
            .profile
            .columns()
            .iter()
            .map(|column| column.header())
            .collect();
        assert_eq!(headers.len(), 50);
        assert_eq!(
            headers[..4],
            ["ImpSystem", "ImpSystemRef", "Entity", "voucherType"]
        );
        assert_eq!((&*profile.system, &*profile.end), ("GL02b", "x"));
        let gl02 = FileProfile::check(&json!({ "layout": "gl02" })).unwrap();
        assert_eq!(gl02.holds.len(), 49);
        assert!(!gl02.has(Holds::Entity) && &*gl02.system == "GL02");
    }

    #[test]
    fn columns_can_be_others_and_in_another_order() {
        let profile = FileProfile::check(&json!({
            "columns": ["amount", { "header": "Posting 3", "holds": "glObject3" }, "account", "VoucherDate", "VoucherNo"],
            "delimiter": "tab", "decimalMark": ",", "encoding": "windows-1252", "header": false, "lineEnd": "lf",
        }))
        .unwrap();
        assert!(profile.has(Holds::accept("glObject3").unwrap()));
        assert_eq!(profile.profile.columns()[1].header(), "Posting 3");
    }

    #[test]
    fn every_fault_is_told_at_once_by_the_names_that_settings_have() {
        assert_eq!(
            fields(&json!({
                "layout": "gl03", "system": "a;b", "currency": "JPY", "delimiter": "#", "encoding": "latin", "endMark": "",
                "header": "yes", "other": 1,
            })),
            [
                "settings.file.layout",
                "settings.file.system",
                "settings.file.currency",
                "settings.file.header",
                "settings.file.other",
                "settings.file.encoding",
                "settings.file.delimiter",
                "settings.file.endMark",
            ]
        );
        let columns = json!({ "layout": "gl02b", "columns": ["amount", "Amount", { "header": "a" }, 7] });
        assert_eq!(
            fields(&columns),
            ["layout", "columns.1", "columns.2", "columns.3"].map(|name| format!("settings.file.{name}"))
        );
        let twice = json!({ "columns": ["amount", "amount"] });
        let told = fields(&twice);
        assert!(
            told.contains(&"settings.file.columns.1.header".to_owned()),
            "{told:?}"
        );
        assert_eq!(
            told.iter()
                .filter(|field| *field == "settings.file.columns")
                .count(),
            3
        );
        let mark = json!({ "delimiter": ",", "decimalMark": "," });
        assert_eq!(fields(&mark), ["settings.file.decimalMark"]);
    }
}
