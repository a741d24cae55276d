//! Organization numbers.

use std::fmt;
use std::str::FromStr;

use super::{NumberError, controls};

const WHAT: &str = "organization number";

/// A number in the register of legal entities: 9 digits, the last of which is a control digit.
///
/// # Example
///
/// ```
/// use shared::norwegian::OrganizationNumber;
///
/// let number: OrganizationNumber = "123 456 785".parse()?;
/// assert_eq!(number.to_string(), "123456785");
/// # Ok::<(), shared::norwegian::NumberError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganizationNumber(Box<str>);

impl OrganizationNumber {
    /// Returns its 9 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganizationNumber {
    type Err = NumberError;

    /// Takes 9 digits, with spaces between them or without.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let digits = controls::digits::<9>(
            WHAT,
            text,
            &[],
            "must have 9 digits and nothing but spaces between them",
        )?;
        let [base @ .., control] = digits;
        match controls::mod11(&base, [3, 2, 7, 6, 5, 4, 3, 2]) {
            Some(expected) if expected == control => Ok(Self(controls::text(&digits))),
            _ => Err(NumberError::new(
                WHAT,
                "has a control digit that does not follow from the others: a digit is wrong",
            )),
        }
    }
}

impl fmt::Display for OrganizationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_number_is_nine_digits_whose_last_follows_from_the_others() {
        for good in ["123456785", "123 456 785", "123\u{a0}456\u{a0}785", " 123456785 "] {
            assert_eq!(good.parse::<OrganizationNumber>().unwrap().as_str(), "123456785");
        }
        for control in ["123456780", "123456784", "213456785"] {
            assert!(
                control
                    .parse::<OrganizationNumber>()
                    .unwrap_err()
                    .to_string()
                    .contains("control digit")
            );
        }
        for bad in [
            "",
            "12345678",
            "1234567850",
            "12345678x",
            "123.456.785",
            "１２３４５６７８５",
            &"1".repeat(200),
        ] {
            assert!(
                bad.parse::<OrganizationNumber>()
                    .unwrap_err()
                    .to_string()
                    .contains("9 digits"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_number_whose_control_digit_would_be_ten_is_none() {
        let base = (0..1000).map(|number| format!("{number:08}")).find(|base| {
            let digits: Vec<u8> = base.bytes().map(|byte| byte - b'0').collect();
            controls::mod11(&digits, [3, 2, 7, 6, 5, 4, 3, 2]).is_none()
        });
        let base = base.unwrap();
        assert!((0..10).all(|control| format!("{base}{control}").parse::<OrganizationNumber>().is_err()));
    }
}
