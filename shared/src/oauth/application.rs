//! An application that asks a sign-in server for tokens: three grants, two forms of request, two proofs.
//!
//! Source: RFC 6749, sections 4.1.3, 4.4 and 6; RFC 7523, section 2.2; csod.dev, "OAuth 2.0", for requests in JSON.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardRevocableToken, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::wire::{self, Refusal};
use super::{TokenError, TokenErrorKind};
use crate::certificate::Certificate;
use crate::clock::Clock;
use crate::http::{Call, Http, Limits, retry_at};

/// How a proof by assertion is named.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long a refusal may take for the server to be asked once more.
const QUICK: SignedDuration = SignedDuration::from_secs(5);

type Client = oauth2::Client<
    Refusal,
    wire::Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a token is asked for with.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    /// Nothing but the application's own proof.
    ClientCredentials,
    /// A refresh token; where the server rotates them, it is spent with that.
    Refresh(&'a SecretString),
    /// What a user's browser brought back.
    Code {
        /// The code; it is spent with that.
        code: &'a SecretString,
        /// What the challenge of the request was made of.
        verifier: &'a SecretString,
        /// Where the browser was sent back to.
        redirect: &'a Url,
    },
}

/// What a sign-in server has given.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access: SecretString,
    /// For how many seconds, where the server says so.
    pub expires_in: Option<u64>,
    /// The refresh token to be used from now on, where there is another.
    pub refresh: Option<SecretString>,
    /// What it may be used for, where the server says so.
    pub scope: Option<String>,
}

/// A sign-in server, as one application sees it.
#[async_trait]
pub trait TokenEndpoint: fmt::Debug + Send + Sync {
    /// Asks for a token.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    async fn ask(&self, ask: Ask<'_>) -> Result<Issued, TokenError>;
}

/// What an application proves itself with.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A secret that the server knows.
    Secret(SecretString),
    /// The key of a certificate that the server knows.
    Certificate(Arc<Certificate>),
}

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As a form, as RFC 6749 has it.
    Form,
    /// As JSON with members in camel case.
    Json,
}

/// An application, and where it asks for what.
#[derive(Debug, Clone)]
pub struct Application {
    /// The token endpoint.
    pub endpoint: Url,
    /// The client id.
    pub client_id: String,
    /// What it proves itself with.
    pub proof: Proof,
    /// What tokens are to open.
    pub scope: String,
    /// How requests are written.
    pub format: Format,
}

/// An application on its way out.
pub struct Outbound {
    /// Who asks.
    pub application: Application,
    /// The way out.
    pub http: Http,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenEndpoint for Outbound {
    /// Where the server says that our clock is wrong, it is asked once more by the server's clock.
    async fn ask(&self, ask: Ask<'_>) -> Result<Issued, TokenError> {
        let now = self.clock.now();
        match self.application.ask(&self.http, now, now, ask).await {
            // A slow refusal leaves no time for another answer.
            Err(error) if self.clock.now().duration_since(now) > QUICK => Err(error),
            Err(error) => match error.servers_clock() {
                Some(by) => self.application.ask(&self.http, self.clock.now(), by, ask).await,
                None => Err(error),
            },
            issued => issued,
        }
    }
}

impl Application {
    /// Asks for a token; assertions are dated `by` the clock that the server goes by.
    async fn ask(
        &self,
        http: &Http,
        now: Timestamp,
        by: Timestamp,
        ask: Ask<'_>,
    ) -> Result<Issued, TokenError> {
        let relay = Relay {
            http,
            now,
            limits: limits(ask),
        };
        match self.format {
            Format::Form => self.ask_by_form(&relay, by, ask).await,
            Format::Json => self.ask_by_json(&relay, ask).await,
        }?
        .issued()
    }

    async fn ask_by_form(
        &self,
        relay: &Relay<'_>,
        by: Timestamp,
        ask: Ask<'_>,
    ) -> Result<wire::Answer, TokenError> {
        let client = self.client();
        let scope = Scope::new(self.scope.clone());
        let assertion = self.assertion(by);
        let proof = || {
            let named = |assertion: &SecretString| {
                [
                    ("client_assertion_type", JWT_BEARER.to_owned()),
                    ("client_assertion", assertion.expose_secret().to_owned()),
                ]
            };
            assertion.as_ref().map(named).into_iter().flatten()
        };
        let answer = match ask {
            Ask::ClientCredentials => {
                let request = client.exchange_client_credentials().add_scope(scope);
                let request = proof().fold(request, |request, (name, value)| {
                    request.add_extra_param(name, value)
                });
                request.request_async(relay).await
            }
            Ask::Refresh(token) => {
                let token = RefreshToken::new(token.expose_secret().to_owned());
                let request = client.exchange_refresh_token(&token).add_scope(scope);
                let request = proof().fold(request, |request, (name, value)| {
                    request.add_extra_param(name, value)
                });
                request.request_async(relay).await
            }
            Ask::Code {
                code,
                verifier,
                redirect,
            } => {
                let request = client
                    .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
                    .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
                    .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect.clone())));
                let request = proof().fold(request, |request, (name, value)| {
                    request.add_extra_param(name, value)
                });
                request.request_async(relay).await
            }
        };
        answer.map_err(translate)
    }

    fn client(&self) -> Client {
        let client = oauth2::Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.endpoint.clone()));
        match &self.proof {
            Proof::Secret(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Proof::Certificate(_) => client,
        }
    }

    fn assertion(&self, by: Timestamp) -> Option<SecretString> {
        match &self.proof {
            Proof::Secret(_) => None,
            Proof::Certificate(certificate) => {
                Some(certificate.assertion(&self.client_id, self.endpoint.as_str(), by, Uuid::new_v4()))
            }
        }
    }

    /// Only client credentials are asked for in this form, and only with a secret.
    async fn ask_by_json(&self, relay: &Relay<'_>, ask: Ask<'_>) -> Result<wire::Answer, TokenError> {
        let (Ask::ClientCredentials, Proof::Secret(secret)) = (ask, &self.proof) else {
            return Err(TokenError::new(
                TokenErrorKind::Refused,
                "configuration",
                "the sign-in server takes client credentials with a secret only",
            ));
        };
        let body = json!({
            "clientId": self.client_id,
            "clientSecret": secret.expose_secret(),
            "grantType": "client_credentials",
            "scope": self.scope,
        });
        let json = HeaderValue::from_static("application/json");
        let no_cache = HeaderValue::from_static("no-cache");
        let headers = [
            (ACCEPT, json.clone()),
            (CONTENT_TYPE, json),
            (CACHE_CONTROL, no_cache),
        ];
        let call = Call {
            method: Method::POST,
            url: self.endpoint.clone(),
            headers: HeaderMap::from_iter(headers),
            body: body.to_string().into(),
            limits: relay.limits,
        };
        let answer = relay.send(call).await?;
        if answer.status().is_success() {
            return serde_json::from_slice(answer.body()).map_err(|_| no_token());
        }
        let refusal: Result<Refusal, _> = serde_json::from_slice(answer.body());
        Err(refusal.map_or_else(|_| not_json(), TokenError::from))
    }
}

/// What may be spent is waited for.
const fn limits(ask: Ask<'_>) -> Limits {
    match ask {
        Ask::ClientCredentials => Limits::SHORT,
        Ask::Refresh(_) | Ask::Code { .. } => Limits::PATIENT,
    }
}

/// Carries requests of the `oauth2` crate through our own client.
struct Relay<'h> {
    http: &'h Http,
    now: Timestamp,
    limits: Limits,
}

impl<'c> AsyncHttpClient<'c> for Relay<'_> {
    type Error = TokenError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TokenError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string());
            let call = Call {
                method: parts.method,
                url: url.map_err(|_| TokenError::malformed("the token endpoint is not a URL"))?,
                headers: parts.headers,
                body: body.into(),
                limits: self.limits,
            };
            self.send(call).await
        })
    }
}

impl Relay<'_> {
    async fn send(&self, call: Call) -> Result<HttpResponse, TokenError> {
        let answer = self.http.send(call).await?.whole()?;
        let status = answer.status.as_u16();
        match status {
            429 => {
                let until = retry_at(&answer.headers, self.now);
                let kind = TokenErrorKind::RateLimited { until };
                Err(
                    TokenError::new(kind, "system", "the sign-in server wants to be left alone")
                        .with_status(status),
                )
            }
            408 | 500.. => {
                let (kind, message) = (TokenErrorKind::Unavailable, "the sign-in server is not available");
                let error = TokenError::new(kind, "system", message).with_status(status);
                // Behind a gateway that gave up, or an error, the server may still have done what it was asked.
                Err(error.unanswered(status != 503))
            }
            _ => response(answer.status, answer.headers, answer.body),
        }
    }
}

/// An error that comes with status 200 is an error all the same; one that is about the clock says what the server's is.
fn response(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Result<HttpResponse, TokenError> {
    let refusal = serde_json::from_slice::<Refusal>(&body).ok();
    if let Some(refusal) = refusal.as_ref().filter(|refusal| refusal.is_about_the_clock()) {
        return Err(TokenError::from(refusal.clone()).by_clock(date(&headers)));
    }
    let mut response = HttpResponse::new(body);
    *response.status_mut() = if status.is_success() && refusal.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        status
    };
    *response.headers_mut() = headers;
    Ok(response)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// Leaves behind what the crate's error carries: it holds the answer's body.
fn translate(error: RequestTokenError<TokenError, Refusal>) -> TokenError {
    match error {
        RequestTokenError::ServerResponse(refusal) => refusal.into(),
        RequestTokenError::Request(error) => error,
        RequestTokenError::Parse(..) => no_token(),
        RequestTokenError::Other(_) => not_json(),
    }
}

fn no_token() -> TokenError {
    TokenError::malformed("the sign-in server's answer holds no token")
}

fn not_json() -> TokenError {
    TokenError::malformed("the sign-in server's answer is not JSON")
}
