//! What all requests have in common: gate, credentials, headers, and what their answers mean.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::answers::{self, Answers, Effect, Said};
use crate::adapter::{Error, ErrorKind, Result};
use crate::adapters::session::Session;
use crate::clock::Clock;
use crate::http::{Answer, Call, Http, Limits, same_origin};
use crate::oauth::TokenSource;

/// Speaks with one system.
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) key: Key,
    pub(super) session: Arc<Session>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) base_url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) answers: Answers,
}

/// What opens the system.
pub(super) enum Key {
    Header(HeaderName, HeaderValue),
    Tokens(Box<TokenSource>),
}

/// A request, but for what all requests have in common.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Value>,
    pub(super) if_match: Option<String>,
    pub(super) effect: Effect,
}

impl Key {
    /// Shows a secret as it is.
    pub(super) fn plain(header: HeaderName, secret: &SecretString) -> Option<Self> {
        Self::sensitive(header, secret.expose_secret())
    }

    pub(super) fn bearer(secret: &SecretString) -> Option<Self> {
        Self::sensitive(AUTHORIZATION, &format!("Bearer {}", secret.expose_secret()))
    }

    pub(super) fn basic(user: &str, password: &SecretString) -> Option<Self> {
        let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        Self::sensitive(AUTHORIZATION, &format!("Basic {pair}"))
    }

    fn sensitive(header: HeaderName, text: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(Self::Header(header, value))
    }
}

impl Ask {
    /// Asks for something.
    pub(super) const fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
            if_match: None,
            effect: Effect::Reads,
        }
    }
}

impl Client {
    /// Returns the address that a link of the system leads to, taken from where it stood.
    ///
    /// # Errors
    ///
    /// `Malformed` where it leads to another origin: the credentials are not carried there.
    pub(super) fn follow(&self, from: &Url, link: &str) -> Result<Url> {
        let url = from
            .join(link)
            .ok()
            .filter(|url| same_origin(url, &self.base_url));
        let plain = |url: &Url| url.username().is_empty() && url.password().is_none();
        url.filter(plain).ok_or_else(|| {
            let message = "a link leads to another host, and is not followed";
            Error::new(ErrorKind::Malformed, message)
        })
    }

    /// Sends a request, with another token if the first is refused; returns the answer if it is a success.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Said> {
        if let Some(until) = self.session.gate.shut_until(self.clock.now()) {
            let message = "the system wanted to be left alone";
            return Err(Error::new(ErrorKind::RateLimited { until }, message));
        }
        let answer = match &self.key {
            Key::Header(name, value) => self.exchange(ask, (name.clone(), value.clone())).await?,
            Key::Tokens(tokens) => self.send_with(ask, tokens).await?,
        };
        let whole = answer.whole();
        let said = Said::new(whole.map_err(|failure| answers::unanswered(&failure, ask.effect))?);
        let judged = self.answers.judge(&said, ask.effect, self.clock.now());
        judged.map(|()| said).inspect_err(|error| {
            // A limit is one for every later call of this process.
            if let ErrorKind::RateLimited { until } = error.kind() {
                self.session.gate.shut(until);
            }
        })
    }

    /// Sends a request whose answer must be JSON.
    pub(super) async fn read(&self, ask: &Ask) -> Result<(Said, Value)> {
        let mut said = self.send(ask).await?;
        match said.json.take() {
            Some(json) => Ok((said, json)),
            None => {
                let message = "the answer is not JSON: something else answers at this address";
                Err(Error::new(ErrorKind::Malformed, message).with("status", said.answer.status.as_u16()))
            }
        }
    }

    async fn send_with(&self, ask: &Ask, tokens: &TokenSource) -> Result<Answer> {
        let bearer = |token: &SecretString| match Key::bearer(token) {
            Some(Key::Header(name, value)) => Ok((name, value)),
            _ => Err(Error::new(
                ErrorKind::Malformed,
                "the token does not fit into a header",
            )),
        };
        let token = tokens.token().await?;
        let answer = self.exchange(ask, bearer(token.value())?).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = tokens.renew(&token).await?;
        self.exchange(ask, bearer(token.value())?).await
    }

    async fn exchange(&self, ask: &Ask, key: (HeaderName, HeaderValue)) -> Result<Answer> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        headers.extend(self.headers.iter().cloned());
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(version) = &ask.if_match {
            let message = "the row's version cannot be sent back: it is not plain text";
            let odd = |_| Error::new(ErrorKind::Rejected, message);
            headers.insert(IF_MATCH, HeaderValue::from_str(version).map_err(odd)?);
        }
        headers.insert(key.0, key.1);
        let call = Call {
            method: ask.method.clone(),
            url: ask.url.clone(),
            headers,
            body: ask
                .body
                .as_ref()
                .map_or_else(Bytes::new, |body| body.to_string().into()),
            limits: match ask.effect {
                Effect::Reads => READ,
                Effect::Writes => WRITE,
            },
        };
        let answer = self.http.send(call).await;
        answer.map_err(|failure| answers::unanswered(&failure, ask.effect))
    }
}

/// What a page may take; it is held whole, and takes several times its size.
const READ: Limits = Limits {
    total: std::time::Duration::from_secs(50),
    body: 16 << 20,
};

/// What a write may take: its answer shows a row at most.
const WRITE: Limits = Limits {
    total: std::time::Duration::from_secs(30),
    body: 1 << 20,
};

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}
