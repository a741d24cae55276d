//! Where an issuer says that its tokens are issued.
//!
//! Source: "OIDC Discovery 1.0", section 4; RFC 8414, section 3.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

use crate::clock::Clock;
use crate::http::{Call, Http, Limits, same_origin};
use crate::oauth::{Application, Ask, Issued, Outbound, TokenEndpoint, TokenError, TokenErrorKind};

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Asks an issuer once where its tokens are issued, and then there.
pub(super) struct Discovered {
    pub(super) issuer: Url,
    /// Who asks; its endpoint is the issuer's to say.
    pub(super) application: Application,
    pub(super) http: Http,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) endpoint: OnceCell<Url>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: String,
}

impl fmt::Debug for Discovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovered")
            .field("issuer", &self.issuer.as_str())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenEndpoint for Discovered {
    async fn ask(&self, ask: Ask<'_>) -> Result<Issued, TokenError> {
        let endpoint = self.endpoint.get_or_try_init(|| self.discover()).await?;
        let outbound = Outbound {
            application: Application {
                endpoint: endpoint.clone(),
                ..self.application.clone()
            },
            http: self.http.clone(),
            clock: Arc::clone(&self.clock),
        };
        outbound.ask(ask).await
    }
}

impl Discovered {
    async fn discover(&self) -> Result<Url, TokenError> {
        let mut url = self.issuer.clone();
        url.set_path(&format!(
            "{}{WELL_KNOWN}",
            self.issuer.path().trim_end_matches('/')
        ));
        let call = Call {
            method: Method::GET,
            url,
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            body: bytes::Bytes::new(),
            limits: Limits::SHORT,
        };
        let answer = self.http.send(call).await?.whole()?;
        match answer.status.as_u16() {
            200 => self.endpoint_of(&answer.body),
            408 | 429 | 500.. => {
                let message = "the sign-in server is not available";
                Err(TokenError::new(TokenErrorKind::Unavailable, "system", message))
            }
            _ => Err(wrong(
                "the issuer has no document of what it offers: set `auth.tokenUrl`",
            )),
        }
    }

    /// The secret goes nowhere but to the issuer's own origin.
    fn endpoint_of(&self, body: &[u8]) -> Result<Url, TokenError> {
        let document: Document = serde_json::from_slice(body)
            .map_err(|_| wrong("the issuer's document names no token endpoint"))?;
        let slashless = |url: &str| url.trim_end_matches('/').to_owned();
        if slashless(&document.issuer) != slashless(self.issuer.as_str()) {
            return Err(wrong(
                "the issuer's document is another issuer's: check `auth.issuer`",
            ));
        }
        let endpoint = Url::parse(&document.token_endpoint).ok();
        endpoint
            .filter(|endpoint| same_origin(endpoint, &self.issuer))
            .ok_or_else(|| wrong("the issuer's tokens are issued at another host: set `auth.tokenUrl`"))
    }
}

fn wrong(message: &'static str) -> TokenError {
    TokenError::new(TokenErrorKind::Malformed, "configuration", message)
}
