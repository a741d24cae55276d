//! Changes as rows of transcript loads, for portals whose APIs are not open: a file for each type of training.
//!
//! # Shape
//!
//! Edge Import prescribes no header: whoever sets a load up says once which column holds what. So there is a stable header of
//! our own, whose names can be set:
//!
//! ```csv
//! User ID,LO ID,Status,Registration Number,Registration Date,Due Date,Completion Date,Score
//! 100234,1c8c4d2e-0a5b-4c3d-9e8f-102938475610,Completed,,2026-01-15,,2026-01-31,85
//! ```
//!
//! # Errors
//!
//! A change that no load can carry is refused by itself, with its field; the others are written. A file that is written may
//! still be refused row by row there, and says so in a log of its own.
//!
//! Source: help.csod.com, "Edge Import", "Transcript load", read 2026-11-22. Statuses are documented there for online courses
//! and for instructor-led training; for the other types only those are used that every load takes.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::key::Key;
use crate::adapter::{Change, ChangeAction, Error, ErrorKind};
use crate::csv::{self, Cell, Profile, WriteError, Writer};
use crate::model::{FieldError, FieldType, Fields, Kind, Value};

const KIND: Kind = Kind::CourseEnrollment;

/// The most rows of one file.
pub const MOST_ROWS: usize = 1_000_000;

/// What the code calls a column, what the file does, what it holds, and whether each row has it.
const COLUMNS: &[(&str, &str, &str, bool)] = &[
    ("userId", "User ID", "text", true),
    ("learningObjectId", "LO ID", "text", true),
    ("status", "Status", "choice", true),
    ("registrationNumber", "Registration Number", "text", false),
    ("registrationDate", "Registration Date", "date", false),
    ("dueDate", "Due Date", "date", false),
    ("completionDate", "Completion Date", "date", false),
    ("score", "Score", "text", false),
];

/// The platform's statuses, each with that of a load.
const STATUSES: &[(&str, &str)] = &[
    ("requested", "Requested"),
    ("approved", "Approved"),
    ("registered", "Registered"),
    ("completed", "Completed"),
    ("exempt", "Exempt"),
    ("withdrawn", "Withdrawn"),
    ("cancelled", "Cancelled"),
    ("waitlisted", "Waitlisted"),
    ("incomplete", "Incomplete"),
    ("no_show", "No Show"),
];

/// Says which statuses a load for a type of training takes.
fn takes(training_type: &str, status: &str) -> bool {
    match (training_type, status) {
        (_, "registered" | "completed") | ("online_course", "exempt") => true,
        ("instructor_led", status) => status != "in_progress",
        _ => false,
    }
}

/// One row of a transcript load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRow {
    /// The user's `externalId`.
    pub user: Box<str>,
    /// The learning object's id.
    pub course: Box<str>,
    /// How far the user is, in the platform's word.
    pub status: &'static str,
    /// Which registration it is about; without one, the last.
    pub registration_number: Option<Box<str>>,
    /// When the user was registered.
    pub registered_on: Option<Date>,
    /// When the user should be done.
    pub due_on: Option<Date>,
    /// When the user was done.
    pub completed_on: Option<Date>,
    /// The result.
    pub score: Option<Box<str>>,
}

/// The rows of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The type of training, in the platform's word.
    pub training_type: &'static str,
    /// The rows, in the order of the changes.
    pub rows: Vec<LoadRow>,
}

/// Sorts changes by the load that carries them; returns with the loads what none can carry, by its place among the changes.
pub fn loads(changes: &[Change], today: Date) -> (Vec<Load>, Vec<(usize, Error)>) {
    let mut loads: BTreeMap<&'static str, Vec<LoadRow>> = BTreeMap::new();
    let mut refused = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        match row(change, today) {
            Ok((training_type, row)) => loads.entry(training_type).or_default().push(row),
            Err(error) => refused.push((place, error)),
        }
    }
    let loads = loads.into_iter().flat_map(|(training_type, rows)| {
        let files = rows.chunks(MOST_ROWS).map(<[LoadRow]>::to_vec);
        let files: Vec<Vec<LoadRow>> = files.collect();
        files.into_iter().map(move |rows| Load { training_type, rows })
    });
    (loads.collect(), refused)
}

fn row(change: &Change, today: Date) -> Result<(&'static str, LoadRow), Error> {
    let ChangeAction::Write { fields, .. } = &change.action else {
        let message =
            "no load takes an enrolment off a transcript: set its status to withdrawn before it is deleted";
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    let needed = |name: &'static str| text(fields, name).ok_or_else(|| refuse(name, "is required"));
    let (member, course) = (needed("memberId")?, needed("courseId")?);
    let key = Key::new(member, course)
        .ok_or_else(|| refuse("courseId", "must be the learning object's id, a GUID"))?;
    let training_type = choice("trainingType", needed("trainingType")?)?;
    let status = choice("status", text(fields, "status").unwrap_or("registered"))?;
    if !takes(training_type, status) || in_words(status).is_none() {
        return Err(refuse(
            "status",
            "is one that a load for this type of training does not take",
        ));
    }
    let registered_on = day(fields, "registeredOn");
    for (name, on) in [
        ("registeredOn", registered_on),
        ("completedOn", day(fields, "completedOn")),
    ] {
        if on.is_some_and(|on| on > today) {
            return Err(refuse(name, "cannot lie in the future"));
        }
    }
    let row = LoadRow {
        user: key.member,
        course: key.course,
        status,
        registration_number: text(fields, "registrationNumber").map(Into::into),
        registered_on,
        due_on: day(fields, "dueOn"),
        completed_on: day(fields, "completedOn"),
        score: text(fields, "score").map(Into::into),
    };
    Ok((training_type, row))
}

/// Returns the profile of a load: for machines, with our header, but for the names that are set by what the code calls them.
///
/// # Errors
///
/// Every name that is set and no column has, and every one that cannot stand in a header.
pub fn profile(training_type: &str, headers: &BTreeMap<String, String>) -> Result<Profile, Vec<FieldError>> {
    let unknown = headers
        .keys()
        .filter(|name| !COLUMNS.iter().any(|(known, ..)| known == name));
    let unknown: Vec<FieldError> = unknown
        .map(|name| FieldError::new(format!("headers.{name}"), "is no column of a transcript load"))
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let columns = COLUMNS.iter().map(|(name, header, holds, required)| {
        let header = headers.get(*name).map_or(*header, String::as_str);
        let mut column = json!({ "name": name, "header": header, "type": holds, "required": required });
        if *holds == "choice" {
            let taken = STATUSES
                .iter()
                .filter(|(ours, _)| takes(training_type, ours))
                .map(|(_, theirs)| *theirs);
            column["words"] = taken.collect();
        }
        column
    });
    let columns: Json = columns.collect();
    Profile::check(&json!({ "dialect": { "audience": "machine" }, "columns": columns }))
}

/// Writes a load with the profile of its type.
///
/// # Errors
///
/// As [`Writer`] has them; a file that one row cannot be written into is not whole.
pub fn write<W: Write>(load: &Load, profile: &Profile, out: W) -> Result<(W, csv::Totals), WriteError> {
    let mut writer = Writer::new(profile, out)?;
    for row in &load.rows {
        writer.write(&row.cells(profile))?;
    }
    writer.finish()
}

impl LoadRow {
    /// Returns the cells in the order of the profile.
    fn cells(&self, profile: &Profile) -> Vec<Cell<'_>> {
        let day = |day: Option<Date>| day.map_or(Cell::Empty, Cell::Date);
        let cell = |name: &str| match name {
            "userId" => Cell::Text(&self.user),
            "learningObjectId" => Cell::Text(&self.course),
            "status" => in_words(self.status).map_or(Cell::Empty, Cell::Text),
            "registrationNumber" => self
                .registration_number
                .as_deref()
                .map_or(Cell::Empty, Cell::Text),
            "registrationDate" => day(self.registered_on),
            "dueDate" => day(self.due_on),
            "completionDate" => day(self.completed_on),
            "score" => self.score.as_deref().map_or(Cell::Empty, Cell::Text),
            _ => Cell::Empty,
        };
        profile
            .columns()
            .iter()
            .map(|column| cell(column.name()))
            .collect()
    }

    /// Reads a row of a load.
    ///
    /// # Errors
    ///
    /// What in it is no row of a load, by the names of the code.
    pub fn read(row: &csv::Row<'_>) -> Result<Self, Vec<FieldError>> {
        let text = |name: &str| row.get(name).and_then(Cell::text).filter(|text| !text.is_empty());
        let day = |name: &str| row.get(name).and_then(Cell::date);
        let key = Key::new(
            text("userId").unwrap_or_default(),
            text("learningObjectId").unwrap_or_default(),
        );
        let status = STATUSES
            .iter()
            .find(|(_, theirs)| text("status") == Some(*theirs));
        let fault = |name: &str, reason: &str| FieldError::new(name, reason);
        match (key, status) {
            (Some(key), Some((status, _))) => Ok(Self {
                user: key.member,
                course: key.course,
                status,
                registration_number: text("registrationNumber").map(Into::into),
                registered_on: day("registrationDate"),
                due_on: day("dueDate"),
                completed_on: day("completionDate"),
                score: text("score").map(Into::into),
            }),
            (key, status) => {
                let key = key
                    .is_none()
                    .then(|| fault("learningObjectId", "must be a GUID, beside a user's id"));
                let status = status
                    .is_none()
                    .then(|| fault("status", "must be a status of a transcript load"));
                Err(key.into_iter().chain(status).collect())
            }
        }
    }

    /// Returns the enrolment's id, and what the row says of it.
    #[must_use]
    pub fn enrollment(&self, training_type: &str) -> (Box<str>, Fields) {
        let mut fields = Fields::new(KIND);
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(position) = KIND.position(name) {
                fields.set(position, value);
            }
        };
        let text = |text: &str| Some(Value::Text(text.into()));
        set("memberId", text(&self.user));
        set("courseId", text(&self.course));
        set("trainingType", text(training_type));
        set("status", text(self.status));
        set("registeredOn", self.registered_on.map(Value::Date));
        set("dueOn", self.due_on.map(Value::Date));
        set("completedOn", self.completed_on.map(Value::Date));
        set("score", self.score.clone().map(Value::Text));
        set(
            "registrationNumber",
            self.registration_number.clone().map(Value::Text),
        );
        (format!("{}.{}", self.user, self.course).into(), fields)
    }
}

fn in_words(status: &str) -> Option<&'static str> {
    STATUSES
        .iter()
        .find(|(ours, _)| *ours == status)
        .map(|(_, theirs)| *theirs)
}

/// Returns a word as the field's definition has it.
fn choice(name: &'static str, word: &str) -> Result<&'static str, Error> {
    let known = KIND
        .fields()
        .iter()
        .find(|field| field.name == name)
        .and_then(|field| match field.holds {
            FieldType::Choice(words) => words.iter().find(|known| **known == word),
            _ => None,
        });
    known
        .copied()
        .ok_or_else(|| refuse(name, "is no word that the platform has"))
}

fn refuse(field: &'static str, reason: &'static str) -> Error {
    Error::new(ErrorKind::Rejected, reason).at_field(field)
}

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    match fields.get(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn day(fields: &Fields, name: &str) -> Option<Date> {
    match fields.get(name) {
        Some(Value::Date(day)) => Some(*day),
        _ => None,
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
