//! Vouchers: sets of ledger lines that add up to exactly zero.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fault::{Fault, FaultCode};
use super::mapping::{Dimension, ExpenseType, Mapping, Source, Tax};
use super::reference::{Reference, Revision, VoucherNumber};
use crate::model::{Currency, ExpenseLine, Money, MoneyError, OrganizationId, Reimbursement};

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
struct Head {
    reference: Reference,
    number: VoucherNumber,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entity: Option<Box<str>>,
    voucher_type: Box<str>,
    date: Date,
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
    /// Works out the voucher of a reimbursement.
    ///
    /// # Errors
    ///
    /// Every reason why there is none, at once.
    pub fn of(
        organization: &OrganizationId,
        reimbursement: &Reimbursement,
        revision: Revision,
        mapping: &Mapping,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut lines = Vec::with_capacity(reimbursement.lines.len() + 1);
        for (at, line) in reimbursement.lines.iter().enumerate() {
            match expense_lines(reimbursement, line, mapping) {
                Ok(written) => lines.extend(written),
                Err(found) => faults.extend(found.into_iter().map(|fault| fault.within(&format!("lines[{at}]")))),
            }
        }
        lines.push(counter_line(reimbursement, mapping));
        faults.extend(check_head(reimbursement, mapping));
        faults.extend(check_texts(&lines, mapping));
        let reference = Reference::of(organization, &reimbursement.id, revision);
        let head = Head {
            number: reference.number(0),
            reference,
            entity: mapping.entity.clone(),
            voucher_type: mapping.voucher_type.clone(),
            date: approved_on(reimbursement, mapping).unwrap_or_default(),
        };
        let voucher = Self::new(head, lines).map_err(Fault::from);
        match voucher {
            Ok(voucher) if faults.is_empty() => Ok(voucher),
            Ok(_) => Err(faults),
            Err(_) if !faults.is_empty() => Err(faults),
            Err(fault) => Err(vec![fault]),
        }
    }

    fn new(head: Head, lines: Vec<Line>) -> Result<Self, VoucherError> {
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

/// The day of the approval, where the organization is.
fn approved_on(reimbursement: &Reimbursement, mapping: &Mapping) -> Option<Date> {
    let approval = reimbursement.approval.as_ref()?;
    Some(approval.at.to_zoned(mapping.time_zone.clone()).date())
}

fn check_head(reimbursement: &Reimbursement, mapping: &Mapping) -> Vec<Fault> {
    let mut faults = Vec::new();
    if reimbursement.approval.is_none() {
        faults.push(Fault::new(FaultCode::Unapproved, "approval", "is missing: nothing is booked before it"));
    }
    if !mapping.currencies.contains(&reimbursement.currency) {
        let reason = "is not one that the organization books: add it to the currencies of the export";
        faults.push(Fault::new(FaultCode::CurrencyNotAllowed, "currency", reason));
    }
    if reimbursement.total.is_zero() {
        faults.push(Fault::new(FaultCode::NothingToBook, "total", "is nothing, which is not booked"));
    }
    faults
}

/// What is too long is refused and not cut: the end of a text may be what tells it from another.
fn check_texts(lines: &[Line], mapping: &Mapping) -> Option<Fault> {
    let longest = lines.iter().map(|line| line.text.chars().count()).max()?;
    let reason = format!(
        "has a line text of {longest} characters, and the ledger takes {}: shorten the text of the line, or the template",
        mapping.max_text
    );
    (longest > mapping.max_text).then(|| Fault::new(FaultCode::TextTooLong, "lines", reason))
}

fn counter_line(reimbursement: &Reimbursement, mapping: &Mapping) -> Line {
    Line {
        account: mapping.counter_account.clone(),
        amount: reimbursement.total.negated(),
        tax_rule: None,
        text: mapping.text.write(reimbursement, None).into(),
        dimensions: BTreeMap::new(),
        subledger: mapping.subledger.then(|| reimbursement.claimant.code.clone()),
        invoice_date: None,
    }
}

/// Returns the lines for one expense: none where it is nothing, two where its tax is taken out of it.
fn expense_lines(
    reimbursement: &Reimbursement,
    line: &ExpenseLine,
    mapping: &Mapping,
) -> Result<Vec<Line>, Vec<Fault>> {
    let Some(expense_type) = mapping.expense_types.get(&line.expense_type) else {
        let reason = "is not one of the expense types of the export: say there how it is booked";
        return Err(vec![Fault::new(FaultCode::UnknownExpenseType, "expenseType", reason)]);
    };
    let tax = tax(line, expense_type, mapping);
    let dimensions = dimensions(line, expense_type);
    let (tax, dimensions) = match (tax, dimensions) {
        (Ok(tax), Ok(dimensions)) => (tax, dimensions),
        (tax, dimensions) => {
            let mut faults = dimensions.err().unwrap_or_default();
            faults.extend(tax.err());
            return Err(faults);
        }
    };
    if line.amount.is_zero() {
        return Ok(Vec::new());
    }
    let gross = Line {
        account: expense_type.account.clone(),
        amount: line.amount,
        tax_rule: tax.map(|tax| tax.rule.clone()),
        text: mapping.text.write(reimbursement, Some(line)).into(),
        dimensions,
        subledger: None,
        invoice_date: Some(line.date),
    };
    split(gross, tax).map_err(|error| vec![VoucherError::from(error).into()])
}

/// Takes the tax out of a line, where it has an account of its own.
fn split(gross: Line, tax: Option<&Tax>) -> Result<Vec<Line>, MoneyError> {
    let taken = tax.and_then(|tax| Some((tax.account.as_ref()?, gross.amount.tax_contained(tax.rate?))));
    let Some((account, amount)) = taken.filter(|(_, amount)| !amount.is_zero()) else {
        return Ok(vec![gross]);
    };
    let tax = Line {
        account: account.clone(),
        amount,
        tax_rule: None,
        dimensions: BTreeMap::new(),
        ..gross.clone()
    };
    let net = Line {
        amount: gross.amount.plus(amount.negated())?,
        ..gross
    };
    Ok(vec![net, tax])
}

fn tax<'a>(
    line: &ExpenseLine,
    expense_type: &ExpenseType,
    mapping: &'a Mapping,
) -> Result<Option<&'a Tax>, Fault> {
    let Some(code) = line.vat_code.as_ref().or(expense_type.vat_code.as_ref()) else {
        return match line.vat_rate {
            Some(rate) if !rate.is_zero() => {
                let reason = "is missing, though the line has a rate of tax";
                Err(Fault::new(FaultCode::UnknownVatCode, "vatCode", reason))
            }
            _ => Ok(None),
        };
    };
    let tax = mapping.vat_codes.get(code).ok_or_else(|| {
        let reason = "is not one of the tax codes of the export: say there how it is booked";
        Fault::new(FaultCode::UnknownVatCode, "vatCode", reason)
    })?;
    match (line.vat_rate, tax.rate) {
        (Some(ours), Some(theirs)) if ours != theirs => {
            let reason = format!("is {ours}, and the tax code has {theirs}");
            Err(Fault::new(FaultCode::VatRateDiffers, "vatRate", reason))
        }
        _ => Ok(Some(tax)),
    }
}

fn dimensions(
    line: &ExpenseLine,
    expense_type: &ExpenseType,
) -> Result<BTreeMap<Dimension, Box<str>>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut dimensions = BTreeMap::new();
    for (dimension, source) in &expense_type.dimensions {
        let value = match source {
            Source::Value(value) => Some(&**value),
            Source::From { field, required } => {
                let value = field.of(line);
                if value.is_none() && *required {
                    let reason = format!("is missing, and the ledger wants it as {}", dimension.as_str());
                    faults.push(Fault::new(FaultCode::MissingField, field.as_str(), reason));
                }
                value
            }
        };
        dimensions.extend(value.map(|value| (*dimension, value.into())));
    }
    if faults.is_empty() { Ok(dimensions) } else { Err(faults) }
}
