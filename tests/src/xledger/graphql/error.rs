//! Errors in the form of Xledger: `code` is a sibling of `message`, and `extensions` has a `code` of its own.

use async_graphql::{Error, ErrorExtensions as _, Response, ServerError, Value};
use serde_json::{Map, Value as Json, json};

/// Says why something was refused.
#[derive(Debug, Clone)]
pub(in crate::xledger) struct Refusal {
    pub(in crate::xledger) message: String,
    /// The code beside the message.
    pub(in crate::xledger) code: Option<&'static str>,
    pub(in crate::xledger) extensions: Map<String, Json>,
}

impl Refusal {
    pub(in crate::xledger) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            extensions: Map::new(),
        }
    }

    /// Says that an argument is of the right type and means nothing.
    pub(in crate::xledger) fn invalid_value(argument: &str, why: &str) -> Self {
        Self::new(format!("Argument '{argument}' has an invalid value. {why}"))
            .extended("code", json!("INVALID_VALUE"))
    }

    /// Says that an argument is not of the right type.
    pub(super) fn wrong_type(argument: &str, why: &str) -> Self {
        Self::new(format!("Argument '{argument}' has an invalid value. {why}"))
            .extended("code", json!("ARGUMENTS_OF_CORRECT_TYPE"))
    }

    /// How this is said is not known of the real one; only that tokens have a scope is.
    pub(super) fn out_of_scope(verb: &str, object: &str) -> Self {
        Self::new(format!("Access denied: the API token may not {verb} {object}."))
    }

    /// Says that a query is too large.
    pub(in crate::xledger) fn timed_out() -> Self {
        Self::new("Your query timed out.")
    }

    #[must_use]
    pub(in crate::xledger) fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub(in crate::xledger) fn extended(mut self, name: &str, value: Json) -> Self {
        self.extensions.insert(name.to_owned(), value);
        self
    }

    /// Returns the body that is answered when nothing was looked at.
    pub(in crate::xledger) fn to_body(&self) -> Json {
        let mut error = json!({ "message": self.message });
        if let Some(code) = self.code {
            error["code"] = json!(code);
        }
        if !self.extensions.is_empty() {
            error["extensions"] = Json::Object(self.extensions.clone());
        }
        json!({ "errors": [error] })
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.message.clone()).extend_with(|_, extensions| {
            for (name, value) in refusal.extensions {
                extensions.set(name, Value::from_json(value).unwrap_or_default());
            }
        })
    }
}

/// Returns the body that is answered.
pub(in crate::xledger) fn render(response: Response) -> Json {
    if response.errors.is_empty() {
        return json!({ "data": response.data.into_json().unwrap_or_default() });
    }
    let errors: Vec<Json> = response.errors.iter().map(render_error).collect();
    json!({ "errors": errors })
}

fn render_error(error: &ServerError) -> Json {
    let mut told = json!({ "message": reworded(&error.message) });
    let extensions = error
        .extensions
        .as_ref()
        .and_then(|values| serde_json::to_value(values).ok());
    let extensions = extensions.or_else(|| code_of_rule(&error.message).map(|code| json!({ "code": code })));
    if let Some(extensions) = extensions {
        told["extensions"] = extensions;
    }
    let places = error
        .locations
        .iter()
        .map(|place| json!({ "line": place.line, "column": place.column }));
    told["locations"] = places.collect();
    told
}

/// Returns the message as public clients look for it.
fn reworded(message: &str) -> String {
    match message.strip_prefix("Unknown field ") {
        Some(rest) => format!("Cannot query field {rest}"),
        None => message.to_owned(),
    }
}

/// Returns the code of the rule that a document breaks, where a public client knows it.
fn code_of_rule(message: &str) -> Option<&'static str> {
    message
        .starts_with("Invalid value for argument")
        .then_some("ARGUMENTS_OF_CORRECT_TYPE")
}
