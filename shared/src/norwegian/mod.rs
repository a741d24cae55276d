//! Numbers that Norway gives to organizations, accounts, payments and people.
//!
//! Each is its own type, checked where it enters, in one canonical form. No error holds the number. What stands for a person,
//! or may, shows nothing in `Debug` output, which reaches logs.
//!
//! | type | canonical form | control digits |
//! | --- | --- | --- |
//! | [`OrganizationNumber`] | 9 digits | insisted on |
//! | [`BankAccount`] | 11 digits | insisted on |
//! | [`Kid`] | 2 to 25 digits, the last may be `-` | MOD10 or MOD11 is insisted on |
//! | [`NationalIdentityNumber`] | 11 digits | can be asked for: from 2032 on they follow other rules |
//!
//! [`find()`] finds what might be one of the last, and [`redact`] takes it out of a text.
//!
//! Source: Brønnøysundregistrene, "Organisasjonsnummeret"; Bits, "KID"; Skatteetaten, "Fødselsnummer" and "Nytt fødselsnummer
//! fra 2032".

mod bank_account;
mod controls;
mod find;
mod kid;
mod national_identity_number;
mod organization_number;

pub use bank_account::BankAccount;
pub use find::{find, redact};
pub use kid::Kid;
pub use national_identity_number::NationalIdentityNumber;
pub use organization_number::OrganizationNumber;

/// Says why a text is not a number of some kind; never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} {reason}")]
pub struct NumberError {
    what: &'static str,
    reason: &'static str,
}

impl NumberError {
    const fn new(what: &'static str, reason: &'static str) -> Self {
        Self { what, reason }
    }
}
