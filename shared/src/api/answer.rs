//! Answers requests: the routes of one function, between the gates that every request passes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::middleware::from_fn_with_state;
use http::{Request, Response};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

use super::{Code, Problem, access, edge, idempotency};
use crate::clock::Clock;
use crate::flow::Ports;

/// Answers the requests of one function.
#[derive(Debug, Clone)]
pub struct Api(Router);

impl Api {
    /// Puts routes of organizations between the gates.
    pub fn new(routes: OpenApiRouter, ports: &Ports) -> Self {
        let once = from_fn_with_state(ports.clone(), idempotency::gate);
        Self::gated(routes, |routes| routes.route_layer(once), &ports.clock)
    }

    /// Puts routes between the gates that belong to no organization, and so have no keys of idempotency.
    pub fn of_no_organization(routes: OpenApiRouter, clock: &Arc<dyn Clock>) -> Self {
        Self::gated(routes, |routes| routes, clock)
    }

    fn gated(routes: OpenApiRouter, inner: impl FnOnce(Router) -> Router, clock: &Arc<dyn Clock>) -> Self {
        let (routes, document) = routes.split_for_parts();
        let access = from_fn_with_state(access::Gate::of(&document), access::gate);
        let edge = from_fn_with_state(Arc::clone(clock), edge::edge);
        let gated = inner(routes).route_layer(access).fallback(unknown_route);
        Self(gated.method_not_allowed_fallback(method_not_allowed).layer(edge))
    }

    /// Answers what could not even be read as a request.
    #[must_use]
    pub fn refuse(&self, problem: &Problem) -> Response<Bytes> {
        let mut response = problem.whole();
        edge::secure(response.headers_mut());
        response
    }

    /// Answers a request, whatever it is.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let response = self.0.clone().oneshot(request.map(Body::from)).await;
        let (head, body) = response.unwrap_or_else(|never| match never {}).into_parts();
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) => Response::from_parts(head, bytes),
            Err(error) => Problem::internal(&error).whole(),
        }
    }
}

async fn unknown_route() -> Problem {
    Problem::new(Code::UnknownRoute)
}

async fn method_not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}
