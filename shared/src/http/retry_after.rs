//! When a system that is busy may be asked again.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// What is waited where the system names no time, or none that can be read.
const UNNAMED: SignedDuration = SignedDuration::from_secs(30);
/// What is waited at least, so that "at once" is no storm.
const LEAST: SignedDuration = SignedDuration::from_secs(1);
/// What is waited at most, so that nonsense does not stop an integration for years.
const MOST: SignedDuration = SignedDuration::from_hours(1);

/// Returns the instant that `Retry-After` names, as seconds or as a date, kept within a second and an hour.
///
/// Source: RFC 9110, section 10.2.3.
#[must_use]
pub fn retry_at(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let named = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = named.and_then(|text| wait(text.trim(), now)).unwrap_or(UNNAMED);
    now.checked_add(wait.clamp(LEAST, MOST))
        .map_or(now, next_millisecond)
}

/// Rows and gates hold milliseconds; an instant that was cut down to them would come too early.
fn next_millisecond(at: Timestamp) -> Timestamp {
    let more = i64::from(at.subsec_nanosecond() % 1_000_000 != 0);
    Timestamp::from_millisecond(at.as_millisecond() + more).unwrap_or(at)
}

fn wait(text: &str, now: Timestamp) -> Option<SignedDuration> {
    seconds(text).or_else(|| Some(date(text)?.duration_since(now)))
}

/// Rounds a fraction up: a moment too early counts as another offence.
fn seconds(text: &str) -> Option<SignedDuration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = i64::from(fraction.bytes().any(|digit| digit != b'0'));
    let whole = whole.parse::<i64>().unwrap_or(i64::MAX);
    Some(SignedDuration::from_secs(whole.saturating_add(more)))
}

fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn waits(text: &str) -> i64 {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        retry_at(&headers, now()).duration_since(now()).as_secs()
    }

    #[test]
    fn every_form_of_retry_after_is_understood() {
        for (text, expected) in [
            ("7", 7),
            (" 7 ", 7),
            ("0", 1),
            ("1.2", 2),
            ("2.0", 2),
            ("-5", 30),
            ("1000000000", 3600),
            ("99999999999999999999", 3600),
            ("soon", 30),
            ("", 30),
            ("Thu, 01 Jan 2026 00:00:42 GMT", 42),
            ("Wed, 31 Dec 2025 23:00:00 GMT", 1),
            ("Fri, 01 Jan 2027 00:00:00 GMT", 3600),
        ] {
            assert_eq!(waits(text), expected, "{text}");
        }
        assert_eq!(
            retry_at(&HeaderMap::new(), now()).duration_since(now()).as_secs(),
            30
        );
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_wait_has_bounds(text in "[ -~]{0,40}") {
            prop_assert!((1..=3600).contains(&waits(&text)));
        }
    }
}
