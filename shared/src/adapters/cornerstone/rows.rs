//! Rows of the transcript view, and what becomes of those that are not told on.
//!
//! A user who registers for a course again has a row for each registration. The last one says how far they are, and is the
//! enrolment; the others are history, and are passed over. Rows are repeated across pages, and within one.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::columns::{COURSE, Columns, LATEST, MODIFIED, NUMBER, REMOVED, USER, View, always};
use super::key::{Key, course_id};
use super::map::{self, Vocabulary};
use super::names::Names;
use super::wire::Row;
use crate::adapter::{ExternalRecord, Item};
use crate::model::{Fields, Kind, Value};

const KIND: Kind = Kind::CourseEnrollment;

/// One registration, as the transcript view has it.
pub(super) struct Registration {
    pub(super) user: String,
    pub(super) course: Box<str>,
    number: i64,
    row: Row,
}

/// What a page of the transcript view comes to.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) registrations: Vec<Registration>,
    /// When the newest row was changed.
    pub(super) newest: Option<Timestamp>,
    pub(super) warnings: Vec<String>,
}

impl Rows {
    /// Sorts the rows of a page: of each enrolment its last registration is kept.
    pub(super) fn read(rows: Vec<Row>, columns: &Columns) -> Self {
        let mut read = Self {
            warnings: missing(&rows, columns),
            ..Self::default()
        };
        let mut places: HashMap<(String, Box<str>), usize> = HashMap::with_capacity(rows.len());
        let mut nameless = 0_u64;
        for row in rows {
            let modified = row.get(MODIFIED).and_then(map::time).flatten();
            read.newest = read.newest.max(modified);
            let Some(registration) = Registration::read(row) else {
                nameless += 1;
                continue;
            };
            if !registration.is_last() {
                continue;
            }
            let place = (registration.user.clone(), registration.course.clone());
            match places.get(&place).and_then(|at| read.registrations.get_mut(*at)) {
                Some(before) if before.number < registration.number => *before = registration,
                Some(_) => {}
                None => {
                    places.insert(place, read.registrations.len());
                    read.registrations.push(registration);
                }
            }
        }
        if nameless > 0 {
            read.warnings.push(format!(
                "{nameless} rows of {} name no user or no training, and are passed over",
                View::Transcript.name()
            ));
        }
        read
    }
}

/// Names the columns that were asked for and do not come.
fn missing(rows: &[Row], columns: &Columns) -> Vec<String> {
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let fixed = [LATEST, REMOVED, MODIFIED].into_iter();
    let mapped = columns.of(View::Transcript).map(|column| column.name.as_str());
    let missing = fixed.chain(mapped).filter(|name| !first.contains_key(*name));
    missing
        .map(|name| {
            format!(
                "the column {name} of {} is missing from what is read",
                View::Transcript.name()
            )
        })
        .collect()
}

impl Registration {
    fn read(row: Row) -> Option<Self> {
        let user = map::text(row.get(USER)?).filter(|user| !user.is_empty())?;
        let course = course_id(row.get(COURSE)?.as_str()?)?;
        let number = row.get(NUMBER).and_then(map::text);
        Some(Self {
            user,
            course,
            number: number.and_then(|number| number.parse().ok()).unwrap_or_default(),
            row,
        })
    }

    /// Reads the id that a registration has whose user has no name that the platform could know.
    pub(super) fn unnamed(id: &str) -> Option<Self> {
        let key = Key::parse(id)?;
        let user = key.member.strip_prefix('#')?;
        let is_number = !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self {
            user: user.to_owned(),
            course: key.course.clone(),
            number: 0,
            row: Row::new(),
        })
    }

    /// Says that nobody knows whose it is; no member has an id that begins as this one.
    pub(super) fn faulty(&self) -> Item {
        Item::Faulty {
            id: format!("#{}.{}", self.user, self.course).into(),
            field: "memberId".to_owned(),
            message: format!(
                "the user is not in {}, or has no User ID that fits: give the user one, or the application access to the user",
                View::User.name()
            ),
        }
    }

    /// A row that does not say whether it is the last one is taken for it.
    fn is_last(&self) -> bool {
        match self.row.get(LATEST) {
            None | Some(Json::Null) => true,
            Some(flag) => map::flag(flag).unwrap_or(true),
        }
    }

    fn is_removed(&self) -> bool {
        self.row.get(REMOVED).and_then(map::flag).unwrap_or_default()
    }

    /// Returns the enrolment that it is, once it is known whose and of what.
    pub(super) fn item(&self, columns: &Columns, words: &Vocabulary<'_>, names: &Names) -> Item {
        let member = names.user(&self.user);
        let Some(key) = member.and_then(|member| Key::new(member, &self.course)) else {
            return self.faulty();
        };
        if self.is_removed() {
            return Item::Deleted {
                id: key.id(),
                merged_into: None,
            };
        }
        let mut reading = Reading::new(&key);
        for column in &columns.all {
            let json = match column.view {
                View::Training => names.training(&self.course).and_then(|row| row.get(&column.name)),
                View::Transcript | View::User => self.row.get(&column.name),
            };
            reading.take(column.position, json, words);
        }
        let modified_at = self.row.get(MODIFIED).and_then(map::time).flatten();
        reading.item(key.id(), modified_at)
    }
}

/// An enrolment that is being read, field by field.
pub(super) struct Reading {
    fields: Fields,
    told: u64,
    fault: Option<(&'static str, String)>,
}

impl Reading {
    pub(super) fn new(key: &Key) -> Self {
        let mut fields = Fields::new(KIND);
        for (name, text) in [("memberId", &key.member), ("courseId", &key.course)] {
            if let Some(position) = KIND.position(name) {
                fields.set(position, Some(Value::Text(text.clone())));
            }
        }
        Self {
            fields,
            told: always(),
            fault: None,
        }
    }

    /// Takes over what a field holds; one that is missing was not told.
    pub(super) fn take(&mut self, position: usize, json: Option<&Json>, words: &Vocabulary<'_>) {
        let Some(json) = json else { return };
        match words.read(position, json) {
            Ok(value) => {
                self.fields.set(position, value);
                self.told |= 1 << position;
            }
            Err(reason) => {
                let name = KIND.fields().get(position).map_or("record", |field| field.name);
                self.fault.get_or_insert((name, reason));
            }
        }
    }

    pub(super) fn item(self, id: Box<str>, modified_at: Option<Timestamp>) -> Item {
        if let Some((field, message)) = self.fault {
            return Item::Faulty {
                id,
                field: field.to_owned(),
                message,
            };
        }
        let active = !matches!(self.fields.get("active"), Some(Value::Bool(false)));
        Item::Row(ExternalRecord {
            id,
            etag: Some(map::version(&self.fields).into()),
            key: None,
            active,
            fields: self.fields,
            told: self.told,
            modified_at,
            ours: false,
        })
    }
}
