//! What a webhook of Cornerstone says: whose enrolments in what something happened to.
//!
//! The envelope is published: a list of records, empty where it only shows that the portal is alive. What a record holds is not.
//! So settings say by JSON pointers where in it a user and a training are named; nothing else is read, and nothing of it is
//! believed: the enrolment is asked for.
//!
//! Where no record names anybody, the settings are wrong, and a human is told. One that does not among others that do is passed
//! over: the next run finds what it is about.
//!
//! Source: csod.dev, "Webhooks: FAQ", read 2026-11-22; RFC 6901.

use std::slice;

use serde_json::Value;

use super::config::Settings;
use super::key::Key;
use super::map;
use crate::adapter::{Hint, ReadWebhook, Told, Why};
use crate::json::{self, OTHERS};
use crate::model::{FieldError, Kind};
use crate::settings::Section;

/// The most records of one webhook.
const MOST: usize = 1_000;

/// Where a webhook names what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointers {
    /// The list of records, or the only one; the body itself where it is empty.
    rows: String,
    /// The user's `externalId`, in each.
    user: String,
    /// The learning object's id, in each.
    course: String,
}

impl Pointers {
    /// Reads the pointers that are set; of the others, the list is where it is published, and names are those of the Transcript API.
    pub(super) fn read(section: Option<Section<'_>>) -> Option<Self> {
        let usual = Self {
            rows: "/records".to_owned(),
            user: "/externalId".to_owned(),
            course: "/learningObjectId".to_owned(),
        };
        let Some(section) = section else {
            return Some(usual);
        };
        let read =
            |name: &'static str, accept: fn(&str) -> Result<String, String>, usual: String| match section
                .get(name)
            {
                Some(_) => section.text(name, accept),
                None => Some(usual),
            };
        let rows = read("rows", pointer_or_all, usual.rows);
        let user = read("user", pointer, usual.user);
        let course = read("course", pointer, usual.course);
        section.finish();
        Some(Self {
            rows: rows?,
            user: user?,
            course: course?,
        })
    }

    fn rows<'a>(&self, body: &'a Value) -> Option<&'a [Value]> {
        match body.pointer(&self.rows)? {
            Value::Array(rows) => Some(rows),
            one => Some(slice::from_ref(one)),
        }
    }

    /// Reads whose enrolment in what one record is about.
    fn hint(&self, row: &Value) -> Option<Hint> {
        let (user, course) = (row.pointer(&self.user)?, row.pointer(&self.course)?);
        // A number that is no whole one, or too large to be read as it is written, is nobody's.
        let user = map::text(user).filter(|_| !user.is_f64())?;
        let key = Key::new(&user, course.as_str()?)?;
        Some(Hint {
            kind: Kind::CourseEnrollment,
            id: key.id(),
        })
    }
}

fn pointer_or_all(text: &str) -> Result<String, String> {
    match text {
        "" => Ok(String::new()),
        text => pointer(text),
    }
}

fn pointer(text: &str) -> Result<String, String> {
    let escaped = text.replace("~0", "").replace("~1", "");
    match text.starts_with('/') && text.len() <= 200 && !escaped.contains('~') {
        true => Ok(text.to_owned()),
        false => Err("must be a JSON pointer such as /user/externalId".to_owned()),
    }
}

/// Reads the webhooks of one portal.
#[derive(Debug)]
pub(super) struct Webhooks(Pointers);

impl Webhooks {
    pub(super) fn new(settings: Settings) -> Self {
        Self(settings.pointers)
    }
}

impl ReadWebhook for Webhooks {
    fn read(&self, body: &[u8]) -> Result<Told, FieldError> {
        let odd = |reason: String| FieldError::new("body", reason);
        let body =
            json::parse(body, OTHERS).map_err(|_| odd("must be JSON, with no name twice".to_owned()))?;
        let rows = self.0.rows(&body).ok_or_else(|| {
            odd("must have a list of records where `settings.webhooks.rows` says that it does".to_owned())
        })?;
        if rows.is_empty() {
            return Ok(Told::Nothing(Why::NoRows));
        }
        if rows.len() > MOST {
            return Err(odd(format!("must have at most {MOST} records")));
        }
        let mut hints: Vec<Hint> = Vec::new();
        for hint in rows.iter().filter_map(|row| self.0.hint(row)) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        match hints.is_empty() {
            true => Err(odd(
                "must name a user and a learning object where `settings.webhooks` says that it does"
                    .to_owned(),
            )),
            false => Ok(Told::Rows(hints)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::settings::Faults;

    const COURSE: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";

    fn pointers(settings: &Value) -> Result<Pointers, Vec<FieldError>> {
        let faults = Faults::default();
        let section = Section::open("webhooks", settings, &faults);
        let read = Pointers::read(section);
        faults.or(read)
    }

    fn told(settings: &Value, body: &Value) -> Result<Told, FieldError> {
        Webhooks(pointers(settings).unwrap()).read(body.to_string().as_bytes())
    }

    fn row(member: &str) -> Hint {
        Hint {
            kind: Kind::CourseEnrollment,
            id: format!("{member}.{COURSE}").into(),
        }
    }

    #[test]
    fn whom_and_what_it_is_about_is_read_where_the_settings_say() {
        let usual = json!({ "records": [
            { "eventType": "Training Completed", "externalId": "7", "learningObjectId": COURSE },
            { "eventType": "Training Assigned", "externalId": "7", "learningObjectId": COURSE },
        ] });
        assert_eq!(told(&json!({}), &usual), Ok(Told::Rows(vec![row("7")])));
        let settings = json!({ "rows": "/data/list", "user": "/user/id", "course": "/lo" });
        let body = json!({ "data": { "list": [
            { "user": { "id": 7 }, "lo": COURSE.to_uppercase() }, { "user": { "id": "8" }, "lo": COURSE },
        ] } });
        assert_eq!(told(&settings, &body), Ok(Told::Rows(vec![row("7"), row("8")])));
        let itself = json!({ "externalId": "7", "learningObjectId": COURSE });
        for body in [json!([itself]), itself] {
            assert_eq!(
                told(&json!({ "rows": "" }), &body),
                Ok(Told::Rows(vec![row("7")]))
            );
        }
    }

    #[test]
    fn an_empty_list_is_about_nobody() {
        let alive = json!({ "subscriptionId": "x", "sessionId": "y", "attemptNumber": 1, "records": [] });
        assert_eq!(told(&json!({}), &alive), Ok(Told::Nothing(Why::NoRows)));
    }

    #[test]
    fn what_names_nobody_is_passed_over_among_others_and_refused_by_itself() {
        let good = json!({ "externalId": "7", "learningObjectId": COURSE });
        let odd = [
            json!({ "status": "canary" }),
            json!({ "externalId": "canary" }),
            json!({ "externalId": "canary", "learningObjectId": "canary" }),
            json!({ "externalId": "", "learningObjectId": COURSE }),
            json!("canary"),
            json!(null),
        ];
        for odd in odd {
            let both = json!({ "records": [odd, good] });
            assert_eq!(told(&json!({}), &both), Ok(Told::Rows(vec![row("7")])));
            let error = told(&json!({}), &json!({ "records": [odd] })).unwrap_err();
            assert_eq!(error.field, "body");
            assert!(!error.to_string().contains("canary"));
        }
        for body in [
            json!({}),
            json!([]),
            json!("canary"),
            json!({ "data": { "records": [] } }),
        ] {
            let error = told(&json!({}), &body).unwrap_err();
            assert!(error.to_string().contains("settings.webhooks.rows"), "{error}");
        }
    }

    #[test]
    fn what_is_no_plain_json_is_refused_and_a_number_is_read_as_it_is_written() {
        let body = |user: &str| {
            format!(
                r#"{{ "records": [{{ "externalId": {user}, "learningObjectId": "{COURSE}", "new": "å" }}] }}"#
            )
        };
        let read = |text: &str| Webhooks(pointers(&json!({})).unwrap()).read(text.as_bytes());
        for (user, member) in [
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            (r#""\u00e5se""#, "åse"),
            (r#""0007""#, "0007"),
        ] {
            assert_eq!(read(&body(user)), Ok(Told::Rows(vec![row(member)])), "{user}");
        }
        for user in [
            "1e400",
            "18446744073709551616",
            "7.5",
            "-0",
            "NaN",
            "true",
            r#""\ud800""#,
            r#""7\u0000""#,
            r#""7", "externalId": "8""#,
        ] {
            assert_eq!(read(&body(user)).unwrap_err().field, "body", "{user}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in ["", "{", &format!("\u{feff}{}", body("7")), &deep] {
            assert_eq!(read(text).unwrap_err().field, "body");
        }
    }

    #[test]
    fn a_pointer_that_is_none_is_refused() {
        let wrong = json!({ "rows": "records", "user": "/a~2", "course": 7, "secret": "/x" });
        let faults = pointers(&wrong).unwrap_err();
        let paths: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected = ["rows", "user", "course", "secret"].map(|name| format!("webhooks.{name}"));
        assert_eq!(paths, expected);
    }

    proptest! {
        #[test]
        fn no_body_is_too_strange(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Webhooks(pointers(&json!({})).unwrap()).read(&body));
        }
    }
}
