//! Lines as files bring them: with codes that nobody has looked up yet. The job does, and leaves in the queue what refers to
//! nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, json};

use super::ledger::Line;
use super::ledger::line::{money, render};

/// A line of a file.
#[derive(Debug)]
pub(super) struct Draft {
    entity: String,
    amount: Decimal,
    pub(super) tr_reg_number: Option<i64>,
    pub(super) ext_identifier: Option<String>,
    fields: Map<String, serde_json::Value>,
    references: BTreeMap<String, String>,
}

impl Draft {
    pub(super) fn new(entity: &str, date: Date, amount: &str) -> Result<Self, String> {
        let amount = money(amount).ok_or("the amount is no number with a point and two decimals")?;
        let mut draft = Self {
            entity: entity.to_owned(),
            amount,
            tr_reg_number: None,
            ext_identifier: None,
            fields: Map::new(),
            references: BTreeMap::new(),
        };
        draft.set("postedDate", &date.to_string());
        draft.set("invoiceAmount", &render(amount));
        Ok(draft)
    }

    /// Sets a plain field, unless the text is empty.
    pub(super) fn set(&mut self, field: &str, text: &str) {
        if !text.is_empty() {
            self.fields.insert(field.to_owned(), json!(text));
        }
    }

    /// Lets a field refer to a code, unless the code is empty.
    pub(super) fn refer(&mut self, field: &str, code: &str) {
        if !code.is_empty() {
            self.references.insert(field.to_owned(), code.to_owned());
        }
    }

    pub(super) fn into_line(self) -> Line {
        Line {
            db_id: 0,
            entity: self.entity,
            tr_reg_number: self.tr_reg_number,
            ext_identifier: self.ext_identifier,
            amount: Some(self.amount),
            created_at: Timestamp::UNIX_EPOCH,
            modified_at: Timestamp::UNIX_EPOCH,
            fields: self.fields,
            references: self.references,
            visible_at: Timestamp::UNIX_EPOCH,
        }
    }
}
