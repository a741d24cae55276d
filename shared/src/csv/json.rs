//! Cells as JSON: what a column takes from a member of an object, and gives to one.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

use super::cell::Cell;
use super::profile::{Column, Holds, Profile};

impl Column {
    /// Reads a JSON value as a cell of the column; null is an empty one.
    ///
    /// A decimal is a text, as in `"-1234.50"`, since a JSON number is not exact; a date is a text, as in `"2026-01-31"`.
    ///
    /// # Errors
    ///
    /// Says what it should be, and nothing of what it is.
    pub fn cell<'a>(&self, value: &'a Value) -> Result<Cell<'a>, String> {
        let wrong = |what: &str| format!("must be {what}");
        if value.is_null() {
            return Ok(Cell::Empty);
        }
        match &self.holds {
            Holds::Text { .. } | Holds::Choice { .. } => {
                value.as_str().map(Cell::Text).ok_or_else(|| wrong("a text"))
            }
            Holds::Decimal { .. } => {
                let decimal = value.as_str().and_then(|text| Decimal::from_str_exact(text).ok());
                decimal
                    .map(Cell::Decimal)
                    .ok_or_else(|| wrong("a text such as \"-1234.50\""))
            }
            Holds::Integer => value
                .as_i64()
                .map(Cell::Integer)
                .ok_or_else(|| wrong("a whole number")),
            Holds::Date => {
                let date = value.as_str().and_then(|text| text.parse::<Date>().ok());
                date.map(Cell::Date)
                    .ok_or_else(|| wrong("a text such as \"2026-01-31\""))
            }
            Holds::Bool { .. } => value
                .as_bool()
                .map(Cell::Bool)
                .ok_or_else(|| wrong("true or false")),
        }
    }
}

impl Cell<'_> {
    /// Returns it as JSON, in the form that [`Column::cell`] reads; an empty cell is null.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Text(text) => text.into(),
            Self::Decimal(decimal) => decimal.to_string().into(),
            Self::Integer(integer) => integer.into(),
            Self::Date(date) => date.to_string().into(),
            Self::Bool(truth) => truth.into(),
        }
    }
}

impl Profile {
    /// Returns what a file of the profile says it is.
    #[must_use]
    pub fn content_type(&self) -> String {
        format!("text/csv; charset={}", self.dialect.encoding)
    }
}
