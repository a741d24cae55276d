//! What a URL points to.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::error::{Outcome, Refusal};
use super::literal::{Literal, Token, tokens};
use super::row::Cell;
use super::store::Rows;

/// Characters that make a key value unusable in a URL.
///
/// Source: Microsoft Learn, "Work with alternate keys", read 2026-11-21.
const UNUSABLE_IN_KEYS: &str = "/<>*%&:\\?+";

/// Says what a path below `/api/data/v9.x/` points to.
#[derive(Debug, Clone)]
pub(crate) enum Resource {
    ServiceDocument,
    WhoAmI,
    Batch,
    Definitions(Option<String>, Vec<String>),
    Collection(String),
    Count(String),
    Row(String, Locator),
    Action(String, String),
}

/// Names one row in a collection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Locator {
    /// The parentheses' content as sent, for `OData-EntityId`.
    pub(crate) text: String,
    pub(crate) parts: Parts,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parts {
    Id(Uuid),
    Named(Vec<(String, Literal)>),
}

/// Names one row of a known table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    Id(Uuid),
    /// An alternate key's position and values.
    Key(usize, Vec<(usize, Cell)>),
}

impl Resource {
    /// Reads a path without its leading `/api/data/v9.x/`.
    pub(crate) fn parse(path: &str) -> Outcome<Self> {
        let segments = segments(path)?;
        let rest: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
        let first = segments.first().map(String::as_str).unwrap_or_default();
        match (first, &rest[..]) {
            ("", _) => Ok(Self::ServiceDocument),
            ("WhoAmI" | "WhoAmI()", []) => Ok(Self::WhoAmI),
            ("$batch", []) => Ok(Self::Batch),
            (name, _) if name.starts_with("EntityDefinitions") => definitions(name, &rest),
            (name, ["$count"]) => Ok(Self::Count(name.to_owned())),
            (name, []) if name.contains('(') => row(name),
            (name, []) => Ok(Self::Collection(name.to_owned())),
            (name, [action]) if action.starts_with("Microsoft.Dynamics.CRM.") => action_on(name, action),
            (_, [other, ..]) => Err(Refusal::unknown_segment(other)),
        }
    }
}

fn action_on(set: &str, action: &str) -> Outcome<Resource> {
    let name = action.trim_start_matches("Microsoft.Dynamics.CRM.");
    Ok(Resource::Action(set.to_owned(), name.to_owned()))
}

fn row(segment: &str) -> Outcome<Resource> {
    let (set, locator) = split(segment)?;
    Ok(Resource::Row(set.to_owned(), Locator::parse(locator)?))
}

fn definitions(segment: &str, rest: &[&str]) -> Outcome<Resource> {
    let rest = rest.iter().map(|&part| part.to_owned()).collect();
    if !segment.contains('(') {
        return Ok(Resource::Definitions(None, rest));
    }
    match &Locator::parse(split(segment)?.1)?.parts {
        Parts::Named(parts) => match &parts[..] {
            [(name, Literal::Text(table))] if name == "LogicalName" => {
                Ok(Resource::Definitions(Some(table.clone()), rest))
            }
            _ => Err(Refusal::bad_request(
                "EntityDefinitions are addressed by LogicalName.",
            )),
        },
        Parts::Id(id) => Err(Refusal::no_such_row("entity", *id)),
    }
}

/// Splits `contacts(…)` into the set and what is between the parentheses.
pub(crate) fn split(segment: &str) -> Outcome<(&str, &str)> {
    let malformed = || Refusal::bad_request(format!("Bad Request - Error in query syntax: '{segment}'."));
    let inner = segment.strip_suffix(')').ok_or_else(malformed)?;
    inner.split_once('(').ok_or_else(malformed)
}

/// Cuts a path at the slashes outside quotes, and decodes each part.
fn segments(path: &str) -> Outcome<Vec<String>> {
    let mut segments = vec![String::new()];
    let mut in_text = false;
    for sign in path.replace("%27", "'").chars() {
        in_text ^= sign == '\'';
        match sign {
            '/' if !in_text => segments.push(String::new()),
            _ => segments.last_mut().expect("there is always one").push(sign),
        }
    }
    segments.iter().map(|segment| decode(segment)).collect()
}

fn decode(text: &str) -> Outcome<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Refusal::bad_request("The request URI is not valid UTF-8."))
}

impl Locator {
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let parts = match text.trim().parse() {
            Ok(id) => Parts::Id(id),
            Err(_) => Parts::Named(named(text)?),
        };
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// Finds the key that the names mean on this table.
    pub(crate) fn resolve(&self, rows: &Rows) -> Outcome<Target> {
        let parts = match &self.parts {
            Parts::Id(id) => return Ok(Target::Id(*id)),
            Parts::Named(parts) => parts,
        };
        if let [(name, Literal::Id(id))] = &parts[..]
            && *name == rows.table.primary_id
        {
            return Ok(Target::Id(*id));
        }
        self.alternate_key(rows, parts)
    }

    fn alternate_key(&self, rows: &Rows, parts: &[(String, Literal)]) -> Outcome<Target> {
        let table = &rows.table;
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        let key = rows
            .key_position(&names)
            .ok_or_else(|| invalid_key(&table.logical_name))?;
        let value = |property: &String| {
            let index = table.index(property)?;
            let (_, literal) = parts.iter().find(|(name, _)| name == property)?;
            Some((index, literal.to_cell(&table.columns[index].kind)?))
        };
        let cells: Option<Vec<_>> = table.keys[key].columns.iter().map(value).collect();
        let cells = cells.ok_or_else(|| invalid_key(&table.logical_name))?;
        refuse_unusable(&cells)?;
        Ok(Target::Key(key, cells))
    }
}

fn refuse_unusable(cells: &[(usize, Cell)]) -> Outcome<()> {
    let unusable = |cell: &Cell| match cell {
        Cell::Text(text) => text.chars().find(|sign| UNUSABLE_IN_KEYS.contains(*sign)),
        _ => None,
    };
    match cells.iter().find_map(|(_, cell)| unusable(cell)) {
        None => Ok(()),
        Some(sign) => Err(Refusal::new(
            http::StatusCode::BAD_REQUEST,
            "",
            format!("A potentially dangerous Request.Path value was detected from the client ({sign})."),
        )),
    }
}

fn invalid_key(logical_name: &str) -> Refusal {
    Refusal::bad_request(format!(
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{logical_name}'. Ensure that \
         the names and number of key properties match the declared or alternate key properties for the resource \
         'Microsoft.Dynamics.CRM.{logical_name}'."
    ))
}

fn named(text: &str) -> Outcome<Vec<(String, Literal)>> {
    let malformed = || Refusal::bad_request(format!("Bad Request - Error in query syntax: '({text})'."));
    let part = |part: &[Token]| match part {
        [Token::Word(name), Token::Equals, value] => Some((name.clone(), Literal::from_token(value)?)),
        _ => None,
    };
    let tokens = tokens(text)?;
    let parts = tokens.split(|token| *token == Token::Comma).map(part);
    parts.collect::<Option<_>>().ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locator(path: &str) -> Locator {
        match Resource::parse(path).unwrap() {
            Resource::Row(_, locator) => locator,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_quote_in_a_key_is_written_twice() {
        let expected = Parts::Named(vec![("k".to_owned(), Literal::Text("O'Hara".to_owned()))]);
        assert_eq!(locator("contacts(k='O''Hara')").parts, expected);
        assert_eq!(locator("contacts(k=%27O%27%27Hara%27)").parts, expected);
    }

    #[test]
    fn a_key_of_two_parts_keeps_both() {
        let Parts::Named(parts) = locator("records(k1=1,k2='x')").parts else {
            panic!()
        };
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn an_unclosed_address_is_refused() {
        Resource::parse("contacts(k='1'").unwrap_err();
        Resource::parse("contacts(k='1)").unwrap_err();
    }
}
