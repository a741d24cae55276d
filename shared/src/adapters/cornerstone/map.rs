//! Values: what the portal's JSON says in the platform's words.
//!
//! Times become dates in UTC. Flags come as true and false, as 1 and 0, and as texts of either; numbers also as texts.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use xxhash_rust::xxh3::Xxh3;

use super::words::Words;
use crate::model::{FieldType, Fields, Kind, Value};

const KIND: Kind = Kind::CourseEnrollment;

/// Years outside these stand for no date at all.
const YEARS: std::ops::Range<i16> = 1900..9000;

/// Fields that both the views and the details of one enrolment tell.
const COMMON: &[&str] = &["status", "dueOn", "completedOn", "score", "active"];

/// The words that a portal has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vocabulary<'a> {
    pub(super) statuses: &'a Words,
    pub(super) training_types: &'a Words,
}

impl Vocabulary<'_> {
    /// Reads what the portal has for a field.
    ///
    /// # Errors
    ///
    /// What is wrong and what to do, without what it holds.
    pub(super) fn read(&self, position: usize, json: &Json) -> Result<Option<Value>, String> {
        let Some(field) = KIND.fields().get(position) else {
            return Ok(None);
        };
        if json.is_null() || json == "" {
            return Ok(None);
        }
        match (field.name, field.holds) {
            ("status", _) => word(self.statuses, json, "statuses").map(Some),
            ("trainingType", _) => word(self.training_types, json, "trainingTypes").map(Some),
            // The portal says whether it is out of sight.
            ("active", _) => flag(json)
                .map(|archived| Some(Value::Bool(!archived)))
                .ok_or_else(|| "is not told as true or false".to_owned()),
            (_, FieldType::Date) => {
                let time = time(json).ok_or_else(|| "is not told as a time".to_owned())?;
                Ok(time.and_then(date).map(Value::Date))
            }
            _ => {
                let text =
                    text(json).ok_or_else(|| "is told neither as a text nor as a number".to_owned())?;
                Value::from_text(field, &text).map_err(|error| error.reason)
            }
        }
    }
}

fn word(words: &Words, json: &Json, setting: &str) -> Result<Value, String> {
    let ours = text(json).and_then(|theirs| words.ours(&theirs));
    let ours = ours.ok_or_else(|| {
        format!("is told by a word that the settings do not have: add it to `course-enrollments.{setting}`")
    })?;
    Ok(Value::Text(ours.into()))
}

/// Reads a text, or a number as the shortest text of it.
pub(super) fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => {
            let text = number.to_string();
            Some(text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
        }
        _ => None,
    }
}

pub(super) fn flag(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(flag) => Some(*flag),
        Json::Null => Some(false),
        other => match text(other)?.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" => Some(false),
            _ => None,
        },
    }
}

/// Reads a time; one without an offset is in UTC. The inner nothing is a time that stands for none.
pub(super) fn time(json: &Json) -> Option<Option<Timestamp>> {
    let text = json.as_str()?.trim();
    let local = || {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let time: Timestamp = text.parse().ok().or_else(local).or_else(|| nameless(text))?;
    Some(date(time).map(|_| time))
}

/// Reads years that no calendar of ours has; they stand for no time at all.
fn nameless(text: &str) -> Option<Timestamp> {
    (text.starts_with("0001-01-01") || text.starts_with("9999-12-31")).then_some(Timestamp::MIN)
}

/// Returns the date in UTC, nothing where the year stands for none.
fn date(time: Timestamp) -> Option<Date> {
    let date = time.to_zoned(TimeZone::UTC).date();
    YEARS.contains(&date.year()).then_some(date)
}

/// Returns the version of an enrolment, of which Cornerstone has none: a fingerprint of what all sources tell, and behind a dot
/// one of everything.
pub(super) fn version(fields: &Fields) -> String {
    let common = COMMON.iter().filter_map(|name| KIND.position(name));
    let (common, all) = (
        fingerprint(fields, common),
        fingerprint(fields, 0..KIND.fields().len()),
    );
    format!("{common}.{all}")
}

/// Says whether two versions agree on what all sources tell.
pub(super) fn is_same_version(one: &str, other: &str) -> bool {
    let common = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    common(one) == common(other)
}

fn fingerprint(fields: &Fields, positions: impl IntoIterator<Item = usize>) -> String {
    let mut hash = Xxh3::new();
    for position in positions {
        hash.update(&fields.fingerprint(position).to_le_bytes());
    }
    format!("{:016x}", hash.digest())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn day(json: &Json) -> Option<Option<String>> {
        time(json).map(|time| time.and_then(date).map(|date| date.to_string()))
    }

    #[test]
    fn every_form_of_a_time_is_understood() {
        let told = |text: &str| day(&json!(text));
        for text in [
            "2022-09-30T18:29:00+0000",
            "2022-09-30T18:29:00.123Z",
            "2022-09-30T18:29:00",
            "2022-10-01T01:29:00+02:00",
            "2022-09-30",
        ] {
            assert_eq!(told(text), Some(Some("2022-09-30".to_owned())), "{text}");
        }
        for text in [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.9999999Z",
            "0001-01-01T00:00:00",
        ] {
            assert_eq!(told(text), Some(None), "{text}");
        }
        for text in ["", "soon", "30.09.2022", "2022-13-01"] {
            assert_eq!(told(text), None, "{text}");
        }
        assert_eq!(day(&json!(20220930)), None);
    }

    #[test]
    fn flags_and_numbers_have_many_forms() {
        for yes in [json!(true), json!(1), json!("1"), json!("True")] {
            assert_eq!(flag(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!(0), json!("0"), json!(null)] {
            assert_eq!(flag(&no), Some(false), "{no}");
        }
        assert_eq!(flag(&json!("maybe")), None);
        assert_eq!(text(&json!(85.0)).as_deref(), Some("85"));
        assert_eq!(text(&json!(85.5)).as_deref(), Some("85.5"));
        assert_eq!(text(&json!([])), None);
    }

    #[test]
    fn a_version_changes_with_what_is_told() {
        let fields = |score: &str, title: &str| {
            let object = json!({ "score": score, "courseTitle": title });
            Fields::from_json(KIND, object.as_object().unwrap()).unwrap()
        };
        let (one, same, renamed) = (fields("1", "a"), fields("1", "a"), fields("1", "b"));
        assert_eq!(version(&one), version(&same));
        assert_ne!(version(&one), version(&renamed));
        assert!(is_same_version(&version(&one), &version(&renamed)));
        assert!(!is_same_version(&version(&one), &version(&fields("2", "a"))));
    }
}
