//! Answers, by what the caller does next: the rules of the profile first, then what HTTP says.
//!
//! Of a body nothing is repeated but a code, and that only where it is one.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use super::pointer::Pointer;
use super::profile::Condition;
use crate::adapter::{Error, ErrorKind};
use crate::adapters::effect;
pub(super) use crate::adapters::effect::Effect;
use crate::http::{Answer, Failure, retry_at};
use crate::settings::Section;

/// The fact that says what is missing: a `row`, or the whole `route`.
pub(super) const MISSING: &str = "missing";

/// Why a listing begins anew.
const EXPIRED: &str = "the system no longer knows since when to tell changes, or which page comes next";

/// How answers are to be taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    pub(super) rules: Vec<Rule>,
    /// Where errors have their code.
    pub(super) code: Option<Pointer>,
    /// Where it says for how many seconds the system wants to be left alone, beside `Retry-After`.
    pub(super) wait_header: Option<HeaderName>,
    pub(super) wait: Option<Pointer>,
}

/// An answer that the profile knows.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// The statuses; none is any.
    pub(super) statuses: Vec<u16>,
    pub(super) condition: Option<Condition>,
    pub(super) means: Meaning,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Success,
    NotFound,
    Conflict,
    RateLimited,
    Rejected,
    Temporary,
    Unauthenticated,
    PermissionDenied,
    CursorExpired,
}

/// An answer, and its body where that is JSON.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) answer: Answer,
    pub(super) json: Option<Value>,
}

impl Said {
    pub(super) fn new(answer: Answer) -> Self {
        let media = answer.media_type();
        let is_json = media == "application/json" || media == "text/json" || media.ends_with("+json");
        let json = Some(&answer.body).filter(|_| is_json);
        Self {
            json: json.and_then(|body| serde_json::from_slice(body).ok()),
            answer,
        }
    }

    /// Says whether an application answered, rather than a server or gateway before it with a page for humans.
    fn is_the_systems(&self) -> bool {
        self.json.is_some() || self.answer.body.is_empty() || !self.answer.headers.contains_key(CONTENT_TYPE)
    }
}

impl Answers {
    /// Says whether an answer is a success, and else what to do next.
    pub(super) fn judge(&self, said: &Said, effect: Effect, now: Timestamp) -> Result<(), Error> {
        let meant = self
            .rules
            .iter()
            .find(|rule| rule.fits(said))
            .map(|rule| rule.means);
        let (kind, message) = match meant {
            Some(Meaning::Success) => return Ok(()),
            Some(meaning) => self.meant(meaning, said, effect, now),
            None => match self.by_status(said, effect, now) {
                Some(told) => told,
                None => return Ok(()),
            },
        };
        let mut error = Error::new(kind, message).with("status", said.answer.status.as_u16());
        if kind == ErrorKind::NotFound {
            let row = meant.is_some() || said.is_the_systems();
            error = error.with(MISSING, if row { "row" } else { "route" });
        }
        Err(match self.code(said) {
            Some(code) => error.with("code", code),
            None => error,
        })
    }

    fn meant(
        &self,
        meaning: Meaning,
        said: &Said,
        effect: Effect,
        now: Timestamp,
    ) -> (ErrorKind, &'static str) {
        match meaning {
            Meaning::NotFound => (ErrorKind::NotFound, "there is no such row"),
            Meaning::Conflict => (
                ErrorKind::Conflict,
                "the row has changed since it was read, or is there already",
            ),
            Meaning::RateLimited => self.limited(said, now),
            Meaning::Rejected => (ErrorKind::Rejected, "the system refuses the content"),
            Meaning::Unauthenticated => (
                ErrorKind::Unauthenticated,
                "the system does not accept the credentials",
            ),
            Meaning::PermissionDenied => (
                ErrorKind::PermissionDenied,
                "the credentials may not do this: have the system allow it",
            ),
            Meaning::CursorExpired => (ErrorKind::CursorExpired, EXPIRED),
            Meaning::Temporary | Meaning::Success => (effect.unanswered(), "the system is not available"),
        }
    }

    /// Returns what a status means; nothing where it means success.
    fn by_status(&self, said: &Said, effect: Effect, now: Timestamp) -> Option<(ErrorKind, &'static str)> {
        let meaning = match said.answer.status.as_u16() {
            200 | 201 | 204 => return None,
            202 => {
                let message = "the system took the request and does not say what became of it";
                return Some((effect.unreadable(), message));
            }
            400 | 413 | 414 | 415 | 422 => Meaning::Rejected,
            401 => Meaning::Unauthenticated,
            403 => Meaning::PermissionDenied,
            404 | 410 => Meaning::NotFound,
            409 | 412 | 428 => Meaning::Conflict,
            429 => Meaning::RateLimited,
            503 if said.answer.headers.contains_key(RETRY_AFTER) => Meaning::RateLimited,
            408 | 425 | 500.. => Meaning::Temporary,
            300..400 => {
                let message = "the system answers with a redirect, which is not followed";
                return Some((ErrorKind::Malformed, message));
            }
            _ => {
                let message = "the system answers with a status that the profile does not have";
                return Some((ErrorKind::Malformed, message));
            }
        };
        Some(self.meant(meaning, said, effect, now))
    }

    fn limited(&self, said: &Said, now: Timestamp) -> (ErrorKind, &'static str) {
        let named = self
            .wait_header
            .as_ref()
            .and_then(|name| said.answer.headers.get(name).cloned());
        let in_body = || {
            let wait = match self.wait.as_ref()?.of(said.json.as_ref()?)? {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            HeaderValue::from_str(&wait).ok()
        };
        let until = match named.or_else(in_body) {
            Some(wait) => retry_at(&HeaderMap::from_iter([(RETRY_AFTER, wait)]), now),
            None => retry_at(&said.answer.headers, now),
        };
        (
            ErrorKind::RateLimited { until },
            "the system wants to be left alone",
        )
    }

    /// Returns the code of an error; what may be a sentence, a name or a number of somebody is none.
    fn code(&self, said: &Said) -> Option<String> {
        let code = match self.code.as_ref()?.of(said.json.as_ref()?)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let digits = code.bytes().filter(u8::is_ascii_digit).count();
        let fits = !code.is_empty() && code.len() <= 40 && digits <= 6;
        (fits && code.bytes().all(plain)).then_some(code)
    }
}

impl Rule {
    fn fits(&self, said: &Said) -> bool {
        let status = self.statuses.is_empty() || self.statuses.contains(&said.answer.status.as_u16());
        let holds = |condition: &Condition| said.json.as_ref().is_some_and(|json| condition.holds(json));
        status && self.condition.as_ref().is_none_or(holds)
    }
}

/// Reads `answers`.
pub(super) fn read(section: &Section<'_>) -> Answers {
    let rules = section.sections("rules").unwrap_or_default();
    let rules = rules.iter().flatten().filter_map(rule).collect();
    let answers = Answers {
        rules,
        code: section.text("code", Pointer::parse),
        wait_header: section.text("waitHeader", header_name),
        wait: section.text("wait", Pointer::parse),
    };
    section.finish();
    answers
}

fn rule(section: &Section<'_>) -> Option<Rule> {
    let statuses = section.get("status").map(|value| statuses(section, value));
    let condition = condition(section);
    let means = section.required("means", meaning);
    section.finish();
    if statuses.is_none() && condition.is_none() {
        section.fault("status", "or pointer and equals are required");
        return None;
    }
    Some(Rule {
        statuses: statuses.unwrap_or_default(),
        condition,
        means: means?,
    })
}

fn statuses(section: &Section<'_>, value: &Value) -> Vec<u16> {
    let status = |value: &Value| {
        let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
        status.filter(|status| (100..600).contains(status))
    };
    let list = value
        .as_array()
        .map(|list| list.iter().map(status).collect::<Option<Vec<u16>>>());
    match list.flatten().filter(|list| !list.is_empty()) {
        Some(list) => list,
        None => {
            section.fault("status", "must be a list of statuses such as [409]");
            Vec::new()
        }
    }
}

/// Reads `pointer` and `equals`.
pub(super) fn condition(section: &Section<'_>) -> Option<Condition> {
    let pointer = section.text("pointer", Pointer::parse);
    let equals = section.get("equals").map(|value| value.as_array().cloned());
    match (pointer, equals) {
        (Some(pointer), Some(Some(equals))) if !equals.is_empty() => Some(Condition { pointer, equals }),
        (None, None) => None,
        (Some(_), None) => {
            section.fault("equals", "is required beside pointer");
            None
        }
        (None, Some(_)) => {
            section.fault("pointer", "is required beside equals");
            None
        }
        (Some(_), Some(_)) => {
            section.fault("equals", "must be a list of values");
            None
        }
    }
}

fn meaning(text: &str) -> Result<Meaning, String> {
    Ok(match text {
        "success" => Meaning::Success,
        "notFound" => Meaning::NotFound,
        "conflict" => Meaning::Conflict,
        "rateLimited" => Meaning::RateLimited,
        "rejected" => Meaning::Rejected,
        "temporary" => Meaning::Temporary,
        "unauthenticated" => Meaning::Unauthenticated,
        "permissionDenied" => Meaning::PermissionDenied,
        "cursorExpired" => Meaning::CursorExpired,
        _ => {
            return Err(
                "must be success, notFound, conflict, rateLimited, rejected, temporary, unauthenticated, \
                        permissionDenied or cursorExpired"
                    .to_owned(),
            );
        }
    })
}

/// Reads the name of a header.
pub(super) fn header_name(text: &str) -> Result<HeaderName, String> {
    text.parse()
        .map_err(|_| "must be the name of a header, such as x-api-key".to_owned())
}

/// Says of an error in the middle of a listing, or of changes, what it is there: what is gone is the place to go on from.
pub(super) fn on_the_way(error: Error) -> Error {
    match error.fact("status") {
        Some("410") => Error::new(ErrorKind::CursorExpired, EXPIRED).with("status", 410),
        _ => error,
    }
}

/// Says whether an error says that there is no such row, rather than no such route.
pub(super) fn is_no_such_row(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.fact(MISSING) == Some("row")
}

/// Says what a request that got no answer ends in.
pub(super) fn unanswered(failure: &Failure, effect: Effect) -> Error {
    effect::unanswered("the system", failure, effect)
}
