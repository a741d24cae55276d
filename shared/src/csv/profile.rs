//! What stands in a file: its columns, and the dialect that they are written in.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;

use super::checked::Number;
use super::dialect::{Dialect, Quoting};
use super::guard;
use super::number::MOST_DECIMALS;
use crate::model::FieldError;
use crate::settings::{Faults, Section, identifier};

/// The most columns of a profile, and the most words of a choice.
const MOST_COLUMNS: usize = 300;
const MOST_WORDS: usize = 100;

/// A file as both sides have agreed on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Profile {
    pub(super) dialect: Dialect,
    pub(super) columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// What the code knows it by.
    pub(super) name: String,
    /// What the file calls it.
    pub(super) header: String,
    #[serde(flatten)]
    pub(super) holds: Holds,
    /// Whether each cell must have something.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) required: bool,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Holds {
    Text {
        #[serde(skip_serializing_if = "Option::is_none")]
        max_length: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<Number>,
    },
    Decimal {
        scale: u32,
    },
    Integer,
    Date,
    Bool {
        yes: String,
        no: String,
    },
    Choice {
        words: Vec<String>,
    },
}

impl Profile {
    /// Reads a profile.
    ///
    /// What can be left out of a dialect is all but `audience`, whose preset fills it in; of a column, `header`, which is
    /// then its name, `required`, `maxLength`, `number` (which number with control digits a text is: see [`Number`]), and the words `yes` and `no` of a bool, which are then `Ja` and `Nei` for
    /// people, `true` and `false` for machines.
    ///
    /// # Errors
    ///
    /// Every fault, under `profile`.
    ///
    /// # Example
    ///
    /// ```
    /// use serde_json::json;
    /// use shared::csv::Profile;
    ///
    /// let profile = json!({
    ///     "dialect": { "audience": "machine", "delimiter": ";", "dateForm": "yyyyMMdd", "encoding": "windows-1252" },
    ///     "columns": [
    ///         { "name": "account", "type": "text", "maxLength": 8, "required": true },
    ///         { "name": "amount", "header": "Currency Amount", "type": "decimal", "scale": 2, "required": true },
    ///         { "name": "voucherDate", "type": "date" },
    ///         { "name": "end", "header": "EOL", "type": "choice", "words": ["x"], "required": true }
    ///     ]
    /// });
    /// assert!(Profile::check(&profile).is_ok());
    ///
    /// let wrong = json!({ "dialect": { "audience": "people", "delimiter": "#" }, "columns": [{ "type": "decimal" }] });
    /// let faults = Profile::check(&wrong).expect_err("much is wrong with it");
    /// let paths: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    /// let expected = ["dialect.delimiter", "columns.0.name", "columns.0.scale"].map(|path| format!("profile.{path}"));
    /// assert_eq!(paths, expected);
    /// ```
    pub fn check(json: &Value) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let profile = Section::open("profile", json, &faults).and_then(|section| {
            let dialect = match section.section("dialect") {
                Some(dialect) => Dialect::read(&dialect),
                None if section.get("dialect").is_none() => missing(&section, "dialect"),
                None => None,
            };
            let columns = read_columns(&section, dialect.as_ref(), &faults);
            section.finish();
            Some(Self {
                dialect: dialect?,
                columns: columns?,
            })
        });
        faults.or(profile)
    }

    /// Returns the place of a column.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Returns the columns in the order in which cells are written.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}

impl Column {
    /// Returns what the code knows it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the file calls it.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Returns how many decimals it has, if it holds decimals.
    #[must_use]
    pub const fn scale(&self) -> Option<u32> {
        match self.holds {
            Holds::Decimal { scale } => Some(scale),
            _ => None,
        }
    }

    /// Returns the name of its type, as a profile has it.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self.holds {
            Holds::Text { .. } => "text",
            Holds::Decimal { .. } => "decimal",
            Holds::Integer => "integer",
            Holds::Date => "date",
            Holds::Bool { .. } => "bool",
            Holds::Choice { .. } => "choice",
        }
    }

    fn read(section: &Section<'_>, dialect: Option<&Dialect>) -> Option<Self> {
        let word = |text: &str| dialect.map_or_else(|| Ok(text.to_owned()), |dialect| dialect.word(text));
        let name = section.required("name", identifier);
        let header = section.text("header", word);
        let required = section.flag("required").unwrap_or_default();
        let holds = section.required("type", |text| Ok(text.to_owned()));
        let holds = holds.and_then(|holds| Holds::read(&holds, section, dialect, &word));
        section.finish();
        let header = header.or_else(|| name.clone())?;
        Some(Self {
            name: name?,
            header,
            holds: holds?,
            required,
        })
    }
}

impl Holds {
    fn read(
        name: &str,
        section: &Section<'_>,
        dialect: Option<&Dialect>,
        word: &dyn Fn(&str) -> Result<String, String>,
    ) -> Option<Self> {
        match name {
            "text" => Some(Self::Text {
                max_length: section.number("maxLength", 1, 1 << 20),
                number: section.text("number", Number::accept),
            }),
            "decimal" => {
                if section.get("scale").is_none() {
                    return missing(section, "scale");
                }
                let scale = section.number("scale", 0, MOST_DECIMALS.into())?;
                Some(Self::Decimal {
                    scale: u32::try_from(scale).ok()?,
                })
            }
            "integer" => Some(Self::Integer),
            "date" => Some(Self::Date),
            "bool" => {
                let people = dialect.is_some_and(Dialect::is_for_people);
                let (yes, no) = if people { ("Ja", "Nei") } else { ("true", "false") };
                let yes = section.text("yes", word).unwrap_or_else(|| yes.to_owned());
                let no = section.text("no", word).unwrap_or_else(|| no.to_owned());
                if yes == no {
                    section.fault("no", "must be another word than yes");
                }
                Some(Self::Bool { yes, no })
            }
            "choice" => read_words(section, word).map(|words| Self::Choice { words }),
            _ => {
                section.fault("type", "must be one of text decimal integer date bool choice");
                None
            }
        }
    }
}

impl Dialect {
    /// Accepts a word of the profile that stands in files as it is.
    fn word(&self, text: &str) -> Result<String, String> {
        let plain = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        if !plain || text.chars().count() > 200 {
            return Err(
                "must be 1 to 200 characters, with no control character and no space at its ends".to_owned(),
            );
        }
        if (self.is_for_people() || self.refuse_formulas) && guard::is_formula(text) {
            return Err("must not begin as a formula does".to_owned());
        }
        let special = [char::from(self.delimiter.byte()), '"'];
        if self.quoting == Quoting::Never && text.contains(special) {
            return Err("must hold no delimiter and no quote where nothing is quoted".to_owned());
        }
        match self.encoding.carries(text) {
            true => Ok(text.to_owned()),
            false => Err("must only hold letters that the encoding has".to_owned()),
        }
    }
}

fn missing<T>(section: &Section<'_>, name: &str) -> Option<T> {
    section.fault(name, "is required");
    None
}

fn read_columns(section: &Section<'_>, dialect: Option<&Dialect>, faults: &Faults) -> Option<Vec<Column>> {
    let values = section.get("columns").and_then(Value::as_array);
    let Some(values) = values.filter(|values| (1..=MOST_COLUMNS).contains(&values.len())) else {
        section.fault(
            "columns",
            format!("must be a list of 1 to {MOST_COLUMNS} columns"),
        );
        return None;
    };
    let (mut names, mut headers) = (HashSet::new(), HashSet::new());
    let mut columns = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate() {
        let column = Section::open(section.path_of(&format!("columns.{place}")), value, faults)?;
        let Some(read) = Column::read(&column, dialect) else {
            continue;
        };
        if !names.insert(read.name.clone()) {
            column.fault("name", "must not stand twice");
        }
        if !headers.insert(read.header.clone()) {
            column.fault("header", "must not stand twice");
        }
        columns.push(read);
    }
    Some(columns)
}

fn read_words(section: &Section<'_>, word: &dyn Fn(&str) -> Result<String, String>) -> Option<Vec<String>> {
    let values = section.get("words").and_then(Value::as_array);
    let Some(values) = values.filter(|values| (1..=MOST_WORDS).contains(&values.len())) else {
        section.fault("words", format!("must be a list of 1 to {MOST_WORDS} texts"));
        return None;
    };
    let mut words: Vec<String> = Vec::with_capacity(values.len());
    for value in values {
        let read = value.as_str().ok_or_else(|| "must be a list of texts".to_owned());
        match read.and_then(word) {
            Ok(word) if words.contains(&word) => section.fault("words", "must not hold a word twice"),
            Ok(word) => words.push(word),
            Err(reason) => section.fault("words", reason),
        }
    }
    Some(words)
}
