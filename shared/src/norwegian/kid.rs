//! KID: what a payer puts on a payment so that the payee knows what it is for.

use std::fmt;
use std::str::FromStr;

use super::{NumberError, controls};

const WHAT: &str = "KID";

/// The most digits, with the control digit.
const LONGEST: usize = 25;

/// A customer identification: 2 to 25 digits, the last of which is a control digit by MOD10 or MOD11.
///
/// Where MOD11 comes to ten, the last is `-`. Zeros at the start belong to it. The payee has agreed with its bank on one of the
/// two; from the number alone it is not known which.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kid(Box<str>);

impl Kid {
    /// Adds the control digit of modulus 10 (Luhn) to 1 to 24 digits.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the digits.
    pub fn with_mod10(base: &str) -> Result<Self, NumberError> {
        let digits = read_base(base)?;
        Ok(Self(format!("{base}{}", controls::mod10(&digits)).into()))
    }

    /// Adds the control digit of modulus 11, or `-`, to 1 to 24 digits.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the digits.
    pub fn with_mod11(base: &str) -> Result<Self, NumberError> {
        let digits = read_base(base)?;
        Ok(Self(format!("{base}{}", mod11(&digits)).into()))
    }

    /// Returns its digits, and the `-` if it ends with one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether its control digit follows by MOD10.
    #[must_use]
    pub fn is_mod10(&self) -> bool {
        self.matches(Self::with_mod10)
    }

    /// Says whether its control digit follows by MOD11.
    #[must_use]
    pub fn is_mod11(&self) -> bool {
        self.matches(Self::with_mod11)
    }

    fn matches(&self, with_control: fn(&str) -> Result<Self, NumberError>) -> bool {
        let base = self.0.len().checked_sub(1).and_then(|base| self.0.get(..base));
        base.is_some_and(|base| with_control(base).as_ref() == Ok(self))
    }
}

impl FromStr for Kid {
    type Err = NumberError;

    /// Takes digits, with spaces between them or without.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let bare = controls::bare(text, &[]).unwrap_or_default();
        let digits = bare.strip_suffix('-').unwrap_or(&bare);
        if !(2..=LONGEST).contains(&bare.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::new(
                WHAT,
                "must have 2 to 25 digits, or a - as the last, and nothing but spaces between",
            ));
        }
        let kid = Self(bare.into());
        match kid.is_mod10() || kid.is_mod11() {
            true => Ok(kid),
            false => Err(NumberError::new(
                WHAT,
                "has a control digit that follows neither by MOD10 nor by MOD11",
            )),
        }
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn read_base(base: &str) -> Result<Vec<u8>, NumberError> {
    let fits = (1..LONGEST).contains(&base.len()) && base.bytes().all(|byte| byte.is_ascii_digit());
    let digits = fits.then(|| base.bytes().map(|byte| byte - b'0').collect());
    digits.ok_or(NumberError::new(
        WHAT,
        "must have 1 to 24 digits before its control digit",
    ))
}

fn mod11(digits: &[u8]) -> char {
    let reversed: Vec<u8> = digits.iter().rev().copied().collect();
    controls::mod11(&reversed, (2..=7).cycle()).map_or('-', |control| char::from(b'0' + control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_digits_are_the_published_ones() {
        for (base, mod10, mod11) in [
            ("1234567", 4, 4),
            ("60224", 3, 8),
            ("0002", 6, 7),
            ("99887766", 6, 0),
        ] {
            assert_eq!(Kid::with_mod10(base).unwrap().as_str(), format!("{base}{mod10}"));
            assert_eq!(Kid::with_mod11(base).unwrap().as_str(), format!("{base}{mod11}"));
        }
    }

    #[test]
    fn a_kid_keeps_its_leading_zeros_and_may_end_with_a_dash() {
        let kid: Kid = "0000 26".parse().unwrap();
        assert!(kid.is_mod10() && kid.to_string() == "000026");
        let bases = (1..1000).map(|number| format!("{number:05}"));
        let dashed = bases
            .map(|base| Kid::with_mod11(&base).unwrap())
            .find(|kid| kid.as_str().ends_with('-'))
            .unwrap();
        assert_eq!(dashed.as_str().parse::<Kid>().as_ref(), Ok(&dashed));
        assert!(dashed.is_mod11() && !dashed.is_mod10());
    }

    #[test]
    fn what_is_too_short_too_long_or_follows_neither_way_is_no_kid() {
        let long = format!("{}0", Kid::with_mod10(&"1".repeat(24)).unwrap());
        for bad in [
            "",
            "0",
            "-",
            "60225",
            "602-24",
            "6022a3",
            "--",
            long.as_str(),
            "６０２２４３",
        ] {
            assert!(bad.parse::<Kid>().is_err(), "{bad}");
        }
        assert!(
            Kid::with_mod10("").is_err()
                && Kid::with_mod11(&"1".repeat(25)).is_err()
                && Kid::with_mod10("1 2").is_err()
        );
    }
}
