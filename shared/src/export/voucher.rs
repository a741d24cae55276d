//! Vouchers: sets of ledger lines that add up to exactly zero.

#![expect(
    clippy::disallowed_types,
    reason = "what serde derives for a flattened field names every type of number"
)]

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::mapping::Dimension;
use super::reference::{Reference, VoucherNumber};
use crate::model::{Currency, Money, MoneyError};

/// The most lines of a voucher: one call takes so many, and a voucher is never split over calls.
///
/// Source: Xledger's help, "mass mutations", read 2026-02.
pub const MAX_LINES: usize = 500;

/// What is booked for a reimbursement, or to undo it.
///
/// The last line is what is owed to the claimant; the lines add up to zero, in one currency.
///
/// # Shape
///
/// ```json
/// {"reference":"RE-…-0","number":731058441,"entity":"23001","voucherType":"GL","date":"2026-02-17","lines":[
///  {"account":"7140","amount":"90.18 NOK","taxRule":"11","text":"travel 4711","dimensions":{"project":"P10"}},
///  {"account":"2711","amount":"10.82 NOK","text":"travel 4711"},
///  {"account":"2910","amount":"-101.00 NOK","text":"4711","subledger":"50012"}]}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Voucher {
    head: Head,
    lines: Vec<Line>,
    owed: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) reference: Reference,
    pub(super) number: VoucherNumber,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entity: Option<Box<str>>,
    pub(super) voucher_type: Box<str>,
    pub(super) date: Date,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    head: Head,
    lines: Vec<Line>,
}

/// One line of a voucher.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The account.
    pub account: Box<str>,
    /// The amount: what is laid out is more than nothing, what is owed less.
    pub amount: Money,
    /// The ledger's code for the tax that it works out from the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_rule: Option<Box<str>>,
    /// What it is, in words.
    pub text: Box<str>,
    /// What else the amount is counted under.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<Dimension, Box<str>>,
    /// Whom it is owed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subledger: Option<Box<str>>,
    /// When the money was laid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_date: Option<Date>,
}

/// Why lines are not a voucher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoucherError {
    /// They do not add up to zero.
    #[error("the lines of the voucher add up to {0}, and must to nothing")]
    Unbalanced(Money),
    /// There are too many, or fewer than two.
    #[error("a voucher has from 2 to {MAX_LINES} lines, and this one {0}")]
    Lines(usize),
    /// They cannot be added up.
    #[error("an amount of the voucher {0}")]
    Money(#[from] MoneyError),
}

/// Hides what somebody wrote, and whom it is owed to.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("account", &self.account)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

impl Voucher {
    pub(super) fn new(head: Head, lines: Vec<Line>) -> Result<Self, VoucherError> {
        let Some(last) = lines.last().filter(|_| (2..=MAX_LINES).contains(&lines.len())) else {
            return Err(VoucherError::Lines(lines.len()));
        };
        let sum = Money::sum(last.amount.currency(), lines.iter().map(|line| line.amount))?;
        if !sum.is_zero() {
            return Err(VoucherError::Unbalanced(sum));
        }
        let owed = last.amount.negated();
        Ok(Self { head, lines, owed })
    }

    /// Returns the voucher that undoes this one: every line the other way, on another day.
    #[must_use]
    pub fn reversed(&self, reference: Reference, date: Date) -> Self {
        let mut reversal = self.clone();
        reversal.head = Head {
            number: reference.number(0),
            reference,
            date,
            ..self.head.clone()
        };
        reversal.owed = self.owed.negated();
        for line in &mut reversal.lines {
            line.amount = line.amount.negated();
        }
        reversal
    }

    /// Gives the voucher another reference, and a number that goes with it.
    #[must_use]
    pub fn named(mut self, reference: Reference) -> Self {
        self.head.number = reference.number(0);
        self.head.reference = reference;
        self
    }

    /// Returns a fingerprint of what is booked; the number that groups the lines is no part of it.
    ///
    /// # Panics
    ///
    /// Never: a voucher is always JSON.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let named = self.clone().named(self.head.reference.clone());
        let json = serde_json::to_vec(&named).expect("a voucher has text keys only");
        let digest = Sha256::digest(json);
        URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
    }

    /// Gives the voucher another number.
    #[must_use]
    pub fn numbered(mut self, number: VoucherNumber) -> Self {
        self.head.number = number;
        self
    }

    /// Returns the name under which it is booked.
    #[must_use]
    pub const fn reference(&self) -> &Reference {
        &self.head.reference
    }

    /// Returns the number that groups its lines.
    #[must_use]
    pub const fn number(&self) -> VoucherNumber {
        self.head.number
    }

    /// Returns the legal entity within the ledger.
    #[must_use]
    pub fn entity(&self) -> Option<&str> {
        self.head.entity.as_deref()
    }

    /// Returns the kind of voucher.
    #[must_use]
    pub fn voucher_type(&self) -> &str {
        &self.head.voucher_type
    }

    /// Returns the day on which it is booked.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.head.date
    }

    /// Returns the currency of every line.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.owed.currency()
    }

    /// Returns what is owed to the claimant by it; less than nothing where the claimant owes.
    #[must_use]
    pub const fn owed(&self) -> Money {
        self.owed
    }

    /// Returns the claimant's account.
    #[must_use]
    pub fn subledger(&self) -> Option<&str> {
        self.lines.last()?.subledger.as_deref()
    }

    /// Returns the lines, the last of them what is owed.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the lines with the name of each, unique for ever.
    pub fn named_lines(&self) -> impl Iterator<Item = (String, &Line)> {
        let named = |(at, line)| (self.head.reference.line(at + 1), line);
        self.lines.iter().enumerate().map(named)
    }
}

impl TryFrom<Written> for Voucher {
    type Error = VoucherError;

    fn try_from(written: Written) -> Result<Self, VoucherError> {
        Self::new(written.head, written.lines)
    }
}

impl From<Voucher> for Written {
    fn from(voucher: Voucher) -> Self {
        Self {
            head: voucher.head,
            lines: voucher.lines,
        }
    }
}
