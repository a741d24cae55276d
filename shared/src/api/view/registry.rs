//! What the registry and the token endpoint take and answer, for the document of the API.

use serde::Serialize;
use utoipa::ToSchema;

/// A request of GraphQL.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct GraphqlRequest {
    /// The document, of at most 16 KiB.
    query: String,
    /// Which of its operations, where it has several.
    operation_name: Option<String>,
    /// The values of its variables.
    #[schema(value_type = Option<Object>)]
    variables: Option<serde_json::Value>,
}

/// An answer of GraphQL.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct GraphqlAnswer {
    /// What came of it.
    #[schema(value_type = Option<Object>)]
    data: Option<serde_json::Value>,
    /// What was refused; `extensions.error_code` says what by a number, `extensions.error` by a name.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<serde_json::Value>>,
}

/// What a token is asked for with. The client shows id and secret here or in the header `Authorization: Basic`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TokenForm {
    /// `client_credentials`.
    grant_type: String,
    /// What the token is to allow, with a space between names; nothing, where it is left out.
    scope: Option<String>,
    /// The client id.
    client_id: Option<String>,
    /// The client secret.
    client_secret: Option<String>,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TokenAnswer {
    /// The token.
    access_token: String,
    /// `Bearer`.
    token_type: String,
    /// For how many seconds it is good.
    expires_in: i64,
    /// What it allows.
    scope: String,
}

/// A token that is asked about. The client shows id and secret here or in the header `Authorization: Basic`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct IntrospectionForm {
    /// The token.
    token: String,
    /// The client id.
    client_id: Option<String>,
    /// The client secret.
    client_secret: Option<String>,
}
