//! Cornerstone's answers, by what the caller does next.
//!
//! Source: csod.dev, "Throttling" and "Authentication"; and, where those are silent, what is safest.

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use super::wire::{self, Envelope, Misread};
use crate::adapter::{Error, ErrorKind};
use crate::adapters::effect;
pub(super) use crate::adapters::effect::Effect;
use crate::http::{Answer, Failure, retry_at};

/// How many requests to the same address are left in this minute.
pub(super) const REMAINING: &str = "x-csod-requests-remaining-urilevel";

const MINUTE: i64 = 60;

/// Returns the first instant of the next minute: limits are counted by the minute, and what is refused counts too.
pub(super) fn next_minute(now: Timestamp) -> Timestamp {
    let next = (now.as_second().div_euclid(MINUTE) + 1) * MINUTE;
    Timestamp::from_second(next).unwrap_or(now)
}

/// Says what an answer means that is not a success.
pub(super) fn refused(answer: &Answer, effect: Effect, now: Timestamp) -> Error {
    let envelope = wire::read::<Envelope>(&answer.body).ok();
    let (kind, message) = meaning(answer, envelope.as_ref(), effect, now);
    let error = Error::new(kind, message).with("status", answer.status.as_u16());
    match kind == ErrorKind::NotFound && envelope.is_some_and(|envelope| envelope.is_not_found()) {
        true => error.with("of", "record"),
        false => error,
    }
}

fn meaning(
    answer: &Answer,
    envelope: Option<&Envelope>,
    effect: Effect,
    now: Timestamp,
) -> (ErrorKind, &'static str) {
    let limited = |message| (limited(&answer.headers, now), message);
    let told = envelope.and_then(Envelope::told_status);
    let told = told.filter(|told| answer.status.is_success() || *told == 429);
    match told.unwrap_or(answer.status.as_u16()) {
        429 => limited("Cornerstone wants to be left alone for the rest of the minute"),
        401 => (
            ErrorKind::PermissionDenied,
            "Cornerstone answers 401 to a token that it has just issued, and says so both of tokens and of permissions: most \
             likely the application lacks a scope or its user a permission, if the application was not disabled since",
        ),
        403 => (
            ErrorKind::PermissionDenied,
            "the application lacks a scope, or its user a permission",
        ),
        _ if envelope.is_some_and(Envelope::is_not_found) => (
            ErrorKind::NotFound,
            "Cornerstone has no such user, training or registration",
        ),
        404 | 405 | 410 | 501 => (
            ErrorKind::NotFound,
            "there is no such path or column: look at `settings.paths` and `settings.course-enrollments.fields`",
        ),
        200..300 | 400 | 409 | 412 | 413 | 422 => (ErrorKind::Rejected, "Cornerstone refuses the content"),
        503 if answer.headers.contains_key(RETRY_AFTER) => {
            limited("Cornerstone is not available before the time that it names")
        }
        408 | 500.. => (effect.unanswered(), "Cornerstone is not available"),
        300..400 => (
            ErrorKind::Malformed,
            "Cornerstone answers with a redirect, which is not followed",
        ),
        _ => (
            ErrorKind::Malformed,
            "Cornerstone answers with a status that its documentation does not have",
        ),
    }
}

/// A limit without a time is one until the next minute.
fn limited(headers: &HeaderMap, now: Timestamp) -> ErrorKind {
    let until = match headers.contains_key(RETRY_AFTER) {
        true => retry_at(headers, now),
        false => next_minute(now),
    };
    ErrorKind::RateLimited { until }
}

/// Says whether an answer leaves nothing more to be asked in this minute.
pub(super) fn is_last(headers: &HeaderMap) -> bool {
    let left = headers.get(REMAINING).and_then(|left| left.to_str().ok());
    left.and_then(|left| left.trim().parse::<i64>().ok())
        .is_some_and(|left| left <= 0)
}

/// Says whether a body is JSON, as was asked for.
///
/// # Errors
///
/// What answers in its place.
pub(super) fn check_json(answer: &Answer, effect: Effect) -> Result<(), Error> {
    let media = answer.media_type();
    let body = answer.body.trim_ascii_start();
    if media == "application/json" || (media.is_empty() && body.starts_with(b"{")) {
        return Ok(());
    }
    let message = if media.ends_with("xml") || body.starts_with(b"<?xml") {
        "the answer is XML although JSON was asked for: an endpoint of the old kind answers, so look at `settings.paths`"
    } else if media == "text/html" || body.starts_with(b"<") {
        "the answer is a web page, such as one for maintenance or for signing in: another address answers, or the portal rests"
    } else {
        "the answer is not JSON: something else answers at this address"
    };
    Err(Error::new(effect.unreadable(), message).with("status", answer.status.as_u16()))
}

/// Says what it means that an answer cannot be read.
pub(super) fn misread(misread: Misread, effect: Effect) -> Error {
    match misread {
        Misread::CutShort => Error::new(effect.unanswered(), "the answer was cut short"),
        Misread::Shape => Error::new(
            effect.unreadable(),
            "the answer is not what the documentation says",
        ),
    }
}

/// Says what a request that got no answer ends in.
pub(super) fn unanswered(failure: &Failure, effect: Effect) -> Error {
    effect::unanswered("the portal", failure, effect)
}

/// Says whether a status is one that a page's own link ends in once nobody knows it any more.
pub(super) fn is_forgotten(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 404 | 410)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn now() -> Timestamp {
        "2026-01-31T12:00:30.5Z".parse().unwrap()
    }

    fn answer(status: u16, body: &str) -> Answer {
        let json = body.starts_with('{').then_some("application/json");
        let media = json.unwrap_or("text/html; charset=utf-8");
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(media))]),
            body: body.into(),
            cut: None,
        }
    }

    #[test]
    fn each_answer_says_what_to_do_next() {
        use ErrorKind::{Malformed, NotFound, PermissionDenied, Rejected, Unavailable, Unknown};
        let missing = r#"{"status":"fail","error":{"message":"Record not found"}}"#;
        for (status, body, expected) in [
            (401, "", PermissionDenied),
            (403, "", PermissionDenied),
            (400, missing, NotFound),
            (200, missing, NotFound),
            (404, missing, NotFound),
            (404, "<html>", NotFound),
            (400, "{}", Rejected),
            (
                200,
                r#"{"status":"401","error":{"message":"x"}}"#,
                PermissionDenied,
            ),
            (200, r#"{"status":"500","error":{"message":"x"}}"#, Unavailable),
            (200, r#"{"status":"fail"}"#, Rejected),
            (422, "{}", Rejected),
            (302, "", Malformed),
            (418, "", Malformed),
            (500, "", Unavailable),
            (408, "", Unavailable),
        ] {
            let error = refused(&answer(status, body), Effect::Reads, now());
            assert_eq!(error.kind(), expected, "{status} {body}");
        }
        assert_eq!(refused(&answer(502, ""), Effect::Writes, now()).kind(), Unknown);
    }

    #[test]
    fn a_limit_without_a_time_ends_with_the_minute() {
        for (status, body) in [
            (429, ""),
            (200, r#"{"status":"429"}"#),
            (400, r#"{"status":429}"#),
        ] {
            let error = refused(&answer(status, body), Effect::Writes, now());
            let until = "2026-01-31T12:01:00Z".parse().unwrap();
            assert_eq!(error.kind(), ErrorKind::RateLimited { until }, "{status} {body}");
        }
        let mut named = answer(429, "");
        named.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        let ErrorKind::RateLimited { until } = refused(&named, Effect::Reads, now()).kind() else {
            panic!("it is a limit")
        };
        assert_eq!(until.duration_since(now()).as_secs(), 7);
    }

    #[test]
    fn the_last_request_of_a_minute_is_known_as_such() {
        for (left, expected) in [
            ("0", true),
            ("-1", true),
            ("1", false),
            ("", false),
            ("none", false),
        ] {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static(REMAINING), left.parse().unwrap())]);
            assert_eq!(is_last(&headers), expected, "{left}");
        }
        assert!(!is_last(&HeaderMap::new()));
    }

    #[test]
    fn whatever_answers_in_the_place_of_json_is_named_and_never_shown() {
        for (media, body, word) in [
            ("text/html", "<html>canary", "web page"),
            ("application/xml", "<canary/>", "XML"),
            ("text/plain", "<?xml version=\"1.0\"?><canary/>", "XML"),
            ("text/plain", "canary", "not JSON"),
        ] {
            let mut answer = answer(200, body);
            answer
                .headers
                .insert(http::header::CONTENT_TYPE, HeaderValue::from_static(media));
            let error = check_json(&answer, Effect::Reads).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed);
            assert!(error.to_string().contains(word), "{error}");
            assert!(!format!("{error:?}").contains("canary"));
            let written = check_json(&answer, Effect::Writes).unwrap_err();
            assert_eq!(written.kind(), ErrorKind::Unknown);
        }
    }
}
