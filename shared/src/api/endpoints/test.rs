//! Tests an integration: does it really work?

use axum::Json as JsonAnswer;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::adapter::Finding;
use crate::api::place::AtIntegration;
use crate::api::routes::Test;
use crate::api::{Code, Problem};
use crate::integration;

/// Whether an integration works, question by question.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TestResult {
    /// Whether everything does.
    works: bool,
    /// What was asked, what was found, and what to do about it.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Finding>,
}

/// Asks the system one cheap question for each thing that a sync needs; changes nothing.
#[utoipa::path(post, path = "/test", operation_id = "testIntegration", tag = "integrations",
    responses((status = 200, body = TestResult)))]
pub(in crate::api) async fn test_integration(
    State(state): State<Test>,
    AtIntegration { id, .. }: AtIntegration,
) -> Result<JsonAnswer<TestResult>, Problem> {
    // The gateway sends each system's requests to its own function.
    if id.system != state.system {
        return Err(Problem::new(Code::UnknownRoute));
    }
    let stored = integration::read(&*state.ports.store, &id).await?;
    let stored = stored.ok_or_else(|| Problem::unknown_integration(&id))?;
    let findings = state.connect.connect(&stored.integration).await.probe().await;
    let works = findings.iter().all(|finding| finding.works);
    Ok(JsonAnswer(TestResult { works, findings }))
}
