//! `GL02XML`: journals as a file, one `JournalEntry` for each line.
//!
//! The file has no number of a voucher; which lines make one is not stated. Here those of one file, entity, type and date do.

use std::collections::BTreeMap;

use super::xml::{Element, read};
use crate::xledger::entry::Draft;
use crate::xledger::ledger::Ledger;
use crate::xledger::time::parse_compact_date;

/// What an entry has; a client sends all of it but `Posting1`. `journal_elements` has what else is taken.
const REQUIRED: [&str; 7] = [
    "EntityCode",
    "VoucherType",
    "FiscalYear",
    "VoucherDate",
    "Account",
    "Text",
    "Amount",
];

/// Reads a file into lines, all of them or none.
pub(super) fn read_file(ledger: &mut Ledger, bytes: &[u8]) -> Result<Vec<Draft>, String> {
    let root = read(bytes)?;
    let entries = Some(&root)
        .filter(|root| root.name == "xml")
        .and_then(|root| root.child("JournalEntries"))
        .ok_or("the file has no JournalEntries")?;
    let mut numbers = BTreeMap::new();
    let mut drafts = Vec::new();
    for (at, entry) in entries.children.iter().enumerate() {
        let more = &ledger.settings.journal_elements;
        let (voucher, mut draft) =
            draft(entry, more).map_err(|why| format!("JournalEntry {}: {why}", at + 1))?;
        draft.tr_reg_number = Some(*numbers.entry(voucher).or_insert_with(|| ledger.next_number()));
        drafts.push(draft);
    }
    Ok(drafts)
}

type Voucher = (String, String, String);

fn draft(entry: &Element, more: &BTreeMap<String, String>) -> Result<(Voucher, Draft), String> {
    if entry.name != "JournalEntry" {
        return Err(format!("{} is not known", entry.name));
    }
    let unknown = entry
        .children
        .iter()
        .filter(|child| !more.contains_key(&child.name))
        .find(|child| !REQUIRED.contains(&child.name.as_str()) && child.name != "Posting1");
    if let Some(unknown) = unknown {
        return Err(format!("{} is not known", unknown.name));
    }
    let text = |name: &str| {
        let found = entry.child(name).map(|child| child.text.trim().to_owned());
        found
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("{name} is missing"))
    };
    let date = parse_compact_date(&text("VoucherDate")?).ok_or("VoucherDate is not of the form yyyymmdd")?;
    if text("FiscalYear")? != date.year().to_string() {
        return Err("FiscalYear is not the year of VoucherDate".to_owned());
    }
    let voucher = (text("EntityCode")?, text("VoucherType")?, text("VoucherDate")?);
    let mut draft = Draft::new(&voucher.0, date, &text("Amount")?)?;
    draft.refer("transactionSource", &voucher.1);
    draft.refer("account", &text("Account")?);
    draft.refer("glObject1", &text("Posting1").unwrap_or_default());
    draft.set("text", &text("Text")?);
    for (name, field) in more {
        match (field.as_str(), text(name)) {
            (_, Err(_)) => {}
            ("extIdentifier", Ok(identifier)) => draft.ext_identifier = Some(identifier),
            (field, Ok(code)) => draft.refer(field, &code),
        }
    }
    Ok((voucher, draft))
}
