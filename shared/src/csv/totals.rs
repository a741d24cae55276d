//! Control totals: by them both ends see that they have the same file, and all of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::cell::Cell;
use super::number;
use super::profile::{Column, Profile};
use crate::model::FieldError;
use crate::settings::{Faults, Section};

/// What a file came to. Two files with the same rows in another order differ in nothing but `sha256`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Rows after the header, with those that were refused.
    pub rows: u64,
    /// Rows that were refused when they were read; they are in no sum.
    pub refused: u64,
    /// The length of the file.
    pub bytes: u64,
    /// The SHA-256 of all of the file's bytes, in hex.
    pub sha256: String,
    /// The sum of each decimal column, by its name.
    #[serde(serialize_with = "as_texts")]
    pub sums: BTreeMap<String, Decimal>,
}

/// What the other side says that a file comes to; what is not said is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedTotals {
    /// Rows after the header.
    pub rows: Option<u64>,
    /// The length of the file.
    pub bytes: Option<u64>,
    /// The SHA-256 of all of the file's bytes, in hex.
    pub sha256: Option<String>,
    /// The sums of decimal columns, by their names.
    pub sums: BTreeMap<String, Decimal>,
}

impl Totals {
    /// Holds what was counted against what the other side says.
    ///
    /// # Errors
    ///
    /// Names each total that differs, under `totals`.
    pub fn check(&self, expected: &ExpectedTotals) -> Result<(), Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut hold = |name: &str, same: bool| {
            if !same {
                let reason = "differs from what the sender counted: the file is not whole, or not the one that was meant";
                faults.push(FieldError::new(format!("totals.{name}"), reason));
            }
        };
        hold("rows", expected.rows.is_none_or(|rows| rows == self.rows));
        hold("bytes", expected.bytes.is_none_or(|bytes| bytes == self.bytes));
        let sha256 = expected.sha256.as_ref();
        hold(
            "sha256",
            sha256.is_none_or(|sha256| sha256.eq_ignore_ascii_case(&self.sha256)),
        );
        for (name, sum) in &expected.sums {
            hold(&format!("sums.{name}"), self.sums.get(name) == Some(sum));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

impl ExpectedTotals {
    /// Reads totals as [`Totals`] serialises them, or any of them; `refused` is not looked at.
    ///
    /// # Errors
    ///
    /// Every fault, under `totals`.
    pub fn read(json: &Value) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let expected = Section::open("totals", json, &faults).map(|section| {
            section.get("refused");
            let expected = Self {
                rows: section.number("rows", 0, u64::MAX),
                bytes: section.number("bytes", 0, u64::MAX),
                sha256: section.text("sha256", hex_digest),
                sums: section
                    .section("sums")
                    .map(|sums| read_sums(&sums))
                    .unwrap_or_default(),
            };
            section.finish();
            expected
        });
        faults.or(expected)
    }
}

impl From<&Totals> for ExpectedTotals {
    fn from(totals: &Totals) -> Self {
        Self {
            rows: Some(totals.rows),
            bytes: Some(totals.bytes),
            sha256: Some(totals.sha256.clone()),
            sums: totals.sums.clone(),
        }
    }
}

fn read_sums(section: &Section<'_>) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    for (name, value) in section.entries() {
        match value.as_str().and_then(|text| Decimal::from_str_exact(text).ok()) {
            Some(sum) => drop(sums.insert(name.to_owned(), sum)),
            None => section.fault(name, "must be a text such as \"-1234.50\""),
        }
    }
    sums
}

fn hex_digest(text: &str) -> Result<String, String> {
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("must be 64 hexadecimal digits".to_owned()),
    }
}

fn as_texts<S: Serializer>(sums: &BTreeMap<String, Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sums.iter().map(|(name, sum)| (name, sum.to_string())))
}

/// Counts bytes as they pass.
#[derive(Debug, Default)]
pub(super) struct Passed {
    bytes: u64,
    digest: Sha256,
}

impl Passed {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
    }
}

/// Counts rows, and sums columns as whole numbers of their smallest units.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) refused: u64,
    sums: Vec<Option<i128>>,
}

impl Tally {
    pub(super) fn new(columns: &[Column]) -> Self {
        let sums = columns.iter().map(|column| column.scale().map(|_| 0)).collect();
        Self {
            rows: 0,
            refused: 0,
            sums,
        }
    }

    /// Counts a row; fails with the column whose sum is out of bounds.
    pub(super) fn add<'c>(&mut self, columns: &'c [Column], cells: &[Cell<'_>]) -> Result<(), &'c Column> {
        self.rows += 1;
        for ((column, sum), cell) in columns.iter().zip(&mut self.sums).zip(cells) {
            let (Some(sum), Some(scale), Cell::Decimal(decimal)) = (sum, column.scale(), cell) else {
                continue;
            };
            let added = number::units(*decimal, scale).and_then(|units| sum.checked_add(units));
            *sum = added
                .filter(|sum| number::decimal(*sum, scale).is_some())
                .ok_or(column)?;
        }
        Ok(())
    }

    pub(super) fn totals(self, profile: &Profile, passed: Passed) -> Totals {
        let sums = profile.columns.iter().zip(self.sums);
        let sums = sums.filter_map(|(column, sum)| {
            let sum = number::decimal(sum?, column.scale()?)?;
            Some((column.name.clone(), sum))
        });
        let mut sha256 = String::with_capacity(64);
        for byte in passed.digest.finalize() {
            // Writing to a text does not fail.
            write!(sha256, "{byte:02x}").unwrap_or_default();
        }
        let Self { rows, refused, .. } = self;
        Totals {
            rows,
            refused,
            bytes: passed.bytes,
            sha256,
            sums: sums.collect(),
        }
    }
}
