//! From a voucher to the lines of the import queue.
//!
//! The line of what is owed is sent first. Should the system take only the beginning of a call, its number then stands far
//! from the others', and what is there cannot be taken for a whole voucher: see [`super::assemble`].

use serde_json::{Map, Value, json};

use crate::export::{Line, Voucher};

/// Where the lines stand once they are loaded.
///
/// Source: Xledger UK's example for GL import, read 2026-11-21.
const JOB_LEVEL: i64 = 1;

/// Returns the inputs of `addGLImportItems`; each is known by its line's number.
pub(super) fn inputs(voucher: &Voucher) -> Vec<Value> {
    let named: Vec<_> = voucher.named_lines().enumerate().collect();
    let (owed, others) = match named.split_last() {
        Some((owed, others)) => (Some(owed), others),
        None => (None, named.as_slice()),
    };
    let in_order = owed.into_iter().chain(others);
    in_order
        .map(|(at, (name, line))| json!({ "clientId": client_id(*at), "node": node(voucher, name, line) }))
        .collect()
}

/// Returns what the answer calls a line by.
pub(super) fn client_id(at: usize) -> String {
    (at + 1).to_string()
}

fn node(voucher: &Voucher, name: &str, line: &Line) -> Value {
    let mut node = Map::new();
    let mut put = |field: &str, value: Value| drop(node.insert(field.to_owned(), value));
    put("trRegNumber", u32::from(voucher.number()).into());
    put("transactionSource", refer(voucher.voucher_type()));
    put("postedDate", voucher.date().to_string().into());
    put("account", refer(&line.account));
    put("amount", line.amount.amount().into());
    put("invoiceAmount", line.amount.amount().into());
    put("currency", refer(line.amount.currency().as_str()));
    put("text", (*line.text).into());
    put("jobLevel", json!({ "dbSubId": JOB_LEVEL }));
    put("extIdentifier", name.into());
    if let Some(date) = line.invoice_date {
        put("invoiceDate", date.to_string().into());
    }
    if let Some(rule) = &line.tax_rule {
        put("taxRule", refer(rule));
    }
    for (dimension, code) in &line.dimensions {
        put(dimension.as_str(), refer(code));
    }
    if let Some(code) = &line.subledger {
        // No alternatives: they would be people.
        put("subledger", json!({ "code": code }));
    }
    if let Some(entity) = voucher.entity() {
        put("owner", json!({ "code": entity }));
    }
    Value::Object(node)
}

/// Refers to a row by its code; where there is none, the answer offers others.
fn refer(code: &str) -> Value {
    json!({ "code": code, "showAlternatives": "YES" })
}
