//! What columns hold.

use serde_json::{Value, json};

use crate::export::Dimension;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Nothing,
    System,
    Reference,
    LineReference,
    Entity,
    VoucherType,
    Number,
    FiscalYear,
    Date,
    Account,
    Dimension(Dimension),
    Subledger,
    InvoiceDate,
    Text,
    TaxRule,
    Currency,
    CurrencyAmount,
    Amount,
    End,
}

/// The columns of `GL02b`; `GL02` has all but `Entity`.
pub(super) const GL02B: [(&str, Holds); 50] = [
    ("ImpSystem", Holds::System),
    ("ImpSystemRef", Holds::Reference),
    (ENTITY, Holds::Entity),
    ("voucherType", Holds::VoucherType),
    ("VoucherNo", Holds::Number),
    ("FiscalYear", Holds::FiscalYear),
    ("PeriodNo", Holds::Nothing),
    ("VoucherDate", Holds::Date),
    ("account", Holds::Account),
    ("Account Ledger (Asset/BankAccount)", Holds::Nothing),
    ("posting1", Holds::Dimension(Dimension::GlObject1)),
    ("Posting 2 (PRJ)", Holds::Dimension(Dimension::Project)),
    ("XGL", Holds::Nothing),
    ("SubledgerNo", Holds::Subledger),
    ("SubledgerName", Holds::Nothing),
    ("InvoiceDate", Holds::InvoiceDate),
    ("InvoiceNo", Holds::Nothing),
    ("Xidentifier/KID", Holds::Nothing),
    ("DueDate", Holds::Nothing),
    ("BankAccount", Holds::Nothing),
    ("PaymentTerms", Holds::Nothing),
    ("text", Holds::Text),
    ("TaxRule", Holds::TaxRule),
    ("Currency", Holds::Currency),
    ("Currency Amount", Holds::CurrencyAmount),
    ("amount", Holds::Amount),
    ("UpdateSubledger", Holds::Nothing),
    ("SubledgerGroup", Holds::Nothing),
    ("CompanyNo", Holds::Nothing),
    ("StreetAddressL1", Holds::Nothing),
    ("StreetAddressL2", Holds::Nothing),
    ("ZipCode", Holds::Nothing),
    ("Place", Holds::Nothing),
    ("State", Holds::Nothing),
    ("Country", Holds::Nothing),
    ("BillingStreetAddressL1", Holds::Nothing),
    ("BillingStreetAddressL2", Holds::Nothing),
    ("BillingZipCode", Holds::Nothing),
    ("BillingPlace", Holds::Nothing),
    ("BillingState", Holds::Nothing),
    ("BillingCountry", Holds::Nothing),
    ("Phone", Holds::Nothing),
    ("Email", Holds::Nothing),
    ("YourRef", Holds::Nothing),
    ("Dummy1", Holds::Nothing),
    ("Dummy2", Holds::Nothing),
    ("Dummy3", Holds::Nothing),
    ("Dummy4", Holds::Nothing),
    ("Dummy5", Holds::Nothing),
    ("EOL", Holds::End),
];

pub(super) const ENTITY: &str = "Entity";

/// The words of settings.
const WORDS: [(&str, Holds); 24] = [
    ("nothing", Holds::Nothing),
    ("system", Holds::System),
    ("reference", Holds::Reference),
    ("lineReference", Holds::LineReference),
    ("entity", Holds::Entity),
    ("voucherType", Holds::VoucherType),
    ("number", Holds::Number),
    ("fiscalYear", Holds::FiscalYear),
    ("date", Holds::Date),
    ("account", Holds::Account),
    ("glObject1", Holds::Dimension(Dimension::GlObject1)),
    ("glObject2", Holds::Dimension(Dimension::GlObject2)),
    ("glObject3", Holds::Dimension(Dimension::GlObject3)),
    ("glObject4", Holds::Dimension(Dimension::GlObject4)),
    ("glObject5", Holds::Dimension(Dimension::GlObject5)),
    ("project", Holds::Dimension(Dimension::Project)),
    ("subledger", Holds::Subledger),
    ("invoiceDate", Holds::InvoiceDate),
    ("text", Holds::Text),
    ("taxRule", Holds::TaxRule),
    ("currency", Holds::Currency),
    ("currencyAmount", Holds::CurrencyAmount),
    ("amount", Holds::Amount),
    ("end", Holds::End),
];

impl Holds {
    /// Accepts a word of settings.
    pub(super) fn accept(word: &str) -> Result<Self, String> {
        let found = WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, holds)| *holds).ok_or_else(|| {
            let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
            format!("must be one of {}", words.join(" "))
        })
    }

    /// Returns the word for it.
    pub(super) fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(_, holds)| *holds == self);
        found.map_or("nothing", |(word, _)| *word)
    }

    /// Returns its column as [`crate::csv`] has it. Widths are those that are known; the others are wide.
    pub(super) fn column(self, name: &str, header: &str, end: &str) -> Value {
        let text =
            |most: u64, required: bool| json!({ "type": "text", "maxLength": most, "required": required });
        let of_type = |of: &str| json!({ "type": of, "required": true });
        let mut column = match self {
            Self::Nothing => text(1, false),
            Self::System | Self::Reference => text(25, true),
            Self::VoucherType => text(8, true),
            Self::Currency => text(3, true),
            Self::Entity | Self::Account => text(50, true),
            Self::LineReference => text(50, true),
            Self::Dimension(_) | Self::Subledger | Self::TaxRule => text(50, false),
            Self::Text => text(1000, false),
            Self::Number | Self::FiscalYear => of_type("integer"),
            Self::Date => of_type("date"),
            Self::InvoiceDate => json!({ "type": "date" }),
            Self::CurrencyAmount | Self::Amount => {
                json!({ "type": "decimal", "scale": 2, "required": true })
            }
            Self::End => json!({ "type": "choice", "words": [end], "required": true }),
        };
        if let Some(column) = column.as_object_mut() {
            column.insert("name".to_owned(), name.into());
            column.insert("header".to_owned(), header.into());
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_that_of_what_it_names() {
        for (word, holds) in WORDS {
            assert_eq!((Holds::accept(word), holds.word()), (Ok(holds), word));
        }
        for dimension in Dimension::ALL {
            assert_eq!(Holds::Dimension(dimension).word(), dimension.as_str());
        }
        assert!(
            Holds::accept("amounts")
                .unwrap_err()
                .contains("currencyAmount amount end")
        );
    }
}
