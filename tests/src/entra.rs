//! Entra ID, as far as client credentials go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::SimulatedClock;
use crate::wire::{Answer, Request};

/// Identifies an app registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The application id.
    pub client_id: String,
    /// The secret.
    pub client_secret: String,
}

/// Says what an access token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The app that asked.
    pub client_id: String,
    /// The system that the token is meant for.
    pub audience: String,
    expires_at: i64,
}

/// Issues tokens for one tenant.
#[derive(Debug)]
pub struct Entra {
    tenant: String,
    registrations: Vec<Credentials>,
    clock: Arc<SimulatedClock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lifetime_seconds: i64,
    grants: HashMap<String, Grant>,
}

#[derive(Debug)]
struct TokenRefusal {
    status: StatusCode,
    error: &'static str,
    number: u64,
    message: String,
}

impl Entra {
    /// Returns a tenant with these app registrations.
    pub fn new(
        tenant: &str,
        registrations: Vec<Credentials>,
        clock: Arc<SimulatedClock>,
        lifetime_seconds: i64,
    ) -> Self {
        let state = Mutex::new(State {
            lifetime_seconds,
            grants: HashMap::new(),
        });
        Self {
            tenant: tenant.to_owned(),
            registrations,
            clock,
            state,
        }
    }

    /// Answers `POST /{tenant}/oauth2/v2.0/token`.
    pub fn answer(&self, request: &Request) -> Answer {
        let tenant = request
            .path
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        self.issue(tenant, request)
            .unwrap_or_else(|refusal| self.refuse(&refusal))
    }

    /// Returns what a token is good for, unless it is unknown, expired, or revoked.
    pub fn grant(&self, token: &str) -> Option<Grant> {
        let now = self.clock.now().as_second();
        self.state()
            .grants
            .get(token)
            .filter(|grant| now < grant.expires_at)
            .cloned()
    }

    /// Makes every token that was issued so far invalid.
    pub fn revoke_all(&self) {
        self.state().grants.clear();
    }

    /// Changes how long tokens that are issued from now on live.
    pub fn set_lifetime(&self, seconds: i64) {
        self.state().lifetime_seconds = seconds;
    }

    fn issue(&self, tenant: &str, request: &Request) -> Result<Answer, TokenRefusal> {
        check_tenant(tenant, &self.tenant)?;
        let form = read_form(request)?;
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        check_grant(&form)?;
        let client = self.authenticate(field("client_id"), field("client_secret"))?;
        let audience = audience(field("scope"))?;
        Ok(self.token(client, audience))
    }

    fn authenticate(&self, id: &str, secret: &str) -> Result<&Credentials, TokenRefusal> {
        let known = self
            .registrations
            .iter()
            .find(|known| known.client_id.eq_ignore_ascii_case(id));
        let Some(known) = known else {
            let message = format!(
                "Application with identifier '{id}' was not found in the directory '{}'. This can happen if the \
                 application has not been installed by the administrator of the tenant.",
                self.tenant
            );
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                "unauthorized_client",
                700_016,
                message,
            ));
        };
        if known.client_secret == secret {
            return Ok(known);
        }
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
             not the client secret ID, for a secret added to app '{id}'."
        );
        Err(refusal(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_215,
            message,
        ))
    }

    fn token(&self, client: &Credentials, audience: String) -> Answer {
        let now = self.clock.now().as_second();
        let mut state = self.state();
        state.grants.retain(|_, grant| now < grant.expires_at);
        let lifetime = state.lifetime_seconds;
        let token = jwt(&self.tenant, &client.client_id, &audience, now, lifetime);
        let grant = Grant {
            client_id: client.client_id.clone(),
            audience,
            expires_at: now + lifetime,
        };
        state.grants.insert(token.clone(), grant);
        let body = json!({
            "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token,
        });
        no_store(Answer::json(StatusCode::OK, &body))
    }

    fn refuse(&self, refusal: &TokenRefusal) -> Answer {
        let (trace, correlation, at) = (Uuid::new_v4(), Uuid::new_v4(), stamp(self.clock.now()));
        let number = refusal.number;
        let description = format!(
            "AADSTS{number}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            refusal.message
        );
        let body = json!({
            "error": refusal.error, "error_description": description, "error_codes": [number], "timestamp": at,
            "trace_id": trace, "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        no_store(Answer::json(refusal.status, &body))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_store(answer: Answer) -> Answer {
    answer
        .with("content-type", "application/json; charset=utf-8")
        .with("cache-control", "no-store, no-cache")
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn refusal(status: StatusCode, error: &'static str, number: u64, message: impl Into<String>) -> TokenRefusal {
    TokenRefusal {
        status,
        error,
        number,
        message: message.into(),
    }
}

fn check_tenant(asked: &str, own: &str) -> Result<(), TokenRefusal> {
    if asked.eq_ignore_ascii_case(own) {
        return Ok(());
    }
    let message = format!(
        "Tenant '{asked}' not found. Check to make sure you have the correct tenant ID and are signing into the \
         correct cloud."
    );
    Err(refusal(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        90_002,
        message,
    ))
}

fn read_form(request: &Request) -> Result<HashMap<String, String>, TokenRefusal> {
    let form = request
        .header("content-type")
        .unwrap_or_default()
        .starts_with("application/x-www-form-urlencoded");
    if request.method != Method::POST || !form {
        let message = "The request body must be form-urlencoded and sent with POST.";
        return Err(refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            900_144,
            message,
        ));
    }
    let text = String::from_utf8_lossy(&request.body).replace('+', " ");
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    Ok(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
}

fn check_grant(form: &HashMap<String, String>) -> Result<(), TokenRefusal> {
    for name in ["grant_type", "client_id", "client_secret", "scope"] {
        if form.get(name).is_none_or(String::is_empty) {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                900_144,
                message,
            ));
        }
    }
    if form["grant_type"] == "client_credentials" {
        return Ok(());
    }
    let message = format!(
        "The app requested an unsupported grant type '{}'.",
        form["grant_type"]
    );
    Err(refusal(
        StatusCode::BAD_REQUEST,
        "unsupported_grant_type",
        70_003,
        message,
    ))
}

/// Reads the system out of `{system}/.default`, the only scope that client credentials take.
fn audience(scope: &str) -> Result<String, TokenRefusal> {
    let message = || {
        format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter \
             'scope' is not valid. The scope {scope} is not valid."
        )
    };
    let system = scope
        .strip_suffix("/.default")
        .filter(|system| system.contains("://"));
    let system =
        system.ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "invalid_scope", 70_011, message()))?;
    Ok(system.trim_end_matches('/').to_owned())
}

/// Returns something that looks like a signed token and means nothing.
fn jwt(tenant: &str, client_id: &str, audience: &str, now: i64, lifetime: i64) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(&json!({ "typ": "JWT", "alg": "RS256", "kid": "simulated" }));
    let claims = encode(&json!({
        "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": now, "nbf": now,
        "exp": now + lifetime, "appid": client_id, "idtyp": "app", "tid": tenant, "uti": Uuid::new_v4(), "ver": "1.0",
    }));
    let signature: Vec<u8> = (0..16).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}
