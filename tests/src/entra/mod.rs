//! Entra ID, version 2.0 of its endpoints: `/{tenant}/oauth2/v2.0/authorize` and `/{tenant}/oauth2/v2.0/token`.
//!
//! Stricter than the real one where that only recommends: a sign-in needs a state, a challenge by S256, and
//! `offline_access`, and an assertion is good once. The real one lets used refresh tokens live on;
//! [`Rotation::Grace`](crate::sign_in::Rotation::Grace) of many days comes near it.
//!
//! Source: Microsoft Learn, "OAuth 2.0 authorization code flow", "OAuth 2.0 client credentials flow", and "Microsoft
//! Entra authentication and authorization error codes"; read 2026-11-22. Numbers that these do not have
//! are those that people report.

mod authorize;
mod refusal;
mod scope;
mod token;

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use self::refusal::Refusal;
use crate::sign_in::{Reason, RequestFault, SignIn};
use crate::wire::{Answer, Request};

/// Signs in the apps and users of one tenant.
#[derive(Debug)]
pub(crate) struct Entra {
    base_url: String,
    tenant: String,
    sign_in: Arc<SignIn>,
}

impl Entra {
    pub(crate) fn new(base_url: &str, tenant: &str, sign_in: Arc<SignIn>) -> Self {
        Self {
            base_url: base_url.to_owned(),
            tenant: tenant.to_owned(),
            sign_in,
        }
    }

    fn check_tenant(&self, request: &Request) -> Result<(), Reason> {
        let mut segments = request.path.trim_start_matches('/').split('/');
        let asked = segments.next().unwrap_or_default();
        if asked.eq_ignore_ascii_case(&self.tenant) {
            return Ok(());
        }
        Err(RequestFault::Tenant(asked.to_owned()).into())
    }
}

fn check_method(request: &Request, method: &http::Method) -> Result<(), Reason> {
    match request.method == method {
        true => Ok(()),
        false => Err(RequestFault::Method(request.method.to_string()).into()),
    }
}

impl Refusal {
    fn to_answer(&self, now: Timestamp) -> Answer {
        let (trace, correlation, number) = (Uuid::new_v4(), Uuid::new_v4(), self.number);
        let at = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "{} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            self.description()
        );
        let body = json!({
            "error": self.error, "error_description": description, "error_codes": [number], "timestamp": at,
            "trace_id": trace, "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        answer(Answer::json(self.status, &body))
    }

    /// Returns the page that a user sees who cannot be sent back.
    fn to_page(&self) -> Answer {
        let page = format!(
            "<!DOCTYPE html><html><body><h1>Sign in</h1><p>{}</p></body></html>",
            self.description()
        );
        Answer::bytes(StatusCode::BAD_REQUEST, page).with("content-type", "text/html; charset=utf-8")
    }
}

/// Returns an answer that nobody may keep.
fn answer(answer: Answer) -> Answer {
    answer
        .with("content-type", "application/json; charset=utf-8")
        .with("cache-control", "no-store, no-cache")
        .with("pragma", "no-cache")
}
