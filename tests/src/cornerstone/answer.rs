//! How the portal words what it says.
//!
//! `{"status":"success","data":…}`, or `{"status":"404","error":{"message":…}}`. A public client takes the mere presence of
//! `error` for a failure, so that a success has none. The number as `status`, and `errorId`, `code`, `description` and `details`
//! beside the message, are from the same client.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::wire::Answer;

/// Says why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

pub(super) type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "record not found")
    }

    /// Refuses a token, or what it may do: the two are told in the same way.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "CSOD Unauthorized Exception")
    }

    pub(super) fn too_many() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "CSOD Too many requests")
    }

    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not supported.")
    }

    pub(super) fn to_body(&self) -> Value {
        let status = self.status.as_str();
        json!({ "status": status, "error": {
            "errorId": Uuid::new_v4(), "code": status, "message": self.message, "description": null, "details": null,
        }})
    }

    pub(super) fn to_answer(&self) -> Answer {
        json_answer(self.status, &self.to_body())
    }
}

pub(super) fn json_answer(status: StatusCode, body: &Value) -> Answer {
    Answer::json(status, body).with("content-type", "application/json; charset=utf-8")
}

pub(super) fn success(data: &Value) -> Value {
    json!({ "status": "success", "data": data })
}

/// Returns what stands in front of the portal while it is down.
pub(super) fn outage() -> Answer {
    let page = "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head>\
        <body><h1>The portal is temporarily unavailable</h1></body></html>";
    Answer::bytes(StatusCode::SERVICE_UNAVAILABLE, page).with("content-type", "text/html; charset=utf-8")
}
