//! Lines of vouchers, before and after they are posted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::register::Wanted;
use crate::xledger::time::{local, parse_date};

/// A line in the GL import queue.
#[derive(Debug, Clone)]
pub struct Line {
    /// The id.
    pub db_id: i64,
    /// The code of the entity.
    pub entity: String,
    /// What puts lines together to a voucher.
    pub tr_reg_number: Option<i64>,
    /// What the sender calls the line; nothing keeps two lines from having the same.
    pub ext_identifier: Option<String>,
    /// The amount, positive for debit.
    pub amount: Option<Decimal>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// The plain fields as sent.
    pub fields: Map<String, Value>,
    /// The codes that fields such as `account` refer to.
    pub references: BTreeMap<String, String>,
    /// From when on it can be seen in the queue.
    pub(crate) visible_at: Timestamp,
}

/// A line that was posted.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The id as a transaction and as a journal entry.
    pub db_id: i64,
    /// The number of its voucher, which the ledger gives.
    pub transaction_number: i64,
    /// The id of its voucher.
    pub header_db_id: i64,
    /// When the job posted it.
    pub posted_at: Timestamp,
    /// The line as it was in the queue.
    pub line: Line,
}

/// Reads money as Xledger writes it: a decimal point, at most two decimals, no group separators, no exponent.
pub(crate) fn money(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = are_digits(whole) && are_digits(cents) && cents.len() <= 2 && whole.len() <= 15;
    plain.then(|| text.parse().ok()).flatten()
}

/// Writes money as Xledger writes it.
pub(crate) fn render(amount: Decimal) -> String {
    format!("{amount:.2}")
}

impl Line {
    pub(crate) fn code(&self, field: &str) -> Option<Wanted> {
        self.references.get(field).map(|code| Wanted::code(code))
    }

    pub(crate) fn posted_date(&self) -> Option<Date> {
        self.fields.get("postedDate")?.as_str().and_then(parse_date)
    }

    /// Returns the line as it is read from the queue.
    pub(crate) fn to_node(&self, owner: i64) -> Map<String, Value> {
        let mut node = self.fields.clone();
        let date = self.posted_date();
        node.insert("dbId".to_owned(), json!(self.db_id));
        node.insert("ownerDbId".to_owned(), json!(owner));
        node.insert("trRegNumber".to_owned(), json!(self.tr_reg_number));
        node.insert("extIdentifier".to_owned(), json!(self.ext_identifier));
        node.insert("amount".to_owned(), json!(self.amount.map(render)));
        node.insert("createdAt".to_owned(), json!(local(self.created_at)));
        node.insert("modifiedAt".to_owned(), json!(local(self.modified_at)));
        node.insert("fiscalYear".to_owned(), json!(date.map(|date| date.year())));
        node.insert("fiscalPeriod".to_owned(), json!(date.map(|date| date.month())));
        node
    }
}

impl Entry {
    /// Returns the entry as `journalEntries` has it: with `extIdentifier`, without `trRegNumber`.
    pub(crate) fn to_journal_entry(
        &self,
        owner: i64,
        ids: impl Fn(&str) -> Option<i64>,
    ) -> Map<String, Value> {
        let mut node = self.line.to_node(owner);
        node.remove("trRegNumber");
        node.insert("dbId".to_owned(), json!(self.db_id));
        node.insert("transactionNumber".to_owned(), json!(self.transaction_number));
        node.insert("createdAt".to_owned(), json!(local(self.posted_at)));
        node.insert("modifiedAt".to_owned(), json!(local(self.posted_at)));
        node.insert("transactionHeader".to_owned(), self.header(owner));
        for (field, code) in &self.line.references {
            let row = json!({ "dbId": ids(field), "code": code });
            node.insert(field.clone(), row);
        }
        node
    }

    /// Returns the entry as `transactions` has it: with neither `extIdentifier` nor `trRegNumber`.
    pub(crate) fn to_transaction(&self, owner: i64, ids: impl Fn(&str) -> Option<i64>) -> Map<String, Value> {
        let mut node = self.to_journal_entry(owner, &ids);
        node.remove("extIdentifier");
        let header = self.header(owner);
        node.insert("header".to_owned(), header);
        node.insert("accountDbId".to_owned(), json!(ids("account")));
        for number in 1..=5 {
            node.insert(
                format!("glObject{number}DbId"),
                json!(ids(&format!("glObject{number}"))),
            );
        }
        let month = self.line.posted_date().map(|date| date.month());
        node.insert("monthNumber".to_owned(), json!(month));
        node.insert("periodNumber".to_owned(), json!(month));
        node
    }

    fn header(&self, owner: i64) -> Value {
        let date = self.line.posted_date();
        json!({
            "dbId": self.header_db_id, "transactionNumber": self.transaction_number, "ownerDbId": owner,
            "text": self.line.fields.get("text"), "postedDate": date.map(|date| date.to_string()),
            "fiscalYear": date.map(|date| date.year()), "createdAt": local(self.posted_at),
            "modifiedAt": local(self.posted_at), "importedAt": local(self.line.created_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_one_form() {
        for (text, seen) in [
            ("101.00", "101.00"),
            ("-101.5", "-101.50"),
            ("7", "7.00"),
            ("-0.00", "0.00"),
        ] {
            assert_eq!(
                money(text)
                    .map(|amount| render(amount + Decimal::ZERO))
                    .as_deref(),
                Some(seen)
            );
        }
        for wrong in [
            "1,5",
            "1e2",
            "1.005",
            "1 000.00",
            "+1.00",
            "",
            ".5",
            "5.",
            "0x1",
            "1234567890123456.00",
        ] {
            assert_eq!(money(wrong), None, "{wrong}");
        }
    }
}
