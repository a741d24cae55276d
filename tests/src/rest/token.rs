//! The register's own sign-in: client credentials, in a form.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::Rest;
use crate::sign_in::{Desk, Form, Grant, Proof, Reason, RequestFault, unguessable};
use crate::wire::{Answer, Request};

/// What a token must be asked for.
pub(super) const SCOPE: &str = "register";

impl Rest {
    /// Says where tokens are issued.
    pub(super) fn discovery(&self) -> Answer {
        let issuer = format!("{}/rest/identity", self.base_url);
        let document = json!({ "issuer": issuer, "token_endpoint": format!("{issuer}/token") });
        Answer::json(StatusCode::OK, &document).with("content-type", "application/json")
    }

    pub(super) fn token(&self, request: &Request) -> Answer {
        let form = match request.method {
            Method::POST => Form::parse(&String::from_utf8_lossy(&request.body)),
            _ => Err(RequestFault::Method(request.method.to_string()).into()),
        };
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
                let (status, error) = match reason {
                    Reason::Request(RequestFault::UnknownScope(_)) => {
                        (StatusCode::BAD_REQUEST, "invalid_scope")
                    }
                    Reason::Request(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
                    _ => (StatusCode::UNAUTHORIZED, "invalid_client"),
                };
                desk.note(&form, Some((error, None)));
                (status, json!({ "error": error }))
            }
        };
        Answer::json(status, &body)
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
    }

    fn give(&self, desk: &mut Desk<'_>, form: &Form) -> Result<Value, Reason> {
        let grant_type = form.need("grant_type")?;
        if grant_type != "client_credentials" {
            return Err(RequestFault::GrantType(grant_type.to_owned()).into());
        }
        let proof = form.get("client_secret").map_or(Proof::Nothing, Proof::Secret);
        let client = desk.authenticate(form.need("client_id")?, proof)?;
        let scope = form.need("scope")?;
        if scope != SCOPE {
            return Err(RequestFault::UnknownScope(scope.to_owned()).into());
        }
        let grant = Grant::to_client(&client, &self.base_url, vec![SCOPE.to_owned()]);
        let token = desk.give(format!("reg_{}", unguessable()), grant);
        let seconds = desk.settings().access_token_seconds;
        Ok(json!({ "access_token": token, "expires_in": seconds, "token_type": "Bearer" }))
    }
}
