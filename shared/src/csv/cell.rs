//! One cell: what it holds, and how that is written and read.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::dialect::{Dialect, Quoting};
use super::profile::{Column, Holds};
use super::{guard, number};

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing. A file cannot tell it from an empty text, which reads as this.
    Empty,
    /// Text, or a word of a choice.
    Text(&'a str),
    /// An exact decimal.
    Decimal(Decimal),
    /// A whole number.
    Integer(i64),
    /// A calendar date.
    Date(Date),
    /// True or false.
    Bool(bool),
}

/// Hides what it holds: a cell may be personal data, and `Debug` output reaches logs.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Text(_) => "Text(…)",
            Self::Decimal(_) => "Decimal(…)",
            Self::Integer(_) => "Integer(…)",
            Self::Date(_) => "Date(…)",
            Self::Bool(_) => "Bool(…)",
        })
    }
}

impl<'a> Cell<'a> {
    /// Returns a text; nothing is the empty one.
    #[must_use]
    pub const fn text(self) -> Option<&'a str> {
        match self {
            Self::Empty => Some(""),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the decimal.
    #[must_use]
    pub const fn decimal(self) -> Option<Decimal> {
        match self {
            Self::Decimal(decimal) => Some(decimal),
            _ => None,
        }
    }

    /// Returns the whole number.
    #[must_use]
    pub const fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    /// Returns the date.
    #[must_use]
    pub const fn date(self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(date),
            _ => None,
        }
    }
}

/// Writes what a column's cell holds, as it stands in the file before it is quoted; says why it cannot be.
pub(super) fn write(
    column: &Column,
    cell: Cell<'_>,
    dialect: &Dialect,
    out: &mut String,
) -> Result<(), String> {
    let wrong = || Err(expected(column, dialect));
    match (&column.holds, cell) {
        (_, Cell::Empty | Cell::Text("")) if column.required => return Err("is required".to_owned()),
        (_, Cell::Empty | Cell::Text("")) => {}
        (Holds::Text { max_length, number }, Cell::Text(text)) => {
            check_length(text, *max_length)?;
            number.map_or(Ok(()), |number| number.check(text))?;
            write_text(text, dialect, out)?;
        }
        (Holds::Choice { words }, Cell::Text(text)) if words.iter().any(|word| word == text) => {
            out.push_str(text)
        }
        (Holds::Decimal { scale }, Cell::Decimal(decimal)) => match number::units(decimal, *scale) {
            Some(units) => number::write(units, *scale, dialect.mark(), out),
            None => {
                return Err(format!(
                    "must have at most {scale} decimals, and 28 digits in all"
                ));
            }
        },
        (Holds::Integer, Cell::Integer(integer)) => number::write(integer.into(), 0, dialect.mark(), out),
        (Holds::Date, Cell::Date(date)) => {
            let written = dialect.date_form.write(date, out);
            written.ok_or("must have a year from 0 to 9999")?;
        }
        (Holds::Bool { yes, no }, Cell::Bool(truth)) => out.push_str(if truth { yes } else { no }),
        _ => return wrong(),
    }
    Ok(())
}

fn write_text(text: &str, dialect: &Dialect, out: &mut String) -> Result<(), String> {
    if !dialect.encoding.carries(text) {
        return Err("holds a letter that the encoding does not have".to_owned());
    }
    if dialect.quoting == Quoting::Never {
        let special = [char::from(dialect.delimiter.byte()), '"', '\r', '\n'];
        if text.contains(special) {
            return Err("must hold no delimiter, quote or line end, as nothing is quoted".to_owned());
        }
    }
    if dialect.refuse_formulas && guard::is_formula(text) {
        return Err("must not begin as a formula does".to_owned());
    }
    match dialect.is_for_people() {
        true => out.push_str(&guard::put_on(text)),
        false => out.push_str(text),
    }
    Ok(())
}

/// Reads what stands in the file, without its quotes; says why it cannot be.
pub(super) fn read<'a>(column: &Column, text: &'a str, dialect: &Dialect) -> Result<Cell<'a>, String> {
    if text.is_empty() {
        return match column.required {
            true => Err("is required".to_owned()),
            false => Ok(Cell::Empty),
        };
    }
    let cell = match &column.holds {
        Holds::Text { max_length, number } => {
            let text = if dialect.is_for_people() {
                guard::take_off(text)
            } else {
                text
            };
            check_length(text, *max_length)?;
            number.map_or(Ok(()), |number| number.check(text))?;
            if dialect.refuse_formulas && guard::is_formula(text) {
                return Err("must not begin as a formula does".to_owned());
            }
            Some(Cell::Text(text))
        }
        Holds::Decimal { scale } => number::read(text, *scale, dialect.mark())
            .and_then(|units| number::decimal(units, *scale))
            .map(Cell::Decimal),
        Holds::Integer => number::integer(text).map(Cell::Integer),
        Holds::Date => dialect.date_form.read(text).map(Cell::Date),
        Holds::Bool { yes, .. } if yes == text => Some(Cell::Bool(true)),
        Holds::Bool { no, .. } => (no == text).then_some(Cell::Bool(false)),
        Holds::Choice { words } => words.iter().any(|word| word == text).then_some(Cell::Text(text)),
    };
    cell.ok_or_else(|| expected(column, dialect))
}

fn check_length(text: &str, max_length: Option<u64>) -> Result<(), String> {
    match max_length {
        Some(most) if text.chars().count() as u64 > most => Err(format!("is longer than {most} characters")),
        _ => Ok(()),
    }
}

fn expected(column: &Column, dialect: &Dialect) -> String {
    match &column.holds {
        Holds::Text { .. } => "must be a text".to_owned(),
        Holds::Decimal { scale } => {
            let mut example = String::new();
            number::write(-123_450, *scale, dialect.mark(), &mut example);
            format!(
                "must be a number such as {example}, with at most {scale} decimals and no thousands separator"
            )
        }
        Holds::Integer => "must be a whole number such as -42".to_owned(),
        Holds::Date => format!("must be a date such as {}", dialect.date_form.shown()),
        Holds::Bool { yes, no } => format!("must be {yes} or {no}"),
        Holds::Choice { words } => format!("must be one of {}", words.join(", ")),
    }
}
