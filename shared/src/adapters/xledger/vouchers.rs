//! Random vouchers for tests.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::export::{Dimension, Reference, Voucher};

/// What random vouchers have.
pub(super) struct Kind {
    /// The letters of texts; the first of a text is always plain.
    pub(super) letters: &'static str,
    /// What else lines are counted under.
    pub(super) dimensions: &'static [Dimension],
    /// Whether there are tax rules, claimants, and days of expenses.
    pub(super) details: bool,
}

/// Makes a voucher that reads as one: its lines add up to nothing.
pub(super) fn voucher(dice: &mut Rng, kind: &Kind) -> Voucher {
    let reference = reference(dice);
    let lines = dice.usize(1..8);
    let mut left = 0;
    let mut written: Vec<Value> = (0..lines)
        .map(|_| {
            let minor = dice.i64(-99_999..=99_999_999_999);
            left -= minor;
            line(dice, kind, minor)
        })
        .collect();
    let mut owed = line(dice, kind, left);
    if let Some(owed) = owed.as_object_mut().filter(|_| kind.details) {
        owed.remove("taxRule");
        owed.insert("subledger".to_owned(), code(dice).into());
    }
    written.push(owed);
    let voucher = json!({
        "reference": reference, "number": reference.number(dice.u8(..)), "entity": "23001", "voucherType": "GL",
        "date": date(dice), "lines": written,
    });
    serde_json::from_value(voucher).unwrap()
}

fn reference(dice: &mut Rng) -> Reference {
    let reimbursement = dice.u64(..).to_string();
    let revision = dice.u16(0..=999).try_into().unwrap();
    Reference::of(&"hlf".parse().unwrap(), &reimbursement.parse().unwrap(), revision)
}

fn line(dice: &mut Rng, kind: &Kind, minor: i64) -> Value {
    let sign = if minor < 0 { "-" } else { "" };
    let amount = minor.unsigned_abs();
    let mut line = json!({
        "account": dice.u32(1000..10_000).to_string(),
        "amount": format!("{sign}{}.{:02} NOK", amount / 100, amount % 100),
        "text": text(dice, kind.letters),
    });
    let members = line.as_object_mut().unwrap();
    let dimensions = kind.dimensions.iter().filter(|_| dice.bool());
    let dimensions: BTreeMap<&str, u32> = dimensions.map(|dimension| (dimension.as_str(), 0)).collect();
    let dimensions: BTreeMap<&str, String> = dimensions
        .into_keys()
        .map(|dimension| (dimension, code(dice)))
        .collect();
    if !dimensions.is_empty() {
        members.insert("dimensions".to_owned(), json!(dimensions));
    }
    if kind.details && dice.bool() {
        members.insert("taxRule".to_owned(), dice.u8(..100).to_string().into());
    }
    if kind.details && dice.bool() {
        members.insert("invoiceDate".to_owned(), json!(date(dice)));
    }
    line
}

fn text(dice: &mut Rng, letters: &str) -> String {
    let letters: Vec<char> = letters.chars().collect();
    let mut text = String::from("T");
    text.extend((0..dice.usize(0..60)).filter_map(|_| dice.choice(letters.iter())));
    text
}

fn code(dice: &mut Rng) -> String {
    (0..dice.usize(1..10)).map(|_| dice.alphanumeric()).collect()
}

fn date(dice: &mut Rng) -> Date {
    jiff::civil::date(dice.i16(1990..2100), dice.i8(1..13), dice.i8(1..29))
}
