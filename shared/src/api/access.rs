//! Who may call which operation: the table, and the gate that holds every request against it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use super::{Caller, Code, Problem};
use crate::registry::Scope;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Whoever the operation lets in: it looks at its caller itself, to refuse in a shape of its own.
    Own,
    /// Everybody who is known.
    Known,
    /// Those with a scope.
    Scope(Scope),
}

/// Who may call what, by the operations' names.
const TABLE: &[(&str, Access)] = &[
    ("getHealth", Access::Open),
    ("getOpenApi", Access::Known),
    ("listIntegrations", Access::Scope(Scope::IntegrationRead)),
    ("getIntegrationStatus", Access::Scope(Scope::IntegrationRead)),
    ("getLastSyncResult", Access::Scope(Scope::IntegrationRead)),
    ("listRuns", Access::Scope(Scope::IntegrationRead)),
    ("getRun", Access::Scope(Scope::IntegrationRead)),
    ("listQuarantine", Access::Scope(Scope::IntegrationRead)),
    ("listReviews", Access::Scope(Scope::IntegrationRead)),
    ("putIntegration", Access::Scope(Scope::IntegrationWrite)),
    ("deleteIntegration", Access::Scope(Scope::IntegrationWrite)),
    ("getSchedule", Access::Scope(Scope::IntegrationRead)),
    ("scheduleSync", Access::Scope(Scope::IntegrationWrite)),
    ("cancelScheduledSync", Access::Scope(Scope::IntegrationWrite)),
    ("resumeSchedule", Access::Scope(Scope::IntegrationWrite)),
    ("pauseIntegration", Access::Scope(Scope::IntegrationWrite)),
    ("resumeIntegration", Access::Scope(Scope::IntegrationWrite)),
    ("refreshOAuthToken", Access::Scope(Scope::TokenRefresh)),
    ("startSignIn", Access::Scope(Scope::IntegrationWrite)),
    ("rotateCredentials", Access::Scope(Scope::IntegrationWrite)),
    ("finishSignIn", Access::Open),
    ("testIntegration", Access::Scope(Scope::IntegrationWrite)),
    ("retryQuarantine", Access::Scope(Scope::IntegrationWrite)),
    ("dropQuarantined", Access::Scope(Scope::IntegrationWrite)),
    ("decideReview", Access::Scope(Scope::IntegrationWrite)),
    ("processWebhookEvent", Access::Open),
    ("testWebhookEndpoint", Access::Scope(Scope::IntegrationWrite)),
    ("openWebhookEndpoint", Access::Scope(Scope::IntegrationWrite)),
    ("listWebhookEndpoints", Access::Scope(Scope::IntegrationRead)),
    ("getWebhookEndpoint", Access::Scope(Scope::IntegrationRead)),
    ("closeWebhookEndpoint", Access::Scope(Scope::IntegrationWrite)),
    ("rotateWebhookSecret", Access::Scope(Scope::IntegrationWrite)),
    ("listWebhookEvents", Access::Scope(Scope::IntegrationRead)),
    ("getWebhookEvent", Access::Scope(Scope::IntegrationRead)),
    ("replayWebhookEvent", Access::Scope(Scope::IntegrationWrite)),
    ("replayWebhookEvents", Access::Scope(Scope::IntegrationWrite)),
    ("listFiles", Access::Scope(Scope::IntegrationRead)),
    ("getFile", Access::Scope(Scope::IntegrationRead)),
    // What is in a file is what is in the records.
    ("downloadFile", Access::Scope(Scope::RecordRead)),
    ("announceFile", Access::Scope(Scope::RecordWrite)),
    ("acceptFile", Access::Scope(Scope::RecordWrite)),
    ("decideFile", Access::Scope(Scope::IntegrationWrite)),
    ("triggerSync", Access::Scope(Scope::SyncTrigger)),
    ("syncMembershipData", Access::Scope(Scope::SyncTrigger)),
    ("syncCourseEnrollments", Access::Scope(Scope::SyncTrigger)),
    ("cancelRun", Access::Scope(Scope::SyncTrigger)),
    ("listMembers", Access::Scope(Scope::RecordRead)),
    ("getMember", Access::Scope(Scope::RecordRead)),
    ("listMemberships", Access::Scope(Scope::RecordRead)),
    ("getMembership", Access::Scope(Scope::RecordRead)),
    ("listCourseEnrollments", Access::Scope(Scope::RecordRead)),
    ("getCourseEnrollment", Access::Scope(Scope::RecordRead)),
    ("putMembersInBulk", Access::Scope(Scope::RecordWrite)),
    ("putMember", Access::Scope(Scope::RecordWrite)),
    ("deleteMember", Access::Scope(Scope::RecordWrite)),
    ("putMembership", Access::Scope(Scope::RecordWrite)),
    ("deleteMembership", Access::Scope(Scope::RecordWrite)),
    ("listReimbursements", Access::Scope(Scope::RecordRead)),
    ("getReimbursement", Access::Scope(Scope::RecordRead)),
    ("putReimbursement", Access::Scope(Scope::RecordWrite)),
    ("deleteReimbursement", Access::Scope(Scope::RecordWrite)),
    ("listExportsOfReimbursement", Access::Scope(Scope::RecordRead)),
    ("exportReimbursements", Access::Scope(Scope::ExportWrite)),
    ("listExports", Access::Scope(Scope::IntegrationRead)),
    ("getBooks", Access::Scope(Scope::IntegrationRead)),
    ("compareBooks", Access::Scope(Scope::ExportWrite)),
    ("putCourseEnrollmentsInBulk", Access::Scope(Scope::RecordWrite)),
    ("putCourseEnrollment", Access::Scope(Scope::RecordWrite)),
    ("deleteCourseEnrollment", Access::Scope(Scope::RecordWrite)),
    ("executeGraphql", Access::Own),
    ("issueToken", Access::Open),
    ("introspectToken", Access::Open),
    ("revokeToken", Access::Open),
    ("getIssuer", Access::Open),
    ("getKeys", Access::Open),
];

/// Returns who may call an operation; nobody may call one that is not in the table.
pub(super) fn access(operation: &str) -> Option<Access> {
    let row = TABLE.iter().find(|(name, _)| *name == operation);
    row.map(|(_, access)| *access)
}

/// Who may call what, by method and path.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<HashMap<(Method, String), Access>>);

impl Gate {
    /// Looks up who may call the operations of a document.
    pub(super) fn of(document: &OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                if let Some(access) = access(operation) {
                    known.insert((method, path.clone()), access);
                }
            }
        }
        Self(Arc::new(known))
    }

    fn check(&self, request: &Request) -> Result<(), Problem> {
        let path = request.extensions().get::<MatchedPath>();
        // The router answers HEAD as it answers GET.
        let method = match request.method() {
            &Method::HEAD => Method::GET,
            method => method.clone(),
        };
        let place = (method, path.map_or("", MatchedPath::as_str).to_owned());
        let caller = request.extensions().get::<Caller>();
        match (self.0.get(&place), caller) {
            // The router says what methods there are.
            (None, _) if path.is_some_and(|path| self.has(path.as_str())) => Ok(()),
            (None, _) => Err(Problem::new(Code::Internal)),
            (Some(Access::Open | Access::Own), _) | (Some(Access::Known), Some(_)) => Ok(()),
            (Some(_), None) => Err(Problem::new(Code::Unauthenticated)),
            (Some(Access::Scope(scope)), Some(caller)) if caller.scopes().allow(*scope) => Ok(()),
            (Some(Access::Scope(scope)), Some(_)) => Err(Problem::insufficient_scope(*scope)),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.0.keys().any(|(_, known)| known == path)
    }
}

/// Returns the operations at a path, by their names.
pub(super) fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &str)> {
    let all = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| {
        let name = operation.as_ref()?.operation_id.as_deref()?;
        Some((method, name))
    })
}

/// Lets a request through whose caller may do what it asks for.
pub(super) async fn gate(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
