//! The token endpoint and what goes with it, where tokens are issued here.
//!
//! Source: RFC 6749, sections 2.3.1, 4.4 and 5; RFC 7662, introspection; RFC 7009, revocation; RFC 8414, metadata.

use axum::Json as JsonAnswer;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::api::form::{Form, OAuthError};
use crate::api::routes::RegistryState;
use crate::api::view::{IntrospectionForm, TokenAnswer, TokenForm};
use crate::api::{Code, Problem, RemoteAddress};
use crate::registry::{Credential, Scopes, Tokens, authenticate, grant, introspect, revoke};

const GRANT: &str = "client_credentials";

/// Issues an access token to a client that shows its secret.
#[utoipa::path(post, path = "/oauth2/token", operation_id = "issueToken", tag = "tokens",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer)))]
pub(in crate::api) async fn issue_token(
    State(state): State<RegistryState>,
    request: Request,
) -> Result<Response, OAuthRefusal> {
    let tokens = issued_here(&state)?;
    let (remote, form) = read(request).await?;
    match form.get("grant_type") {
        Some(GRANT) => {}
        Some(_) => return Err(OAuthError::UnsupportedGrantType.into()),
        None => return Err(OAuthError::InvalidRequest("grant_type is required").into()),
    }
    let client = form.client()?;
    let attempt = state
        .throttle
        .begin(&client.id, &remote, &*state.registry.clock)?;
    let asked = form.get("scope").unwrap_or_default();
    let (store, now) = (&*state.registry.store, state.registry.clock.now());
    let granted = grant(store, tokens, (&client.id, &client.secret), asked, now).await;
    let granted = attempt.end(granted).await?;
    let answer = json!({
        "access_token": granted.token.expose_secret(),
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": granted.scopes,
    });
    Ok(JsonAnswer(answer).into_response())
}

/// Says what a token is good for, to the client that it was issued to.
#[utoipa::path(post, path = "/oauth2/introspect", operation_id = "introspectToken", tag = "tokens",
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object, description = "`active`, and what the token says where it is.")))]
pub(in crate::api) async fn introspect_token(
    State(state): State<RegistryState>,
    request: Request,
) -> Result<JsonAnswer<Value>, OAuthRefusal> {
    let tokens = issued_here(&state)?;
    let (asks, token) = own_token(&state, request).await?;
    let (store, now) = (&*state.registry.store, state.registry.clock.now());
    let told = introspect(store, tokens, &asks, &token, now).await;
    Ok(JsonAnswer(told.map_err(OAuthError::from)?))
}

/// Ends a token of the client that asks, before its time.
#[utoipa::path(post, path = "/oauth2/revoke", operation_id = "revokeToken", tag = "tokens",
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is ended, or never was one of the client's.")))]
pub(in crate::api) async fn revoke_token(
    State(state): State<RegistryState>,
    request: Request,
) -> Result<StatusCode, OAuthRefusal> {
    let tokens = issued_here(&state)?;
    let (asks, token) = own_token(&state, request).await?;
    let (store, now) = (&*state.registry.store, state.registry.clock.now());
    revoke(store, tokens, &asks, &token, now)
        .await
        .map_err(OAuthError::from)?;
    Ok(StatusCode::OK)
}

/// Says where tokens are issued, and how.
#[utoipa::path(get, path = "/.well-known/openid-configuration", operation_id = "getIssuer", tag = "tokens",
    responses((status = 200, body = Object)))]
pub(in crate::api) async fn get_issuer(
    State(state): State<RegistryState>,
) -> Result<JsonAnswer<Value>, OAuthRefusal> {
    let place = issued_here(&state)?.place();
    let methods = ["client_secret_basic", "client_secret_post"];
    Ok(JsonAnswer(json!({
        "issuer": place,
        "token_endpoint": state.registry.issuer.token_url(),
        "introspection_endpoint": format!("{place}/oauth2/introspect"),
        "revocation_endpoint": format!("{place}/oauth2/revoke"),
        "jwks_uri": format!("{place}/.well-known/jwks.json"),
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "scopes_supported": Scopes::integration_system().names().collect::<Vec<_>>(),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })))
}

/// Returns the keys by which tokens are verified.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "getKeys", tag = "tokens",
    responses((status = 200, body = Object)))]
pub(in crate::api) async fn get_keys(
    State(state): State<RegistryState>,
) -> Result<JsonAnswer<Value>, OAuthRefusal> {
    let keys = issued_here(&state)?.key_set().await;
    Ok(JsonAnswer(keys.map_err(OAuthError::from)?))
}

/// What these routes refuse with.
#[derive(Debug)]
pub(in crate::api) enum OAuthRefusal {
    /// As OAuth says it.
    OAuth(OAuthError),
    /// The route is not one of this deployment.
    Problem(Problem),
}

impl From<OAuthError> for OAuthRefusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl IntoResponse for OAuthRefusal {
    fn into_response(self) -> Response {
        match self {
            Self::OAuth(error) => error.into_response(),
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

fn issued_here(state: &RegistryState) -> Result<&Tokens, OAuthRefusal> {
    state.tokens.as_deref().ok_or_else(|| {
        let where_else = format!("tokens are issued at {}", state.registry.issuer.token_url());
        OAuthRefusal::Problem(Problem::new(Code::UnknownRoute).because(where_else))
    })
}

async fn read(request: Request) -> Result<(RemoteAddress, Form), OAuthError> {
    let remote = request.extensions().get().cloned().unwrap_or_default();
    Ok((remote, Form::read(request).await?))
}

/// Returns the credential of the client that asks about a token, and the token.
async fn own_token(state: &RegistryState, request: Request) -> Result<(Credential, String), OAuthError> {
    let (remote, form) = read(request).await?;
    let token = form
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is required"))?;
    let client = form.client()?;
    let (clock, now) = (&*state.registry.clock, state.registry.clock.now());
    let attempt = state.throttle.begin(&client.id, &remote, clock)?;
    let asks = authenticate(&*state.registry.store, &client.id, &client.secret, now).await;
    Ok((attempt.end(asks).await?, token.to_owned()))
}
