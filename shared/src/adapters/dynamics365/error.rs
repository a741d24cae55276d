//! The Web API's answers, by what the caller does next.
//!
//! Source: Microsoft Learn, "Compose HTTP requests and handle errors", "Service protection API limits" and "Web
//! service error codes" (Microsoft Dataverse).

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use uuid::Uuid;

use super::table::Table;
use super::wire::{self, ErrorBody, ErrorEnvelope, Misread};
use crate::adapter::{Error, ErrorKind};
use crate::adapters::effect;
pub(super) use crate::adapters::effect::Effect;
use crate::http::{Failure, retry_at};

/// The version stamp of a delta link is older than the system remembers.
const EXPIRED: u32 = 0x8004_4352;
const REQUEST_LIMITS: [u32; 3] = [0x8007_2321, 0x8007_2322, 0x8007_2326];
const NO_SUCH_ROW: [u32; 2] = [0x8004_0217, 0x8006_0891];
const NOT_A_MEMBER: u32 = 0x8007_2560;
const DUPLICATE_DETECTED: u32 = 0x8004_0333;
/// A row that is not in use cannot be changed.
const READ_ONLY: u32 = 0x8004_022e;

/// An answer that is not a success.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) effect: Effect,
    pub(super) now: Timestamp,
}

impl Refused<'_> {
    /// Says what an answer that is not a success means; fields are named by the table's columns.
    pub(super) fn told(&self, table: Option<&Table>) -> Error {
        let body = wire::short::<ErrorEnvelope>(self.body)
            .ok()
            .map(|envelope| envelope.error);
        self.with_body(body.as_ref(), table)
    }

    pub(super) fn with_body(&self, body: Option<&ErrorBody>, table: Option<&Table>) -> Error {
        let code = body.and_then(|body| code(&body.code));
        let (kind, message) = self.meaning(code);
        let mut error = Error::new(kind, message).with("status", self.status.as_u16());
        if let Some(code) = code {
            error = error.with("code", format_args!("{code:#010x}"));
        }
        if let Some(privilege) = body.and_then(|body| privilege(&body.message)) {
            error = error.with("privilege", privilege);
        }
        if let Some(request) = request(self.headers) {
            error = error.with("request", request);
        }
        let field = body
            .zip(table)
            .and_then(|(body, table)| table.field_named_in(&body.message));
        match field {
            Some(field) if kind == ErrorKind::Rejected => error.at_field(field),
            _ => error,
        }
    }

    fn meaning(&self, code: Option<u32>) -> (ErrorKind, &'static str) {
        match (self.status.as_u16(), code) {
            (_, Some(EXPIRED)) | (410, _) => (
                ErrorKind::CursorExpired,
                "the delta link is too old: read everything again",
            ),
            (429, _) => (self.limited(), "the system wants to be left alone"),
            (_, Some(code)) if REQUEST_LIMITS.contains(&code) => {
                (self.limited(), "the system wants to be left alone")
            }
            (401, _) => (
                ErrorKind::Unauthenticated,
                "the environment does not accept the token",
            ),
            (403, Some(NOT_A_MEMBER)) => (
                ErrorKind::PermissionDenied,
                "the application is no user of the environment: make it an application user",
            ),
            (403, _) => (
                ErrorKind::PermissionDenied,
                "the application user lacks a privilege: give its role the privilege",
            ),
            (404, Some(code)) if NO_SUCH_ROW.contains(&code) => (ErrorKind::NotFound, "there is no such row"),
            (404 | 405 | 501, _) => (ErrorKind::NotFound, "there is no such table, column or operation"),
            (_, Some(READ_ONLY)) => (ErrorKind::Conflict, "the row is not in use, and so read-only"),
            (_, Some(DUPLICATE_DETECTED)) => (ErrorKind::Rejected, "a rule finds the row to be a duplicate"),
            (412, _) => (ErrorKind::Conflict, "the row has changed since it was read"),
            (400 | 413, _) => (ErrorKind::Rejected, "the system refuses the content"),
            (503, _) if self.headers.contains_key(RETRY_AFTER) => (
                self.limited(),
                "the system is not available before the time it names",
            ),
            (408 | 500.., _) => (self.effect.unanswered(), "the system is not available"),
            (300..400, _) => (
                ErrorKind::Malformed,
                "the system answers with a redirect, which is not followed",
            ),
            _ => (
                ErrorKind::Malformed,
                "the system answers with a status that its documentation does not have",
            ),
        }
    }

    fn limited(&self) -> ErrorKind {
        let until = retry_at(self.headers, self.now);
        ErrorKind::RateLimited { until }
    }
}

/// Says whether an error says that there is no such row, rather than no such table.
pub(super) fn is_no_such_row(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
        && error
            .fact("code")
            .and_then(code)
            .is_some_and(|code| NO_SUCH_ROW.contains(&code))
}

/// Says what a request that got no answer ends in.
pub(super) fn unanswered(failure: &Failure, effect: Effect) -> Error {
    effect::unanswered("the environment", failure, effect)
}

/// Says what an answer that cannot be read ends in.
pub(super) fn misread(misread: Misread) -> Error {
    Error::new(
        ErrorKind::Malformed,
        match misread {
            Misread::CutShort => "the answer ends before its end",
            Misread::NotJson => "the answer is not JSON",
            Misread::Shape => "the answer is JSON of another shape than documented",
        },
    )
}

/// Reads an error code, which is written in hexadecimal or as a negative number.
fn code(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse::<i32>().ok().map(i32::cast_unsigned),
    }
}

/// Finds the name of a privilege, such as `prvWriteContact`: the one word of the message that an operator needs.
fn privilege(message: &str) -> Option<&str> {
    let mut words = message.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.find(|word| word.starts_with("prv") && (4..=100).contains(&word.len()))
}

/// Returns the system's own name of the request, for its support.
fn request(headers: &HeaderMap) -> Option<Uuid> {
    let named = headers
        .get("x-ms-service-request-id")
        .or_else(|| headers.get("req_id"))?;
    named.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str, effect: Effect) -> Error {
        let refused = Refused {
            status: StatusCode::from_u16(status).unwrap(),
            headers: &HeaderMap::new(),
            body: body.as_bytes(),
            effect,
            now: Timestamp::UNIX_EPOCH,
        };
        refused.told(None)
    }

    fn body(code: &str) -> String {
        format!(r#"{{"error":{{"code":"{code}","message":"canary prvWriteContact canary"}}}}"#)
    }

    #[test]
    fn every_answer_is_sorted_by_what_the_caller_does_next() {
        use ErrorKind::{
            Conflict, CursorExpired, Malformed, NotFound, PermissionDenied, Rejected, Unauthenticated,
            Unavailable, Unknown,
        };
        for (status, code, expected) in [
            (400, "0x80044352", CursorExpired),
            (400, "-2147204270", CursorExpired),
            (410, "", CursorExpired),
            (401, "", Unauthenticated),
            (403, "0x80040220", PermissionDenied),
            (404, "0x80040217", NotFound),
            (404, "", NotFound),
            (412, "", Conflict),
            (412, "0x80040333", Rejected),
            (400, "0x8004022e", Conflict),
            (400, "0x80044331", Rejected),
            (413, "", Rejected),
            (301, "", Malformed),
            (418, "", Malformed),
            (500, "", Unavailable),
            (503, "0x80040216", Unavailable),
        ] {
            assert_eq!(
                told(status, &body(code), Effect::Reads).kind(),
                expected,
                "{status} {code}"
            );
        }
        assert_eq!(told(503, "<html>", Effect::Writes).kind(), Unknown);
        for (status, code) in [
            (429, "0x80072322"),
            (429, "0x80072321"),
            (429, ""),
            (503, "-2147015898"),
        ] {
            let limited = told(status, &body(code), Effect::Writes).kind();
            assert!(
                matches!(limited, ErrorKind::RateLimited { .. }),
                "{status} {code}"
            );
        }
    }

    #[test]
    fn an_error_shows_the_privilege_and_nothing_else_of_the_body() {
        let error = told(403, &body("0x80040220"), Effect::Reads);
        assert_eq!(error.fact("privilege"), Some("prvWriteContact"));
        assert_eq!(error.fact("code"), Some("0x80040220"));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn only_a_row_that_is_missing_is_no_row() {
        assert!(is_no_such_row(&told(404, &body("0x80040217"), Effect::Reads)));
        assert!(!is_no_such_row(&told(404, &body("0x8006088a"), Effect::Reads)));
        assert!(!is_no_such_row(&told(404, "<html>", Effect::Reads)));
    }
}
