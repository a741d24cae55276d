//! From vouchers to a file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use rust_decimal::Decimal;

use super::columns::Holds;
use super::profile::FileProfile;
use crate::adapters::xledger::xml::is_plain;
use crate::csv::{Cell, Totals, WriteError, Writer};
use crate::export::{Line, Reference, Voucher, VoucherNumber};
use crate::model::{FieldError, Money};

/// The largest number that eight digits hold.
const LARGEST_NUMBER: u32 = 99_999_999;

/// A file, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Rows, bytes and SHA-256, as the file has them; its sums are by column.
    pub totals: Totals,
    /// What is debited in all.
    pub debit: Money,
    /// What is credited in all, which is as much.
    pub credit: Money,
    /// The number that each voucher has in the file.
    ///
    /// It is what puts the lines of a voucher together, and has eight digits where our own number has up to ten: it is that
    /// number but for its first digits, and where two vouchers of a file would share one, the second has its next.
    /// Two files may share one, with a probability of 1 in 10⁸ for each two vouchers: import a file when the one before it is
    /// posted.
    pub numbers: BTreeMap<Reference, u32>,
}

/// Shows what it comes to, and not what is in it.
impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered")
            .field("totals", &self.totals)
            .field("debit", &self.debit)
            .field("credit", &self.credit)
            .field("vouchers", &self.numbers.len())
            .finish_non_exhaustive()
    }
}

/// Writes vouchers, all of them or none; the same vouchers in the same order make the same file.
///
/// # Errors
///
/// Everything that the file cannot carry as it is, under the reference of the voucher and the place in it, and nothing of what
/// stands there.
pub fn render(vouchers: &[Voucher], profile: &FileProfile) -> Result<Rendered, Vec<FieldError>> {
    let mut faults = check_batch(vouchers, profile);
    let mut numbers = BTreeMap::new();
    let mut taken = HashSet::new();
    let mut sums = Sums::new(profile);
    let mut writer = Writer::new(&profile.profile, Vec::new()).map_err(|_| unwritten())?;
    for voucher in vouchers {
        let Some(number) = short_number(voucher, &mut taken) else {
            faults.push(fault(
                voucher,
                "number",
                "shares all its numbers with others of the file",
            ));
            continue;
        };
        numbers.insert(voucher.reference().clone(), number);
        for (at, line) in voucher.lines().iter().enumerate() {
            let row = Row {
                voucher,
                at,
                line,
                number,
            };
            faults.extend(row.unfit(profile));
            faults.extend(row.write(profile, &mut writer)?);
            faults.extend(sums.add(&row));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let (bytes, totals) = writer.finish().map_err(|_| unwritten())?;
    Ok(Rendered {
        bytes,
        totals,
        debit: sums.debit,
        credit: sums.credit,
        numbers,
    })
}

/// Looks at what concerns more than one line.
fn check_batch(vouchers: &[Voucher], profile: &FileProfile) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if vouchers.is_empty() {
        faults.push(FieldError::new("vouchers", "must be one at least"));
    }
    let mut seen = HashSet::new();
    let entity = vouchers.first().and_then(Voucher::entity);
    for voucher in vouchers {
        if !seen.insert(voucher.reference()) {
            faults.push(fault(voucher, "reference", "must not stand twice in a file"));
        }
        if voucher.currency() != profile.currency {
            let currency = profile.currency.as_str();
            let reason = format!("must be {currency}: in another, the amount in {currency} is not known");
            faults.push(fault(voucher, "currency", &reason));
        }
        if !profile.has(Holds::Entity) && voucher.entity() != entity {
            let reason = "must be that of the other vouchers, since the file has no column for it";
            faults.push(fault(voucher, "entity", reason));
        }
    }
    faults
}

fn fault(voucher: &Voucher, place: &str, reason: &str) -> FieldError {
    FieldError::new(format!("{}.{place}", voucher.reference()), reason)
}

fn unwritten() -> Vec<FieldError> {
    vec![FieldError::new("file", "could not be written")]
}

/// Returns a number of eight digits that no other voucher of the file has.
fn short_number(voucher: &Voucher, taken: &mut HashSet<u32>) -> Option<u32> {
    let others = (0..=u8::MAX).map(|attempt| voucher.reference().number(attempt));
    let mut numbers = std::iter::once(voucher.number()).chain(others).map(eight_digits);
    numbers.find(|number| taken.insert(*number))
}

fn eight_digits(number: VoucherNumber) -> u32 {
    (u32::from(number) - 1) % LARGEST_NUMBER + 1
}

/// What the file comes to.
struct Sums {
    debit: Money,
    credit: Money,
}

impl Sums {
    fn new(profile: &FileProfile) -> Self {
        let nothing = Money::zero(profile.currency);
        Self {
            debit: nothing,
            credit: nothing,
        }
    }

    fn add(&mut self, row: &Row<'_>) -> Option<FieldError> {
        let amount = row.line.amount;
        let (sum, amount) = match amount.is_negative() {
            true => (&mut self.credit, amount.negated()),
            false => (&mut self.debit, amount),
        };
        match sum.plus(amount) {
            Ok(added) => {
                *sum = added;
                None
            }
            Err(error) => Some(row.fault("amount", &error.to_string())),
        }
    }
}

/// A line of a voucher that becomes a row.
struct Row<'a> {
    voucher: &'a Voucher,
    at: usize,
    line: &'a Line,
    number: u32,
}

/// What a cell holds before it is written.
enum Content<'a> {
    Nothing,
    Text(Cow<'a, str>),
    Integer(i64),
    Decimal(Decimal),
    Date(jiff::civil::Date),
}

impl<'a> Row<'a> {
    fn fault(&self, place: &str, reason: &str) -> FieldError {
        fault(self.voucher, &format!("lines[{}].{place}", self.at), reason)
    }

    /// Finds what the line has and the file has no column for, and without which it would be booked otherwise.
    fn unfit(&self, profile: &FileProfile) -> Vec<FieldError> {
        let codes = [
            (Holds::Subledger, self.line.subledger.is_some()),
            (Holds::TaxRule, self.line.tax_rule.is_some()),
        ];
        let dimensions = self.line.dimensions.keys();
        let dimensions = dimensions.map(|dimension| (Holds::Dimension(*dimension), true));
        let lost = codes
            .into_iter()
            .chain(dimensions)
            .filter(|(holds, is_there)| *is_there && !profile.has(*holds));
        let reason =
            "has no column: add one that holds it to the columns of the file, or export by another way";
        lost.map(|(holds, _)| self.fault(holds.word(), reason)).collect()
    }

    fn write(
        &self,
        profile: &'a FileProfile,
        writer: &mut Writer<Vec<u8>>,
    ) -> Result<Vec<FieldError>, Vec<FieldError>> {
        let contents: Vec<Content<'_>> = profile
            .holds
            .iter()
            .map(|holds| self.content(*holds, profile))
            .collect();
        let cells: Vec<Cell<'_>> = contents.iter().map(Content::cell).collect();
        let headers = profile.profile.columns().iter().map(|column| column.header());
        let unfit = headers.zip(&cells).filter(|(_, cell)| match cell {
            Cell::Text(text) => !is_plain(text),
            _ => false,
        });
        let reason = "must hold no line end, tab or other control character";
        let unfit: Vec<FieldError> = unfit.map(|(header, _)| self.fault(header, reason)).collect();
        if !unfit.is_empty() {
            return Ok(unfit);
        }
        match writer.write(&cells) {
            Ok(()) => Ok(Vec::new()),
            Err(WriteError::Row(error)) => {
                let faults = error.faults.iter();
                Ok(faults
                    .map(|fault| self.fault(&fault.field, &fault.reason))
                    .collect())
            }
            Err(_) => Err(unwritten()),
        }
    }

    fn content(&self, holds: Holds, profile: &'a FileProfile) -> Content<'a> {
        let (voucher, line) = (self.voucher, self.line);
        let code = |code: Option<&'a str>| code.map_or(Content::Nothing, |code| Content::Text(code.into()));
        let amount = || {
            let amount = Decimal::from_str_exact(&line.amount.amount());
            amount.map_or(Content::Nothing, Content::Decimal)
        };
        match holds {
            Holds::Nothing => Content::Nothing,
            Holds::System => code(Some(&profile.system)),
            Holds::Reference => code(Some(voucher.reference().as_str())),
            Holds::LineReference => Content::Text(voucher.reference().line(self.at + 1).into()),
            Holds::Entity => code(voucher.entity()),
            Holds::VoucherType => code(Some(voucher.voucher_type())),
            Holds::Number => Content::Integer(self.number.into()),
            Holds::FiscalYear => Content::Integer(voucher.date().year().into()),
            Holds::Date => Content::Date(voucher.date()),
            Holds::Account => code(Some(&line.account)),
            Holds::Dimension(dimension) => code(line.dimensions.get(&dimension).map(|code| &**code)),
            Holds::Subledger => code(line.subledger.as_deref()),
            Holds::InvoiceDate => line.invoice_date.map_or(Content::Nothing, Content::Date),
            Holds::Text => code(Some(&line.text)),
            Holds::TaxRule => code(line.tax_rule.as_deref()),
            Holds::Currency => code(Some(voucher.currency().as_str())),
            Holds::CurrencyAmount | Holds::Amount => amount(),
            Holds::End => code(Some(&profile.end)),
        }
    }
}

impl Content<'_> {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Nothing => Cell::Empty,
            Self::Text(text) => Cell::Text(text),
            Self::Integer(integer) => Cell::Integer(*integer),
            Self::Decimal(decimal) => Cell::Decimal(*decimal),
            Self::Date(date) => Cell::Date(*date),
        }
    }
}
