//! Integrations, as the API shows them: never with a credential.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::RunView;
use crate::flow::{Health, Standing};
use crate::integration::{ConflictRule, DeleteGuard, Direction, Integration, State, Stored};
use crate::model::{Group, System};

/// What an integration is to be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationRequest)]
pub(in crate::api) struct IntegrationBody {
    /// What people call it; the system's name where it is absent.
    display_name: Option<String>,
    /// The integration system that manages it; null is none, and left out is as it was. What an integration system
    /// connects, it manages.
    #[schema(value_type = Option<String>, format = "uuid")]
    integration_system_id: Option<Uuid>,
    /// `both` (the default) or `pull`.
    direction: Option<String>,
    /// `external_wins` (the default), `platform_wins`, `newest_wins` or `review`, by group.
    #[schema(value_type = Option<Object>)]
    conflict_rules: Option<BTreeMap<String, String>>,
    /// Groups that are neither read nor written.
    excluded_groups: Option<Vec<String>>,
    /// How many deletions pass without asking: `{"percent":10,"rows":20}`.
    #[schema(value_type = Option<Object>)]
    delete_guard: Option<DeleteGuard>,
    /// The system's own settings.
    #[schema(value_type = Object)]
    settings: serde_json::Value,
    /// Needed to connect, unless records travel as files; on a change, only where they change. Never answered. For `dynamics365`:
    /// `clientId`, and either `clientSecret`, or `certificate` and `privateKey` in PEM; for `cornerstone`: `clientId` and
    /// `clientSecret`; for `xledger`: `apiToken`, or `soap`; for `consio` and `rest`: what the profile's `auth` says. With
    /// `expiresAt`, where that is known.
    #[schema(value_type = Option<Object>, write_only)]
    credentials: Option<BTreeMap<String, String>>,
}

/// An integration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Integration)]
pub(in crate::api) struct IntegrationView {
    /// `{organizationId}:{integrationType}`.
    integration_id: String,
    /// The tenant.
    organization_id: String,
    /// The system.
    #[schema(value_type = String)]
    integration_type: System,
    /// What people call it.
    display_name: String,
    /// The integration system that manages it, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    integration_system_id: Option<Uuid>,
    /// `active`, `paused`, `needs_reauthorization` or `disconnecting`.
    #[schema(value_type = String)]
    state: State,
    /// `both` or `pull`.
    #[schema(value_type = String)]
    direction: Direction,
    /// Who wins, by group.
    #[schema(value_type = Object)]
    conflict_rules: BTreeMap<Group, ConflictRule>,
    /// Groups that are neither read nor written.
    #[schema(value_type = Vec<String>)]
    excluded_groups: Vec<Group>,
    /// How many deletions pass without asking.
    #[schema(value_type = Object)]
    delete_guard: DeleteGuard,
    /// The system's own settings.
    #[schema(value_type = Object)]
    settings: serde_json::Value,
    /// When its credentials stop working, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    credentials_expire_at: Option<Timestamp>,
    /// When it was connected.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// The integrations of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct IntegrationList {
    /// One for each system that is connected.
    pub(in crate::api) items: Vec<IntegrationView>,
}

/// What state an integration is in, why, and what to do next.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationStatus)]
pub(in crate::api) struct StatusView {
    /// What is configured.
    #[serde(flatten)]
    integration: IntegrationView,
    /// How well it does, why, and what to do next.
    health: Health,
    /// When a run last ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// When a run last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_failure_at: Option<Timestamp>,
    /// When its schedule fires next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_run_at: Option<Timestamp>,
    /// Since when its schedule has waited for a success, where that is longer than it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    overdue_since: Option<Timestamp>,
    /// The run that is active, with how far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_run: Option<RunView>,
    /// The last run that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<RunView>,
    /// How many records are in quarantine, up to 1000.
    quarantined: usize,
    /// How many reviews wait for a decision, up to 1000.
    reviews: usize,
    /// How many files wait for somebody, up to 1000.
    files: usize,
    /// Since when the file waits that has waited longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    files_since: Option<Timestamp>,
}

impl From<Integration> for IntegrationView {
    fn from(integration: Integration) -> Self {
        Self {
            integration_id: integration.id.to_string(),
            organization_id: integration.id.organization.to_string(),
            integration_type: integration.id.system,
            display_name: integration.display_name,
            integration_system_id: integration.integration_system_id,
            state: integration.state,
            direction: integration.direction,
            conflict_rules: integration.conflict_rules,
            excluded_groups: integration.excluded_groups,
            delete_guard: integration.delete_guard,
            settings: integration.settings,
            credentials_expire_at: integration.credentials_expire_at,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
        }
    }
}

impl From<Stored> for IntegrationView {
    fn from(stored: Stored) -> Self {
        stored.integration.into()
    }
}

impl From<Standing> for StatusView {
    fn from(standing: Standing) -> Self {
        Self {
            health: standing.health(),
            next_run_at: standing.next_run_at(),
            overdue_since: standing.overdue_since(standing.now),
            integration: standing.stored.into(),
            last_success_at: standing.runs.last_success_at,
            last_failure_at: standing.runs.last_failure_at,
            active_run: standing.runs.active.map(RunView::from),
            last_run: standing.runs.last.map(RunView::from),
            quarantined: standing.quarantined,
            reviews: standing.reviews,
            files: standing.files,
            files_since: standing.files_since,
        }
    }
}
