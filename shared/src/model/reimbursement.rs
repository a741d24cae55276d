//! A reimbursement: what somebody laid out, line by line, and is to be paid back once it is approved.
//!
//! It has lines, so that it is not flat as the kinds of [`super::Kind`] are, and it goes one way: into the accounts.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::{Currency, FieldError, Money, Rate, RecordId};
use crate::settings::{Faults, Section};

/// The most lines that are read.
const MAX_LINES: usize = 1_000;

const MAX_CODE: usize = 50;
const MAX_TEXT: usize = 500;

/// What somebody is to be paid back.
///
/// The lines add up to the total, and all are in one currency.
///
/// # Shape
///
/// ```
/// # let json = r#"
/// {
///   "claimant": { "kind": "supplier", "code": "50012" },
///   "currency": "NOK",
///   "total": "101.00",
///   "approval": { "at": "2026-02-17T09:30:00Z", "by": "treasurer-7" },
///   "lines": [
///     { "id": "1", "expenseType": "travel", "amount": "101.00", "date": "2026-02-14", "text": "Train",
///       "vatCode": "low", "vatRate": "12", "costCentre": "200", "project": "P10" }
///   ]
/// }
/// # "#;
/// # let value = serde_json::from_str(json).unwrap();
/// # let read = shared::model::Reimbursement::from_json("4711".parse().unwrap(), &value).unwrap();
/// # assert_eq!(serde_json::to_value(&read).unwrap(), value);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reimbursement {
    /// The platform's name of it.
    pub id: RecordId,
    /// Who is paid back.
    pub claimant: Claimant,
    /// The currency of every amount.
    pub currency: Currency,
    /// What the lines add up to; less than nothing where the claimant owes.
    pub total: Money,
    /// Who agreed to it; without it nothing is booked.
    pub approval: Option<Approval>,
    /// What it was laid out for; at least one.
    pub lines: Vec<ExpenseLine>,
}

/// Who is paid back, by the name that the ledger has for them.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Claimant {
    /// In which subledger they are.
    pub kind: ClaimantKind,
    /// Their code there.
    pub code: Box<str>,
}

/// A subledger of people who are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimantKind {
    /// A supplier.
    Supplier,
    /// An employee.
    Employee,
}

/// Who agreed to a reimbursement, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// When.
    pub at: Timestamp,
    /// The platform's name of who it was.
    pub by: Box<str>,
}

/// One thing that money was laid out for.
#[derive(Clone, PartialEq, Eq)]
pub struct ExpenseLine {
    /// Tells it from the others of the reimbursement.
    pub id: RecordId,
    /// What kind of expense it is, in the organization's words.
    pub expense_type: Box<str>,
    /// The amount with tax; less than nothing for a credit.
    pub amount: Money,
    /// When it was laid out.
    pub date: Date,
    /// The tax that is in it, in the organization's words.
    pub vat_code: Option<Box<str>>,
    /// The rate of that tax.
    pub vat_rate: Option<Rate>,
    /// Which part of the organization bears it.
    pub cost_centre: Option<Box<str>>,
    /// The project that bears it.
    pub project: Option<Box<str>>,
    /// What it was, in words.
    pub text: Option<Box<str>>,
}

impl Reimbursement {
    /// Reads a reimbursement.
    ///
    /// # Errors
    ///
    /// Every fault at once, each with its path, such as `lines[2].amount`.
    pub fn from_json(id: RecordId, value: &Value) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let read = Section::open("", value, &faults).and_then(|root| read(id, &root));
        faults.or(read)
    }

    /// Returns a fingerprint of all it says: the same only while nothing of it changes.
    ///
    /// # Panics
    ///
    /// Never: a reimbursement is always JSON.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let json = serde_json::to_vec(self).expect("a reimbursement has text keys only");
        let digest = Sha256::digest(json);
        URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
    }
}

impl Serialize for Reimbursement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("claimant", &self.claimant)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("total", &self.total.amount())?;
        if let Some(approval) = &self.approval {
            map.serialize_entry("approval", approval)?;
        }
        map.serialize_entry("lines", &self.lines)?;
        map.end()
    }
}

impl Serialize for ExpenseLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("expenseType", &self.expense_type)?;
        map.serialize_entry("amount", &self.amount.amount())?;
        map.serialize_entry("date", &self.date)?;
        let rate = self.vat_rate.map(|rate| rate.to_string().into_boxed_str());
        let optional = [
            ("vatCode", &self.vat_code),
            ("vatRate", &rate),
            ("costCentre", &self.cost_centre),
            ("project", &self.project),
            ("text", &self.text),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// Hides who it is: `Debug` output reaches logs.
impl fmt::Debug for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claimant")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Hides what somebody wrote.
impl fmt::Debug for ExpenseLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpenseLine")
            .field("id", &self.id)
            .field("expense_type", &self.expense_type)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

impl ClaimantKind {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supplier => "supplier",
            Self::Employee => "employee",
        }
    }
}

fn read(id: RecordId, root: &Section<'_>) -> Option<Reimbursement> {
    let claimant = required_section(root, "claimant").and_then(|section| read_claimant(&section));
    let currency = root.required("currency", |text| {
        text.parse::<Currency>().map_err(|error| error.to_string())
    });
    let total = amount(root, "total", currency);
    let approval = root.section("approval").map(|section| read_approval(&section));
    let lines = read_lines(root, currency);
    root.finish_with(UNKNOWN);
    let (total, lines) = (total?, lines?);
    check_total(root, total, &lines);
    Some(Reimbursement {
        id,
        claimant: claimant?,
        currency: currency?,
        total,
        approval: approval.map_or(Some(None), |approval| approval.map(Some))?,
        lines,
    })
}

const UNKNOWN: &str = "is not a field of a reimbursement";

fn required_section<'a>(root: &Section<'a>, name: &'static str) -> Option<Section<'a>> {
    if root.get(name).is_none() {
        root.fault(name, "is required");
    }
    root.section(name)
}

fn read_claimant(section: &Section<'_>) -> Option<Claimant> {
    let kind = section.required("kind", |text| match text {
        "supplier" => Ok(ClaimantKind::Supplier),
        "employee" => Ok(ClaimantKind::Employee),
        _ => Err("must be supplier or employee".to_owned()),
    });
    let code = section.required("code", code);
    section.finish_with(UNKNOWN);
    Some(Claimant {
        kind: kind?,
        code: code?,
    })
}

fn read_approval(section: &Section<'_>) -> Option<Approval> {
    let at = section.required("at", |text| {
        let malformed = |_| "must be an instant such as 2026-02-17T09:30:00Z".to_owned();
        text.parse::<Timestamp>().map_err(malformed)
    });
    let by = section.required("by", code);
    section.finish_with(UNKNOWN);
    Some(Approval { at: at?, by: by? })
}

fn read_lines(root: &Section<'_>, currency: Option<Currency>) -> Option<Vec<ExpenseLine>> {
    let Some(sections) = root.sections("lines") else {
        if root.get("lines").is_none() {
            root.fault("lines", "is required");
        }
        return None;
    };
    if sections.is_empty() || sections.len() > MAX_LINES {
        root.fault("lines", format!("must have from 1 to {MAX_LINES} entries"));
        return None;
    }
    let mut seen = BTreeSet::new();
    let lines: Vec<_> = sections
        .iter()
        .map(|section| {
            let section = section.as_ref()?;
            let line = read_line(section, currency);
            if line.as_ref().is_some_and(|line| !seen.insert(line.id.clone())) {
                section.fault("id", "is that of an earlier line");
            }
            line
        })
        .collect();
    lines.into_iter().collect()
}

fn read_line(section: &Section<'_>, currency: Option<Currency>) -> Option<ExpenseLine> {
    let id = section.required("id", |text| {
        text.parse::<RecordId>().map_err(|error| error.to_string())
    });
    let expense_type = section.required("expenseType", code);
    let amount = amount(section, "amount", currency);
    let date = section.required("date", |text| {
        text.parse::<Date>()
            .map_err(|_| "must be a date such as 2026-02-14".to_owned())
    });
    let vat_code = section.text("vatCode", code);
    let vat_rate = section.text("vatRate", |text| {
        text.parse::<Rate>().map_err(|error| error.to_string())
    });
    let cost_centre = section.text("costCentre", code);
    let project = section.text("project", code);
    let text = section.text("text", |text| plain(text, MAX_TEXT));
    section.finish_with(UNKNOWN);
    Some(ExpenseLine {
        id: id?,
        expense_type: expense_type?,
        amount: amount?,
        date: date?,
        vat_code,
        vat_rate,
        cost_centre,
        project,
        text,
    })
}

/// Reads an amount; where the currency is not known, only that there is one.
fn amount(section: &Section<'_>, name: &'static str, currency: Option<Currency>) -> Option<Money> {
    let read = section.required(name, |text| {
        let read = currency.map(|currency| Money::parse(text, currency)).transpose();
        read.map_err(|error| error.to_string())
    });
    read.flatten()
}

fn check_total(root: &Section<'_>, total: Money, lines: &[ExpenseLine]) {
    match Money::sum(total.currency(), lines.iter().map(|line| line.amount)) {
        Ok(sum) if sum == total => {}
        Ok(sum) => root.fault(
            "total",
            format!("is {}, and the lines add up to {}", total.amount(), sum.amount()),
        ),
        Err(error) => root.fault("lines", format!("do not add up: a sum {error}")),
    }
}

fn code(text: &str) -> Result<Box<str>, String> {
    plain(text, MAX_CODE)
}

/// Accepts text that is not blank, has no control characters and is not too long; composed, so that it compares.
fn plain(text: &str, most: usize) -> Result<Box<str>, String> {
    let composed: String = text.nfc().collect();
    if composed.trim().is_empty() || composed.trim() != composed {
        return Err("must be a text that neither begins nor ends with a blank".to_owned());
    }
    if composed.chars().any(char::is_control) {
        return Err("must not have control characters".to_owned());
    }
    if composed.chars().count() > most {
        return Err(format!("must have at most {most} characters"));
    }
    Ok(composed.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "claimant": { "kind": "employee", "code": "50012" },
            "currency": "NOK",
            "total": "90.50",
            "approval": { "at": "2026-02-17T09:30:00Z", "by": "treasurer" },
            "lines": [
                { "id": "1", "expenseType": "travel", "amount": "101.00", "date": "2026-02-14" },
                { "id": "2", "expenseType": "credit", "amount": "-10.50", "date": "2026-02-14", "text": "Åse\u{301}" },
            ],
        })
    }

    fn read(value: &Value) -> Result<Reimbursement, Vec<String>> {
        let read = Reimbursement::from_json("4711".parse().unwrap(), value);
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_reimbursement_reads_back_as_it_was_written() {
        let first = read(&good()).unwrap();
        let again = read(&serde_json::to_value(&first).unwrap()).unwrap();
        assert_eq!(first, again);
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.total.to_string(), "90.50 NOK");
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_path() {
        let faults = read(&json!({
            "claimant": { "kind": "friend" },
            "currency": "NOK",
            "total": 101.0,
            "approval": { "at": "yesterday", "by": " " },
            "surprise": true,
            "lines": [
                { "id": "1", "expenseType": "travel", "amount": "0.005", "date": "2026-02-30", "colour": "red" },
                { "id": "1", "expenseType": "x\ny", "amount": "1e3", "date": "2026-02-14", "vatRate": "-1" },
                7,
            ],
        }))
        .unwrap_err();
        let paths: Vec<_> = faults
            .iter()
            .filter_map(|fault| fault.split(' ').next())
            .collect();
        assert_eq!(
            paths,
            [
                "claimant.kind",
                "claimant.code",
                "total",
                "approval.at",
                "approval.by",
                "lines[2]",
                "lines[0].amount",
                "lines[0].date",
                "lines[0].colour",
                "lines[1].expenseType",
                "lines[1].amount",
                "lines[1].vatRate",
                "surprise",
            ]
        );
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let mut value = good();
        value["total"] = json!("90.51");
        assert_eq!(
            read(&value).unwrap_err(),
            ["total is 90.51, and the lines add up to 90.50"]
        );
        value["lines"] = json!([]);
        assert_eq!(
            read(&value).unwrap_err(),
            ["lines must have from 1 to 1000 entries"]
        );
    }

    #[test]
    fn lines_do_not_share_an_id() {
        let mut value = good();
        value["lines"][1]["id"] = json!("1");
        assert_eq!(
            read(&value).unwrap_err(),
            ["lines[1].id is that of an earlier line"]
        );
    }

    #[test]
    fn an_unknown_currency_is_one_fault_and_not_one_for_each_amount() {
        let mut value = good();
        value["currency"] = json!("KR");
        assert_eq!(read(&value).unwrap_err().len(), 1);
    }

    #[test]
    fn any_change_changes_the_fingerprint() {
        let before = read(&good()).unwrap().fingerprint();
        let mut changed = good();
        changed["lines"][1]["text"] = json!("Åse");
        assert_ne!(read(&changed).unwrap().fingerprint(), before);
        let mut unapproved = good();
        unapproved.as_object_mut().unwrap().remove("approval");
        assert_ne!(read(&unapproved).unwrap().fingerprint(), before);
    }

    #[test]
    fn debug_output_says_nothing_of_a_person() {
        let debug = format!("{:?}", read(&good()).unwrap());
        assert!(!debug.contains("50012") && !debug.contains("Åse"), "{debug}");
    }
}
