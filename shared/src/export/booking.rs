//! From a reimbursement to its voucher, by the organization's mapping.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::fault::{Fault, FaultCode};
use super::mapping::{Dimension, ExpenseType, Mapping, Source, Tax};
use super::reference::{Reference, Revision};
use super::voucher::{Head, Line, Voucher, VoucherError};
use crate::model::{ExpenseLine, MoneyError, OrganizationId, Reimbursement};

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
                Err(found) => faults.extend(
                    found
                        .into_iter()
                        .map(|fault| fault.within(&format!("lines[{at}]"))),
                ),
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
}

/// The day of the approval, where the organization is.
fn approved_on(reimbursement: &Reimbursement, mapping: &Mapping) -> Option<Date> {
    let approval = reimbursement.approval.as_ref()?;
    Some(approval.at.to_zoned(mapping.time_zone.clone()).date())
}

fn check_head(reimbursement: &Reimbursement, mapping: &Mapping) -> Vec<Fault> {
    let mut faults = Vec::new();
    if reimbursement.approval.is_none() {
        faults.push(Fault::new(
            FaultCode::Unapproved,
            "approval",
            "is missing: nothing is booked before it",
        ));
    }
    if !mapping.currencies.contains(&reimbursement.currency) {
        let reason = "is not one that the organization books: add it to the currencies of the export";
        faults.push(Fault::new(FaultCode::CurrencyNotAllowed, "currency", reason));
    }
    if reimbursement.total.is_zero() {
        faults.push(Fault::new(
            FaultCode::NothingToBook,
            "total",
            "is nothing, which is not booked",
        ));
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
        return Err(vec![Fault::new(
            FaultCode::UnknownExpenseType,
            "expenseType",
            reason,
        )]);
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
    if faults.is_empty() {
        Ok(dimensions)
    } else {
        Err(faults)
    }
}
