//! Finds what might be a number of a person in a text, and takes it out.

use std::borrow::Cow;
use std::ops::Range;

/// How many digits a national identity number has, and a bank account too.
const LENGTH: usize = 11;

/// After how many digits people set the next ones apart: `310190 12345`, `31.01.90 12345`, `1234.56.78903`.
const BREAKS: [usize; 3] = [2, 4, 6];

/// What they are set apart by.
const SEPARATORS: [&str; 5] = [" ", "-", ".", "\u{a0}", "\u{202f}"];

/// What stands where a number was taken out.
const TAKEN_OUT: &str = "[11 digits]";

/// Finds every eleven digits that stand together, or set apart as people do it, with no digit before or after them.
///
/// That is wider than a [`super::NationalIdentityNumber`]: neither date nor control digits are looked at, as one with a slip in
/// it still tells who is meant. Bank accounts are found as well.
///
/// # Example
///
/// ```
/// use shared::norwegian;
///
/// let text = "account 1234.56.78903, order 123456789012";
/// let found: Vec<&str> = norwegian::find(text).filter_map(|range| text.get(range)).collect();
/// assert_eq!(found, ["1234.56.78903"]);
/// assert_eq!(norwegian::redact(text), "account [11 digits], order 123456789012");
/// ```
pub fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let from = at + rest.find(|letter: char| letter.is_ascii_digit())?;
            let digits = text.get(from..)?;
            if let Some(length) = match_length(digits) {
                at = from + length;
                return Some(from..at);
            }
            at = from + run_of_digits(digits);
        }
    })
}

/// Returns a text with nothing in it that [`find`] finds.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut at = 0;
    for range in find(text) {
        redacted.push_str(text.get(at..range.start).unwrap_or_default());
        redacted.push_str(TAKEN_OUT);
        at = range.end;
    }
    if at == 0 {
        return text.into();
    }
    redacted.push_str(text.get(at..).unwrap_or_default());
    redacted.into()
}

/// Returns how long the number is that a text begins with.
fn match_length(text: &str) -> Option<usize> {
    let (mut rest, mut digits) = (text, 0);
    while digits < LENGTH {
        if BREAKS.contains(&digits) {
            let apart = SEPARATORS
                .iter()
                .find_map(|separator| rest.strip_prefix(separator));
            rest = apart.unwrap_or(rest);
        }
        rest = rest.strip_prefix(|letter: char| letter.is_ascii_digit())?;
        digits += 1;
    }
    let ends = !rest.starts_with(|letter: char| letter.is_ascii_digit());
    ends.then_some(text.len() - rest.len())
}

fn run_of_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).map(|range| text.get(range).unwrap()).collect()
    }

    #[test]
    fn a_number_is_found_wherever_it_stands_and_however_it_is_set_apart() {
        for number in [
            "11819012345",
            "118190 12345",
            "118190-12345",
            "11.81.90 12345",
            "1234.56.78903",
            "118190\u{a0}12345",
        ] {
            for (before, after) in [
                ("", ""),
                ("fnr", "."),
                ("ø", "ø"),
                ("{\"id\":\"", "\"}"),
                ("12 ", " 34"),
                ("2026 ", " 7"),
            ] {
                assert_eq!(
                    found(&format!("{before}{number}{after}")),
                    [number],
                    "{before}{number}{after}"
                );
            }
        }
        assert_eq!(found("11819012345,11819012346"), ["11819012345", "11819012346"]);
    }

    #[test]
    fn other_runs_of_digits_are_left_alone() {
        let texts = [
            "",
            "1181901234",
            "118190123456",
            "2026-01-31T12:30:00.123456Z",
            "123 456 785",
            "118 190 12345",
            "118190  12345",
        ];
        for text in texts {
            assert_eq!(found(text), [""; 0], "{text}");
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn identity_numbers_and_bank_accounts_are_taken_out_of_what_is_logged() {
        let line = "pay 86011117947 to 118190 12345 (æ), ref 42";
        assert_eq!(redact(line), "pay [11 digits] to [11 digits] (æ), ref 42");
        assert_eq!(found(&redact(line)), [""; 0]);
    }
}
