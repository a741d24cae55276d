//! The sign-in of Cornerstone: `POST /services/api/oauth2/token`.
//!
//! Simulated is the client credentials grant, asked for in JSON or in a form. How refusals look is not documented but
//! for the status 401; they are worded as RFC 6749 has it. Deliberately absent: the XML of the old endpoints, of which
//! this is none.
//!
//! Source: csod.dev, "Authentication", read 2026-11-22.

use std::ops::RangeInclusive;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::sign_in::{
    ClientFault, Desk, Form, Grant, Proof, Reason, RequestFault, Settings, SignIn, unguessable,
};
use crate::wire::{Answer, Request};

/// How long an administrator may make access tokens live, in seconds.
pub(crate) const LIFETIMES: RangeInclusive<i64> = 300..=86_400;

/// What an app may be allowed.
const SCOPES: [&str; 9] = [
    "employee:create",
    "employee:read",
    "employee:updatepartial",
    "training:read",
    "transcript:read",
    "transcript:update",
    "vw_rpt_training:read",
    "vw_rpt_transcript:read",
    "vw_rpt_user:read",
];

/// Signs in the apps of one portal.
#[derive(Debug)]
pub(super) struct TokenEndpoint {
    base_url: String,
    sign_in: Arc<SignIn>,
}

impl TokenEndpoint {
    pub(super) fn new(base_url: &str, sign_in: Arc<SignIn>) -> Self {
        Self {
            base_url: base_url.to_owned(),
            sign_in,
        }
    }

    /// Answers `POST /services/api/oauth2/token`.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let form = read(request);
        let mut desk = self.sign_in.attend();
        let given = match &form {
            Ok(form) => self.give(&mut desk, form),
            Err(reason) => Err(reason.clone()),
        };
        let form = form.unwrap_or_default();
        let (status, body) = match given {
            Ok(body) => {
                desk.note(&form, None);
                (StatusCode::OK, body)
            }
            Err(reason) => {
                let (status, error, message) = word(&reason);
                desk.note(&form, Some((error, None)));
                (status, json!({ "error": error, "error_description": message }))
            }
        };
        Answer::json(status, &body)
            .with("content-type", "application/json; charset=utf-8")
            .with("cache-control", "no-store")
    }

    fn give(&self, desk: &mut Desk<'_>, form: &Form) -> Result<Value, Reason> {
        let grant_type = form.need("grant_type")?;
        if grant_type != "client_credentials" {
            return Err(RequestFault::GrantType(grant_type.to_owned()).into());
        }
        let proof = form.get("client_secret").map_or(Proof::Nothing, Proof::Secret);
        let client = desk.authenticate(form.need("client_id")?, proof)?;
        let scopes = allowed(form.need("scope")?, desk.settings())?;
        let scope = scopes.join(" ");
        let grant = Grant::to_client(&client, &self.base_url, scopes);
        let token = desk.give(format!("edge_{}", unguessable()), grant);
        let seconds = desk.settings().access_token_seconds;
        Ok(json!({ "access_token": token, "expires_in": seconds, "token_type": "Bearer", "scope": scope }))
    }
}

/// Returns what is given of what is asked for; `all` asks for everything that an app may be allowed.
fn allowed(asked: &str, settings: &Settings) -> Result<Vec<String>, Reason> {
    let words: Vec<&str> = match asked {
        "all" => SCOPES.to_vec(),
        _ => asked.split_whitespace().collect(),
    };
    if let Some(unknown) = words.iter().find(|word| !SCOPES.contains(word)) {
        return Err(RequestFault::UnknownScope((*unknown).to_owned()).into());
    }
    let given = words.into_iter().filter(|word| !settings.withholds(word));
    Ok(given.map(str::to_owned).collect())
}

fn read(request: &Request) -> Result<Form, Reason> {
    if request.method != Method::POST {
        return Err(RequestFault::Method(request.method.to_string()).into());
    }
    let kind = request.header("content-type").unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return Form::parse(&String::from_utf8_lossy(&request.body));
    }
    if !kind.starts_with("application/json") {
        return Err(RequestFault::Unreadable.into());
    }
    let object: Map<String, Value> =
        serde_json::from_slice(&request.body).map_err(|_| RequestFault::Unreadable)?;
    Ok(Form::of_json(&object, |name| {
        match name {
            "clientId" => "client_id",
            "clientSecret" => "client_secret",
            "grantType" => "grant_type",
            other => other,
        }
        .to_owned()
    }))
}

fn word(reason: &Reason) -> (StatusCode, &'static str, &'static str) {
    match reason {
        Reason::Request(RequestFault::Method(_)) => (
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request",
            "The method is not supported.",
        ),
        Reason::Request(RequestFault::GrantType(_)) => (
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "The grant type is not supported.",
        ),
        Reason::Request(RequestFault::UnknownScope(_)) => (
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "The application is not allowed the scope.",
        ),
        Reason::Client(ClientFault::NoProof) | Reason::Request(_) => (
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The request is malformed.",
        ),
        Reason::Client(_) | Reason::Assertion(_) | Reason::Grant(_) => (
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The client id or the client secret is not valid.",
        ),
    }
}
