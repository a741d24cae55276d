//! Reading settings so that every fault is told at once, each under the path where it stands.

use std::cell::RefCell;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::model::FieldError;

/// Collects faults.
#[derive(Debug, Default)]
pub(crate) struct Faults(RefCell<Vec<FieldError>>);

impl Faults {
    pub(crate) fn add(&self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.borrow_mut().push(FieldError::new(path, reason));
    }

    /// Adds faults that were found elsewhere.
    pub(crate) fn extend(&self, faults: Vec<FieldError>) {
        self.0.borrow_mut().extend(faults);
    }

    /// Returns what was read, if all of it could be, and else every fault.
    pub(crate) fn or<T>(self, read: Option<T>) -> Result<T, Vec<FieldError>> {
        match (self.0.into_inner(), read) {
            (faults, Some(read)) if faults.is_empty() => Ok(read),
            (faults, _) => Err(faults),
        }
    }
}

/// Reads one object, member by member, and refuses the members that nobody asked for.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    path: String,
    object: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
    faults: &'a Faults,
}

impl<'a> Section<'a> {
    /// Opens a value that must be an object.
    pub(crate) fn open(path: impl Into<String>, value: &'a Value, faults: &'a Faults) -> Option<Self> {
        let path = path.into();
        let Some(object) = value.as_object() else {
            faults.add(path, "must be an object");
            return None;
        };
        let asked = RefCell::default();
        Some(Self {
            path,
            object,
            asked,
            faults,
        })
    }

    /// Returns the path of a member; those of the root have nothing before their name.
    pub(crate) fn path_of(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    pub(crate) fn fault(&self, name: &str, reason: impl Into<String>) {
        self.faults.add(self.path_of(name), reason);
    }

    /// Returns a member's value; `null` is as good as nothing.
    pub(crate) fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Returns a member that is text and accepted by `accept`, which says else what would be.
    pub(crate) fn text<T>(
        &self,
        name: &'static str,
        accept: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let read = |value: &Value| match value.as_str() {
            Some(text) => accept(text),
            None => Err("must be a text".to_owned()),
        };
        read(self.get(name)?)
            .map_err(|reason| self.fault(name, reason))
            .ok()
    }

    /// Returns a member as [`Section::text`] does, and takes its absence for a fault.
    pub(crate) fn required<T>(
        &self,
        name: &'static str,
        accept: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.get(name).is_none() {
            self.fault(name, "is required");
        }
        self.text(name, accept)
    }

    /// Returns a member that is a whole number within bounds.
    pub(crate) fn number(&self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let number = self
            .get(name)?
            .as_u64()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(name, format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// Returns a member that is true or false.
    pub(crate) fn flag(&self, name: &'static str) -> Option<bool> {
        let flag = self.get(name)?.as_bool();
        if flag.is_none() {
            self.fault(name, "must be true or false");
        }
        flag
    }

    /// Returns a member that `check` accepts, which says else everything that is wrong with it.
    pub(crate) fn value<T>(
        &self,
        name: &'static str,
        check: impl Fn(&Value) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        let checked = check(self.get(name)?);
        checked.map_err(|faults| self.faults.extend(faults)).ok()
    }

    /// Returns a member as [`Section::value`] does, and takes its absence for a fault.
    pub(crate) fn required_value<T>(
        &self,
        name: &'static str,
        check: impl Fn(&Value) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        if self.get(name).is_none() {
            self.fault(name, "is required");
        }
        self.value(name, check)
    }

    /// Opens a member that is an object.
    pub(crate) fn section(&self, name: &'static str) -> Option<Self> {
        Self::open(self.path_of(name), self.get(name)?, self.faults)
    }

    /// Opens the entries of a member that is a list of objects; an entry that is none is a fault.
    pub(crate) fn sections(&self, name: &'static str) -> Option<Vec<Option<Self>>> {
        let Some(list) = self.get(name)?.as_array() else {
            self.fault(name, "must be a list");
            return None;
        };
        let path = self.path_of(name);
        let entries = list.iter().enumerate();
        Some(
            entries
                .map(|(at, value)| Self::open(format!("{path}[{at}]"), value, self.faults))
                .collect(),
        )
    }

    /// Opens an entry of an object whose member names are not fixed.
    pub(crate) fn entry(&self, name: &str) -> Option<Self> {
        Self::open(self.path_of(name), self.object.get(name)?, self.faults)
    }

    /// Returns the entries of an object whose member names are not fixed.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.object.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Refuses the members that nobody asked for.
    pub(crate) fn finish(&self) {
        self.finish_with("is not a setting");
    }

    /// Refuses the members that nobody asked for, in other words.
    pub(crate) fn finish_with(&self, reason: &str) {
        let asked = self.asked.borrow();
        for name in self.object.keys().filter(|name| !asked.contains(&name.as_str())) {
            self.fault(name, reason);
        }
    }
}

/// Accepts what can stand in a URL or a body as a name: letters, digits and `_`, not a digit first.
pub(crate) fn identifier(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if begins && text.len() <= 100 && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err("must be a name of letters, digits and _".to_owned())
}

/// Accepts a time, or a date, which is its beginning in UTC: who is warned a day early loses nothing.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    let date = || {
        let date: Date = Some(text)
            .filter(|text| text.len() == "2027-01-31".len())?
            .parse()
            .ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let end = text.parse().ok().or_else(date);
    end.ok_or_else(|| "must be a date, or a time with its offset, such as 2027-01-31T09:00:00Z".to_owned())
}
