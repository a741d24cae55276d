//! Literals and words of the `OData` URL language.

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::error::{Outcome, Refusal};
use super::row::{Cell, day};
use super::schema::Kind;

/// Holds a value written in a URL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Text(String),
    Number(i64),
    Flag(bool),
    Id(Uuid),
    Day(Date),
    Moment(i64),
}

/// Holds one word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Open,
    Close,
    Comma,
    Equals,
    Word(String),
    Text(String),
}

/// Cuts an expression into words; text is already unquoted.
pub(crate) fn tokens(expression: &str) -> Outcome<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(&next) = rest.peek() {
        match next {
            ' ' => drop(rest.next()),
            '(' | ')' | ',' | '=' => tokens.extend(rest.next().map(punctuation)),
            '\'' => tokens.push(Token::Text(quoted(&mut rest, expression)?)),
            _ => tokens.push(Token::Word(word(&mut rest))),
        }
    }
    Ok(tokens)
}

fn punctuation(sign: char) -> Token {
    match sign {
        '(' => Token::Open,
        ')' => Token::Close,
        ',' => Token::Comma,
        _ => Token::Equals,
    }
}

fn word(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(sign) = rest.next_if(|sign| !" (),='".contains(*sign)) {
        word.push(sign);
    }
    word
}

fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, expression: &str) -> Outcome<String> {
    rest.next();
    let mut text = String::new();
    while let Some(sign) = rest.next() {
        if sign != '\'' {
            text.push(sign);
        } else if rest.next_if_eq(&'\'').is_some() {
            text.push('\'');
        } else {
            return Ok(text);
        }
    }
    Err(Refusal::bad_request(format!(
        "There is an unterminated string literal in '{expression}'."
    )))
}

impl Literal {
    pub(crate) fn from_token(token: &Token) -> Option<Self> {
        match token {
            Token::Text(text) => Some(Self::Text(text.clone())),
            Token::Word(word) => Self::from_word(word),
            _ => None,
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "null" => return Some(Self::Null),
            "true" => return Some(Self::Flag(true)),
            "false" => return Some(Self::Flag(false)),
            _ => {}
        }
        if let (36, Ok(id)) = (word.len(), word.parse()) {
            return Some(Self::Id(id));
        }
        let number = || word.parse().ok().map(Self::Number);
        let moment = || {
            word.parse::<Timestamp>()
                .ok()
                .map(|at| Self::Moment(at.as_second()))
        };
        number().or_else(|| day(word).map(Self::Day)).or_else(moment)
    }

    /// Returns the literal as a value of a column; `None` when the types are incompatible.
    pub(crate) fn to_cell(&self, kind: &Kind) -> Option<Cell> {
        match (self, kind) {
            (Self::Text(text), Kind::Text(_)) => Some(Cell::Text(text.as_str().into())),
            (Self::Number(number), Kind::Whole | Kind::Choice(_) | Kind::Version) => {
                Some(Cell::Whole(*number))
            }
            (Self::Flag(flag), Kind::Flag(..)) => Some(Cell::Flag(*flag)),
            (Self::Id(id), Kind::PrimaryId | Kind::Lookup(_)) => Some(Cell::Id(*id)),
            (Self::Day(day), Kind::Day) => Some(Cell::Day(*day)),
            (Self::Moment(seconds), Kind::Moment) => Some(Cell::Moment(*seconds)),
            (Self::Day(day), Kind::Moment) => {
                let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
                Some(Cell::Moment(midnight.timestamp().as_second()))
            }
            _ => None,
        }
    }

    pub(crate) fn edm_type(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) => "Edm.String",
            Self::Number(_) => "Edm.Int32",
            Self::Flag(_) => "Edm.Boolean",
            Self::Id(_) => "Edm.Guid",
            Self::Day(_) => "Edm.Date",
            Self::Moment(_) => "Edm.DateTimeOffset",
        }
    }
}

/// Returns the `OData` type of a column's values.
pub(crate) fn edm_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "Edm.String",
        Kind::Whole | Kind::Choice(_) => "Edm.Int32",
        Kind::Version => "Edm.Int64",
        Kind::Flag(..) => "Edm.Boolean",
        Kind::Moment => "Edm.DateTimeOffset",
        Kind::Day => "Edm.Date",
        Kind::PrimaryId | Kind::Lookup(_) => "Edm.Guid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_quotes_stay_inside_their_text() {
        let tokens = tokens("lastname eq 'O''Hara' or (1 eq 1").unwrap();
        assert_eq!(tokens[2], Token::Text("O'Hara".to_owned()));
        assert_eq!(tokens[4], Token::Open);
    }

    #[test]
    fn words_become_the_literals_they_look_like() {
        assert_eq!(Literal::from_word("null"), Some(Literal::Null));
        assert_eq!(Literal::from_word("-5"), Some(Literal::Number(-5)));
        assert!(matches!(Literal::from_word("2026-01-02"), Some(Literal::Day(_))));
        assert!(matches!(
            Literal::from_word("2026-01-02T03:04:05Z"),
            Some(Literal::Moment(_))
        ));
        assert!(matches!(
            Literal::from_word("60c4e274-0d87-e711-80e5-00155db19e6d"),
            Some(Literal::Id(_))
        ));
        assert_eq!(Literal::from_word("Kari"), None);
    }
}
