//! The `$filter` language: comparisons, `and`, `or`, `not`, parentheses, and three text functions.

use super::error::{Outcome, Refusal};
use super::literal::{Literal, Token, edm_type, tokens};
use super::operator::{Match, Operator};
use super::row::{Cell, fold};
use super::schema::Kind;

/// Depth at which an expression is refused rather than risked.
const DEEPEST: usize = 100;

/// Answers what a filter asks about: which properties there are, and what they hold.
pub(crate) trait Properties {
    /// Returns a property's place and kind.
    fn find(&self, name: &str) -> Option<(usize, Kind)>;

    /// Returns the name of the type in messages.
    fn type_name(&self) -> &str;
}

/// Holds a checked expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(usize, Operator, Option<Cell>),
    Text(usize, Match, String),
}

impl Filter {
    pub(crate) fn parse(expression: &str, properties: &dyn Properties) -> Outcome<Self> {
        let tokens = tokens(expression)?;
        let mut parser = Parser {
            tokens: &tokens,
            at: 0,
            depth: 0,
            expression,
            properties,
        };
        let filter = parser.any()?;
        if parser.at < tokens.len() {
            return Err(parser.syntax());
        }
        Ok(filter)
    }

    /// Returns whether something matches, given how to read its properties.
    pub(crate) fn matches(&self, read: &dyn Fn(usize) -> Option<Cell>) -> bool {
        match self {
            Self::And(a, b) => a.matches(read) && b.matches(read),
            Self::Or(a, b) => a.matches(read) || b.matches(read),
            Self::Not(inner) => !inner.matches(read),
            Self::Compare(property, operator, literal) => {
                operator.holds(read(*property).as_ref(), literal.as_ref())
            }
            Self::Text(property, how, part) => match read(*property) {
                Some(Cell::Text(text)) => how.holds(&fold(&text), part),
                _ => false,
            },
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    expression: &'a str,
    properties: &'a dyn Properties,
}

impl Parser<'_> {
    fn any(&mut self) -> Outcome<Filter> {
        let mut filter = self.all()?;
        while self.skip("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Outcome<Filter> {
        let mut filter = self.one()?;
        while self.skip("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Outcome<Filter> {
        if self.skip("not") {
            return Ok(Filter::Not(Box::new(self.deeper(Self::one)?)));
        }
        if self.tokens.get(self.at) != Some(&Token::Open) {
            return self.condition();
        }
        self.at += 1;
        let filter = self.deeper(Self::any)?;
        self.expect(&Token::Close)?;
        Ok(filter)
    }

    fn deeper(&mut self, parse: fn(&mut Self) -> Outcome<Filter>) -> Outcome<Filter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.syntax());
        }
        let filter = parse(self);
        self.depth -= 1;
        filter
    }

    fn condition(&mut self) -> Outcome<Filter> {
        let word = self.word()?;
        if let (Some(how), Some(Token::Open)) = (Match::parse(&word), self.tokens.get(self.at)) {
            return self.call(how);
        }
        let (property, kind) = self.property(&word)?;
        let name = self.word()?;
        let operator = Operator::parse(&name).ok_or_else(|| self.syntax())?;
        let literal = self.literal()?;
        Ok(Filter::Compare(
            property,
            operator,
            cell(&literal, &kind, operator)?,
        ))
    }

    fn call(&mut self, how: Match) -> Outcome<Filter> {
        self.at += 1;
        let word = self.word()?;
        let (property, _) = self.property(&word)?;
        self.expect(&Token::Comma)?;
        let Literal::Text(part) = self.literal()? else {
            return Err(self.syntax());
        };
        self.expect(&Token::Close)?;
        Ok(Filter::Text(property, how, fold(&part)))
    }

    fn property(&self, word: &str) -> Outcome<(usize, Kind)> {
        let unknown = || Refusal::unknown_property(word, self.properties.type_name());
        self.properties.find(word).ok_or_else(unknown)
    }

    fn word(&mut self) -> Outcome<String> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(word.clone())
            }
            _ => Err(self.syntax()),
        }
    }

    fn literal(&mut self) -> Outcome<Literal> {
        let literal = self
            .tokens
            .get(self.at)
            .and_then(Literal::from_token)
            .ok_or_else(|| self.syntax())?;
        self.at += 1;
        Ok(literal)
    }

    fn skip(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(next)) if next == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token) -> Outcome<()> {
        if self.tokens.get(self.at) != Some(token) {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(())
    }

    fn syntax(&self) -> Refusal {
        Refusal::bad_request(format!(
            "Syntax error at position {} in '{}'.",
            self.at, self.expression
        ))
    }
}

fn cell(literal: &Literal, kind: &Kind, operator: Operator) -> Outcome<Option<Cell>> {
    if *literal == Literal::Null {
        return Ok(None);
    }
    let incompatible = || {
        Refusal::bad_request(format!(
            "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator \
             kind '{operator:?}'.",
            edm_type(kind),
            literal.edm_type()
        ))
    };
    literal.to_cell(kind).map(Some).ok_or_else(incompatible)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Person;

    impl Properties for Person {
        fn find(&self, name: &str) -> Option<(usize, Kind)> {
            match name {
                "lastname" => Some((0, Kind::Text(50))),
                "age" => Some((1, Kind::Whole)),
                _ => None,
            }
        }

        fn type_name(&self) -> &str {
            "person"
        }
    }

    fn matches(expression: &str, lastname: Option<&str>, age: i64) -> bool {
        let read = |property| match property {
            0 => lastname.map(|text| Cell::Text(text.into())),
            _ => Some(Cell::Whole(age)),
        };
        Filter::parse(expression, &Person).unwrap().matches(&read)
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(matches("age eq 1 or age eq 2 and lastname eq 'x'", None, 1));
        assert!(!matches("(age eq 1 or age eq 2) and lastname eq 'x'", None, 1));
    }

    #[test]
    fn text_is_compared_without_case() {
        assert!(matches("lastname eq 'ÅSHEIM'", Some("Åsheim"), 0));
        assert!(matches("startswith(lastname,'ås')", Some("Åsheim"), 0));
    }

    #[test]
    fn a_quote_cannot_end_its_literal() {
        assert!(!matches("lastname eq 'x'' or 1 eq 1 or ''x'", Some("y"), 0));
    }

    #[test]
    fn null_is_equal_to_null_only() {
        assert!(matches("lastname eq null", None, 0));
        assert!(matches("lastname ne 'x'", None, 0));
        assert!(!matches("lastname gt 'x'", None, 0));
    }

    #[test]
    fn wrong_types_unknown_names_and_leftovers_are_refused() {
        for expression in [
            "age eq 'x'",
            "height eq 1",
            "age eq 1 age",
            "age",
            "",
            "(age eq 1",
        ] {
            Filter::parse(expression, &Person).unwrap_err();
        }
        Filter::parse(&"(".repeat(5000), &Person).unwrap_err();
    }
}
