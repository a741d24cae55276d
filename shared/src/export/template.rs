//! The text of a voucher line: words, and names in braces for what is put there.

use std::str::FromStr;

use crate::model::{ExpenseLine, Reimbursement};

/// A text with places for what a reimbursement says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Words(Box<str>),
    Place(Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Reimbursement,
    ExpenseType,
    Claimant,
    Date,
    Text,
}

const PLACES: [(&str, Place); 5] = [
    ("reimbursement", Place::Reimbursement),
    ("expenseType", Place::ExpenseType),
    ("claimant", Place::Claimant),
    ("date", Place::Date),
    ("text", Place::Text),
];

impl Template {
    /// Writes the text for a line, or for the whole reimbursement where there is none; blanks that would be doubled by
    /// what is missing are left out.
    #[must_use]
    pub fn write(&self, reimbursement: &Reimbursement, line: Option<&ExpenseLine>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Place(place) => text.push_str(&place.write(reimbursement, line)),
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Place {
    fn write(self, reimbursement: &Reimbursement, line: Option<&ExpenseLine>) -> String {
        let of_line = match self {
            Self::Reimbursement => return reimbursement.id.to_string(),
            Self::Claimant => return reimbursement.claimant.code.to_string(),
            Self::ExpenseType => line.map(|line| line.expense_type.to_string()),
            Self::Date => line.map(|line| line.date.to_string()),
            Self::Text => line.and_then(|line| line.text.as_deref().map(str::to_owned)),
        };
        of_line.unwrap_or_default()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || PLACES.map(|(name, _)| format!("{{{name}}}")).join(", ");
        let malformed = || format!("must be a text with no places but {}", names());
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(malformed());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(malformed)?;
            let place = PLACES.iter().find(|(known, _)| *known == name);
            let (_, place) = place.ok_or_else(malformed)?;
            parts.push(Part::Words(words.into()));
            parts.push(Part::Place(*place));
            rest = after;
        }
        parts.push(Part::Words(rest.into()));
        let stray = |part: &Part| matches!(part, Part::Words(words) if words.contains('}'));
        if parts.iter().any(stray) {
            return Err(malformed());
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_text_is_written_for_a_line_and_for_the_whole() {
        let template: Template = "Reise {expenseType} {text} {reimbursement}/{claimant} {date}"
            .parse()
            .unwrap();
        let reimbursement = samples::reimbursement("4711", "101.00");
        let line = reimbursement.lines.first();
        assert_eq!(
            template.write(&reimbursement, line),
            "Reise travel Train 4711/50012 2026-02-14"
        );
        assert_eq!(template.write(&reimbursement, None), "Reise 4711/50012");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for bad in ["", " ", "{", "}", "{x}", "a } b", "{text", "{{text}}", "a\nb"] {
            assert!(bad.parse::<Template>().is_err(), "{bad:?}");
        }
    }
}
