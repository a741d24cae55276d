//! Times as Xledger writes them: those of Central Europe, without saying so.

use jiff::civil::DateTime;
use jiff::tz::{Disambiguation, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Xledger's servers are in Norway.
const ZONE: &str = "Europe/Oslo";

/// Reads a time; the later one where the clock was put back and there are two, so that whoever waits has waited long enough.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = text.parse() {
        return Some(zoned);
    }
    let civil: DateTime = text.parse().ok()?;
    let zone = TimeZone::get(ZONE).ok()?;
    let ambiguous = zone.to_ambiguous_zoned(civil);
    Some(ambiguous.disambiguate(Disambiguation::Later).ok()?.timestamp())
}

/// Returns a time that is not before another, nor too far from it.
pub(super) fn between(
    at: Timestamp,
    now: Timestamp,
    least: SignedDuration,
    most: SignedDuration,
) -> Timestamp {
    let bound = |by| now.checked_add(by).unwrap_or(now);
    at.clamp(bound(least), bound(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_central_europe_unless_it_says_otherwise() {
        for (text, expected) in [
            ("2027-01-15T12:20:00", "2027-01-15T11:20:00Z"),
            ("2027-07-15T12:20:00.123", "2027-07-15T10:20:00.123Z"),
            ("2027-01-15 12:20:00", "2027-01-15T11:20:00Z"),
            ("2027-01-15T12:20:00Z", "2027-01-15T12:20:00Z"),
            ("2027-01-15T12:20:00+03:00", "2027-01-15T09:20:00Z"),
            // There are two of the first, and none of the second.
            ("2026-10-25T02:30:00", "2026-10-25T01:30:00Z"),
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(parse(text), Some(expected.parse().unwrap()), "{text}");
        }
        for wrong in ["", "soon", "12:20:00"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
