//! Texts that are numbers with control digits, where a column says that they are.

use super::words::words;
use crate::norwegian::{BankAccount, Kid, NationalIdentityNumber, NumberError, OrganizationNumber};

words! {
    /// Which number a text is. It stands in the file as it is written; only its form and its control digits are looked at.
    Number {
        /// An organization's, of nine digits.
        Organization = "organizationNumber",
        /// An account's, of eleven digits.
        BankAccount = "bankAccount",
        /// What a payment is known by.
        Kid = "kid",
        /// A person's, of eleven digits, whose control digits are not insisted on: from 2032 on they follow other rules.
        NationalIdentity = "nationalIdentityNumber",
    }
}

impl Number {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, and nothing of it.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        let checked: Result<(), NumberError> = match self {
            Self::Organization => text.parse::<OrganizationNumber>().map(drop),
            Self::BankAccount => text.parse::<BankAccount>().map(drop),
            Self::Kid => text.parse::<Kid>().map(drop),
            Self::NationalIdentity => text.parse::<NationalIdentityNumber>().map(drop),
        };
        checked.map_err(|error| format!("is not what the column holds: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::csv::{Cell, Profile, Reader, Writer};

    fn profile(number: &str) -> Profile {
        let column = json!({ "name": "number", "type": "text", "number": number });
        Profile::check(&json!({ "dialect": { "audience": "machine" }, "columns": [column] })).unwrap()
    }

    fn read(number: &str, text: &str) -> Result<String, String> {
        let file = format!("number\r\n{text}\r\n");
        let profile = profile(number);
        let mut reader = Reader::new(&profile, file.as_bytes()).unwrap();
        let row = reader.read().unwrap().unwrap();
        let told = row.map(|row| row.get("number").and_then(Cell::text).unwrap().to_owned());
        told.map_err(|error| error.faults[0].reason.clone())
    }

    /// Brønnøysundregistrene's own number, and examples of Bits.
    #[test]
    fn a_number_with_its_control_digit_is_read_and_one_without_is_refused_and_not_told() {
        for (number, right, wrong) in [
            ("organizationNumber", "974760673", "974760674"),
            ("bankAccount", "86011117947", "86011117948"),
            ("kid", "12345674", "12345675"),
            ("nationalIdentityNumber", "11819012345", "1181901234"),
        ] {
            assert_eq!(read(number, right).as_deref(), Ok(right), "{number}");
            let reason = read(number, wrong).unwrap_err();
            assert!(reason.contains("is not what the column holds"), "{reason}");
            assert!(!reason.contains(wrong));
            let profile = profile(number);
            let mut writer = Writer::new(&profile, Vec::new()).unwrap();
            assert!(writer.write(&[Cell::Text(wrong)]).is_err());
            assert!(writer.write(&[Cell::Text(right)]).is_ok());
        }
    }

    #[test]
    fn only_a_number_that_is_known_can_be_asked_for() {
        let column = json!({ "name": "number", "type": "text", "number": "shoeSize" });
        let faults = Profile::check(&json!({ "dialect": { "audience": "machine" }, "columns": [column] }));
        assert_eq!(faults.unwrap_err()[0].field, "profile.columns.0.number");
    }
}
