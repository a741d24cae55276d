//! An organization's settings for the export: from the words of its reimbursements to those of its ledger.
//!
//! # Shape
//!
//! ```json
//! {
//!   "entity": "23001",
//!   "voucherType": "GL",
//!   "counterAccount": "2910",
//!   "subledger": true,
//!   "currencies": ["NOK"],
//!   "timeZone": "Europe/Oslo",
//!   "closedUntil": "2026-01-31",
//!   "text": "{expenseType} {reimbursement}",
//!   "maxText": 100,
//!   "vatCodes": { "none": { "taxRule": "0" }, "low": { "taxRule": "11", "rate": "12", "account": "2711" } },
//!   "defaults": { "vatCode": "none", "dimensions": { "glObject1": { "from": "costCentre", "required": true } } },
//!   "expenseTypes": {
//!     "travel": { "account": "7140", "vatCode": "low", "dimensions": { "project": { "from": "project" } } },
//!     "toll": { "account": "7142", "dimensions": { "glObject2": { "value": "90" } } }
//!   }
//! }
//! ```
//!
//! A tax with an `account` is taken out of the line and booked there, at its rate; one without is worked out by the
//! ledger, from the whole amount and the tax rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template::Template;
use crate::model::{Currency, ExpenseLine, FieldError, Rate};
use crate::settings::{Faults, Section};

/// The most letters of a code of a ledger.
const MAX_CODE: usize = 50;

/// A place of a voucher line for what the amount is counted under, beside the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "they have no meaning but what an organization gives them"
)]
pub enum Dimension {
    GlObject1,
    GlObject2,
    GlObject3,
    GlObject4,
    GlObject5,
    Project,
}

/// Where the code for a dimension comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is always this one.
    Value(Box<str>),
    /// It is in a field of the line.
    From {
        /// Which.
        field: LineField,
        /// Whether a line without it is refused.
        required: bool,
    },
}

/// A field of an expense line that names what bears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineField {
    /// The cost centre.
    CostCentre,
    /// The project.
    Project,
}

/// How one of the organization's tax codes is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tax {
    /// The ledger's code for it.
    pub rule: Box<str>,
    /// Its rate.
    pub rate: Option<Rate>,
    /// Where the tax is booked, if it is taken out of the line; then it has a rate.
    pub account: Option<Box<str>>,
}

/// How one type of expense is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpenseType {
    /// The account.
    pub account: Box<str>,
    /// The tax code of lines that say none.
    pub vat_code: Option<Box<str>>,
    /// The dimensions; those of the defaults are among them.
    pub dimensions: BTreeMap<Dimension, Source>,
}

/// The settings of an organization's export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The legal entity within the ledger.
    pub entity: Option<Box<str>>,
    /// The kind of voucher, in the ledger's words.
    pub voucher_type: Box<str>,
    /// The account of what is owed to claimants.
    pub counter_account: Box<str>,
    /// Whether the line of what is owed names the claimant.
    pub subledger: bool,
    /// The currencies that are booked.
    pub currencies: BTreeSet<Currency>,
    /// Where the day of an approval begins.
    pub time_zone: TimeZone,
    /// The last day of the periods that are closed, where somebody keeps it here: a ledger that cannot be asked says so only
    /// when it refuses to post.
    pub closed_until: Option<Date>,
    /// The text of a line.
    pub text: Template,
    /// The most characters that the ledger takes for it.
    pub max_text: usize,
    /// How each of the organization's tax codes is booked.
    pub vat_codes: BTreeMap<Box<str>, Tax>,
    /// How each type of expense is booked.
    pub expense_types: BTreeMap<Box<str>, ExpenseType>,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 6] = [
        Self::GlObject1,
        Self::GlObject2,
        Self::GlObject3,
        Self::GlObject4,
        Self::GlObject5,
        Self::Project,
    ];

    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GlObject1 => "glObject1",
            Self::GlObject2 => "glObject2",
            Self::GlObject3 => "glObject3",
            Self::GlObject4 => "glObject4",
            Self::GlObject5 => "glObject5",
            Self::Project => "project",
        }
    }
}

impl LineField {
    /// Returns the name of the field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CostCentre => "costCentre",
            Self::Project => "project",
        }
    }

    /// Returns what a line says in it.
    #[must_use]
    pub fn of(self, line: &ExpenseLine) -> Option<&str> {
        match self {
            Self::CostCentre => line.cost_centre.as_deref(),
            Self::Project => line.project.as_deref(),
        }
    }
}

impl Mapping {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// Every fault at once, each under its path, which begins with `path`.
    pub fn read(path: &str, value: &Value) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let read = Section::open(path, value, &faults).and_then(|root| Self::from_section(&root));
        faults.or(read)
    }

    fn from_section(root: &Section<'_>) -> Option<Self> {
        let vat_codes = read_vat_codes(root);
        let (vat_code, dimensions) = read_defaults(root, &vat_codes);
        let read = Self {
            entity: root.text("entity", code),
            voucher_type: root.required("voucherType", code).unwrap_or_default(),
            counter_account: root.required("counterAccount", code).unwrap_or_default(),
            subledger: root.flag("subledger").unwrap_or(true),
            currencies: read_currencies(root),
            time_zone: root.text("timeZone", time_zone).unwrap_or(TimeZone::UTC),
            closed_until: root.text("closedUntil", |text| {
                text.parse::<Date>()
                    .map_err(|_| "must be a date such as 2026-01-31".to_owned())
            }),
            text: root
                .required("text", |text| text.parse::<Template>())
                .unwrap_or_default(),
            max_text: root
                .number("maxText", 10, 1_000)
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(100),
            expense_types: read_expense_types(root, &vat_codes, vat_code.as_deref(), &dimensions),
            vat_codes,
        };
        if root.get("timeZone").is_none() {
            root.fault("timeZone", "is required");
        }
        root.finish();
        // What could not be read has left a fault, so that this is returned only where there is none.
        Some(read)
    }
}

fn read_currencies(root: &Section<'_>) -> BTreeSet<Currency> {
    let Some(list) = root.get("currencies").and_then(Value::as_array) else {
        root.fault("currencies", "must be a list of currencies, such as [\"NOK\"]");
        return BTreeSet::new();
    };
    let mut currencies = BTreeSet::new();
    for (at, entry) in list.iter().enumerate() {
        match entry.as_str().map(str::parse::<Currency>) {
            Some(Ok(currency)) => drop(currencies.insert(currency)),
            _ => root.fault(
                &format!("currencies[{at}]"),
                "must be a currency of ISO 4217, such as NOK",
            ),
        }
    }
    if list.is_empty() {
        root.fault("currencies", "must name at least one");
    }
    currencies
}

fn read_vat_codes(root: &Section<'_>) -> BTreeMap<Box<str>, Tax> {
    let Some(section) = root.section("vatCodes") else {
        return BTreeMap::new();
    };
    let read = |(name, _): (&str, &Value)| {
        let entry = section.entry(name)?;
        let tax = Tax {
            rule: entry.required("taxRule", code).unwrap_or_default(),
            rate: entry.text("rate", |text| {
                text.parse::<Rate>().map_err(|error| error.to_string())
            }),
            account: entry.text("account", code),
        };
        if tax.account.is_some() && entry.get("rate").is_none() {
            entry.fault("rate", "is required where the tax has an account");
        }
        entry.finish();
        Some((name.into(), tax))
    };
    section.entries().filter_map(read).collect()
}

type Defaults = (Option<Box<str>>, BTreeMap<Dimension, Source>);

fn read_defaults(root: &Section<'_>, vat_codes: &BTreeMap<Box<str>, Tax>) -> Defaults {
    let Some(section) = root.section("defaults") else {
        return Defaults::default();
    };
    let defaults = (read_vat_code(&section, vat_codes), read_dimensions(&section));
    section.finish();
    defaults
}

fn read_expense_types(
    root: &Section<'_>,
    vat_codes: &BTreeMap<Box<str>, Tax>,
    vat_code: Option<&str>,
    dimensions: &BTreeMap<Dimension, Source>,
) -> BTreeMap<Box<str>, ExpenseType> {
    let Some(section) = root.section("expenseTypes") else {
        root.fault("expenseTypes", "must say how each type of expense is booked");
        return BTreeMap::new();
    };
    let read = |(name, _): (&str, &Value)| {
        let entry = section.entry(name)?;
        let mut merged = dimensions.clone();
        merged.extend(read_dimensions(&entry));
        let expense_type = ExpenseType {
            account: entry.required("account", code).unwrap_or_default(),
            vat_code: read_vat_code(&entry, vat_codes).or_else(|| vat_code.map(Into::into)),
            dimensions: merged,
        };
        entry.finish();
        Some((name.into(), expense_type))
    };
    section.entries().filter_map(read).collect()
}

fn read_vat_code(section: &Section<'_>, vat_codes: &BTreeMap<Box<str>, Tax>) -> Option<Box<str>> {
    section.text("vatCode", |text| {
        let known = vat_codes.contains_key(text).then(|| text.into());
        known.ok_or_else(|| "must be one of vatCodes".to_owned())
    })
}

fn read_dimensions(section: &Section<'_>) -> BTreeMap<Dimension, Source> {
    let Some(section) = section.section("dimensions") else {
        return BTreeMap::new();
    };
    let read = |dimension: Dimension| {
        section.get(dimension.as_str())?;
        let entry = section.entry(dimension.as_str())?;
        let source = read_source(&entry);
        entry.finish();
        Some((dimension, source?))
    };
    let dimensions = Dimension::ALL.into_iter().filter_map(read).collect();
    section.finish();
    dimensions
}

fn read_source(entry: &Section<'_>) -> Option<Source> {
    let value = entry.text("value", code);
    let field = entry.text("from", |text| match text {
        "costCentre" => Ok(LineField::CostCentre),
        "project" => Ok(LineField::Project),
        _ => Err("must be costCentre or project".to_owned()),
    });
    let required = entry.flag("required").unwrap_or(false);
    match (entry.get("value").is_some(), entry.get("from").is_some()) {
        (true, false) => value.map(Source::Value),
        (false, true) => field.map(|field| Source::From { field, required }),
        _ => {
            entry.fault("value", "or from is required, and not both");
            None
        }
    }
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "must be an IANA time zone, such as Europe/Oslo".to_owned())
}

fn code(text: &str) -> Result<Box<str>, String> {
    let plain = text
        .chars()
        .all(|letter| !letter.is_control() && !letter.is_whitespace());
    let fits = !text.is_empty() && plain && text.chars().count() <= MAX_CODE;
    fits.then(|| text.into())
        .ok_or_else(|| format!("must be a code of 1 to {MAX_CODE} characters without blanks"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    fn faults(value: &Value) -> Vec<String> {
        let faults = Mapping::read("export", value).unwrap_err();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_type_does_not_say_is_taken_from_the_defaults() {
        let mapping = Mapping::read("export", &samples::mapping_json()).unwrap();
        let travel = &mapping.expense_types["travel"];
        assert_eq!(travel.vat_code.as_deref(), Some("low"));
        let toll = &mapping.expense_types["toll"];
        assert_eq!(toll.vat_code.as_deref(), Some("none"));
        assert_eq!(
            toll.dimensions.keys().copied().collect::<Vec<_>>(),
            [Dimension::GlObject1, Dimension::GlObject2]
        );
    }

    #[test]
    fn every_fault_is_told_at_once_under_its_path() {
        let faults = faults(&json!({
            "voucherType": "G L",
            "counterAccount": 2910,
            "currencies": ["NOK", "KR", 7],
            "text": "{expensetype}",
            "maxText": 5,
            "vatCodes": { "none": {}, "low": { "taxRule": "1", "account": "2711" }, "x": { "taxRule": "1", "rate": "-1" } },
            "defaults": { "vatCode": "high", "dimensions": { "glObject6": { "value": "1" } } },
            "expenseTypes": { "travel": { "dimensions": { "project": { "value": "1", "from": "project" } } }, "toll": 1 },
            "surprise": 1,
        }));
        let mut paths: Vec<_> = faults
            .iter()
            .filter_map(|fault| fault.split(' ').next())
            .collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            [
                "export.counterAccount",
                "export.currencies[1]",
                "export.currencies[2]",
                "export.defaults.dimensions.glObject6",
                "export.defaults.vatCode",
                "export.expenseTypes.toll",
                "export.expenseTypes.travel.account",
                "export.expenseTypes.travel.dimensions.project.value",
                "export.maxText",
                "export.surprise",
                "export.text",
                "export.timeZone",
                "export.vatCodes.low.rate",
                "export.vatCodes.none.taxRule",
                "export.vatCodes.x.rate",
                "export.voucherType",
            ]
        );
    }

    #[test]
    fn nothing_but_an_object_is_a_mapping() {
        for value in [json!(null), json!([]), json!("x")] {
            assert_eq!(faults(&value), ["export must be an object"]);
        }
        assert!(faults(&json!({})).len() >= 6);
    }
}
