//! What a portal says of one enrolment right now.
//!
//! The documentation names the endpoint and not the members of its answer: they are looked for under the names that the
//! older endpoints and the views have, however they are spelt.

use serde_json::{Map, Value as Json};

use super::columns::Columns;
use super::key::{Key, course_id};
use super::map::{self, Vocabulary};
use super::rows::Reading;
use crate::adapter::{Error, ErrorKind, Item, Result};
use crate::model::Kind;

const KIND: Kind = Kind::CourseEnrollment;

/// Under which names a field may stand; the first that is there counts.
const NAMES: &[(&str, &[&str])] = &[
    (
        "courseTitle",
        &["title", "learningTitle", "trainingTitle", "loTitle"],
    ),
    ("trainingType", &["trainingType", "loType", "type"]),
    ("status", &["status", "transcriptStatus", "statusId"]),
    ("registeredOn", &["registrationDate", "registeredDate", "regDate"]),
    ("startedOn", &["startDate", "startedDate", "trainingStartDate"]),
    ("dueOn", &["dueDate", "trainingDueDate"]),
    ("completedOn", &["completionDate", "completedDate"]),
    ("score", &["score"]),
    (
        "registrationNumber",
        &["registrationNumber", "regNum", "registrationNum"],
    ),
    ("active", &["isArchived", "archived", "isArchive"]),
];

/// Where the learning object is named.
const COURSES: &[&str] = &["learningObjectId", "loId", "trainingId", "objectId"];
const REMOVED: &[&str] = &["isRemoved", "removed"];

/// Reads the details of an enrolment; nothing where they say that there is none.
///
/// # Errors
///
/// `Malformed` where they are of something else.
pub(super) fn read(
    key: &Key,
    data: &Json,
    columns: &Columns,
    words: &Vocabulary<'_>,
) -> Result<Option<Item>> {
    let objects = objects(data).ok_or_else(odd)?;
    let mut registrations: Vec<Members<'_>> = objects.into_iter().map(Members::of).collect();
    for registration in &registrations {
        let course = registration.first(COURSES);
        let course = course.map(|course| course.as_str().and_then(course_id));
        if course.is_some_and(|course| course.as_ref() != Some(&key.course)) {
            return Err(odd());
        }
    }
    // Of several registrations the last one is the enrolment.
    registrations.sort_by_cached_key(Members::order);
    let Some(last) = registrations.pop() else {
        return Ok(None);
    };
    if last.first(REMOVED).and_then(map::flag).unwrap_or_default() {
        return Ok(Some(Item::Deleted {
            id: key.id(),
            merged_into: None,
        }));
    }
    let mut reading = Reading::new(key);
    for (field, names) in NAMES {
        let Some(position) = KIND.position(field) else {
            continue;
        };
        if columns.mapped >> position & 1 == 1 {
            reading.take(position, last.first(names), words);
        }
    }
    Ok(Some(reading.item(key.id(), None)))
}

fn odd() -> Error {
    Error::new(
        ErrorKind::Malformed,
        "the details are not those of the registration that was asked for",
    )
}

/// Returns the objects among data that is one, a list of them, or an object that holds such a list.
fn objects(data: &Json) -> Option<Vec<&Map<String, Json>>> {
    match data {
        Json::Array(list) => list.iter().map(Json::as_object).collect(),
        Json::Object(object) => {
            let inner = object.iter().find(|(name, _)| plain(name) == "transcripts");
            match inner {
                Some((_, Json::Array(list))) => list.iter().map(Json::as_object).collect(),
                _ => Some(vec![object]),
            }
        }
        _ => None,
    }
}

/// The members of an object, however their names are spelt.
struct Members<'a>(Vec<(String, &'a Json)>);

impl<'a> Members<'a> {
    fn of(object: &'a Map<String, Json>) -> Self {
        Self(object.iter().map(|(name, value)| (plain(name), value)).collect())
    }

    fn first(&self, names: &[&str]) -> Option<&'a Json> {
        let find = |name: &&str| {
            let name = plain(name);
            self.0
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        names.iter().find_map(find)
    }

    /// Returns what tells a later registration from an earlier one.
    fn order(&self) -> (i64, Option<jiff::Timestamp>) {
        let of = |field: &str| {
            let names = NAMES.iter().find(|(known, _)| *known == field);
            names.and_then(|(_, names)| self.first(names))
        };
        let number = of("registrationNumber").and_then(map::text);
        (
            number.and_then(|number| number.parse().ok()).unwrap_or_default(),
            of("registeredOn").and_then(map::time).flatten(),
        )
    }
}

fn plain(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|letter| letter.to_ascii_lowercase()).collect()
}
