//! The query string.

use percent_encoding::percent_decode_str;

use super::error::{Outcome, Refusal};

const KNOWN: [&str; 10] = [
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$count",
    "$skiptoken",
    "$deltatoken",
    "$expand",
    "$apply",
    "$format",
];

/// Holds the decoded query options in the order in which they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options(Vec<(String, String)>);

impl Options {
    pub(crate) fn parse(query: Option<&str>) -> Outcome<Self> {
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty());
        let mut options = Self::default();
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.add(decode(name)?, decode(value)?)?;
        }
        Ok(options)
    }

    fn add(&mut self, name: String, value: String) -> Outcome<()> {
        match name.as_str() {
            "$skip" => return Err(Refusal::bad_request("Skip Clause is not supported in CRM")),
            "$expand" | "$apply" => return Err(not_simulated(&name)),
            other if other.starts_with('$') && !KNOWN.contains(&other) => {
                let message = format!("The query parameter '{other}' is not supported.");
                return Err(Refusal::bad_request(message));
            }
            other if self.get(other).is_some() => {
                let message = format!("Query option '{other}' was specified more than once.");
                return Err(Refusal::bad_request(message));
            }
            _ => self.0.push((name, value)),
        }
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the options that stay the same on every page, for links and their seals.
    pub(crate) fn lasting(&self) -> impl Iterator<Item = &(String, String)> {
        self.0
            .iter()
            .filter(|(name, _)| name != "$skiptoken" && name != "$deltatoken")
    }
}

fn not_simulated(name: &str) -> Refusal {
    let message = format!("The query parameter '{name}' is not simulated.");
    Refusal::new(http::StatusCode::NOT_IMPLEMENTED, "0x80060888", message)
}

fn decode(text: &str) -> Outcome<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Refusal::bad_request("The request URI is not valid UTF-8."))
}
