//! The client-credentials grant.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, RequestTokenError, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::wire::{Issued, Refusal};
use super::{AccessToken, TokenCache, TokenError, TokenErrorKind, TokenKey};
use crate::clock::Clock;
use crate::http::{Call, Http, Limits, retry_at};

type Client = oauth2::Client<
    Refusal,
    Issued,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Who asks, where, with what, and for what.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// The token endpoint.
    pub endpoint: Url,
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
    /// What the token is to open.
    pub scope: String,
}

impl ClientCredentials {
    /// Asks for a token.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn ask(&self, http: &Http, now: Timestamp) -> Result<AccessToken, TokenError> {
        let relay = Relay { http, now };
        let client = self.client();
        let request = client
            .exchange_client_credentials()
            .add_scope(Scope::new(self.scope.clone()));
        let issued = request.request_async(&relay).await.map_err(translate)?;
        if !issued.token_type().is_bearer() {
            return Err(TokenError::malformed(
                "the token is of a type that is not `Bearer`",
            ));
        }
        let value = SecretString::from(issued.access_token().secret().as_str());
        Ok(AccessToken::new(value, now, issued.expires_in))
    }

    fn client(&self) -> Client {
        oauth2::Client::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.endpoint.clone()))
    }
}

/// Carries requests of the `oauth2` crate through our own client.
struct Relay<'h> {
    http: &'h Http,
    now: Timestamp,
}

impl<'c> AsyncHttpClient<'c> for Relay<'_> {
    type Error = TokenError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TokenError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(relay(self.http, request, self.now))
    }
}

async fn relay(http: &Http, request: HttpRequest, now: Timestamp) -> Result<HttpResponse, TokenError> {
    let answer = http.send(call(request)?).await?.whole()?;
    let status = answer.status.as_u16();
    match status {
        429 => {
            let until = retry_at(&answer.headers, now);
            let kind = TokenErrorKind::RateLimited { until };
            Err(
                TokenError::new(kind, "system", "the sign-in server wants to be left alone")
                    .with_status(status),
            )
        }
        408 | 500.. => {
            let kind = TokenErrorKind::Unavailable;
            Err(TokenError::new(kind, "system", "the sign-in server is not available").with_status(status))
        }
        _ => Ok(response(answer.status, answer.headers, answer.body)),
    }
}

fn call(request: HttpRequest) -> Result<Call, TokenError> {
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string());
    Ok(Call {
        method: parts.method,
        url: url.map_err(|_| TokenError::malformed("the token endpoint is not a URL"))?,
        headers: parts.headers,
        body: body.into(),
        limits: Limits::SHORT,
    })
}

/// An error that comes with status 200 is an error all the same.
fn response(status: http::StatusCode, headers: http::HeaderMap, body: Vec<u8>) -> HttpResponse {
    let refused = status.is_success() && serde_json::from_slice::<Refusal>(&body).is_ok();
    let mut response = HttpResponse::new(body);
    *response.status_mut() = if refused {
        http::StatusCode::BAD_REQUEST
    } else {
        status
    };
    *response.headers_mut() = headers;
    response
}

/// Leaves behind what the crate's error carries: it holds the answer's body.
fn translate(error: RequestTokenError<TokenError, Refusal>) -> TokenError {
    match error {
        RequestTokenError::ServerResponse(refusal) => refusal.into(),
        RequestTokenError::Request(error) => error,
        RequestTokenError::Parse(..) => TokenError::malformed("the sign-in server's answer holds no token"),
        RequestTokenError::Other(_) => TokenError::malformed("the sign-in server's answer is not JSON"),
    }
}

/// Gives out tokens of one credential, by way of the cache.
pub struct TokenSource {
    /// Under what the cache keeps them.
    pub key: TokenKey,
    /// How they are asked for.
    pub grant: ClientCredentials,
    /// The way out.
    pub http: Http,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where they are kept.
    pub cache: Arc<TokenCache>,
}

impl TokenSource {
    /// Returns a fresh token, asking for one where there is none.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn token(&self) -> Result<Arc<AccessToken>, TokenError> {
        self.obtain(None).await
    }

    /// Returns another token than the one that was refused.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn renew(&self, refused: &Arc<AccessToken>) -> Result<Arc<AccessToken>, TokenError> {
        self.obtain(Some(refused)).await
    }

    async fn obtain(&self, refused: Option<&Arc<AccessToken>>) -> Result<Arc<AccessToken>, TokenError> {
        let ask = async { self.grant.ask(&self.http, self.clock.now()).await };
        self.cache
            .obtain(&self.key, refused, self.clock.as_ref(), ask)
            .await
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
