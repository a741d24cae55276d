//! Files as a human imports them: `GL02` and `GL02b`.
//!
//! Known are the 49 columns of `GL02`, from two public export scripts, and that `GL02b` has the entity as its third column. That
//! the other columns only move by one is inferred, as is which of them are required beyond entity, type and number. Whether
//! cells may be quoted is not known: they may not be unless the settings say so. The header line is optional, since an
//! import definition decides on it. A file is taken whole or not at all.

use csv::{ReaderBuilder, StringRecord};

use super::entry::Draft;
use super::time::parse_compact_date;

/// The columns of `GL02`; `GL02b` has `Entity` after the second.
pub const GL02: [&str; 49] = [
    "ImpSystem",
    "ImpSystemRef",
    "voucherType",
    "VoucherNo",
    "FiscalYear",
    "PeriodNo",
    "VoucherDate",
    "account",
    "Account Ledger (Asset/BankAccount)",
    "posting1",
    "Posting 2 (PRJ)",
    "XGL",
    "SubledgerNo",
    "SubledgerName",
    "InvoiceDate",
    "InvoiceNo",
    "Xidentifier/KID",
    "DueDate",
    "BankAccount",
    "PaymentTerms",
    "text",
    "TaxRule",
    "Currency",
    "Currency Amount",
    "amount",
    "UpdateSubledger",
    "SubledgerGroup",
    "CompanyNo",
    "StreetAddressL1",
    "StreetAddressL2",
    "ZipCode",
    "Place",
    "State",
    "Country",
    "BillingStreetAddressL1",
    "BillingStreetAddressL2",
    "BillingZipCode",
    "BillingPlace",
    "BillingState",
    "BillingCountry",
    "Phone",
    "Email",
    "YourRef",
    "Dummy1",
    "Dummy2",
    "Dummy3",
    "Dummy4",
    "Dummy5",
    "EOL",
];

/// Says which columns a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// 49 columns, for the entity that the import is made in.
    Gl02 {
        /// The code of that entity.
        entity: String,
    },
    /// 50 columns, of which the third is the entity.
    Gl02b,
}

/// Reads a file into lines.
pub(super) fn read(layout: &Layout, bytes: &[u8], quoted: bool) -> Result<Vec<Draft>, String> {
    let text = str::from_utf8(bytes).map_err(|_| "the file is not UTF-8")?;
    check_ends(text)?;
    if !quoted && text.contains('"') {
        return Err("a cell has a quotation mark".to_owned());
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(b';')
        .has_headers(false)
        .quoting(quoted)
        .flexible(true)
        .from_reader(bytes);
    let mut drafts = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        if at == 0
            && record
                .get(0)
                .is_some_and(|cell| cell.eq_ignore_ascii_case("ImpSystem"))
        {
            continue;
        }
        drafts.push(draft(layout, &record).map_err(|why| format!("line {}: {why}", at + 1))?);
    }
    Ok(drafts)
}

fn check_ends(text: &str) -> Result<(), String> {
    let feeds = text.matches('\n').count();
    if feeds != text.matches("\r\n").count() || feeds != text.matches('\r').count() {
        return Err("a line does not end with CRLF".to_owned());
    }
    if !text.is_empty() && !text.ends_with("\r\n") {
        return Err("the last line does not end with CRLF".to_owned());
    }
    Ok(())
}

/// Columns that refer to a code, and the fields of a line that do.
const REFERRING: [(&str, &str); 7] = [
    ("posting1", "glObject1"),
    ("Posting 2 (PRJ)", "project"),
    ("XGL", "xgl"),
    ("SubledgerNo", "subledger"),
    ("TaxRule", "taxRule"),
    ("Currency", "currency"),
    ("PaymentTerms", "payTerms"),
];

/// Columns that are text, and the fields of a line that are.
const PLAIN: [(&str, &str); 4] = [
    ("text", "text"),
    ("InvoiceNo", "invoiceNumber"),
    ("BankAccount", "bankAccount"),
    ("YourRef", "yourReference"),
];

/// A line of a file whose columns are as many as they must be.
struct Row<'a> {
    record: &'a StringRecord,
    /// How many columns there are before the third of `GL02`.
    shift: usize,
}

impl<'a> Row<'a> {
    fn read(layout: &Layout, record: &'a StringRecord) -> Result<Self, String> {
        let shift = usize::from(*layout == Layout::Gl02b);
        let columns = GL02.len() + shift;
        if record.len() != columns {
            return Err(format!("it has {} columns, not {columns}", record.len()));
        }
        let row = Self { record, shift };
        if !row.cell("EOL").eq_ignore_ascii_case("x") {
            return Err("the last column is not x".to_owned());
        }
        Ok(row)
    }

    fn cell(&self, name: &str) -> &'a str {
        let at = GL02.iter().position(|column| *column == name);
        let at = at.map(|at| if at < 2 { at } else { at + self.shift });
        at.and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    fn needed(&self, name: &str, most: usize) -> Result<&'a str, String> {
        let text = self.cell(name);
        let fits = !text.is_empty() && text.chars().count() <= most;
        fits.then_some(text)
            .ok_or_else(|| format!("{name} must have 1 to {most} characters"))
    }

    /// Returns a date as lines have it, or nothing where the cell is empty.
    fn date(&self, name: &str) -> Result<String, String> {
        let text = self.cell(name);
        if text.is_empty() {
            return Ok(String::new());
        }
        let date = parse_compact_date(text);
        date.map(|date| date.to_string())
            .ok_or_else(|| format!("{name} is not of the form yyyymmdd"))
    }
}

fn draft(layout: &Layout, record: &StringRecord) -> Result<Draft, String> {
    let row = Row::read(layout, record)?;
    let entity = match layout {
        Layout::Gl02 { entity } => Some(entity.as_str()),
        Layout::Gl02b => record.get(2).filter(|text| !text.is_empty()),
    };
    let date =
        parse_compact_date(row.cell("VoucherDate")).ok_or("VoucherDate is not of the form yyyymmdd")?;
    let mut draft = Draft::new(entity.ok_or("Entity is missing")?, date, row.cell("amount"))?;
    let number = row.needed("VoucherNo", 8)?.parse().ok();
    draft.tr_reg_number = Some(number.ok_or("VoucherNo is no number")?);
    let identifier = row.cell("Xidentifier/KID");
    draft.ext_identifier = (!identifier.is_empty()).then(|| identifier.to_owned());
    draft.refer("transactionSource", row.needed("voucherType", 8)?);
    draft.refer("account", row.needed("account", 50)?);
    for (column, field) in REFERRING {
        draft.refer(field, row.cell(column));
    }
    for (column, field) in PLAIN {
        draft.set(field, row.cell(column));
    }
    for (column, field) in [("InvoiceDate", "invoiceDate"), ("DueDate", "dueDate")] {
        draft.set(field, &row.date(column)?);
    }
    Ok(draft)
}
