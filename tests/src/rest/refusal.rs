//! How the register says no.

use http::StatusCode;
use serde_json::json;

use crate::wire::Answer;

/// Says why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_FAILED", message)
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub(super) fn missing() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "There is no such row.")
    }

    pub(super) fn to_answer(&self) -> Answer {
        let error = json!({ "error": { "code": self.code, "message": self.message } });
        Answer::json(self.status, &error).with("content-type", "application/json; charset=utf-8")
    }
}
