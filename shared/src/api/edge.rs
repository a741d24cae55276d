//! What every request passes first and last: it is named, logged, and answered whatever happens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Caller, Code, Problem, RequestId};
use crate::clock::Clock;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names, logs and answers a request, also where an endpoint panics.
pub(super) async fn edge(State(clock): State<Arc<dyn Clock>>, mut request: Request, next: Next) -> Response {
    let began = clock.now();
    let id = named(&mut request);
    let line = Line::of(&request, &id);
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = caught.unwrap_or_else(|_| Problem::new(Code::Internal).into_response());
    let response = finish(response, &id);
    let elapsed = clock.now().duration_since(began);
    line.write(&response, elapsed.as_millis());
    response
}

fn named(request: &mut Request) -> Arc<str> {
    if let Some(RequestId(id)) = request.extensions().get() {
        return Arc::clone(id);
    }
    let id: Arc<str> = uuid::Uuid::new_v4().to_string().into();
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    id
}

fn finish(response: Response, id: &str) -> Response {
    let mut response = match response.extensions().get::<Problem>() {
        Some(problem) => renamed(problem.clone().at(id), &response),
        None => response,
    };
    let headers = response.headers_mut();
    secure(headers);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// Adds what browsers and caches are to do with an answer: nothing.
pub(super) fn secure(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
}

/// Keeps the headers that a route added, such as `Allow`.
fn renamed(problem: Problem, before: &Response) -> Response {
    let mut response = problem.into_response();
    for (name, value) in before.headers() {
        if !response.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

/// Has the line of an answer written only for who looks into something: another line tells of it already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quiet;

/// What is logged of a request; nothing of its content.
struct Line {
    method: http::Method,
    route: String,
    caller: Option<String>,
    id: Arc<str>,
}

impl Line {
    fn of(request: &Request, id: &Arc<str>) -> Self {
        let extensions = request.extensions();
        let route = extensions.get::<MatchedPath>();
        Self {
            method: request.method().clone(),
            route: route.map_or("none", |path| path.as_str()).to_owned(),
            caller: extensions.get::<Caller>().map(|caller| caller.name().to_owned()),
            id: Arc::clone(id),
        }
    }

    fn write(&self, response: &Response, duration_ms: i128) {
        if response.extensions().get::<Quiet>().is_some() {
            tracing::debug!(request.id = %self.id, http.route = self.route, duration_ms, "answered");
            return;
        }
        let code = response.extensions().get::<Problem>().map(|problem| problem.code);
        tracing::info!(
            request.id = %self.id,
            http.method = %self.method,
            http.route = self.route,
            http.status = response.status().as_u16(),
            caller = self.caller,
            code = ?code,
            duration_ms,
            "answered",
        );
    }
}
