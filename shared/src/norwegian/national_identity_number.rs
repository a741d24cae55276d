//! Numbers of people: fødselsnummer and D-number.

use std::fmt;
use std::str::FromStr;

use super::{NumberError, controls};

const WHAT: &str = "national identity number";

/// A fødselsnummer or a D-number, of a person or made up for tests: day and month of birth, year, and five digits more.
///
/// Nothing shows it by itself: `Debug` hides it, it has no `Display` and does not serialize. Whoever must have its digits asks
/// for them by [`NationalIdentityNumber::expose`]. It belongs in no log, no error and no name of a file.
///
/// Its two control digits are not insisted on: numbers that are given out from 2032 follow other rules. Ask
/// [`NationalIdentityNumber::controls_match`] where an old rule is of use, to warn of a slip.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NationalIdentityNumber([u8; 11]);

impl NationalIdentityNumber {
    /// Returns its 11 digits.
    #[must_use]
    pub fn expose(&self) -> Box<str> {
        controls::text(&self.0)
    }

    /// Says whether it is a D-number, of somebody who is not registered as living in Norway.
    #[must_use]
    pub const fn is_d_number(&self) -> bool {
        self.0[0] >= 4
    }

    /// Says whether it was made up for tests by Skatteetaten: it is nobody's.
    #[must_use]
    pub const fn is_synthetic(&self) -> bool {
        self.0[2] >= 8
    }

    /// Says whether both control digits follow from the others by the rules in force until 2032.
    #[must_use]
    pub fn controls_match(&self) -> bool {
        let [base @ .., first, second] = self.0;
        let [with_first @ .., _] = self.0;
        controls::mod11(&base, [3, 7, 6, 1, 8, 9, 4, 5, 2]) == Some(first)
            && controls::mod11(&with_first, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) == Some(second)
    }
}

impl FromStr for NationalIdentityNumber {
    type Err = NumberError;

    /// Takes 11 digits, with spaces between them or without.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let reason = "must have 11 digits and nothing but spaces between them";
        let digits = controls::digits::<11>(WHAT, text, &[], reason)?;
        let [d, e, m, n, ..] = digits;
        // A D-number has 4 added to its first digit, a synthetic one 8 to its third.
        let day = 10 * if d >= 4 { d - 4 } else { d } + e;
        let month = 10 * if m >= 8 { m - 8 } else { m } + n;
        let days = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => {
                return Err(NumberError::new(
                    WHAT,
                    "has no month as its third and fourth digit",
                ));
            }
        };
        match (1..=days).contains(&day) {
            true => Ok(Self(digits)),
            false => Err(NumberError::new(
                WHAT,
                "has no day of its month as its first two digits",
            )),
        }
    }
}

impl fmt::Debug for NationalIdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalIdentityNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds control digits to nine digits; only synthetic numbers are made here, so that they are nobody's.
    fn number(base: &str) -> Option<String> {
        let mut digits: Vec<u8> = base.bytes().map(|byte| byte - b'0').collect();
        digits.push(controls::mod11(&digits, [3, 7, 6, 1, 8, 9, 4, 5, 2])?);
        digits.push(controls::mod11(&digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2])?);
        Some(controls::text(&digits).into())
    }

    fn parse(text: &str) -> Result<NationalIdentityNumber, NumberError> {
        text.parse()
    }

    #[test]
    fn a_number_is_known_for_what_it_is_and_comes_back_in_its_canonical_form() {
        let made = (0..1000).filter_map(|number_of_day| number(&format!("118190{number_of_day:03}")));
        let made: Vec<String> = made.collect();
        assert!(made.len() > 800);
        for text in made {
            let read = parse(&text).unwrap();
            assert!(read.is_synthetic() && !read.is_d_number() && read.controls_match());
            assert_eq!(*read.expose(), text);
            let (birth, rest) = text.split_at(6);
            assert_eq!(parse(&format!("{birth} {rest}")).unwrap(), read);
        }
        let made = (0..99).find_map(|number_of_day| number(&format!("518190{number_of_day:03}")));
        let d_number = parse(&made.unwrap()).unwrap();
        assert!(d_number.is_synthetic() && d_number.is_d_number() && d_number.controls_match());
    }

    #[test]
    fn a_wrong_control_digit_is_told_and_does_not_refuse_the_number() {
        let text = (0..99)
            .find_map(|number_of_day| number(&format!("118190{number_of_day:03}")))
            .unwrap();
        for place in [9, 10] {
            let mut digits = text.clone().into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + 1) % 10;
            let read = parse(&String::from_utf8(digits).unwrap()).unwrap();
            assert!(!read.controls_match());
        }
    }

    #[test]
    fn a_number_without_a_day_of_birth_is_none() {
        for bad in [
            "00819012345",
            "32819012345",
            "11809012345",
            "11939012345",
            "31849012345",
            "30829012345",
            "80819012345",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "1181901234", "118190123456", "11819-12345", "1181901234x"] {
            assert!(parse(bad).unwrap_err().to_string().contains("11 digits"), "{bad}");
        }
        assert!(
            parse("29829012345").is_ok(),
            "whether the year was a leap year is not known"
        );
    }

    #[test]
    fn neither_debug_output_nor_an_error_shows_a_national_identity_number() {
        assert_eq!(
            format!("{:?}", parse("11819012345").unwrap()),
            "NationalIdentityNumber(…)"
        );
        let error = parse("32819012345").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("3281"));
    }
}
