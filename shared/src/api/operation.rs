//! The operations by their names, also for those that invoke a function without HTTP.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::routes::{Integrations, Test, TokenState, WebhookState};
use super::view::{
    ExportBody, ExportedView, ForceBody, LastResult, RunView, ScheduleBody, ScheduleView, StartedAll,
    StatusView, TokenView,
};
use super::{Caller, Code, Problem, body, place};
use crate::export::Reason;
use crate::flow::receive::Received;
use crate::flow::{self, Attempt, ExportRequest, Ports, TriggerError};
use crate::integration;
use crate::model::{IntegrationId, Kind, OrganizationId, RecordId, Reimbursement, System};
use crate::records;
use crate::schedule::Wish;
use crate::sync::{self, Mode, RunRequest, Trigger};
use crate::webhook::RawWebhook;

/// An operation, as a function is invoked with it.
///
/// # Shape
///
/// `{"operation":"triggerSync","organizationId":"hlf","integrationType":"dynamics365","mode":"delta","dryRun":false}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Operation {
    /// Starts a run.
    TriggerSync {
        /// The tenant.
        organization_id: OrganizationId,
        /// The system.
        integration_type: System,
        /// What to read.
        #[serde(default)]
        mode: SyncMode,
        /// Whether only to count what would be done.
        #[serde(default)]
        dry_run: bool,
    },
    /// Starts a run for every integration of an organization that keeps members or memberships.
    SyncMembershipData {
        /// The tenant.
        organization_id: OrganizationId,
        /// What to read.
        #[serde(default)]
        mode: SyncMode,
        /// Whether only to count what would be done.
        #[serde(default)]
        dry_run: bool,
    },
    /// Starts a run for every integration of an organization that keeps course enrollments.
    SyncCourseEnrollments {
        /// The tenant.
        organization_id: OrganizationId,
        /// What to read.
        #[serde(default)]
        mode: SyncMode,
        /// Whether only to count what would be done.
        #[serde(default)]
        dry_run: bool,
    },
    /// Hears a call by the clock.
    Tick {
        /// Which integration.
        integration_id: IntegrationId,
        /// Which schedule of it.
        generation: Uuid,
        /// For which time it was scheduled; what is no time is now.
        #[serde(default)]
        scheduled_time: Option<String>,
    },
    /// Hears that a reimbursement was approved: it is exported where the integration says that this is done by itself.
    ReimbursementApproved {
        /// The tenant.
        organization_id: OrganizationId,
        /// Which.
        reimbursement_id: RecordId,
        /// What it says, where whoever tells of it says so too.
        #[serde(default)]
        reimbursement: Option<Value>,
        /// When it was told.
        #[serde(default)]
        told_at: Option<Timestamp>,
    },
    /// Says what state an integration is in, why, and what to do next.
    GetIntegrationStatus {
        /// The tenant.
        organization_id: OrganizationId,
        /// The system.
        integration_type: System,
    },
    /// Returns the last run that has ended.
    GetLastSyncResult {
        /// The tenant.
        organization_id: OrganizationId,
        /// The system.
        integration_type: System,
    },
}

/// An operation on a schedule, as a function is invoked with it.
///
/// # Shape
///
/// `{"operation":"scheduleSync","organizationId":"hlf","integrationType":"dynamics365","schedule":{"expression":"rate(1 hour)","zone":"Europe/Oslo"}}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[expect(private_interfaces, reason = "it is read from JSON, and only run")]
pub enum ScheduleOperation {
    /// Makes a schedule, or changes it.
    ScheduleSync {
        /// The tenant.
        organization_id: OrganizationId,
        /// The system.
        integration_type: System,
        /// What it is to be.
        schedule: ScheduleBody,
        /// Whether it is only to be checked and shown.
        #[serde(default)]
        preview: bool,
    },
    /// Cancels a schedule.
    CancelScheduledSync {
        /// The tenant.
        organization_id: OrganizationId,
        /// The system.
        integration_type: System,
    },
}

impl ScheduleOperation {
    /// Reads an operation from what a function was invoked with.
    ///
    /// # Errors
    ///
    /// A problem that names what is wrong.
    pub fn read(event: Value) -> Result<Self, Problem> {
        read(event)
    }

    /// Carries the operation out; what is answered is what HTTP would answer.
    ///
    /// # Errors
    ///
    /// The problem that HTTP would answer.
    pub async fn run(self, state: &Integrations, caller: &Caller) -> Result<Value, Problem> {
        match self {
            Self::ScheduleSync {
                organization_id,
                integration_type,
                schedule,
                preview,
            } => {
                let id = at(caller, organization_id, integration_type)?;
                encoded(&schedule_sync(state, caller, &id, schedule, preview).await?)
            }
            Self::CancelScheduledSync {
                organization_id,
                integration_type,
            } => {
                let id = at(caller, organization_id, integration_type)?;
                cancel_scheduled_sync(state, caller, &id).await?;
                Ok(Value::Null)
            }
        }
    }
}

/// A webhook that another function hands on, as `webhooks` is invoked with it: it is verified like any other.
///
/// # Shape
///
/// `{"operation":"processWebhookEvent","source":"dynamics365","endpointId":"hlf.q83v…","headers":{…},"payload":"{…}"}`, with
/// `query`, and with `isBase64Encoded` where the payload is
#[derive(Clone, Deserialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum WebhookOperation {
    /// Takes a webhook.
    ProcessWebhookEvent {
        /// The system that sent it.
        source: String,
        /// The endpoint that it was sent to.
        endpoint_id: String,
        /// Its headers.
        headers: BTreeMap<String, String>,
        /// What stood behind the `?` of its address.
        #[serde(default)]
        query: Option<String>,
        /// Its body.
        payload: String,
        /// Whether the payload is the base64 of the body.
        #[serde(default)]
        is_base64_encoded: bool,
    },
}

/// Headers and query may hold a secret, and the payload is a person's.
impl fmt::Debug for WebhookOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookOperation")
    }
}

impl WebhookOperation {
    /// Reads an operation from what a function was invoked with.
    ///
    /// # Errors
    ///
    /// A problem that names what is wrong.
    pub fn read(event: Value) -> Result<Self, Problem> {
        read(event)
    }

    /// Takes the webhook in; what is answered is what HTTP would answer.
    ///
    /// # Errors
    ///
    /// The problem that HTTP would answer.
    pub async fn run(self, state: &WebhookState) -> Result<Value, Problem> {
        let Self::ProcessWebhookEvent {
            source,
            endpoint_id,
            headers,
            query,
            payload,
            is_base64_encoded,
        } = self;
        let body = match is_base64_encoded {
            true => STANDARD
                .decode(payload)
                .map_err(|_| Problem::of_field("payload", "must be base64"))?,
            false => payload.into_bytes(),
        };
        let mut raw = RawWebhook {
            query,
            body: body.into(),
            ..RawWebhook::default()
        };
        for (name, value) in headers {
            let malformed = || Problem::of_field("headers", "must be names and values of headers");
            let name = HeaderName::try_from(name).map_err(|_| malformed())?;
            raw.headers
                .append(name, HeaderValue::try_from(value).map_err(|_| malformed())?);
        }
        match state.receiver.receive(&source, &endpoint_id, raw).await? {
            Received::Kept(_) => Ok(json!({ "outcome": "kept" })),
            Received::Refused(_) => Err(Problem::new(Code::WebhookRefused)),
        }
    }
}

/// An operation on tokens, as a function is invoked with it.
///
/// # Shape
///
/// `{"operation":"refreshOAuthToken","integrationId":"hlf:dynamics365"}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum TokenOperation {
    /// Renews the token of an integration now.
    RefreshOAuthToken {
        /// Which integration.
        integration_id: IntegrationId,
    },
    /// Renews whatever ends soon.
    RefreshDueTokens {},
}

impl TokenOperation {
    /// Reads an operation from what a function was invoked with.
    ///
    /// # Errors
    ///
    /// A problem that names what is wrong.
    pub fn read(event: Value) -> Result<Self, Problem> {
        read(event)
    }

    /// Carries the operation out, and begins nothing after `deadline`; what is answered is what HTTP would answer.
    ///
    /// # Errors
    ///
    /// The problem that HTTP would answer.
    pub async fn run(
        self,
        state: &TokenState,
        caller: &Caller,
        deadline: Timestamp,
    ) -> Result<Value, Problem> {
        match self {
            Self::RefreshOAuthToken { integration_id } => {
                place::admit(caller, &integration_id.organization)?;
                encoded(&refresh_oauth_token(state, caller, &integration_id).await?)
            }
            Self::RefreshDueTokens {} => {
                encoded(&flow::refresh::sweep(&state.ports, &*state.registrations, deadline).await?)
            }
        }
    }
}

/// An operation on books, as the function of a system that keeps some is invoked with it.
///
/// # Shape
///
/// `{"operation":"exportReimbursements","organizationId":"hlf","reimbursementIds":["4711"],"dryRun":false}`, with
/// `"force":{"reason":"…"}` where it is booked whatever stands
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[expect(private_interfaces, reason = "it is read from JSON, and only run")]
pub enum ExportOperation {
    /// Exports approved reimbursements.
    ExportReimbursements {
        /// The tenant.
        organization_id: OrganizationId,
        /// From 1 to 500 of them.
        reimbursement_ids: Vec<RecordId>,
        /// Whether only to say what would be done.
        #[serde(default)]
        dry_run: bool,
        /// Books them once more, whatever stands.
        #[serde(default)]
        force: Option<ForceBody>,
    },
}

impl ExportOperation {
    /// Reads an operation from what a function was invoked with.
    ///
    /// # Errors
    ///
    /// A problem that names what is wrong.
    pub fn read(event: Value) -> Result<Self, Problem> {
        read(event)
    }

    /// Carries the operation out; what is answered is what HTTP would answer.
    ///
    /// # Errors
    ///
    /// The problem that HTTP would answer.
    pub async fn run(self, state: &Test, caller: &Caller) -> Result<Value, Problem> {
        let Self::ExportReimbursements {
            organization_id,
            reimbursement_ids,
            dry_run,
            force,
        } = self;
        let id = at(caller, organization_id, state.system)?;
        let body = ExportBody {
            reimbursement_ids,
            dry_run,
            force,
        };
        encoded(&export_reimbursements(state, (caller, Attempt::default()), &id, &body).await?)
    }
}

/// The events of the platform that are heard, and the operation that each is; what else they say is passed over.
const HEARD: &[(&str, &str, &[&str])] = &[(
    "ReimbursementApproved",
    "reimbursementApproved",
    &["organizationId", "reimbursementId", "reimbursement"],
)];

/// Turns an event of the bus into the operation that it calls for; anything else stays as it is.
fn of_bus(event: Value) -> Result<Value, Problem> {
    let Some(name) = event.get("detail-type") else {
        return Ok(event);
    };
    let heard = HEARD.iter().find(|(heard, ..)| name == heard);
    let (_, operation, members) =
        heard.ok_or_else(|| Problem::of_field("detail-type", "is not an event that is heard"))?;
    let mut object = Map::new();
    object.insert("operation".to_owned(), Value::from(*operation));
    for member in *members {
        if let Some(value) = event.get("detail").and_then(|detail| detail.get(member)) {
            object.insert((*member).to_owned(), value.clone());
        }
    }
    if let Some(time) = event.get("time") {
        object.insert("toldAt".to_owned(), time.clone());
    }
    Ok(Value::Object(object))
}

fn read<T: DeserializeOwned>(event: Value) -> Result<T, Problem> {
    match event {
        Value::Object(object) => body::typed(object),
        _ => Err(Problem::new(Code::InvalidJson).because("an object is expected")),
    }
}

/// What a run that somebody asks for reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// What has changed since the last run; everything, where there was none.
    #[default]
    Delta,
    /// Everything, and then what is no longer there.
    Full,
}

impl From<SyncMode> for Mode {
    fn from(mode: SyncMode) -> Self {
        match mode {
            SyncMode::Delta => Self::Delta,
            SyncMode::Full => Self::Full,
        }
    }
}

/// What kind of run somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct SyncRequest {
    /// What to read.
    pub(super) mode: SyncMode,
    /// Whether only to count what would be done.
    pub(super) dry_run: bool,
}

/// Who asks, how, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) caller: &'a Caller,
    pub(super) trigger: Trigger,
    pub(super) attempt: Attempt,
}

impl Operation {
    /// Reads an operation from what a function was invoked with.
    ///
    /// # Errors
    ///
    /// A problem that names what is wrong.
    pub fn read(event: Value) -> Result<Self, Problem> {
        read(of_bus(event)?)
    }

    /// Carries the operation out; what is answered is what HTTP would answer.
    ///
    /// # Errors
    ///
    /// The problem that HTTP would answer.
    pub async fn run(self, ports: &Ports, caller: &Caller) -> Result<Value, Problem> {
        let asked = Asked {
            caller,
            trigger: Trigger::Direct,
            attempt: Attempt::default(),
        };
        match self {
            Self::TriggerSync {
                organization_id,
                integration_type,
                mode,
                dry_run,
            } => {
                let id = at(caller, organization_id, integration_type)?;
                let request = SyncRequest { mode, dry_run };
                encoded(&trigger_sync(ports, asked, id, request).await?)
            }
            Self::SyncMembershipData {
                organization_id,
                mode,
                dry_run,
            } => {
                place::admit(caller, &organization_id)?;
                let request = SyncRequest { mode, dry_run };
                encoded(&sync_membership_data(ports, asked, &organization_id, request).await?)
            }
            Self::SyncCourseEnrollments {
                organization_id,
                mode,
                dry_run,
            } => {
                place::admit(caller, &organization_id)?;
                let request = SyncRequest { mode, dry_run };
                encoded(&sync_course_enrollments(ports, asked, &organization_id, request).await?)
            }
            Self::Tick {
                integration_id,
                generation,
                scheduled_time,
            } => {
                place::admit(caller, &integration_id.organization)?;
                let scheduled = scheduled_time.and_then(|time| time.parse().ok());
                encoded(&flow::schedule::tick(ports, &integration_id, generation, scheduled).await?)
            }
            Self::ReimbursementApproved {
                organization_id,
                reimbursement_id,
                reimbursement,
                told_at,
            } => {
                place::admit(caller, &organization_id)?;
                let says =
                    reimbursement.map(|value| Reimbursement::from_json(reimbursement_id.clone(), &value));
                let says = says.transpose().map_err(Problem::of_fields)?;
                records::approved(ports, &organization_id, &reimbursement_id, says.as_ref(), told_at).await?;
                Ok(Value::Null)
            }
            Self::GetIntegrationStatus {
                organization_id,
                integration_type,
            } => {
                let id = at(caller, organization_id, integration_type)?;
                encoded(&integration_status(ports, &id).await?.0)
            }
            Self::GetLastSyncResult {
                organization_id,
                integration_type,
            } => {
                let id = at(caller, organization_id, integration_type)?;
                encoded(&last_sync_result(ports, &id).await?)
            }
        }
    }
}

fn at(caller: &Caller, organization: OrganizationId, system: System) -> Result<IntegrationId, Problem> {
    place::admit(caller, &organization)?;
    Ok(IntegrationId::new(organization, system))
}

fn encoded(answer: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(answer).map_err(|error| Problem::internal(&error))
}

impl Asked<'_> {
    fn for_run(self, integration: IntegrationId, request: SyncRequest) -> RunRequest {
        self.for_mode(integration, request.mode.into(), request.dry_run)
    }

    /// Returns the request for a run of any mode.
    pub(super) fn for_mode(self, integration: IntegrationId, mode: Mode, dry_run: bool) -> RunRequest {
        RunRequest {
            integration,
            mode,
            dry_run,
            trigger: self.trigger,
            requested_by: self.caller.name().to_owned(),
        }
    }
}

pub(super) async fn refresh_oauth_token(
    state: &TokenState,
    caller: &Caller,
    id: &IntegrationId,
) -> Result<TokenView, Problem> {
    let standing = flow::refresh::refresh(&state.ports, &*state.registrations, id, caller.name()).await?;
    Ok(TokenView::new(id, &standing))
}

pub(super) async fn trigger_sync(
    ports: &Ports,
    asked: Asked<'_>,
    id: IntegrationId,
    request: SyncRequest,
) -> Result<RunView, Problem> {
    let run = flow::trigger(ports, asked.for_run(id, request), asked.attempt).await?;
    Ok(run.into())
}

/// How many reimbursements are exported at once.
const MAX_EXPORTED: usize = 500;

pub(super) async fn export_reimbursements(
    state: &Test,
    (caller, attempt): (&Caller, Attempt),
    id: &IntegrationId,
    body: &ExportBody,
) -> Result<ExportedView, Problem> {
    if !id.system.keeps_books() {
        return Err(Problem::new(Code::KeepsNoBooks));
    }
    if !(1..=MAX_EXPORTED).contains(&body.reimbursement_ids.len()) {
        let rule = format!("must have from 1 to {MAX_EXPORTED} entries");
        return Err(Problem::of_field("reimbursementIds", rule));
    }
    let reason = body.force.as_ref().map(|force| force.reason.parse::<Reason>());
    let reason = reason
        .transpose()
        .map_err(|error| Problem::of_field("force.reason", error.to_string()))?;
    let request = ExportRequest {
        integration: id,
        reimbursements: &body.reimbursement_ids,
        dry_run: body.dry_run,
        force: reason.as_ref(),
        by: caller.name(),
        attempt,
    };
    let exported = flow::export(&state.ports, &*state.connect, &request).await?;
    if exported.intents.is_empty() && exported.ready.is_empty() {
        return Err(Problem::not_exportable(&exported.refused));
    }
    Ok(exported.into())
}

pub(super) async fn sync_membership_data(
    ports: &Ports,
    asked: Asked<'_>,
    organization: &OrganizationId,
    request: SyncRequest,
) -> Result<StartedAll, Problem> {
    let kinds = [Kind::Member, Kind::Membership];
    sync_kinds(ports, asked, organization, request, &kinds).await
}

pub(super) async fn sync_course_enrollments(
    ports: &Ports,
    asked: Asked<'_>,
    organization: &OrganizationId,
    request: SyncRequest,
) -> Result<StartedAll, Problem> {
    let kinds = [Kind::CourseEnrollment];
    sync_kinds(ports, asked, organization, request, &kinds).await
}

async fn sync_kinds(
    ports: &Ports,
    asked: Asked<'_>,
    organization: &OrganizationId,
    request: SyncRequest,
    kinds: &[Kind],
) -> Result<StartedAll, Problem> {
    let request = |id| asked.for_run(id, request);
    let started = flow::sync_all(ports, organization, kinds, request, asked.attempt).await?;
    if started.is_empty() {
        let named: Vec<_> = kinds.iter().map(|kind| kind.plural()).collect();
        let detail = format!(
            "organization {organization} has connected no system for {}",
            named.join(" or ")
        );
        return Err(Problem::new(Code::UnknownIntegration).because(detail));
    }
    Ok(StartedAll {
        runs: started.into_iter().map(Into::into).collect(),
    })
}

/// Also returns the version of the integration.
pub(super) async fn integration_status(
    ports: &Ports,
    id: &IntegrationId,
) -> Result<(StatusView, u64), Problem> {
    let standing = flow::standing(ports, id).await?;
    let standing = standing.ok_or_else(|| Problem::unknown_integration(id))?;
    let version = standing.stored.version;
    Ok((standing.into(), version))
}

pub(super) async fn last_sync_result(ports: &Ports, id: &IntegrationId) -> Result<LastResult, Problem> {
    connected(ports, id).await?;
    let last = sync::read_last(&*ports.store, id).await?;
    Ok(LastResult {
        last_run: last.map(RunView::from),
    })
}

/// Refuses an integration that is not there.
pub(super) async fn connected(ports: &Ports, id: &IntegrationId) -> Result<(), Problem> {
    let stored = integration::read(&*ports.store, id).await?;
    stored.map(drop).ok_or_else(|| Problem::unknown_integration(id))
}

pub(super) async fn schedule_sync(
    state: &Integrations,
    caller: &Caller,
    id: &IntegrationId,
    body: ScheduleBody,
    preview: bool,
) -> Result<ScheduleView, Problem> {
    let (ports, wish) = (&state.ports, Wish::from(body));
    connected(ports, id).await?;
    if id.system.keeps_books() {
        return Err(TriggerError::KeepsNothing(id.system).into());
    }
    if preview {
        let schedule = wish.applied(id, None, ports.now()).map_err(Problem::of_fields)?;
        return Ok(ScheduleView::new(schedule, ports.now(), false));
    }
    let schedule = flow::schedule::set(ports, &state.scheduler, id, &wish, caller.name()).await?;
    Ok(ScheduleView::new(schedule, ports.now(), true))
}

pub(super) async fn cancel_scheduled_sync(
    state: &Integrations,
    caller: &Caller,
    id: &IntegrationId,
) -> Result<(), Problem> {
    connected(&state.ports, id).await?;
    Ok(flow::schedule::cancel(&state.ports, &state.scheduler, id, caller.name()).await?)
}
