//! What a request's body holds.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Code, Problem};
use crate::json::{self, OURS};

/// The largest JSON body, in bytes.
const MAX_JSON: usize = 256 * 1024;

/// The largest body of all, in bytes: what a function can be handed, with a third more for base64.
pub(super) const MAX_BODY: usize = 4 * 1024 * 1024;

/// The largest body of GraphQL, in bytes.
pub(super) const MAX_GRAPHQL: usize = 64 * 1024;

/// A JSON object.
#[derive(Debug)]
pub(super) struct JsonObject(pub(super) Map<String, Value>);

/// A JSON object read as what it should be.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// Lines of JSON.
#[derive(Debug)]
pub(super) struct Lines(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Self::read(request, MAX_JSON).await
    }
}

impl JsonObject {
    /// Reads an object of at most so many bytes.
    pub(super) async fn read(request: Request, limit: usize) -> Result<Self, Problem> {
        expect_type(request.headers(), &["application/json"])?;
        object(&bytes(request, limit).await?).map(Self)
    }
}

/// A request without a body says what `{}` does.
impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = bytes(request, MAX_JSON).await?;
        if bytes.is_empty() {
            return typed(Map::new()).map(Self);
        }
        expect_type(&headers, &["application/json"])?;
        typed(object(&bytes)?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        expect_type(request.headers(), &["application/x-ndjson", "application/jsonl"])?;
        bytes(request, MAX_BODY).await.map(Self)
    }
}

/// Reads a body whole, up to a limit.
pub(super) async fn bytes(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let too_large = |_| Problem::new(Code::TooLarge).because(format!("at most {limit} bytes are taken"));
    to_bytes(request.into_body(), limit).await.map_err(too_large)
}

/// Accepts JSON, under whichever name; whether it may be compressed is for its sender's scheme to say.
pub(super) fn expect_webhook_type(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next().and_then(|value| value.to_str().ok()), types.next());
    let is_json = |text: &str| {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let named = essence.strip_prefix("application/");
        let json = named.is_some_and(|name| name == "json" || name.ends_with("+json"));
        json && parts.all(|parameter| parameter.is_empty() || is_utf8(parameter))
    };
    match first.filter(|text| second.is_none() && is_json(text)) {
        Some(_) => Ok(()),
        None => Err(Problem::new(Code::UnsupportedMediaType).because("taken is application/json")),
    }
}

pub(super) fn expect_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Problem> {
    let refuse = |what: &str| Problem::new(Code::UnsupportedMediaType).because(what.to_owned());
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(refuse("bodies are taken as they are, without a Content-Encoding"));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next().and_then(|value| value.to_str().ok()), types.next());
    match first {
        Some(text) if second.is_none() && is_one_of(text, accepted) => Ok(()),
        _ => Err(refuse(&format!("taken is {}", accepted.join(" or ")))),
    }
}

fn is_one_of(content_type: &str, accepted: &[&str]) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = accepted
        .iter()
        .any(|accepted| accepted.eq_ignore_ascii_case(essence));
    known && parts.all(|parameter| parameter.is_empty() || is_utf8(parameter))
}

fn is_utf8(parameter: &str) -> bool {
    let plain = parameter.to_ascii_lowercase().replace('"', "");
    plain == "charset=utf-8" || plain == "charset=utf8"
}

/// Reads a JSON object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match json::parse(bytes, OURS) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::new(Code::InvalidJson).because("an object is expected")),
        Err(error) => Err(Problem::new(Code::InvalidJson).because(error.to_string())),
    }
}

/// Reads an object as what it should be; what is refused is named by its path and never repeated.
pub(super) fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
        let path = error.path().to_string();
        Problem::of_field(&path, reason(&error.into_inner().to_string()))
    })
}

/// The message names what was sent before it says what was expected: only the latter goes out.
fn reason(message: &str) -> String {
    match message.split_once("expected ") {
        Some((_, expected)) if message.starts_with("unknown field") => {
            format!("is not known: expected {expected}")
        }
        Some((_, expected)) => format!("must be {expected}"),
        None if message.starts_with("missing field") => message.to_owned(),
        None => "is not valid".to_owned(),
    }
}
