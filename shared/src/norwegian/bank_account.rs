//! Bank accounts.

use std::fmt;
use std::str::FromStr;

use super::{NumberError, controls};

const WHAT: &str = "bank account";

/// A Norwegian bank account: 11 digits, the last of which is a control digit.
///
/// It may be a person's: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BankAccount(Box<str>);

impl BankAccount {
    /// Returns its 11 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BankAccount {
    type Err = NumberError;

    /// Takes 11 digits, with points and spaces between them (`1234.56.78903`) or without.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let reason = "must have 11 digits and nothing but points and spaces between them";
        let digits = controls::digits::<11>(WHAT, text, &['.'], reason)?;
        let [base @ .., control] = digits;
        match controls::mod11(&base, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) {
            Some(expected) if expected == control => Ok(Self(controls::text(&digits))),
            _ => Err(NumberError::new(
                WHAT,
                "has a control digit that does not follow from the others: a digit is wrong",
            )),
        }
    }
}

impl fmt::Display for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankAccount(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_eleven_digits_with_points_or_without() {
        for good in ["12345678903", "86011117947", "12345600009", "15031234562"] {
            assert_eq!(good.parse::<BankAccount>().unwrap().to_string(), good);
        }
        for form in ["1234.56.78903", "1234 56 78903", "1234\u{a0}56\u{a0}78903"] {
            assert_eq!(form.parse::<BankAccount>().unwrap().as_str(), "12345678903");
        }
        for bad in [
            "12345678904",
            "21345678903",
            "1234567890",
            "123456789030",
            "1234-56-78903",
            "",
            "NO9386011117947",
        ] {
            assert!(bad.parse::<BankAccount>().is_err(), "{bad}");
        }
    }

    #[test]
    fn neither_debug_output_nor_an_error_shows_an_account() {
        assert_eq!(
            format!("{:?}", "12345678903".parse::<BankAccount>().unwrap()),
            "BankAccount(…)"
        );
        let error = "12345678904".parse::<BankAccount>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("1234"));
    }
}
