//! One function per endpoint, and what all requests have in common: gate, token, headers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::columns::View;
use super::error::{self, Effect};
use super::key::Key;
use super::paths::Paths;
use super::wire::{self, Envelope, Page};
use crate::adapter::{Error, ErrorKind, Result};
use crate::adapters::session::Session;
use crate::clock::Clock;
use crate::http::{Answer, Call, Http, Limits, same_origin};
use crate::oauth::{AccessToken, TokenSource};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Speaks with one portal as one application.
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) tokens: TokenSource,
    pub(super) session: Arc<Session>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) base_url: Url,
    pub(super) paths: Paths,
}

/// A request, but for what all requests have in common.
struct Ask {
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    limits: Limits,
    effect: Effect,
}

impl Client {
    /// Returns the address of a view's rows, all of them without a filter.
    pub(super) fn view(&self, view: View, select: &str, filter: Option<&str>) -> Result<Url> {
        let mut url = self.url(&format!("{}/{}", self.paths.views, view.name()))?;
        let mut query = url.query_pairs_mut();
        query.append_pair("$select", select);
        if let Some(filter) = filter {
            query.append_pair("$filter", filter);
        }
        drop(query);
        // A space is written as %20: not every OData server reads + for one.
        let encoded = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(encoded.as_deref());
        Ok(url)
    }

    /// Returns the address that a link of the portal leads to.
    ///
    /// # Errors
    ///
    /// `Malformed` where it leads to another origin: the token is not carried there.
    pub(super) fn follow(&self, link: &str) -> Result<Url> {
        let url = Url::parse(link)
            .ok()
            .filter(|url| same_origin(url, &self.base_url));
        url.ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "a link leads to another host, and is not followed",
            )
        })
    }

    /// Returns the address of the next page.
    ///
    /// # Errors
    ///
    /// `Malformed` where it leads to another origin, or to the page that names it.
    pub(super) fn next(&self, page: &Url, link: &str) -> Result<Url> {
        let next = self.follow(link)?;
        match next == *page {
            true => Err(Error::new(
                ErrorKind::Malformed,
                "a page names itself as the next one",
            )),
            false => Ok(next),
        }
    }

    /// Reads a page of a view; `size` is what the page is to have at most.
    pub(super) async fn get_page(&self, url: Url, size: u64, limits: Limits) -> Result<(Page, Answer)> {
        let header = |_| Error::new(ErrorKind::Unsupported, "the settings make no header");
        let prefer = HeaderValue::from_str(&format!("odata.maxpagesize={size}")).map_err(header)?;
        let answer = self.send(ask(url, vec![(PREFER, prefer)], limits)).await?;
        let answer = self.success(answer, Effect::Reads)?;
        error::check_json(&answer, Effect::Reads)?;
        let refusal =
            wire::read::<Envelope>(&answer.body).is_ok_and(|envelope| envelope.told_status().is_some());
        let page: Page =
            wire::read(&answer.body).map_err(|misread| error::misread(misread, Effect::Reads))?;
        match page.error.is_some() || refusal {
            true => Err(self.shutting(error::refused(&answer, Effect::Reads, self.clock.now()))),
            false => Ok((page, answer)),
        }
    }

    /// Reads what the portal says of one enrolment right now; nothing where it says that there is none.
    pub(super) async fn get_details(&self, key: &Key) -> Result<Option<Value>> {
        let mut url = self.url(&self.paths.details)?;
        url.query_pairs_mut()
            .append_pair("externalId", &key.member)
            .append_pair("learningObjectId", &key.course);
        let answer = self.send(ask(url, Vec::new(), Limits::LIST)).await?;
        match self.enveloped(answer, Effect::Reads) {
            Ok(data) => Ok(Some(data)),
            Err(error) if is_no_record(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes one enrolment; `more` is what is told besides which one.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        key: &Key,
        more: &[(&str, Value)],
    ) -> Result<()> {
        let mut body = json!({ "externalId": key.member, "learningObjectId": key.course });
        for (name, value) in more {
            body[*name] = value.clone();
        }
        let answer = self.send(Ask {
            method,
            url: self.url(path)?,
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: body.to_string().into(),
            limits: Limits::PATIENT,
            effect: Effect::Writes,
        });
        self.enveloped(answer.await?, Effect::Writes).map(drop)
    }

    fn url(&self, path: &str) -> Result<Url> {
        let wrong = |_| Error::new(ErrorKind::Unsupported, "the settings make no address");
        self.base_url.join(path).map_err(wrong)
    }

    /// Returns the data of an answer that is a success by its status and by its envelope.
    fn enveloped(&self, answer: Answer, effect: Effect) -> Result<Value> {
        let answer = self.success(answer, effect)?;
        error::check_json(&answer, effect)?;
        let envelope: Envelope =
            wire::read(&answer.body).map_err(|misread| error::misread(misread, effect))?;
        match envelope.is_success() {
            true => Ok(envelope.data),
            false => Err(self.shutting(error::refused(&answer, effect, self.clock.now()))),
        }
    }

    /// Sends a request, with another token if the first is refused.
    async fn send(&self, ask: Ask) -> Result<Answer> {
        self.pass_gate()?;
        let token = self.tokens.token().await?;
        let answer = self.exchange(&ask, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.tokens.renew(&token).await?;
        self.pass_gate()?;
        self.exchange(&ask, &token).await
    }

    fn pass_gate(&self) -> Result<()> {
        match self.session.gate.shut_until(self.clock.now()) {
            None => Ok(()),
            Some(until) => Err(Error::new(
                ErrorKind::RateLimited { until },
                "Cornerstone wants to be left alone for the rest of the minute",
            )),
        }
    }

    /// Sends a request once; where the answer is the last one of this minute, nothing more is sent in it.
    async fn exchange(&self, ask: &Ask, token: &AccessToken) -> Result<Answer> {
        let call = Call {
            method: ask.method.clone(),
            url: ask.url.clone(),
            headers: headers(ask, token)?,
            body: ask.body.clone(),
            limits: ask.limits,
        };
        let answer = self.http.send(call).await;
        let answer = answer.map_err(|failure| error::unanswered(&failure, ask.effect))?;
        if error::is_last(&answer.headers) {
            self.session.gate.shut(error::next_minute(self.clock.now()));
        }
        Ok(answer)
    }

    /// Returns the answer if it is a whole success.
    fn success(&self, answer: Answer, effect: Effect) -> Result<Answer> {
        if answer.status.is_success() {
            return answer
                .whole()
                .map_err(|failure| error::unanswered(&failure, effect));
        }
        Err(self.shutting(error::refused(&answer, effect, self.clock.now())))
    }

    /// Passes an error on; one that sets a limit is a limit for every later call of this process.
    fn shutting(&self, error: Error) -> Error {
        if let ErrorKind::RateLimited { until } = error.kind() {
            self.session.gate.shut(until);
        }
        error
    }
}

fn ask(url: Url, headers: Vec<(HeaderName, HeaderValue)>, limits: Limits) -> Ask {
    Ask {
        method: Method::GET,
        url,
        headers,
        body: Bytes::new(),
        limits,
        effect: Effect::Reads,
    }
}

/// Without `Accept` the older endpoints answer in XML.
fn headers(ask: &Ask, token: &AccessToken) -> Result<HeaderMap> {
    let unfit = |_| Error::new(ErrorKind::Malformed, "the token does not fit into a header");
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.value().expose_secret())).map_err(unfit)?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (AUTHORIZATION, bearer),
    ]);
    headers.extend(ask.headers.iter().cloned());
    Ok(headers)
}

/// Says whether an answer says that there is no such enrolment, rather than no such path.
fn is_no_record(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.fact("of") == Some("record")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}
