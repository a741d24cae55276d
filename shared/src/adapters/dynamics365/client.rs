//! One function per endpoint, and what all requests have in common: gate, token, headers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::batch::{self, Unit};
use super::error::{self, Effect, Refused};
use super::map;
use super::table::Table;
use super::wire::{
    self, AttributeDefinition, Definitions, EntityDefinition, ErrorEnvelope, KeyDefinition, WhoAmI,
};
use crate::adapter::{Error, ErrorKind, Result};
use crate::adapters::session::Session;
use crate::clock::Clock;
use crate::http::{Answer, Call, Http, Limits, same_origin};
use crate::oauth::{AccessToken, TokenSource};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// Speaks with one environment as one application.
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) tokens: TokenSource,
    pub(super) session: Arc<Session>,
    pub(super) clock: Arc<dyn Clock>,
    /// Where the resources of the Web API stand, with a slash at the end.
    pub(super) root: Url,
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
    /// Returns the address of a resource, such as `contacts?$select=…`.
    pub(super) fn url(&self, resource: &str) -> Result<Url> {
        let wrong = |_| Error::new(ErrorKind::Unsupported, "the settings make no address");
        self.root.join(resource).map_err(wrong)
    }

    /// Returns the path of a resource, as the parts of a batch name it.
    pub(super) fn path(&self, resource: &str) -> String {
        format!("{}{resource}", self.root.path())
    }

    /// Returns the address that a link of the system leads to.
    ///
    /// # Errors
    ///
    /// `Malformed` where it leads to another origin: the token is not carried there.
    pub(super) fn follow(&self, link: &str) -> Result<Url> {
        let url = Url::parse(link).ok().filter(|url| same_origin(url, &self.root));
        url.ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "a link leads to another host, and is not followed",
            )
        })
    }

    /// Reads a page of rows.
    pub(super) async fn get_page(&self, url: Url, prefer: &str) -> Result<Answer> {
        let header = |_| Error::new(ErrorKind::Unsupported, "the settings make no header");
        let prefer = HeaderValue::from_str(prefer).map_err(header)?;
        let answer = self.send(ask(url, vec![(PREFER, prefer)], Limits::PAGE)).await?;
        let answer = self.success(answer, Effect::Reads, None)?;
        json(&answer).map(|()| answer)
    }

    /// Sends units of work; each is done or not on its own.
    pub(super) async fn post_batch(&self, units: &[&Unit], effect: Effect) -> Result<Answer> {
        let batch = batch::write(units);
        let header = |_| Error::new(ErrorKind::Unsupported, "a batch has no content type");
        let content_type = HeaderValue::from_str(&batch.content_type).map_err(header)?;
        let prefer = HeaderValue::from_static("odata.continue-on-error");
        let answer = self.send(Ask {
            method: Method::POST,
            url: self.url("$batch")?,
            headers: vec![(CONTENT_TYPE, content_type), (PREFER, prefer)],
            body: batch.body.into(),
            limits: Limits::PAGE,
            effect,
        });
        let answer = answer.await?;
        match answer.media_type().as_str() {
            "multipart/mixed" => Ok(answer),
            _ if answer.status.is_success() => Err(self.unknown_form(effect)),
            _ => self.success(answer, effect, None),
        }
    }

    /// Asks who this service is to the environment.
    pub(super) async fn who_am_i(&self) -> Result<(Box<str>, Answer)> {
        let answer = self.get("WhoAmI").await?;
        let me: WhoAmI = wire::short(&answer.body).map_err(error::misread)?;
        match map::guid(&me.user_id) {
            Some(id) => Ok((id, answer)),
            None => Err(Error::new(
                ErrorKind::Malformed,
                "the environment does not say who we are",
            )),
        }
    }

    /// Returns the id of the user that this service is, asked for once in the life of the process.
    pub(super) async fn user(&self) -> Result<&str> {
        let ask = async || self.who_am_i().await.map(|(id, _)| id);
        self.session.user.get_or_try_init(ask).await.map(|id| &**id)
    }

    /// Reads one row of a table, only to see that it can be read.
    pub(super) async fn get_one(&self, table: &Table) -> Result<Answer> {
        self.get(&format!("{}?$select={}&$top=1", table.entity_set, table.select()))
            .await
    }

    /// Reads what a table is.
    pub(super) async fn get_entity_definition(&self, table: &Table) -> Result<EntityDefinition> {
        let select = "LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled";
        self.get_json(&format!("{}?$select={select}", definition(table)))
            .await
    }

    /// Reads the alternate keys of a table.
    pub(super) async fn get_keys(&self, table: &Table) -> Result<Vec<KeyDefinition>> {
        let resource = format!(
            "{}/Keys?$select=KeyAttributes,EntityKeyIndexStatus",
            definition(table)
        );
        self.get_json(&resource)
            .await
            .map(|list: Definitions<_>| list.value)
    }

    /// Reads the columns of a table.
    pub(super) async fn get_attributes(&self, table: &Table) -> Result<Vec<AttributeDefinition>> {
        let resource = format!(
            "{}/Attributes?$select=LogicalName,AttributeType",
            definition(table)
        );
        self.get_json(&resource)
            .await
            .map(|list: Definitions<_>| list.value)
    }

    /// Reads the text columns of a table, with their greatest lengths.
    pub(super) async fn get_string_attributes(&self, table: &Table) -> Result<Vec<AttributeDefinition>> {
        let cast = "Microsoft.Dynamics.CRM.StringAttributeMetadata";
        let resource = format!(
            "{}/Attributes/{cast}?$select=LogicalName,MaxLength",
            definition(table)
        );
        self.get_json(&resource)
            .await
            .map(|list: Definitions<_>| list.value)
    }

    /// Writes one row outside a batch: `POST` makes it and answers with it, and `PATCH` makes none.
    pub(super) async fn write_row(
        &self,
        method: Method,
        resource: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let condition = match method {
            Method::POST => Some((PREFER, HeaderValue::from_static("return=representation"))),
            Method::PATCH => Some((IF_MATCH, HeaderValue::from_static("*"))),
            _ => None,
        };
        let content_type = body.map(|_| (CONTENT_TYPE, HeaderValue::from_static("application/json")));
        let answer = self.send(Ask {
            method,
            url: self.url(resource)?,
            headers: condition.into_iter().chain(content_type).collect(),
            body: body.map(Value::to_string).unwrap_or_default().into(),
            limits: Limits::PATIENT,
            effect: Effect::Writes,
        });
        self.success(answer.await?, Effect::Writes, None)
    }

    pub(super) async fn get_json<T: DeserializeOwned>(&self, resource: &str) -> Result<T> {
        let answer = self.get(resource).await?;
        wire::short(&answer.body).map_err(error::misread)
    }

    async fn get(&self, resource: &str) -> Result<Answer> {
        let answer = self
            .send(ask(self.url(resource)?, Vec::new(), Limits::METADATA))
            .await?;
        let answer = self.success(answer, Effect::Reads, None)?;
        json(&answer)?;
        match wire::short::<ErrorEnvelope>(&answer.body) {
            Ok(envelope) => Err(self
                .refused(&answer, Effect::Reads)
                .with_body(Some(&envelope.error), None)),
            Err(_) => Ok(answer),
        }
    }

    /// Sends a request, with another token if the first is refused.
    async fn send(&self, ask: Ask) -> Result<Answer> {
        self.pass_gate()?;
        let token = self.tokens.token().await?;
        let answer = self.exchange(&ask, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return self.heed(answer, ask.effect);
        }
        let token = self.tokens.renew(&token).await?;
        let answer = self.exchange(&ask, &token).await?;
        self.heed(answer, ask.effect)
    }

    fn pass_gate(&self) -> Result<()> {
        match self.session.gate.shut_until(self.clock.now()) {
            None => Ok(()),
            Some(until) => Err(Error::new(
                ErrorKind::RateLimited { until },
                "the system wanted to be left alone",
            )),
        }
    }

    async fn exchange(&self, ask: &Ask, token: &AccessToken) -> Result<Answer> {
        let call = Call {
            method: ask.method.clone(),
            url: ask.url.clone(),
            headers: headers(ask, token)?,
            body: ask.body.clone(),
            limits: ask.limits,
        };
        self.http
            .send(call)
            .await
            .map_err(|failure| error::unanswered(&failure, ask.effect))
    }

    /// Shuts the gate where the system wants to be left alone.
    fn heed(&self, answer: Answer, effect: Effect) -> Result<Answer> {
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED => self.success(answer, effect, None),
            _ => Ok(answer),
        }
    }

    /// Returns the answer if it is a whole success.
    fn success(&self, answer: Answer, effect: Effect, table: Option<&Table>) -> Result<Answer> {
        if answer.status.is_success() {
            return answer
                .whole()
                .map_err(|failure| error::unanswered(&failure, effect));
        }
        Err(self.shutting(self.refused(&answer, effect).told(table)))
    }

    pub(super) fn refused<'a>(&self, answer: &'a Answer, effect: Effect) -> Refused<'a> {
        Refused {
            status: answer.status,
            headers: &answer.headers,
            body: &answer.body,
            effect,
            now: self.clock.now(),
        }
    }

    /// Passes an error on; one that sets a limit is a limit for every later call of this process.
    pub(super) fn shutting(&self, error: Error) -> Error {
        if let ErrorKind::RateLimited { until } = error.kind() {
            self.session.gate.shut(until);
        }
        error
    }

    fn unknown_form(&self, effect: Effect) -> Error {
        match effect {
            Effect::Reads => Error::new(ErrorKind::Malformed, "the answer to a batch is not one"),
            Effect::Writes => Error::new(ErrorKind::Unknown, "the answer to a batch is not one"),
        }
    }
}

fn definition(table: &Table) -> String {
    format!("EntityDefinitions(LogicalName='{}')", table.logical_name)
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

fn headers(ask: &Ask, token: &AccessToken) -> Result<HeaderMap> {
    let unfit = |_| Error::new(ErrorKind::Malformed, "the token does not fit into a header");
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.value().expose_secret())).map_err(unfit)?;
    bearer.set_sensitive(true);
    let id = HeaderValue::from_str(&Uuid::new_v4().to_string()).map_err(unfit)?;
    let mut headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (
            HeaderName::from_static("odata-version"),
            HeaderValue::from_static("4.0"),
        ),
        (
            HeaderName::from_static("odata-maxversion"),
            HeaderValue::from_static("4.0"),
        ),
        (http::header::IF_NONE_MATCH, HeaderValue::from_static("null")),
        (AUTHORIZATION, bearer),
        (CLIENT_REQUEST_ID, id),
    ]);
    headers.extend(ask.headers.iter().cloned());
    Ok(headers)
}

fn json(answer: &Answer) -> Result<()> {
    match answer.media_type().as_str() {
        "application/json" => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Malformed,
            "the answer is not JSON: something else answers at this address",
        )),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("root", &self.root.as_str())
            .finish_non_exhaustive()
    }
}
