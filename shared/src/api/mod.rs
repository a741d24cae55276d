//! The HTTP API: routes, what they take, and what they answer.
//!
//! | part | does |
//! | --- | --- |
//! | [`Api`] | answers a request: the routes of one function, between the gates that every request passes |
//! | [`Problem`], [`Code`] | what a caller is told when something is refused |
//! | [`Caller`] | who asks |
//! | [`Operation`] | the same operations without HTTP |
//! | [`document`] | the OpenAPI document of all routes |
//!
//! A request passes, from the outside in: the edge (names it, logs it, catches what panics), the routes, the gate of
//! access (who may call what), the gate of idempotency, and the endpoint, which calls one flow.

mod access;
mod answer;
mod body;
mod caller;
mod code;
mod edge;
mod endpoints;
mod form;
mod graphql;
mod idempotency;
mod ndjson;
mod openapi;
mod operation;
mod place;
mod precondition;
mod problem;
mod query;
mod refusals;
mod routes;
mod throttle;
mod view;

#[cfg(test)]
mod tests;

pub use answer::Api;
pub use caller::{Caller, RemoteAddress, RequestId};
pub use code::Code;
pub use graphql::Graphql;
pub use openapi::{OPENAPI_JSON, document};
pub use operation::{ExportOperation, Operation, ScheduleOperation, TokenOperation, WebhookOperation};
pub use problem::{Fault, PROBLEM_JSON, Problem};
pub use routes::{
    Integrations, RegistryState, Test, TokenState, WebhookState, export_routes, integration_routes,
    registry_routes, system_routes, test_routes, token_routes, trigger_routes, webhook_routes,
};
