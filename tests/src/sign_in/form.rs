//! Named texts, from a form, a query, or JSON.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{Reason, RequestFault};

/// Holds the parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Form(HashMap<String, String>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(text: &str) -> Result<Self, Reason> {
        let text = text.replace('+', " ");
        let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let mut form = Self::default();
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            let name = decode(name);
            if form.0.insert(name.clone(), decode(value)).is_some() {
                return Err(RequestFault::Repeated(name).into());
            }
        }
        Ok(form)
    }

    /// Takes the texts out of a JSON object, each under the name that `name` gives it.
    pub(crate) fn of_json(object: &Map<String, Value>, name: impl Fn(&str) -> String) -> Self {
        let texts = object
            .iter()
            .filter_map(|(key, value)| Some((key, value.as_str()?)));
        Self(texts.map(|(key, value)| (name(key), value.to_owned())).collect())
    }

    /// Returns a parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns a parameter that must be there.
    pub(crate) fn need(&self, name: &'static str) -> Result<&str, Reason> {
        self.get(name).ok_or(RequestFault::Missing(name).into())
    }
}
