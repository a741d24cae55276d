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
//! A change that no load can carry is refused by itself, with its field. A file that is imported may still be refused row by
//! row there, and says so in a log of its own.
//!
//! Source: help.csod.com, "Edge Import", "Transcript load", read 2026-11-22. Statuses are documented there for online courses
//! and for instructor-led training; for the other types only those are used that every load takes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::key::Key;
use crate::adapter::{Change, ChangeAction, Error, ErrorKind};
use crate::csv::Profile;
use crate::model::{FieldError, FieldType, Fields, Kind, Value};

const KIND: Kind = Kind::CourseEnrollment;

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

/// Returns the type of training whose load tells of a change, and the row, by the names of the profile's columns.
///
/// # Errors
///
/// No load can carry it: `Unsupported`, or `Rejected` with the field.
pub(super) fn row(change: &Change, mapped: u64, today: Date) -> Result<(&'static str, Json), Error> {
    let ChangeAction::Write { fields, .. } = &change.action else {
        let message =
            "no load takes an enrolment off a transcript: set its status to withdrawn before it is deleted";
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    let needed = |name: &'static str| text(fields, name).ok_or_else(|| refuse(name, "is required"));
    let (member, course) = (needed("memberId")?, needed("courseId")?);
    let key = Key::new(member, course)
        .ok_or_else(|| refuse("courseId", "must be the learning object's id, a GUID"))?;
    if *key.id() != *change.key.as_str() {
        let reason =
            "must be the member's id, a dot, and the course's id: so an enrolment is never made twice";
        return Err(refuse("id", reason));
    }
    let training_type = choice("trainingType", needed("trainingType")?)?;
    let status = choice("status", text(fields, "status").unwrap_or("registered"))?;
    let status = in_words(status)
        .filter(|_| takes(training_type, status))
        .ok_or_else(|| {
            refuse(
                "status",
                "is one that a load for this type of training does not take",
            )
        })?;
    for name in ["registeredOn", "completedOn"] {
        if day(fields, name).is_some_and(|on| on > today) {
            return Err(refuse(name, "cannot lie in the future"));
        }
    }
    let ours = mapped & change.target.as_ref().map_or(u64::MAX, |target| target.tellable);
    let told = |name: &str| {
        KIND.position(name)
            .is_some_and(|position| ours >> position & 1 == 1)
    };
    let text = |name: &str| text(fields, name).filter(|_| told(name));
    let day = |name: &str| day(fields, name).filter(|_| told(name));
    let row = json!({
        "userId": key.member,
        "learningObjectId": key.course,
        "status": status,
        "registrationNumber": text("registrationNumber"),
        "registrationDate": day("registeredOn"),
        "dueDate": day("dueOn"),
        "completionDate": day("completedOn"),
        "score": text("score"),
    });
    Ok((training_type, row))
}

/// Returns the profile of a load: for machines, with our header, but for the names that are set by what the code calls them.
///
/// # Errors
///
/// Every name that is set and no column has, and every one that cannot stand in a header.
pub(super) fn profile(
    training_type: &str,
    headers: &BTreeMap<String, String>,
) -> Result<Profile, Vec<FieldError>> {
    let unknown = headers
        .keys()
        .filter(|name| !COLUMNS.iter().any(|(known, ..)| known == name));
    let unknown: Vec<FieldError> = unknown
        .map(|name| FieldError::new(name, "is no column of a transcript load"))
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

fn in_words(status: &str) -> Option<&'static str> {
    STATUSES
        .iter()
        .find(|(ours, _)| *ours == status)
        .map(|(_, theirs)| *theirs)
}

/// Returns what is wrong with names of columns, for a load of any type.
pub(super) fn faults(headers: &BTreeMap<String, String>) -> Vec<FieldError> {
    let faults = training_types()
        .first()
        .and_then(|one| profile(one, headers).err());
    let of_column = |fault: &FieldError| {
        let place = fault.field.strip_prefix("profile.columns.")?.split_once('.')?.0;
        COLUMNS.get(place.parse::<usize>().ok()?).map(|(name, ..)| *name)
    };
    let named = |fault: FieldError| match of_column(&fault) {
        Some(name) => FieldError::new(name, fault.reason),
        None => fault,
    };
    faults.into_iter().flatten().map(named).collect()
}

/// Returns the types of training, in the platform's words.
pub(super) fn training_types() -> &'static [&'static str] {
    words("trainingType")
}

fn words(name: &str) -> &'static [&'static str] {
    let field = KIND.fields().iter().find(|field| field.name == name);
    match field.map(|field| field.holds) {
        Some(FieldType::Choice(words)) => words,
        _ => &[],
    }
}

/// Returns a word as the field's definition has it.
fn choice(name: &'static str, word: &str) -> Result<&'static str, Error> {
    let known = words(name).iter().find(|known| **known == word);
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
