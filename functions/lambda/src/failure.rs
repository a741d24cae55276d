//! Why an invocation failed, as whoever invoked the function is told.

use lambda_runtime::Diagnostic;
use shared::api::{Code, Problem};

/// Why an invocation failed: a stable word, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    kind: String,
    message: String,
}

impl Failure {
    /// Names what failed by a stable word.
    pub fn new(kind: &str, error: &dyn std::error::Error) -> Self {
        tracing::error!(kind, error = %error, "the invocation failed");
        Self {
            kind: kind.to_owned(),
            message: error.to_string(),
        }
    }

    /// Says that the function is not woken by such an event.
    #[must_use]
    pub fn unexpected() -> Self {
        let message = "the function is not woken by such an event".to_owned();
        Self {
            kind: "unexpected_event".to_owned(),
            message,
        }
    }
}

/// The whole problem goes into the message, so that a caller without HTTP learns as much as one with it.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let word = |code: Code| Some(serde_json::to_value(code).ok()?.as_str()?.to_owned());
        let kind = word(problem.code).unwrap_or_default();
        let message = serde_json::to_string(&problem).unwrap_or_else(|_| problem.to_string());
        Self { kind, message }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.kind,
            error_message: failure.message,
        }
    }
}
