//! A registry in memory, as the measures of it use it.

use std::sync::Arc;

use axum::body::Bytes;
use http::{Method, Request, Response};
use shared::api::{Api, Caller, RegistryState, registry_routes};
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
}
