//! What filters compare with.

use std::cmp::Ordering;

use super::row::Cell;

/// Compares a value with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// Looks for a text in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Contains,
    StartsWith,
    EndsWith,
}

impl Operator {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    /// Compares; a missing value is unequal to every other and neither above nor below any.
    pub(crate) fn holds(self, cell: Option<&Cell>, literal: Option<&Cell>) -> bool {
        let (Some(cell), Some(literal)) = (cell, literal) else {
            let equal = cell.is_none() && literal.is_none();
            return (self == Self::Eq && equal) || (self == Self::Ne && !equal);
        };
        let order = cell.order(literal);
        match self {
            Self::Eq => order == Ordering::Equal,
            Self::Ne => order != Ordering::Equal,
            Self::Gt => order == Ordering::Greater,
            Self::Ge => order != Ordering::Less,
            Self::Lt => order == Ordering::Less,
            Self::Le => order != Ordering::Greater,
        }
    }
}

impl Match {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "contains" => Self::Contains,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }

    pub(crate) fn holds(self, text: &str, part: &str) -> bool {
        match self {
            Self::Contains => text.contains(part),
            Self::StartsWith => text.starts_with(part),
            Self::EndsWith => text.ends_with(part),
        }
    }
}
