//! The import job: what it posts, and what it leaves in the queue and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::line::render;
use super::register::REFERENCES;
use super::{Entry, Ledger, Line};
use crate::xledger::time::local;

/// Says what is wrong with a line in the queue, as a row of `glImportItemErrors`.
#[derive(Debug, Clone)]
pub struct ImportError {
    /// The id of the error.
    pub db_id: i64,
    /// The line.
    pub line: i64,
    /// What is wrong.
    pub message: String,
    /// When the job said so first.
    pub created_at: Timestamp,
}

/// Says what a run of the job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobReport {
    /// The vouchers that were posted.
    pub posted: usize,
    /// The vouchers that stayed in the queue.
    pub refused: usize,
}

/// What a voucher is: the entity and the number; lines without a number are none together.
type VoucherKey = (String, Option<i64>);

impl ImportError {
    pub(crate) fn to_node(&self, owner: i64) -> Map<String, Value> {
        let node = json!({
            "dbId": self.db_id, "createdAt": local(self.created_at), "message": self.message,
            "transactionDbId": self.line, "ownerDbId": owner,
            "errorLevel": { "dbId": 3, "code": "ERROR", "name": "Error" },
        });
        node.as_object().cloned().unwrap_or_default()
    }
}

impl Ledger {
    /// Posts the vouchers that can be posted.
    pub(crate) fn run_job(&mut self, now: Timestamp) -> JobReport {
        let mut vouchers: BTreeMap<VoucherKey, Vec<Line>> = BTreeMap::new();
        for line in std::mem::take(&mut self.queue) {
            let key = (line.entity.clone(), line.tr_reg_number);
            vouchers.entry(key).or_default().push(line);
        }
        let known = std::mem::take(&mut self.errors);
        let mut report = JobReport::default();
        for lines in vouchers.into_values() {
            let problems = self.problems(&lines);
            if problems.is_empty() {
                self.post(lines, now);
                report.posted += 1;
            } else {
                self.note(problems, &known, now);
                self.queue.extend(lines);
                report.refused += 1;
            }
        }
        self.queue.sort_by_key(|line| line.db_id);
        report
    }

    fn problems(&self, lines: &[Line]) -> Vec<(i64, String)> {
        let mut problems = Vec::new();
        for line in lines {
            let found = self.problems_of_line(line);
            problems.extend(found.into_iter().map(|problem| (line.db_id, problem)));
        }
        let sum: Decimal = lines.iter().filter_map(|line| line.amount).sum();
        if !sum.is_zero() {
            let message = format!("The voucher is not balanced: it sums to {}.", render(sum));
            problems.extend(lines.iter().map(|line| (line.db_id, message.clone())));
        }
        problems
    }

    fn problems_of_line(&self, line: &Line) -> Vec<String> {
        let identifier = line.ext_identifier.as_ref();
        let rejected = identifier.and_then(|identifier| self.rejected.get(identifier));
        let mut problems: Vec<String> = rejected.cloned().into_iter().collect();
        if line.tr_reg_number.is_none() {
            problems.push("The field trRegNumber is missing.".to_owned());
        }
        if line.amount.is_none() {
            problems.push("The field amount is missing.".to_owned());
        }
        match line.posted_date() {
            None => problems.push("The field postedDate is missing.".to_owned()),
            Some(date) if self.is_closed(&line.entity, date) => {
                problems.push(format!(
                    "The period {}-{:02} is closed.",
                    date.year(),
                    date.month()
                ));
            }
            Some(_) => {}
        }
        for field in ["account", "transactionSource"] {
            if !line.references.contains_key(field) {
                problems.push(format!("The field {field} is missing."));
            }
        }
        problems.extend(self.broken_references(line));
        problems.extend(self.missing_dimensions(line));
        problems
    }

    fn broken_references(&self, line: &Line) -> Vec<String> {
        let problems = REFERENCES.iter().filter_map(|reference| {
            let code = line.references.get(reference.field)?;
            let item = self.registers.resolve(reference, &line.code(reference.field)?);
            match item {
                None => Some(format!("The {} {code} does not exist.", reference.field)),
                Some(item) if !item.open => Some(format!("The {} {code} is locked.", reference.field)),
                Some(_) => None,
            }
        });
        problems.collect()
    }

    fn missing_dimensions(&self, line: &Line) -> Vec<String> {
        let wanted = line.code("account");
        let account = wanted.and_then(|wanted| self.registers.find("Account", &wanted));
        let Some(account) = account else { return Vec::new() };
        let missing = account
            .requires
            .iter()
            .filter(|field| !line.references.contains_key(*field));
        missing
            .map(|field| format!("The account {} must have {field}.", account.code))
            .collect()
    }

    /// Keeps what is wrong; what was known to be wrong before keeps its id and its time.
    fn note(&mut self, problems: Vec<(i64, String)>, known: &[ImportError], now: Timestamp) {
        for (line, message) in problems {
            let before = known
                .iter()
                .find(|error| error.line == line && error.message == message);
            let error = before.cloned().unwrap_or_else(|| ImportError {
                db_id: self.next_id(),
                line,
                message,
                created_at: now,
            });
            self.errors.push(error);
        }
    }

    fn post(&mut self, lines: Vec<Line>, now: Timestamp) {
        let header_db_id = self.next_id();
        self.last_transaction_number += 1;
        for line in lines {
            let entry = Entry {
                db_id: self.next_id(),
                transaction_number: self.last_transaction_number,
                header_db_id,
                posted_at: now,
                line,
            };
            self.changed("glImportItemsMutated", entry.line.db_id);
            self.posted.push(entry);
        }
    }
}
