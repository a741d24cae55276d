//! The forms that the token endpoint takes, who sends them, and what it refuses with.

use std::collections::BTreeMap;

use axum::Json as JsonAnswer;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use url::form_urlencoded;

use super::Problem;
use super::body::{bytes, expect_type};
use crate::keys::KeyError;
use crate::registry::{ClientSecret, GrantError};

/// The longest form, in bytes.
const LONGEST: usize = 8 * 1024;

/// Why a request to the token endpoint is refused.
///
/// Source: RFC 6749, section 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OAuthError {
    /// It is not what it should be.
    InvalidRequest(&'static str),
    /// The client is not known, its secret is wrong, or it is no longer let in.
    InvalidClient,
    /// It asks for more than it was given.
    InvalidScope,
    /// Only client credentials are taken.
    UnsupportedGrantType,
    /// The client was tried too often from there.
    TooMany,
    /// Something that we need is busy or down.
    Unavailable,
}

impl OAuthError {
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "the client is not known, or its secret is wrong",
            ),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "a scope is not known, or more than the client was given",
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "only client_credentials is taken",
            ),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "this client was tried too often with a wrong secret from this address",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "something that is needed is busy or down",
            ),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, error, description) = self.parts();
        let body = json!({ "error": error, "error_description": description });
        let mut response = (status, JsonAnswer(body)).into_response();
        let headers = response.headers_mut();
        match self {
            Self::InvalidClient => {
                let basic = HeaderValue::from_static(r#"Basic realm="token", charset="UTF-8""#);
                headers.insert(header::WWW_AUTHENTICATE, basic);
            }
            Self::TooMany => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

impl From<GrantError> for OAuthError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::InvalidClient => Self::InvalidClient,
            GrantError::InvalidScope => Self::InvalidScope,
            GrantError::Key(error) => error.into(),
            GrantError::Registry(error) => {
                tracing::error!(?error, "the registry did not answer");
                Self::Unavailable
            }
        }
    }
}

impl From<KeyError> for OAuthError {
    fn from(error: KeyError) -> Self {
        tracing::error!(?error, "the key did not answer");
        Self::Unavailable
    }
}

impl From<Problem> for OAuthError {
    fn from(_: Problem) -> Self {
        Self::InvalidRequest("a form of at most 8192 bytes is expected: application/x-www-form-urlencoded")
    }
}

/// A form, with the head that it came under; both may hold a secret.
pub(super) struct Form {
    headers: HeaderMap,
    fields: BTreeMap<String, String>,
}

/// A client that shows a secret.
#[derive(Debug)]
pub(super) struct ShownClient {
    pub(super) id: String,
    pub(super) secret: ClientSecret,
}

impl Form {
    /// Reads a form whose names each come once.
    pub(super) async fn read(request: Request) -> Result<Self, OAuthError> {
        let headers = request.headers().clone();
        expect_type(&headers, &["application/x-www-form-urlencoded"])?;
        let bytes = bytes(request, LONGEST).await?;
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(OAuthError::InvalidRequest("a parameter is given twice"));
            }
        }
        Ok(Self { headers, fields })
    }

    /// Returns a field; an empty one is as if it were left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.fields.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// Returns the client that shows its secret: in the head or in the form, and not in both.
    pub(super) fn client(&self) -> Result<ShownClient, OAuthError> {
        let mut heads = self.headers.get_all(header::AUTHORIZATION).iter();
        match (heads.next(), heads.next(), self.get("client_secret")) {
            (Some(head), None, None) => basic(head).ok_or(OAuthError::InvalidClient),
            (None, _, Some(secret)) => Ok(ShownClient {
                id: self.get("client_id").unwrap_or_default().to_owned(),
                secret: ClientSecret::known(secret),
            }),
            (None, _, None) => Err(OAuthError::InvalidClient),
            _ => Err(OAuthError::InvalidRequest(
                "a client shows its secret in one way only",
            )),
        }
    }
}

/// Reads the `Basic` scheme. Neither our ids nor our secrets have a character that a form would encode.
fn basic(head: &HeaderValue) -> Option<ShownClient> {
    let (scheme, encoded) = head.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD
        .decode(encoded)
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(ShownClient {
        id: id.to_owned(),
        secret: ClientSecret::known(secret),
    })
}
