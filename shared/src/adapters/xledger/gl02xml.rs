//! `GL02XML`: a voucher as the file that Xledger's `ReceiveFile` takes, one `JournalEntry` for each line.
//!
//! # Shape
//!
//! ```xml
//! <?xml version="1.0" encoding="utf-8"?><xml><JournalEntries>
//! <JournalEntry><EntityCode>23001</EntityCode><VoucherType>GL</VoucherType><FiscalYear>2026</FiscalYear>
//! <VoucherDate>20260217</VoucherDate><Account>7140</Account><Posting1>200</Posting1><Text>Travel 4711</Text>
//! <Amount>101.00</Amount></JournalEntry> …</JournalEntries></xml>
//! ```
//!
//! These eight elements are all that is known, and all that is written unless an organization that has Xledger's own
//! description names more: see [`Elements`]. That those stand before `Text` is inferred. A voucher that needs one that has no
//! name is refused, never booked without it.
//!
//! The file has no number of a voucher, which is why each has a file of its own, and no currency: amounts are in that of the
//! entity, and a voucher in another is refused. The reference is in the name of the file, which is worked out and never drawn,
//! so that people see one that came twice.
//!
//! Source: code of this-immortal/iiko-xledger, read 2026-11-22.

use std::collections::BTreeMap;
use std::io;

use quick_xml::writer::Writer;

use super::xml::{is_plain, write, write_text};
use crate::export::{Dimension, Line, Reference, Voucher};
use crate::model::Currency;
use crate::settings::Section;

/// The elements that are known; `Posting1` is the first dimension.
const KNOWN: [&str; 8] = [
    "EntityCode",
    "VoucherType",
    "FiscalYear",
    "VoucherDate",
    "Account",
    "Posting1",
    "Text",
    "Amount",
];

/// What a line has that the known elements do not hold, in the order in which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum More {
    GlObject2,
    GlObject3,
    GlObject4,
    GlObject5,
    Project,
    Subledger,
    TaxRule,
    InvoiceDate,
    Currency,
    Number,
    Reference,
}

/// The names that an organization gives to elements beyond the known ones, such as `{"subledger": "SubledgerNo"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elements(BTreeMap<More, Box<str>>);

/// Says why a voucher cannot be carried, by the place in it; holds nothing of it but the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} {reason}")]
pub struct Unfit {
    place: String,
    reason: String,
}

impl More {
    const ALL: [Self; 11] = [
        Self::GlObject2,
        Self::GlObject3,
        Self::GlObject4,
        Self::GlObject5,
        Self::Project,
        Self::Subledger,
        Self::TaxRule,
        Self::InvoiceDate,
        Self::Currency,
        Self::Number,
        Self::Reference,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::GlObject2 => "glObject2",
            Self::GlObject3 => "glObject3",
            Self::GlObject4 => "glObject4",
            Self::GlObject5 => "glObject5",
            Self::Project => "project",
            Self::Subledger => "subledger",
            Self::TaxRule => "taxRule",
            Self::InvoiceDate => "invoiceDate",
            Self::Currency => "currency",
            Self::Number => "number",
            Self::Reference => "reference",
        }
    }

    /// Says whether a voucher without it would be booked otherwise than it says.
    const fn changes_the_booking(self) -> bool {
        !matches!(
            self,
            Self::InvoiceDate | Self::Currency | Self::Number | Self::Reference
        )
    }

    const fn dimension(self) -> Option<Dimension> {
        match self {
            Self::GlObject2 => Some(Dimension::GlObject2),
            Self::GlObject3 => Some(Dimension::GlObject3),
            Self::GlObject4 => Some(Dimension::GlObject4),
            Self::GlObject5 => Some(Dimension::GlObject5),
            Self::Project => Some(Dimension::Project),
            _ => None,
        }
    }

    fn of(self, voucher: &Voucher, at: usize, line: &Line) -> Option<String> {
        if let Some(dimension) = self.dimension() {
            return line.dimensions.get(&dimension).map(|code| (**code).to_owned());
        }
        match self {
            Self::Subledger => line.subledger.as_deref().map(str::to_owned),
            Self::TaxRule => line.tax_rule.as_deref().map(str::to_owned),
            Self::InvoiceDate => line.invoice_date.map(compact),
            Self::Currency => Some(voucher.currency().as_str().to_owned()),
            Self::Number => Some(voucher.number().to_string()),
            Self::Reference => Some(voucher.reference().line(at + 1)),
            _ => None,
        }
    }
}

impl Elements {
    /// Reads the names, each a plain name of XML that no other element has.
    pub(super) fn read(section: &Section<'_>) -> Self {
        let mut names = BTreeMap::new();
        for more in More::ALL {
            let Some(name) = section.text(more.as_str(), element_name) else {
                continue;
            };
            if KNOWN.contains(&&*name) || names.values().any(|other| *other == name) {
                section.fault(more.as_str(), "must be a name that no other element has");
            }
            names.insert(more, name);
        }
        section.finish();
        Self(names)
    }

    #[cfg(test)]
    pub(super) fn get(&self, more: More) -> Option<&str> {
        self.0.get(&more).map(|name| &**name)
    }
}

fn element_name(text: &str) -> Result<Box<str>, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fits = text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.len() <= 64
        && text.bytes().all(plain);
    fits.then(|| text.into())
        .ok_or_else(|| "must be the name of an element, such as SubledgerNo".to_owned())
}

impl Unfit {
    fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        let (place, reason) = (place.into(), reason.into());
        Self { place, reason }
    }
}

/// Names the file of a voucher.
#[must_use]
pub fn file_name(reference: &Reference) -> String {
    format!("GL02XML_{reference}.xml")
}

/// Writes a voucher, whose amounts are in the currency of its entity.
///
/// # Errors
///
/// The first thing that the file cannot carry as it is.
pub fn render(voucher: &Voucher, elements: &Elements, currency: Currency) -> Result<Vec<u8>, Unfit> {
    if voucher.currency() != currency {
        let reason = format!("must be {}, since the file cannot say another", currency.as_str());
        return Err(Unfit::new("currency", reason));
    }
    if !(0..=9999).contains(&voucher.date().year()) {
        return Err(Unfit::new("date", "must have a year of four digits"));
    }
    let mut entries = Vec::with_capacity(voucher.lines().len());
    for (at, line) in voucher.lines().iter().enumerate() {
        entries.push(entry(voucher, at, line, elements)?);
    }
    let written = write(|writer| {
        writer.create_element("xml").write_inner_content(|writer| {
            let journal = writer.create_element("JournalEntries");
            journal.write_inner_content(|writer| {
                entries.iter().try_for_each(|entry| write_entry(writer, entry))
            })?;
            Ok(())
        })?;
        Ok(())
    });
    written.map_err(|_| Unfit::new("voucher", "could not be written"))
}

type Entry<'a> = Vec<(&'a str, String)>;

fn write_entry(writer: &mut Writer<Vec<u8>>, entry: &Entry<'_>) -> io::Result<()> {
    let element = writer.create_element("JournalEntry");
    element.write_inner_content(|writer| {
        let mut cells = entry.iter();
        cells.try_for_each(|(name, text)| write_text(writer, name, text))
    })?;
    Ok(())
}

fn entry<'a>(voucher: &Voucher, at: usize, line: &Line, elements: &'a Elements) -> Result<Entry<'a>, Unfit> {
    let date = voucher.date();
    let mut entry = vec![
        ("EntityCode", voucher.entity().unwrap_or_default().to_owned()),
        ("VoucherType", voucher.voucher_type().to_owned()),
        ("FiscalYear", format!("{:04}", date.year())),
        ("VoucherDate", compact(date)),
        ("Account", (*line.account).to_owned()),
    ];
    let first = line.dimensions.get(&Dimension::GlObject1);
    entry.extend(first.map(|code| ("Posting1", (**code).to_owned())));
    for more in More::ALL {
        let Some(text) = more.of(voucher, at, line) else {
            continue;
        };
        match elements.0.get(&more) {
            Some(name) => entry.push((name, text)),
            None if more.changes_the_booking() => {
                let reason = format!(
                    "has no element in GL02XML that is known: name it under soap.elements.{}, or export by another way",
                    more.as_str()
                );
                return Err(Unfit::new(format!("lines[{at}].{}", more.as_str()), reason));
            }
            None => {}
        }
    }
    entry.push(("Text", (*line.text).to_owned()));
    entry.push(("Amount", line.amount.amount()));
    for (name, text) in &entry {
        check(at, name, text)?;
    }
    Ok(entry)
}

fn check(at: usize, name: &str, text: &str) -> Result<(), Unfit> {
    let place = || format!("lines[{at}].{name}");
    if text.trim().is_empty() {
        return Err(Unfit::new(place(), "is required"));
    }
    if !is_plain(text) {
        return Err(Unfit::new(
            place(),
            "must hold no line end, tab or other control character",
        ));
    }
    Ok(())
}

fn compact(date: jiff::civil::Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}
