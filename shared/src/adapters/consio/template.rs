//! Addresses with places for what is asked for, such as `/v1/members/{id}`.

use std::fmt::Write as _;

use url::Url;

use crate::adapter::{Error, ErrorKind, Result};

/// What can stand in a place of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The system's id of a row.
    Id,
    /// The platform's id of a record.
    Key,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Slot(Slot),
}

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

/// An address below the base address.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
}

/// What stands in the places of an address.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fill<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) key: Option<&'a str>,
}

impl Template {
    /// Reads a text with places.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err("has a { without its }".to_owned());
            };
            pieces.push(Piece::Plain(plain.to_owned()));
            pieces.push(Piece::Slot(match name {
                "id" => Slot::Id,
                "key" => Slot::Key,
                _ => return Err("has places for {id} and {key} only".to_owned()),
            }));
            rest = after;
        }
        pieces.push(Piece::Plain(rest.to_owned()));
        let stray = |piece: &Piece| matches!(piece, Piece::Plain(plain) if plain.contains(['{', '}']));
        match text.chars().any(char::is_control) || pieces.iter().any(stray) || text.len() > 500 {
            true => Err("must be at most 500 characters without stray braces".to_owned()),
            false => Ok(Self(pieces)),
        }
    }

    /// Reads a path.
    pub(super) fn path(text: &str) -> std::result::Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/()$,:@!*'=;+&{}".contains(&byte);
        let odd = |segment: &str| segment.is_empty() || segment == "." || segment == "..";
        let whole = text.strip_prefix('/').is_some_and(|rest| {
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            !rest.split('/').any(odd)
        });
        match whole && text.bytes().all(allowed) {
            true => Self::parse(text),
            false => Err("must be a path such as /v1/members/{id}, without a query".to_owned()),
        }
    }

    pub(super) fn has(&self, slot: Slot) -> bool {
        self.0.contains(&Piece::Slot(slot))
    }

    fn fill(&self, fill: Fill<'_>, write: impl Fn(&str) -> Result<String>) -> Result<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Slot(slot) => text.push_str(&write(fill.of(*slot)?)?),
            }
        }
        Ok(text)
    }
}

impl Fill<'_> {
    fn of(&self, slot: Slot) -> Result<&str> {
        let value = match slot {
            Slot::Id => self.id,
            Slot::Key => self.key,
        };
        value.ok_or_else(|| Error::new(ErrorKind::Unsupported, "the profile asks for what is not known"))
    }
}

impl Address {
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.path.has(slot) || self.query.iter().any(|(_, value)| value.has(slot))
    }

    /// Returns the address below `base`.
    ///
    /// # Errors
    ///
    /// `Rejected` where an id cannot stand in a path.
    pub(super) fn url(&self, base: &Url, fill: Fill<'_>) -> Result<Url> {
        let mut url = base.clone();
        url.set_path(&self.path.fill(fill, segment)?);
        if !self.query.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, value) in &self.query {
                query.append_pair(name, &value.fill(fill, |value| Ok(value.to_owned()))?);
            }
        }
        Ok(url)
    }
}

/// Writes an id so that it stays within its segment.
fn segment(value: &str) -> Result<String> {
    if value.is_empty() || value.bytes().all(|byte| byte == b'.') {
        let message = "the id cannot stand in a path: it is empty or nothing but dots";
        return Err(Error::new(ErrorKind::Rejected, message).at_field("id"));
    }
    let mut escaped = String::new();
    for byte in value.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => escaped.push(char::from(byte)),
            byte => write!(escaped, "%{byte:02X}").expect("writing to memory does not fail"),
        }
    }
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(path: &str, id: &str) -> Result<Url> {
        let address = Address {
            path: Template::path(path).unwrap(),
            query: vec![("q".to_owned(), Template::parse("id={id}").unwrap())],
        };
        let fill = Fill {
            id: Some(id),
            key: None,
        };
        address.url(&"https://x.example/".parse().unwrap(), fill)
    }

    #[test]
    fn what_leads_elsewhere_is_no_path() {
        for bad in [
            "members",
            "//evil.example/x",
            "/a/../b",
            "/./a",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/%2e%2e/",
            "/a b",
            "/{name}",
            "/{id",
            "/id}",
            "",
        ] {
            assert!(Template::path(bad).is_err(), "{bad}");
        }
        for good in [
            "/",
            "/v1/members",
            "/v1/members/{id}",
            "/Members({id})",
            "/v1/members/",
        ] {
            // The root has no segment, and is none that rows stand at.
            assert_eq!(Template::path(good).is_ok(), good != "/", "{good}");
        }
    }

    #[test]
    fn an_id_stays_within_its_segment() {
        let url = |id| url("/v1/members/{id}/x", id).unwrap().to_string();
        assert_eq!(
            url("a/b?c#d"),
            "https://x.example/v1/members/a%2Fb%3Fc%23d/x?q=id%3Da%2Fb%3Fc%23d"
        );
        assert_eq!(
            url("Åse & co"),
            "https://x.example/v1/members/%C3%85se%20%26%20co/x?q=id%3D%C3%85se+%26+co"
        );
    }

    #[test]
    fn dots_alone_are_no_id() {
        for bad in ["", ".", "..", "..."] {
            assert_eq!(
                url("/{id}", bad).unwrap_err().kind(),
                ErrorKind::Rejected,
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_id_changes_where_an_address_leads(id: String) {
            if let Ok(url) = url("/v1/members/{id}/x", &id) {
                prop_assert_eq!(url.host_str(), Some("x.example"));
                prop_assert_eq!(url.path_segments().unwrap().count(), 4);
                prop_assert!(url.path().starts_with("/v1/members/") && url.path().ends_with("/x"));
                prop_assert_eq!(url.query_pairs().count(), 1);
            }
        }
    }
}
