//! The routes of each function.

use std::sync::Arc;

use axum::extract::FromRef;
use url::Url;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Graphql;
use super::endpoints::{
    bulk, exports, files, graphql, integrations, meta, oauth, records, reimbursements, runs, schedules, sync,
    test, tokens, waiting, webhooks,
};
use super::throttle::Throttle;
use crate::flow::Ports;
use crate::flow::receive::Receiver;
use crate::flow::refresh::Registrations;
use crate::flow::work::Connect;
use crate::http::Exceptions;
use crate::integration::{Prove, Vault};
use crate::keys::Keys;
use crate::model::System;
use crate::objects::Objects;
use crate::registry::{Registry, Tokens};
use crate::scheduler::Scheduler;

const ORGANIZATION: &str = "/v1/organizations/{organizationId}";
const INTEGRATION_BY_ID: &str = "/v1/integrations/{integrationId}";
const INTEGRATION: &str = "/v1/organizations/{organizationId}/integrations/{integrationType}";

/// What the routes of `integrations` work with.
#[derive(Debug, Clone)]
pub struct Integrations {
    /// The tables, the queues and the time.
    pub ports: Ports,
    /// Where credentials are put.
    pub vault: Vault,
    /// Who calls by the clock.
    pub scheduler: Arc<dyn Scheduler>,
    /// Origins outside the rules that an integration may name all the same.
    pub exceptions: Exceptions,
    /// What seals the secrets of webhook endpoints.
    pub keys: Arc<dyn Keys>,
    /// Where the API is reached.
    pub api_url: Url,
    /// Where files are kept.
    pub objects: Arc<dyn Objects>,
}

/// What the routes of `webhooks` work with.
#[derive(Debug, Clone)]
pub struct WebhookState {
    /// Takes webhooks in.
    pub receiver: Receiver,
}

/// What the routes of a system's own function work with.
#[derive(Debug, Clone)]
pub struct Test {
    /// The system.
    pub system: System,
    /// The tables, the queues and the time.
    pub ports: Ports,
    /// The adapters.
    pub connect: Arc<dyn Connect>,
}

/// What the routes of `token-refresh` work with.
#[derive(Debug, Clone)]
pub struct TokenState {
    /// The tables, the queues and the time.
    pub ports: Ports,
    /// What seals what a sign-in needs.
    pub keys: Arc<dyn Keys>,
    /// How integrations sign in.
    pub registrations: Arc<dyn Registrations>,
    /// Where sign-in servers send browsers back to.
    pub callback: Url,
    /// Where credentials are put.
    pub vault: Vault,
    /// Sees whether credentials work.
    pub prove: Arc<dyn Prove>,
}

/// What the routes of `integration-systems` work with.
#[derive(Debug, Clone)]
pub struct RegistryState {
    pub(super) registry: Registry,
    pub(super) tokens: Option<Arc<Tokens>>,
    pub(super) graphql: Arc<Graphql>,
    pub(super) throttle: Arc<Throttle>,
}

impl RegistryState {
    /// Puts together what the routes work with; `tokens` where they are issued here.
    #[must_use]
    pub fn new(registry: Registry, tokens: Option<Arc<Tokens>>, introspection: bool) -> Self {
        Self {
            graphql: Arc::new(Graphql::new(registry.clone(), introspection)),
            registry,
            tokens,
            throttle: Arc::default(),
        }
    }
}

impl FromRef<Integrations> for Ports {
    fn from_ref(state: &Integrations) -> Self {
        state.ports.clone()
    }
}

/// Returns the routes of `trigger-sync`.
#[must_use]
pub fn trigger_routes(ports: Ports) -> OpenApiRouter {
    let integration = OpenApiRouter::new().routes(routes!(sync::trigger_sync));
    let organization = OpenApiRouter::new()
        .routes(routes!(sync::sync_membership_data))
        .routes(routes!(sync::sync_course_enrollments));
    let all = OpenApiRouter::new()
        .nest(INTEGRATION, integration)
        .nest(ORGANIZATION, organization);
    all.with_state(ports)
}

/// Returns the routes of `webhooks`.
#[must_use]
pub fn webhook_routes(state: WebhookState) -> OpenApiRouter {
    let integration = OpenApiRouter::new().routes(routes!(webhooks::test_webhook_endpoint));
    OpenApiRouter::new()
        .routes(routes!(webhooks::process_webhook_event))
        .nest(INTEGRATION, integration)
        .with_state(state)
}

/// Returns the routes that every system's own function has.
#[must_use]
pub fn test_routes(state: Test) -> OpenApiRouter {
    let integration = OpenApiRouter::new().routes(routes!(test::test_integration));
    OpenApiRouter::new()
        .nest(INTEGRATION, integration)
        .with_state(state)
}

/// Returns the routes of a system's own function, with those for books where it keeps some.
#[must_use]
pub fn system_routes(state: Test) -> OpenApiRouter {
    let routes = test_routes(state.clone());
    match state.system.keeps_books() {
        true => routes.merge(export_routes(state)),
        false => routes,
    }
}

/// Returns the routes that the function of a system with books has besides.
#[must_use]
pub fn export_routes(state: Test) -> OpenApiRouter {
    let organization = OpenApiRouter::new().routes(routes!(exports::export_reimbursements));
    OpenApiRouter::new()
        .nest(ORGANIZATION, organization)
        .with_state(state)
}

/// Returns the routes of `token-refresh`.
#[must_use]
pub fn token_routes(state: TokenState) -> OpenApiRouter {
    let integration = OpenApiRouter::new()
        .routes(routes!(tokens::refresh_token))
        .routes(routes!(tokens::start_sign_in))
        .routes(routes!(tokens::rotate_credentials));
    OpenApiRouter::new()
        .routes(routes!(tokens::finish_sign_in))
        .nest(INTEGRATION_BY_ID, integration)
        .with_state(state)
}

/// Returns the routes of `integration-systems`.
#[must_use]
pub fn registry_routes(state: RegistryState) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(graphql::execute_graphql))
        .routes(routes!(oauth::issue_token))
        .routes(routes!(oauth::introspect_token))
        .routes(routes!(oauth::revoke_token))
        .routes(routes!(oauth::get_issuer))
        .routes(routes!(oauth::get_keys))
        .with_state(state)
}

/// Returns the routes of `integrations`: all the others.
#[must_use]
pub fn integration_routes(state: Integrations) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(meta::get_health))
        .routes(routes!(meta::get_openapi))
        .nest(INTEGRATION, of_integration())
        .nest(ORGANIZATION, of_organization())
        .with_state(state)
}

fn of_integration() -> OpenApiRouter<Integrations> {
    OpenApiRouter::new()
        .routes(routes!(
            integrations::get_integration_status,
            integrations::put_integration,
            integrations::delete_integration
        ))
        .routes(routes!(integrations::pause_integration))
        .routes(routes!(integrations::resume_integration))
        .routes(routes!(
            schedules::put_schedule,
            schedules::get_schedule,
            schedules::delete_schedule
        ))
        .routes(routes!(schedules::resume_schedule))
        .routes(routes!(runs::get_last_sync_result))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(runs::cancel_run))
        .routes(routes!(waiting::list_quarantine))
        .routes(routes!(waiting::retry_quarantine))
        .routes(routes!(waiting::drop_quarantined))
        .routes(routes!(waiting::list_reviews))
        .routes(routes!(waiting::decide_review))
        .routes(routes!(exports::list_exports))
        .routes(routes!(exports::get_books))
        .routes(routes!(exports::compare_books))
        .routes(routes!(files::list_files, files::announce_file))
        .routes(routes!(files::get_file))
        .routes(routes!(files::download_file))
        .routes(routes!(files::accept_file))
        .routes(routes!(files::decide_file))
        .routes(routes!(
            webhooks::list_webhook_endpoints,
            webhooks::open_webhook_endpoint
        ))
        .routes(routes!(
            webhooks::get_webhook_endpoint,
            webhooks::close_webhook_endpoint
        ))
        .routes(routes!(webhooks::rotate_webhook_secret))
        .routes(routes!(webhooks::list_webhook_events))
        .routes(routes!(webhooks::get_webhook_event))
        .routes(routes!(webhooks::replay_webhook_event))
        .routes(routes!(webhooks::replay_webhook_events))
}

fn of_organization() -> OpenApiRouter<Integrations> {
    OpenApiRouter::new()
        .routes(routes!(integrations::list_integrations))
        .routes(routes!(records::list_members))
        .routes(routes!(bulk::put_members_in_bulk))
        .routes(routes!(bulk::put_course_enrollments_in_bulk))
        .routes(routes!(
            records::get_member,
            records::put_member,
            records::delete_member
        ))
        .routes(routes!(reimbursements::list_reimbursements))
        .routes(routes!(
            reimbursements::get_reimbursement,
            reimbursements::put_reimbursement,
            reimbursements::delete_reimbursement
        ))
        .routes(routes!(reimbursements::list_exports_of_reimbursement))
        .routes(routes!(records::list_memberships))
        .routes(routes!(
            records::get_membership,
            records::put_membership,
            records::delete_membership
        ))
        .routes(routes!(records::list_course_enrollments))
        .routes(routes!(
            records::get_course_enrollment,
            records::put_course_enrollment,
            records::delete_course_enrollment
        ))
}
