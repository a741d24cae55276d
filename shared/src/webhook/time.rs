//! The time of a signature: read from its one spelling, and held against now.

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use super::refused::Reason;

/// Reads whole seconds since 1970: digits, no sign, no leading zero.
pub(super) fn seconds(text: &str) -> Result<Timestamp, Reason> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let seconds = Some(text)
        .filter(|text| digits && (1..=12).contains(&text.len()))
        .and_then(|text| text.parse().ok());
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or(Reason::Malformed)
}

/// Reads a date as HTTP writes it: `Tue, 14 Nov 2023 22:13:20 GMT`, to the letter.
///
/// Source: RFC 9110, section 5.6.7, IMF-fixdate.
pub(super) fn http_date(text: &str) -> Result<Timestamp, Reason> {
    let malformed = |_| Reason::Malformed;
    let time = DateTimeParser::new().parse_timestamp(text).map_err(malformed)?;
    let written = DateTimePrinter::new().timestamp_to_rfc9110_string(&time);
    match written.map_err(malformed)? == text {
        true => Ok(time),
        false => Err(Reason::Malformed),
    }
}

/// Accepts what was signed within so many seconds of now, both ways and to the second.
pub(super) fn near(signed_at: Timestamp, now: Timestamp, tolerance: u64) -> Result<(), Reason> {
    let (signed_at, now) = (signed_at.as_second(), now.as_second());
    match (signed_at.abs_diff(now) <= tolerance, signed_at < now) {
        (true, _) => Ok(()),
        (false, true) => Err(Reason::Stale),
        (false, false) => Err(Reason::Ahead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_seconds_has_one_spelling() {
        assert_eq!(seconds("1614265330").unwrap().as_second(), 1_614_265_330);
        let forty = "9".repeat(40);
        for text in [
            "",
            "0",
            "-1",
            "+1614265330",
            "01614265330",
            " 1614265330",
            "1614265330 ",
            "1614265330.0",
            "1_614_265_330",
            "0x10",
            "1e9",
            "NaN",
            "१६१४",
            "999999999999",
            "-9223372036854775808",
            "9223372036854775807",
            &forty,
        ] {
            assert_eq!(seconds(text), Err(Reason::Malformed), "{text}");
        }
    }

    #[test]
    fn a_date_has_one_spelling() {
        let date = "Tue, 14 Nov 2023 22:13:20 GMT";
        assert_eq!(http_date(date).unwrap().as_second(), 1_700_000_000);
        for text in [
            "",
            "1700000000",
            "Mon, 14 Nov 2023 22:13:20 GMT",
            "Tue, 14 nov 2023 22:13:20 GMT",
            "Tue, 14 Nov 2023 22:13:20 +0000",
            "Tue, 14 Nov 2023 23:13:20 +0100",
            "Tue, 14 Nov 2023 22:13:20 UTC",
            "Tue, 14 Nov 2023 22:13:60 GMT",
            "Tue,  14 Nov 2023 22:13:20 GMT",
            "14 Nov 2023 22:13:20 GMT",
            "Tuesday, 14-Nov-23 22:13:20 GMT",
            "Tue Nov 14 22:13:20 2023",
            "2023-11-14T22:13:20Z",
            "Tue, 14 Nov 2023 22:13:20 GMT,Tue, 14 Nov 2023 22:13:20 GMT",
            "Tue, 14 Nov 2023 22:13:20 GMT (a comment)",
        ] {
            assert_eq!(http_date(text), Err(Reason::Malformed), "{text}");
        }
    }

    #[test]
    fn the_tolerance_is_met_to_the_second_both_ways() {
        let now = Timestamp::new(1_614_265_330, 999_999_999).unwrap();
        let near = |seconds| near(Timestamp::from_second(seconds).unwrap(), now, 300);
        assert_eq!(near(1_614_265_030), Ok(()));
        assert_eq!(near(1_614_265_630), Ok(()));
        assert_eq!(near(1_614_265_029), Err(Reason::Stale));
        assert_eq!(near(1_614_265_631), Err(Reason::Ahead));
        for (signed_at, now) in [(Timestamp::MIN, Timestamp::MAX), (Timestamp::MAX, Timestamp::MIN)] {
            assert!(super::near(signed_at, now, 300).is_err());
        }
    }
}
