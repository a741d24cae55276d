//! The gate that requests with an `Idempotency-Key` pass.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::row::{Answer, Claim, Verdict, claim, row_key};
use crate::api::body::{MAX_BODY, bytes};
use crate::api::place::InOrganization;
use crate::api::{Code, Problem};
use crate::flow::{Attempt, Ports};

/// The longest key, in characters.
const MAX_KEY: usize = 255;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Says that an answer is one that was kept.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The headers that are kept with an answer.
const KEPT_HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// What is kept of an answer, where that is less than what is answered: a secret is shown once.
#[derive(Debug, Clone)]
pub(in crate::api) struct Kept(Bytes);

impl Kept {
    /// Keeps another body of JSON.
    pub(in crate::api) fn json(body: &impl Serialize) -> Self {
        Self(serde_json::to_vec(body).unwrap_or_default().into())
    }
}

/// Which attempt at a request an endpoint serves.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::api) struct Again(pub(in crate::api) Attempt);

impl<S: Send + Sync> FromRequestParts<S> for Again {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get().copied().unwrap_or_default())
    }
}

/// Lets a request through once for each key; one without a key, that changes nothing, or that is about no organization, as
/// it is: keys are kept by organization and caller, and whoever sends a webhook is none.
pub(in crate::api) async fn gate(State(ports): State<Ports>, request: Request, next: Next) -> Response {
    if !is_of_an_organization(&request) {
        return next.run(request).await;
    }
    match key_of(request.method(), request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => {
            let passed = once(&ports, request, next, &key).await;
            passed.unwrap_or_else(IntoResponse::into_response)
        }
        Err(problem) => problem.into_response(),
    }
}

fn is_of_an_organization(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    let names = |path: &MatchedPath| {
        ["{organizationId}", "{integrationId}"]
            .iter()
            .any(|name| path.as_str().contains(name))
    };
    path.is_some_and(names)
}

fn key_of(method: &Method, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next().filter(|_| !method.is_safe()) else {
        return Ok(None);
    };
    let fits = |key: &&str| (1..=MAX_KEY).contains(&key.len()) && !key.contains(',');
    match (value.to_str().ok().filter(fits), values.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => {
            let rule = format!("it must be given once, with 1 to {MAX_KEY} visible characters and no comma");
            Err(Problem::new(Code::InvalidIdempotencyKey).because(rule))
        }
    }
}

async fn once(ports: &Ports, request: Request, next: Next, key: &str) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let place = InOrganization::from_request_parts(&mut parts, ports).await?;
    let body = bytes(Request::new(body), MAX_BODY).await?;
    let row = row_key(&place.organization, &place.caller, key);
    match claim(&*ports.store, row, &fingerprint(&parts, &body), ports.now()).await? {
        Verdict::Act { claim, resumes } => {
            parts.extensions.insert(Again(Attempt { resumes }));
            let request = Request::from_parts(parts, Body::from(body));
            settle(ports, claim, next.run(request).await).await
        }
        Verdict::Done(answer) => Ok(replayed(answer)),
        Verdict::Running => Err(Problem::new(Code::IdempotencyInProgress)),
        Verdict::Reused => Err(Problem::new(Code::IdempotencyKeyReused)),
    }
}

fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), body] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}

/// Keeps the answer of what succeeded. Where that fails the caller is told the truth, and a repetition finds the work.
async fn settle(ports: &Ports, claim: Claim, response: Response) -> Result<Response, Problem> {
    let store = &*ports.store;
    if !is_final(&response) {
        warn(claim.give_back(store).await);
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let kept = head.extensions.get::<Kept>().map_or(&body, |kept| &kept.0);
    if let Some(answer) = answer(&head, kept) {
        warn(claim.keep(store, answer).await);
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

/// An answer that asks for a repetition must not stand in its way.
fn is_final(response: &Response) -> bool {
    response.status().is_success() && !response.headers().contains_key(header::RETRY_AFTER)
}

fn warn(answer: Result<(), crate::store::StoreError>) {
    if let Err(error) = answer {
        tracing::warn!(?error, "left an idempotency key to run out");
    }
}

fn answer(head: &http::response::Parts, body: &Bytes) -> Option<Answer> {
    let kept = KEPT_HEADERS.iter().filter_map(|name| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    Some(Answer {
        status: head.status.as_u16(),
        headers: kept.collect(),
        body: String::from_utf8(body.to_vec()).ok()?,
    })
}

fn replayed(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
