//! A registry in memory, as the measures of it use it.

use std::sync::Arc;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, Response, StatusCode};
use shared::api::{Api, Caller, RegistryState, RemoteAddress, registry_routes};
use shared::clock::SystemClock;
use shared::registry::{CredentialRequest, Input, Issued, Registry, Scopes, issue_credential, register};
use uuid::Uuid;

use crate::Result;

const BY: &str = "administrator";

/// The function that serves it, without Lambda.
pub(crate) struct Served {
    pub(crate) registry: Registry,
    api: Api,
}

impl Served {
    pub(crate) fn new() -> Self {
        let (registry, tokens) = Registry::in_memory(Arc::new(SystemClock));
        let state = RegistryState::new(registry.clone(), Some(tokens), false);
        let api = Api::of_no_organization(registry_routes(state), &registry.clock);
        Self { registry, api }
    }

    pub(crate) async fn register(&self, name: &str) -> Result<Uuid> {
        let input = Input {
            name: name.to_owned(),
            description: Some("x".repeat(200)),
        };
        Ok(register(&self.registry, input, BY).await?.id)
    }

    pub(crate) async fn issue(&self, system: Uuid) -> Result<Issued> {
        let request = CredentialRequest {
            system,
            scopes: Scopes::integration_system(),
            organizations: None,
            expires_at: None,
            by: BY.to_owned(),
        };
        Ok(issue_credential(&self.registry, request).await?)
    }

    /// Sends a document as the administrator.
    pub(crate) async fn graphql(&self, query: &str) -> Result<Response<Bytes>> {
        let body = serde_json::json!({ "query": query }).to_string();
        let request = Request::builder()
            .method(Method::POST)
            .uri("/graphql")
            .header("content-type", "application/json")
            .extension(Caller::unrestricted(BY))
            .body(body.into())?;
        Ok(self.api.answer(request).await)
    }

    /// Asks for a token with a wrong secret, each time from another address, so that nobody is told to wait.
    pub(crate) async fn is_refused(&self, client: &str, secret: &str) -> Result<()> {
        let basic = STANDARD.encode(format!("{client}:{secret}"));
        let request = Request::builder()
            .method(Method::POST)
            .uri("/oauth2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {basic}"))
            .extension(RemoteAddress(Uuid::new_v4().to_string().into()))
            .body("grant_type=client_credentials".into())?;
        match self.api.answer(request).await.status() {
            StatusCode::UNAUTHORIZED => Ok(()),
            status => Err(format!("it was answered {status}").into()),
        }
    }
}
