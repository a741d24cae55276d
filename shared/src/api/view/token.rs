//! Tokens, as far as anybody is told of them.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::flow::sign_in::Started;
use crate::model::IntegrationId;
use crate::oauth::Standing;

/// How the token of an integration stands; never the token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub(in crate::api) struct TokenView {
    /// `{organizationId}:{integrationType}`.
    integration_id: String,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    refreshed_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it is renewed without anybody asking.
    #[schema(value_type = String, format = DateTime)]
    next_refresh_at: Timestamp,
}

impl TokenView {
    pub(in crate::api) fn new(id: &IntegrationId, standing: &Standing) -> Self {
        Self {
            integration_id: id.to_string(),
            refreshed_at: standing.life.asked_at,
            expires_at: standing.life.ends_at(),
            next_refresh_at: standing.renew_at,
        }
    }
}

/// A sign-in that has begun.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignIn)]
pub(in crate::api) struct SignInView {
    /// Where the person's browser goes.
    authorization_url: String,
    /// Until when it must be back.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Started> for SignInView {
    fn from(started: Started) -> Self {
        Self {
            authorization_url: started.authorization_url.into(),
            expires_at: started.expires_at,
        }
    }
}
