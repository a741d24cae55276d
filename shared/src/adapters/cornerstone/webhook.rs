//! What a webhook of Cornerstone says: whose enrolment in what something happened to.
//!
//! What these webhooks hold is not published. So settings say by JSON pointers where in them a user and a training are named;
//! nothing else is read, and nothing of it is believed: the enrolment is asked for.
//!
//! Source: Cornerstone's release notes of July 2024, "Webhooks"; RFC 6901.

use serde_json::Value;

use super::config::Settings;
use super::key::Key;
use super::map;
use crate::adapter::{Hint, ReadWebhook, Told, Why};
use crate::model::{FieldError, Kind};
use crate::settings::Section;

/// The most enrolments that one webhook names.
const MOST: usize = 1_000;

/// Where a webhook names what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointers {
    /// The list of things that it is about; without, it is about one, or is a list itself.
    rows: Option<String>,
    /// The user's `externalId`, in each.
    user: String,
    /// The learning object's id, in each.
    course: String,
}

impl Pointers {
    /// Reads the pointers that are set; the others follow the Transcript API.
    pub(super) fn read(section: Option<Section<'_>>) -> Option<Self> {
        let usual = Self {
            rows: None,
            user: "/data/externalId".to_owned(),
            course: "/data/learningObjectId".to_owned(),
        };
        let Some(section) = section else {
            return Some(usual);
        };
        let read = |name: &'static str, usual: &str| match section.get(name) {
            Some(_) => section.text(name, pointer),
            None => Some(usual.to_owned()),
        };
        let rows = section.get("rows").map(|_| section.text("rows", pointer));
        let (user, course) = (read("user", &usual.user), read("course", &usual.course));
        section.finish();
        Some(Self {
            rows: rows.map_or(Some(None), |rows| rows.map(Some))?,
            user: user?,
            course: course?,
        })
    }

    fn rows<'a>(&self, body: &'a Value) -> &'a [Value] {
        let of = match &self.rows {
            Some(pointer) => body.pointer(pointer),
            None => Some(body),
        };
        match of {
            Some(Value::Array(rows)) => rows,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }

    /// Reads whose enrolment in what one entry is about; nothing where it names neither.
    fn hint(&self, row: &Value) -> Result<Option<Hint>, FieldError> {
        let (user, course) = (row.pointer(&self.user), row.pointer(&self.course));
        let (Some(user), Some(course)) = (user, course) else {
            return Ok(None);
        };
        let key = map::text(user)
            .zip(course.as_str())
            .and_then(|(user, course)| Key::new(&user, course));
        let key = key.ok_or_else(|| {
            let reason = "must name a user and a learning object where `settings.webhooks` says that it does";
            FieldError::new("body", reason)
        })?;
        Ok(Some(Hint {
            kind: Kind::CourseEnrollment,
            id: key.id(),
        }))
    }
}

fn pointer(text: &str) -> Result<String, String> {
    let escaped = text.replace("~0", "").replace("~1", "");
    match text.starts_with('/') && text.len() <= 200 && !escaped.contains('~') {
        true => Ok(text.to_owned()),
        false => Err("must be a JSON pointer such as /data/externalId".to_owned()),
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
        let body: Value =
            serde_json::from_slice(body).map_err(|_| FieldError::new("body", "must be JSON"))?;
        let rows = self.0.rows(&body);
        if rows.len() > MOST {
            return Err(FieldError::new(
                "body",
                format!("must name at most {MOST} enrolments"),
            ));
        }
        let mut hints: Vec<Hint> = Vec::new();
        for row in rows {
            if let Some(hint) = self.0.hint(row)?.filter(|hint| !hints.contains(hint)) {
                hints.push(hint);
            }
        }
        Ok(match hints.is_empty() {
            true => Told::Nothing(Why::NoRows),
            false => Told::Rows(hints),
        })
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
        let usual = json!({ "event": "TrainingCompleted", "data": { "externalId": "7", "learningObjectId": COURSE } });
        assert_eq!(told(&json!({}), &usual), Ok(Told::Rows(vec![row("7")])));
        assert_eq!(
            told(&json!({}), &json!([usual, usual])),
            Ok(Told::Rows(vec![row("7")]))
        );
        let settings = json!({ "rows": "/records", "user": "/user/id", "course": "/lo" });
        let body = json!({ "records": [
            { "user": { "id": 7 }, "lo": COURSE.to_uppercase() }, { "user": { "id": "8" }, "lo": COURSE },
        ] });
        assert_eq!(told(&settings, &body), Ok(Told::Rows(vec![row("7"), row("8")])));
    }

    #[test]
    fn what_names_nobody_is_passed_over_and_what_names_them_badly_is_refused() {
        let none = Ok(Told::Nothing(Why::NoRows));
        assert_eq!(told(&json!({}), &json!({ "status": "Running" })), none);
        assert_eq!(told(&json!({ "rows": "/records" }), &json!({})), none);
        let odd = json!({ "data": { "externalId": "canary", "learningObjectId": "canary" } });
        let error = told(&json!({}), &odd).unwrap_err();
        assert_eq!(error.field, "body");
        assert!(!error.to_string().contains("canary"));
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
