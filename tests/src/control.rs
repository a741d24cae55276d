//! What the control requests of all simulated systems have in common.

use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::wire::{Answer, Request};

/// Says why a control request failed.
pub(crate) struct Problem(pub(crate) StatusCode, pub(crate) String);

pub(crate) type Controlled = Result<Answer, Problem>;

/// Returns the answer to a control request.
pub(crate) fn told(outcome: Controlled) -> Answer {
    outcome.unwrap_or_else(|Problem(status, message)| Answer::json(status, &json!({ "error": message })))
}

pub(crate) fn unknown(request: &Request) -> Problem {
    Problem(
        StatusCode::NOT_FOUND,
        format!("nothing answers {} {}", request.method, request.path),
    )
}

pub(crate) fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    serde_json::from_slice(&request.body).map_err(|error| Problem(StatusCode::BAD_REQUEST, error.to_string()))
}

pub(crate) fn ok(value: &impl Serialize) -> Controlled {
    let value = serde_json::to_value(value).expect("answers are plain data");
    Ok(Answer::json(StatusCode::OK, &value))
}

pub(crate) fn done() -> Controlled {
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
