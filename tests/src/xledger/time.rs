//! Dates and times as Xledger writes them: local times of Central Europe, without a zone.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// When summer time begins and ends is written out, so that no time zone database is needed.
const CENTRAL_EUROPE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn zone() -> TimeZone {
    TimeZone::posix(CENTRAL_EUROPE).expect("the rule is well-formed")
}

/// Returns a time as `DateTimeString`, which is CET or CEST and does not say which.
pub(super) fn local(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Returns the day and the month that it is in Central Europe.
pub(super) fn today(at: Timestamp) -> Date {
    at.to_zoned(zone()).date()
}

/// Returns a `DateTimeString` as it is compared, or none if it has a zone or is no time.
pub(super) fn parse_local(text: &str) -> Option<String> {
    let zoned = text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|rest| rest.contains(['+', '-']));
    let time: DateTime = (!zoned).then(|| text.parse().ok()).flatten()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// Returns a date of the form `yyyy-MM-dd`.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let date = Date::strptime("%Y-%m-%d", text).ok()?;
    (date.to_string() == text).then_some(date)
}

/// Returns a date of the form `yyyyMMdd`.
pub(super) fn parse_compact_date(text: &str) -> Option<Date> {
    let date = Date::strptime("%Y%m%d", text).ok()?;
    (date.strftime("%Y%m%d").to_string() == text).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_hour_ahead_in_winter_and_two_in_summer() {
        for (at, seen) in [
            ("2026-02-17T09:00:00Z", "2026-02-17T10:00:00"),
            ("2026-07-17T09:00:00Z", "2026-07-17T11:00:00"),
            ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00"),
            ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00"),
        ] {
            assert_eq!(local(at.parse().unwrap()), seen);
        }
    }

    #[test]
    fn dates_have_one_form_each() {
        assert!(parse_date("2026-02-17").is_some() && parse_compact_date("20260217").is_some());
        for wrong in ["2026-2-17", "20260217", "2026-02-30", "17.02.2026", ""] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
        assert_eq!(parse_compact_date("2026-02-17"), None);
    }
}
