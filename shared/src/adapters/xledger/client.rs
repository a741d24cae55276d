//! One function for a document, one for all pages of a connection, and what all requests have in common: gate, token, headers.
//!
//! A document is made of names that stand here or in checked settings; every value travels as a variable.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;

use super::error::{self, Effect};
use super::refusal::Refusal;
use super::wire::{Connection, Rows};
use crate::adapter::{Error, ErrorKind, Result};
use crate::adapters::session::Session;
use crate::clock::Clock;
use crate::http::{Call, Http, Limits};

/// How long a write may take: together with the look that may follow it, less than what is left of a claim.
pub(super) const WRITE: Limits = Limits {
    total: Duration::from_secs(40),
    body: 1 << 20,
};

/// The most pages of one listing.
const PAGES: usize = 1000;

/// Speaks with Xledger's GraphQL by one API token.
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) session: Arc<Session>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) url: Url,
    pub(super) token: SecretString,
    pub(super) page_size: u64,
    pub(super) refusal: Refusal,
}

/// A connection of the query root, and which of its rows are wanted.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    /// Its name.
    pub(super) connection: &'static str,
    /// What of a row is wanted.
    pub(super) fields: &'static str,
    /// What must hold of a row.
    pub(super) conditions: Vec<Condition>,
    /// Whether only rows that are in use are wanted.
    pub(super) open: bool,
    pub(super) limits: Limits,
}

/// What must hold of a row.
#[derive(Clone)]
pub(super) struct Condition {
    /// The name of the filter's field, such as `code_in`.
    pub(super) name: String,
    /// The type of the value, in the words of GraphQL.
    pub(super) kind: &'static str,
    pub(super) value: Value,
}

/// Hides the value: it may be a claimant's code.
impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Listing {
    pub(super) const fn of(connection: &'static str, fields: &'static str) -> Self {
        Self {
            connection,
            fields,
            conditions: Vec::new(),
            open: false,
            limits: Limits::LIST,
        }
    }

    #[must_use]
    pub(super) fn with(mut self, name: impl Into<String>, kind: &'static str, value: Value) -> Self {
        let name = name.into();
        self.conditions.push(Condition { name, kind, value });
        self
    }

    /// Returns the document, with a variable for each condition.
    fn document(&self) -> String {
        let conditions = || self.conditions.iter().enumerate();
        let declared: String = conditions()
            .map(|(at, condition)| format!(",$c{at}:{}", condition.kind))
            .collect();
        let filter: Vec<String> = conditions()
            .map(|(at, condition)| format!("{}:$c{at}", condition.name))
            .collect();
        let filter = match filter.is_empty() {
            true => String::new(),
            false => format!(",filter:{{{}}}", filter.join(",")),
        };
        let status = if self.open { ",objectStatus:OPEN" } else { "" };
        format!(
            "query($first:Int,$after:String{declared}){{rows:{}(first:$first,after:$after{filter}{status}){{\
             edges{{cursor node{{{}}}}}pageInfo{{hasNextPage}}}}}}",
            self.connection, self.fields,
        )
    }

    fn variables(&self, first: u64, after: Option<&str>) -> Value {
        let conditions = self.conditions.iter().enumerate();
        let mut variables: Map<String, Value> = conditions
            .map(|(at, condition)| (format!("c{at}"), condition.value.clone()))
            .collect();
        variables.insert("first".to_owned(), first.into());
        variables.insert("after".to_owned(), after.into());
        Value::Object(variables)
    }
}

impl Client {
    /// Sends a document, and returns its data.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        document: &str,
        variables: &Value,
        effect: Effect,
        limits: Limits,
    ) -> Result<T> {
        self.pass_gate()?;
        let body = json!({ "query": document, "variables": variables }).to_string();
        let call = Call {
            method: Method::POST,
            url: self.url.clone(),
            headers: self.headers()?,
            body: body.into(),
            limits,
        };
        let answer = self.http.send(call).await;
        let answer = answer.map_err(|failure| error::unanswered(&failure, effect))?;
        let data = error::data(answer, effect, self.clock.now()).map_err(|error| self.shutting(error))?;
        // Serde's own message repeats what it read.
        serde_json::from_value(data)
            .map_err(|_| effect.misread("the answer is JSON of another shape than documented"))
    }

    /// Asks whether anybody is there who knows the token.
    pub(super) async fn greet(&self) -> Result<()> {
        let greeted: Value = self
            .ask("query{__typename}", &json!({}), Effect::Reads, Limits::SHORT)
            .await?;
        match greeted.get("__typename") {
            Some(Value::String(_)) => Ok(()),
            _ => Err(Effect::Reads.misread("the system does not say what it is")),
        }
    }

    /// Reads one row, only to see that rows can be read.
    pub(super) async fn peek(&self, listing: &Listing) -> Result<()> {
        let page: Result<Rows<Connection<Value>>> = self
            .ask(
                &listing.document(),
                &listing.variables(1, None),
                Effect::Reads,
                listing.limits,
            )
            .await;
        page.map(drop)
    }

    /// Reads all rows of a listing; where a page is too large for the system, smaller ones.
    pub(super) async fn read_all<T: DeserializeOwned>(&self, listing: &Listing) -> Result<Vec<T>> {
        let (document, mut first) = (listing.document(), self.page_size);
        let (mut rows, mut after): (Vec<T>, Option<String>) = (Vec::new(), None);
        for _ in 0..PAGES {
            let variables = listing.variables(first, after.as_deref());
            let asked = self
                .ask(&document, &variables, Effect::Reads, listing.limits)
                .await;
            let Rows { rows: page }: Rows<Connection<T>> = match asked {
                Err(error) if error::is_too_large(&error) && first > 1 => {
                    first /= 2;
                    continue;
                }
                asked => asked?,
            };
            let last = page.edges.last().map(|edge| edge.cursor.clone());
            rows.extend(page.edges.into_iter().map(|edge| edge.node));
            if !page.page_info.has_next_page {
                return Ok(rows);
            }
            if last.is_none() || last == after {
                return Err(Effect::Reads.misread("there is another page, and no way to it"));
            }
            after = last;
        }
        Err(Effect::Reads.misread("the listing does not end"))
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

    /// Passes an error on; one that sets a limit is a limit for every later call of this process.
    fn shutting(&self, error: Error) -> Error {
        self.refusal.note(&error);
        if let ErrorKind::RateLimited { until } = error.kind() {
            self.session.gate.shut(until);
        }
        error
    }

    fn headers(&self) -> Result<HeaderMap> {
        let unfit = |_| Error::new(ErrorKind::Unsupported, "the API token does not fit into a header");
        let token = format!("token {}", self.token.expose_secret());
        let mut authorization = HeaderValue::from_str(&token).map_err(unfit)?;
        authorization.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        Ok(HeaderMap::from_iter([
            (ACCEPT, json.clone()),
            (CONTENT_TYPE, json),
            (AUTHORIZATION, authorization),
        ]))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}
