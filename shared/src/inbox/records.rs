//! Where in the body of a webhook the rows are named that it is about: settings, for senders whose bodies no adapter knows.
//!
//! # Shape
//!
//! A list of rules. Each one whose `when` holds is followed, and `list` may be left out where the body is about one row:
//!
//! ```json
//! [{ "kind": "member", "when": { "/type": ["contact.created", "contact.updated"] }, "list": "/data", "id": "/contactId" }]
//! ```
//!
//! The places are JSON pointers (RFC 6901): those of `when` and `list` are looked for in the body, that of `id` in each entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::adapter::{Hint, ReadWebhook, Told, Why};
use crate::json::{self, OTHERS};
use crate::model::{FieldError, Kind};
use crate::settings::{Faults, Section};

/// The most rules.
const MOST: usize = 20;

/// The most bytes of an id.
const LONGEST_ID: usize = 200;

/// Where rows are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Records(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    kind: Kind,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    when: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    list: String,
    id: String,
}

impl Records {
    /// Reads rules.
    ///
    /// # Errors
    ///
    /// Every fault, under `records`.
    pub fn check(json: &Value) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let rules = json.as_array().filter(|rules| (1..=MOST).contains(&rules.len()));
        let Some(rules) = rules else {
            return Err(vec![FieldError::new(
                "records",
                format!("must be a list of 1 to {MOST} rules"),
            )]);
        };
        let read = rules.iter().enumerate().map(|(position, rule)| {
            let section = Section::open(format!("records.{position}"), rule, &faults)?;
            let rule = Rule::read(&section);
            section.finish();
            rule
        });
        let read: Vec<Option<Rule>> = read.collect();
        faults.or(read.into_iter().collect::<Option<_>>().map(Self))
    }
}

impl Rule {
    fn read(section: &Section<'_>) -> Option<Self> {
        let kind = section.required("kind", |text| text.parse().map_err(|error| format!("{error}")));
        let list = section.text("list", pointer);
        let id = section.required("id", pointer);
        let when = section.get("when").map_or(Some(BTreeMap::new()), |value| {
            let read = conditions(value);
            if read.is_none() {
                section.fault(
                    "when",
                    "must be an object of JSON pointers, each with a list of texts",
                );
            }
            read
        });
        Some(Self {
            kind: kind?,
            when: when?,
            list: list.unwrap_or_default(),
            id: id?,
        })
    }

    fn holds(&self, body: &Value) -> bool {
        let one_of = |(place, texts): (&String, &Vec<String>)| {
            let found = body.pointer(place).and_then(Value::as_str);
            found.is_some_and(|found| texts.iter().any(|text| text == found))
        };
        self.when.iter().all(one_of)
    }

    fn follow(&self, body: &Value, hints: &mut Vec<Hint>) -> Result<(), FieldError> {
        let listed = body.pointer(&self.list);
        let entries = match listed {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => {
                return Err(FieldError::new(
                    place(&self.list),
                    "must be an object, or a list of them",
                ));
            }
        };
        for entry in entries {
            let id = match entry.pointer(&self.id) {
                Some(Value::String(text)) if is_plain(text) => text.as_str().into(),
                Some(Value::Number(number)) if !number.is_f64() => number.to_string().into(),
                _ => {
                    let reason = format!(
                        "must be the id of a row: a whole number, or a text of 1 to {LONGEST_ID} bytes without control characters, quotes and backslashes"
                    );
                    return Err(FieldError::new(
                        place(&format!("{}{}", self.list, self.id)),
                        reason,
                    ));
                }
            };
            hints.push(Hint { kind: self.kind, id });
        }
        Ok(())
    }
}

impl ReadWebhook for Records {
    fn read(&self, body: &[u8]) -> Result<Told, FieldError> {
        let body = json::parse(body, OTHERS)
            .map_err(|_| FieldError::new("body", "must be JSON, with no name twice"))?;
        let (mut hints, mut holds) = (Vec::new(), false);
        for rule in self.0.iter().filter(|rule| rule.holds(&body)) {
            holds = true;
            rule.follow(&body, &mut hints)?;
        }
        Ok(match (holds, hints.is_empty()) {
            (false, _) => Told::Nothing(Why::UnknownEvent),
            (true, true) => Told::Nothing(Why::NoRows),
            (true, false) => Told::Rows(hints),
        })
    }
}

/// Says whether a text can be an id: what is written longer than it is would not fit on the queue, or in a row.
fn is_plain(text: &str) -> bool {
    let plain = |letter: char| !letter.is_control() && !matches!(letter, '"' | '\\');
    (1..=LONGEST_ID).contains(&text.len()) && text.chars().all(plain)
}

fn place(pointer: &str) -> String {
    format!("body{pointer}")
}

fn pointer(text: &str) -> Result<String, String> {
    let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    match text.starts_with('/') && text.len() <= 200 && escapes {
        true => Ok(text.to_owned()),
        false => Err("must be a JSON pointer, such as /data/id".to_owned()),
    }
}

fn conditions(value: &Value) -> Option<BTreeMap<String, Vec<String>>> {
    let condition = |(place, texts): (&String, &Value)| {
        let texts: Option<Vec<String>> = texts
            .as_array()?
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect();
        Some((pointer(place).ok()?, texts.filter(|texts| !texts.is_empty())?))
    };
    value.as_object()?.iter().map(condition).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records() -> Records {
        Records::check(&json!([
            { "kind": "member", "when": { "/type": ["contact.created", "contact.updated"] }, "list": "/data", "id": "/id" },
            { "kind": "membership", "when": { "/type": ["membership.ended"] }, "id": "/membership/no" },
        ]))
        .unwrap()
    }

    fn told(body: &str) -> Result<Told, FieldError> {
        records().read(body.as_bytes())
    }

    #[test]
    fn rows_are_named_where_the_rules_say() {
        let hint = |kind, id: &str| Hint { kind, id: id.into() };
        let two = told(r#"{ "type": "contact.updated", "data": [{ "id": "a" }, { "id": 7 }] }"#).unwrap();
        assert_eq!(
            two,
            Told::Rows(vec![hint(Kind::Member, "a"), hint(Kind::Member, "7")])
        );
        let one =
            told(r#"{ "type": "membership.ended", "membership": { "no": 9007199254740993 } }"#).unwrap();
        assert_eq!(one, Told::Rows(vec![hint(Kind::Membership, "9007199254740993")]));
    }

    #[test]
    fn an_event_that_no_rule_knows_is_passed_over_and_a_new_member_of_a_body_too() {
        assert_eq!(
            told(r#"{ "type": "contact.merged" }"#),
            Ok(Told::Nothing(Why::UnknownEvent))
        );
        assert_eq!(told("[]"), Ok(Told::Nothing(Why::UnknownEvent)));
        let none = told(r#"{ "type": "contact.created", "data": [], "new": 1 }"#);
        assert_eq!(none, Ok(Told::Nothing(Why::NoRows)));
    }

    #[test]
    fn a_body_that_cannot_be_read_is_told_by_its_place_and_never_shown() {
        for (body, field) in [
            ("", "body"),
            ("{", "body"),
            ("\u{feff}{}", "body"),
            (r#"{"type":"a","type":"b"}"#, "body"),
            (r#"{"type":"\ud800"}"#, "body"),
            (r#"{"type":"contact.updated","data":"canary"}"#, "body/data"),
            (
                r#"{"type":"contact.updated","data":[{"id":1.5}]}"#,
                "body/data/id",
            ),
            (r#"{"type":"contact.updated","data":[{"id":1e400}]}"#, "body"),
            (r#"{"type":"contact.updated","data":[{"id":""}]}"#, "body/data/id"),
            (
                r#"{"type":"contact.updated","data":[{"id":"\u0001"}]}"#,
                "body/data/id",
            ),
            (r#"{"type":"contact.updated","data":[{}]}"#, "body/data/id"),
        ] {
            let fault = told(body).unwrap_err();
            assert_eq!(fault.field, field, "{body}");
            assert!(!fault.reason.contains("canary"));
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(told(&deep).unwrap_err().field, "body");
    }

    #[test]
    fn every_fault_of_the_rules_is_told() {
        let wrong = json!([{ "kind": "person", "id": "id", "when": { "type": [] }, "more": 1 }, 7]);
        let faults = Records::check(&wrong).unwrap_err();
        let paths: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected = [
            "records.0.kind",
            "records.0.id",
            "records.0.when",
            "records.0.more",
            "records.1",
        ];
        assert_eq!(paths, expected);
        assert!(Records::check(&json!([])).is_err());
    }
}
