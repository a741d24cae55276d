//! Renews tokens, and lets a person sign in for an integration.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::api::Problem;
use crate::api::body::JsonObject;
use crate::api::operation::refresh_oauth_token;
use crate::api::place::AtIntegration;
use crate::api::query::BroughtBack;
use crate::api::routes::TokenState;
use crate::api::view::{IntegrationView, SignInView, TokenView};
use crate::flow::sign_in;
use crate::integration;

/// Renews the token of an integration now, whether it is time to or not.
#[utoipa::path(post, path = "/token/refresh", operation_id = "refreshOAuthToken", tag = "tokens",
    responses((status = 200, body = TokenView)))]
pub(in crate::api) async fn refresh_token(
    State(state): State<TokenState>,
    AtIntegration { caller, id }: AtIntegration,
) -> Result<JsonAnswer<TokenView>, Problem> {
    refresh_oauth_token(&state, &caller, &id).await.map(JsonAnswer)
}

/// Begins a sign-in: the answer says where the person's browser goes. One that was begun before is void.
#[utoipa::path(post, path = "/oauth/start", operation_id = "startSignIn", tag = "tokens",
    responses((status = 200, body = SignInView)))]
pub(in crate::api) async fn start_sign_in(
    State(state): State<TokenState>,
    AtIntegration { caller, id }: AtIntegration,
) -> Result<JsonAnswer<SignInView>, Problem> {
    let TokenState {
        ports,
        keys,
        registrations,
        callback,
        ..
    } = &state;
    let started = sign_in::start(ports, &**keys, &**registrations, &id, callback, caller.name()).await?;
    Ok(JsonAnswer(started.into()))
}

/// Changes the credentials of an integration, if they work; until then, and if they do not, the ones it has are used.
#[utoipa::path(put, path = "/credentials", operation_id = "rotateCredentials", tag = "tokens",
    request_body = Object, responses((status = 200, body = IntegrationView)))]
pub(in crate::api) async fn rotate_credentials(
    State(state): State<TokenState>,
    AtIntegration { caller, id }: AtIntegration,
    JsonObject(object): JsonObject,
) -> Result<JsonAnswer<IntegrationView>, Problem> {
    let credentials = Value::Object(object).to_string().into();
    let (ports, prove) = (&state.ports, &*state.prove);
    let stored = integration::rotate(ports, &state.vault, prove, &id, &credentials, caller.name()).await?;
    Ok(JsonAnswer(stored.into()))
}

/// Ends a sign-in: the sign-in server sends the person's browser here.
#[utoipa::path(get, path = "/v1/oauth/callback", operation_id = "finishSignIn", tag = "tokens",
    params(("state" = String, Query, description = "What the browser was sent away with."),
        ("code" = Option<String>, Query, description = "What the sign-in server gave it."),
        ("error" = Option<String>, Query, description = "Why it gave nothing.")),
    responses((status = 200, content_type = "text/plain", description = "The integration can be used.")))]
pub(in crate::api) async fn finish_sign_in(
    State(state): State<TokenState>,
    BroughtBack { state: secret, code }: BroughtBack,
) -> Result<Response, Problem> {
    let (ports, keys) = (&state.ports, &*state.keys);
    let ended = sign_in::finish(ports, keys, &*state.registrations, &secret, code.as_ref()).await;
    let (id, _) = ended?;
    let told = format!("You have signed in for {id}. This window can be closed.\n");
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], told).into_response())
}
