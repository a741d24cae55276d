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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile() -> Profile {
        let profile = json!({
            "dialect": { "audience": "machine", "encoding": "windows-1252" },
            "columns": [
                { "name": "text", "type": "text" },
                { "name": "amount", "type": "decimal", "scale": 2 },
                { "name": "count", "type": "integer" },
                { "name": "day", "type": "date" },
                { "name": "paid", "type": "bool" },
                { "name": "kind", "type": "choice", "words": ["x"] }
            ]
        });
        Profile::check(&profile).unwrap()
    }

    #[test]
    fn what_a_cell_says_in_json_is_read_as_that_cell() {
        let values = [
            json!("Å"),
            json!("-1234.50"),
            json!(-7),
            json!("2026-01-31"),
            json!(true),
            json!("x"),
        ];
        for (column, value) in profile().columns().iter().zip(&values) {
            let cell = column.cell(value).unwrap();
            assert_eq!(&cell.to_json(), value, "{}", column.name());
            assert_eq!(column.cell(&Value::Null), Ok(Cell::Empty));
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_not_told() {
        let wrong = [
            json!(1),
            json!(1.5),
            json!("7"),
            json!("31.01.2026"),
            json!("true"),
            json!(false),
        ];
        for (column, value) in profile().columns().iter().zip(&wrong) {
            let reason = column.cell(value).unwrap_err();
            assert!(reason.starts_with("must be "), "{reason}");
        }
        assert!(profile().columns()[2].cell(&json!(1.5)).is_err());
    }

    #[test]
    fn a_file_says_how_its_letters_are_written() {
        assert_eq!(profile().content_type(), "text/csv; charset=windows-1252");
    }
}
