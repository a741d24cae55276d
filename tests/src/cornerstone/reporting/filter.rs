//! `$filter`: comparisons, `and`, `or`, and parentheses.
//!
//! `<column> eq|ne|gt|ge|lt|le <literal>`, where a literal is a number, `true`, `false`, `null`, a `'text'`, a guid, a time with an
//! offset, or `cast('2026-01-01', Edm.DateTimeOffset)`. Everything else is refused; the real system knows some more.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::cell::{Cell, Kind};
use crate::cornerstone::answer::{Outcome, Refusal};

/// How deep parentheses may be.
const DEEPEST: usize = 50;

/// Holds a checked expression; columns are named by their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Compare(usize, Operator, Cell),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// Finds a column by its name.
pub(super) type Find<'a> = &'a dyn Fn(&str) -> Outcome<(usize, Kind)>;

impl Filter {
    pub(super) fn parse(expression: &str, find: Find<'_>) -> Outcome<Self> {
        let mut parser = Parser {
            words: words(expression)?,
            at: 0,
            depth: 0,
            find,
        };
        let filter = parser.any()?;
        match parser.at == parser.words.len() {
            true => Ok(filter),
            false => Err(syntax()),
        }
    }

    pub(super) fn matches(&self, cell: &dyn Fn(usize) -> Cell) -> bool {
        match self {
            Self::And(a, b) => a.matches(cell) && b.matches(cell),
            Self::Or(a, b) => a.matches(cell) || b.matches(cell),
            Self::Compare(column, operator, literal) => operator.holds(&cell(*column), literal),
        }
    }
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
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

    fn holds(self, cell: &Cell, literal: &Cell) -> bool {
        let order = cell.order(literal);
        if *cell == Cell::Null || *literal == Cell::Null {
            return (self == Self::Eq && order.is_eq()) || (self == Self::Ne && order.is_ne());
        }
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

struct Parser<'a> {
    words: Vec<Word>,
    at: usize,
    depth: usize,
    find: Find<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Bare(String),
    Quoted(String),
    Sign(char),
}

impl Parser<'_> {
    fn any(&mut self) -> Outcome<Filter> {
        let mut filter = self.all()?;
        while self.skips("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Outcome<Filter> {
        let mut filter = self.one()?;
        while self.skips("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Outcome<Filter> {
        if !self.skips_sign('(') {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(syntax());
        }
        let filter = self.any()?;
        self.depth -= 1;
        self.sign(')')?;
        Ok(filter)
    }

    fn comparison(&mut self) -> Outcome<Filter> {
        let (column, kind) = (self.find)(&self.bare()?)?;
        let operator = Operator::parse(&self.bare()?).ok_or_else(syntax)?;
        let literal = self.literal(kind)?;
        Ok(Filter::Compare(column, operator, literal))
    }

    fn literal(&mut self, kind: Kind) -> Outcome<Cell> {
        let mismatch = || {
            let kind = kind.edm_type();
            Refusal::bad(format!(
                "A value of the filter is incompatible with the type '{kind}'."
            ))
        };
        match self.next()? {
            Word::Bare(word) if word == "cast" => self.cast(kind)?.ok_or_else(mismatch),
            Word::Bare(word) => kind.read(&word).ok_or_else(mismatch),
            Word::Quoted(text) if kind == Kind::Text => Ok(Cell::Text(text)),
            Word::Quoted(_) => Err(mismatch()),
            Word::Sign(_) => Err(syntax()),
        }
    }

    fn cast(&mut self, kind: Kind) -> Outcome<Option<Cell>> {
        self.sign('(')?;
        let Word::Quoted(text) = self.next()? else {
            return Err(syntax());
        };
        self.sign(',')?;
        let into = self.bare()?;
        self.sign(')')?;
        let fits = kind == Kind::Moment && into == kind.edm_type();
        Ok(fits.then(|| moment(&text)).flatten().map(Cell::Moment))
    }

    fn next(&mut self) -> Outcome<Word> {
        let word = self.words.get(self.at).cloned().ok_or_else(syntax)?;
        self.at += 1;
        Ok(word)
    }

    fn bare(&mut self) -> Outcome<String> {
        match self.next()? {
            Word::Bare(word) => Ok(word),
            _ => Err(syntax()),
        }
    }

    fn sign(&mut self, sign: char) -> Outcome<()> {
        self.skips_sign(sign).then_some(()).ok_or_else(syntax)
    }

    fn skips(&mut self, word: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some(Word::Bare(found)) if found == word);
        self.at += usize::from(found);
        found
    }

    fn skips_sign(&mut self, sign: char) -> bool {
        let found = self.words.get(self.at) == Some(&Word::Sign(sign));
        self.at += usize::from(found);
        found
    }
}

fn syntax() -> Refusal {
    Refusal::bad("The query specified in the URI is not valid: there is a syntax error in the filter.")
}

/// Reads a day, which begins at midnight in UTC, or a time.
fn moment(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| day().map(|day| day.timestamp()))
}

fn words(expression: &str) -> Outcome<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(sign) = rest.next() {
        match sign {
            ' ' => {}
            '(' | ')' | ',' => words.push(Word::Sign(sign)),
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next().ok_or_else(syntax)? {
                        '\'' if rest.next_if_eq(&'\'').is_some() => text.push('\''),
                        '\'' => break,
                        other => text.push(other),
                    }
                }
                words.push(Word::Quoted(text));
            }
            first => {
                let mut word = String::from(first);
                while let Some(more) = rest.next_if(|more| !" (),'".contains(*more)) {
                    word.push(more);
                }
                words.push(Word::Bare(word));
            }
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Outcome<(usize, Kind)> {
        let columns = [("n", Kind::Whole), ("t", Kind::Text), ("at", Kind::Moment)];
        let found = columns.iter().position(|(known, _)| *known == name);
        found
            .map(|at| (at, columns[at].1))
            .ok_or_else(|| Refusal::bad("no such column"))
    }

    fn matches(expression: &str) -> Option<bool> {
        let row = [
            Cell::Whole(3),
            Cell::Text("O'Hara".to_owned()),
            Cell::Moment("2026-03-01T10:00:00.5Z".parse().unwrap()),
        ];
        let filter = Filter::parse(expression, &find).ok()?;
        Some(filter.matches(&|column| row[column].clone()))
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert_eq!(matches("n eq 3 or n eq 4 and t eq 'x'"), Some(true));
        assert_eq!(matches("(n eq 3 or n eq 4) and t eq 'x'"), Some(false));
    }

    #[test]
    fn times_are_compared_to_the_millisecond_whatever_their_offset() {
        assert_eq!(matches("at ge 2026-03-01T10:00:00.501Z"), Some(false));
        assert_eq!(matches("at ge 2026-03-01T11:00:00.500+01:00"), Some(true));
        assert_eq!(
            matches("at lt cast('2026-03-02', Edm.DateTimeOffset)"),
            Some(true)
        );
    }

    #[test]
    fn a_quote_is_doubled() {
        assert_eq!(matches("t eq 'O''Hara'"), Some(true));
        assert_eq!(matches("t eq 'x') or (1 eq 1"), None);
    }

    #[test]
    fn what_is_malformed_or_of_another_type_is_refused() {
        for wrong in [
            "",
            "n",
            "n eq",
            "n is 3",
            "n eq '3'",
            "t eq 3",
            "at ge 2026-03-01",
            "at ge 'x'",
            "x eq 1",
            "n eq 3 and",
            "(n eq 3",
            "t eq 'open",
            "not n eq 3",
            "contains(t,'O')",
            "1 eq 1",
            "n eq cast('2026-03-01', Edm.DateTimeOffset)",
        ] {
            assert_eq!(matches(wrong), None, "{wrong}");
        }
    }
}
