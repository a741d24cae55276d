//! Webhook endpoints and events, as the API shows them: never with a secret, but for the one time it is made.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;

use crate::adapter::Why;
use crate::inbox::{Cause, Endpoint, Event, EventState, Opened, Say, Setup, StoredEndpoint, setup};
use crate::sync::{Failure, Hinted};

/// What an endpoint is to be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookEndpointRequest)]
pub(in crate::api) struct EndpointBody {
    /// What people call it; unique within the integration.
    name: String,
    /// How the sender proves who it is: `{"type":"standard"}`, `{"type":"xledger"}`,
    /// `{"type":"dataverse","header":"x-webhook-secret"}` with `organizationId` where other environments are to be refused,
    /// `{"type":"cornerstone","header":"x-webhook-secret"}`, or
    /// `{"type":"hmac","header":"x-signature","encoding":"hex"}` with `prefix`, `algorithm` and `timestamp`.
    #[schema(value_type = Object)]
    scheme: Value,
    /// Where in a body rows are named: `[{"kind":"member","when":{"/type":["contact.updated"]},"list":"/data","id":"/id"}]`.
    /// Left out where the system's own webhooks are read.
    #[schema(value_type = Option<Vec<Object>>)]
    records: Option<Value>,
    /// Whether this service registers the webhook with the system, and keeps it registered.
    registers: Option<bool>,
    /// The secret, where the other system makes it; one is made where it is left out. Never answered again.
    #[schema(write_only)]
    secret: Option<String>,
}

/// Another secret for an endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookRotation)]
pub(in crate::api) struct RotationBody {
    /// The secret, where the other system makes it; one is made where it is left out.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    pub(in crate::api) secret: Option<SecretString>,
    /// How many seconds the one that it has goes on counting: 86400 where it is left out, 0 to end it at once.
    pub(in crate::api) overlap_seconds: Option<u64>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.map(SecretString::from))
}

/// An endpoint that webhooks are sent to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookEndpoint)]
pub(in crate::api) struct EndpointView {
    /// Its id.
    endpoint_id: String,
    /// What people call it.
    name: String,
    /// How the sender proves who it is.
    #[schema(value_type = Object)]
    scheme: Value,
    /// Where in a body rows are named.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Value>,
    /// Whether this service keeps it registered with the system.
    registers: bool,
    /// How that registration stands.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<Value>,
    /// Until when the secret before the current one counts.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its secret last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_at: Option<Timestamp>,
    /// The secret, in the one answer that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// What to paste into the other system.
    #[schema(value_type = Object)]
    setup: Setup,
}

/// Endpoints.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpointList)]
pub(in crate::api) struct EndpointList {
    /// All of them.
    pub(in crate::api) items: Vec<EndpointView>,
}

/// A webhook that was accepted, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookEvent)]
pub(in crate::api) struct EventView {
    /// Its id; it sorts by time.
    event_id: String,
    /// The endpoint that it was sent to.
    endpoint_id: String,
    /// `received`, `applied`, `ignored`, `quarantined` or `dead_lettered`.
    #[schema(value_type = String)]
    state: EventState,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// When it was signed, where that is signed.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<Timestamp>,
    /// Its sender's id of it, where that is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<Box<str>>,
    /// The rows that it hints at, by kind and the system's id.
    #[schema(value_type = Vec<Object>)]
    hints: Value,
    /// How often it was tried in vain.
    attempts: u32,
    /// How often somebody had it replayed.
    replays: u32,
    /// When it is tried again, while it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_at: Option<Timestamp>,
    /// Why nothing was done about it: `not_mapped`, `unknown_event`, `no_rows`, `echo`, `test`, `paused` or `disconnected`.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Why>,
    /// What kept it from being followed: `signature`, `mapping`, `credential`, `system` or `ours`.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// What went wrong the last time, and what to do.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// What became of the rows.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Hinted>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

/// Events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEventList)]
pub(in crate::api) struct EventList {
    /// The newest first.
    pub(in crate::api) items: Vec<EventView>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

/// Which events are to be replayed; what is left out does not matter.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = WebhookReplay)]
pub(in crate::api) struct ReplayBody {
    /// Where they stand: `applied`, `ignored`, `quarantined` or `dead_lettered`.
    #[schema(value_type = Option<String>)]
    pub(in crate::api) state: Option<EventState>,
    /// What kept them from being followed.
    #[schema(value_type = Option<String>)]
    pub(in crate::api) cause: Option<Cause>,
    /// Where they were sent to.
    pub(in crate::api) endpoint_id: Option<String>,
    /// Accepted then, or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(in crate::api) since: Option<Timestamp>,
    /// Accepted before then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(in crate::api) until: Option<Timestamp>,
    /// Where the last answer said to go on.
    pub(in crate::api) after: Option<String>,
    /// Only counts them.
    pub(in crate::api) preview: bool,
}

/// What a replay of many events did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReplayed)]
pub(in crate::api) struct Replayed {
    /// How many events were meant.
    pub(in crate::api) selected: u64,
    /// How many of them are worked once more; none where it is only a preview.
    pub(in crate::api) replayed: u64,
    /// What to hand back as `after` to go on, where not all events were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

/// What came of a test delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookTest)]
pub(in crate::api) struct TestView {
    /// Whether it was accepted.
    pub(in crate::api) accepted: bool,
    /// What was found, and what to do.
    pub(in crate::api) answer: &'static str,
}

impl EndpointView {
    pub(in crate::api) fn of(api: &Url, StoredEndpoint { endpoint, .. }: StoredEndpoint) -> Self {
        Self::shown(api, endpoint, None)
    }

    /// Shows an endpoint with its secret, where there is one to show.
    pub(in crate::api) fn opened(api: &Url, Opened { stored, secret }: Opened) -> Self {
        Self::shown(api, stored.endpoint, secret.as_ref())
    }

    fn shown(api: &Url, endpoint: Endpoint, secret: Option<&SecretString>) -> Self {
        let setup = setup(api, &endpoint, secret);
        let json = |value: Result<Value, serde_json::Error>| value.ok().filter(|value| !value.is_null());
        Self {
            endpoint_id: endpoint.id.to_string(),
            scheme: json(serde_json::to_value(&endpoint.scheme)).unwrap_or_default(),
            records: json(serde_json::to_value(&endpoint.records)),
            registers: endpoint.registers,
            registration: json(serde_json::to_value(&endpoint.registration)),
            previous_until: endpoint.previous.as_ref().map(|previous| previous.until),
            created_at: endpoint.created_at,
            rotated_at: endpoint.rotated_at,
            secret: secret.map(|secret| secret.expose_secret().to_owned()),
            setup,
            name: endpoint.name,
        }
    }
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let hints = match &event.say {
            Say::Rows(hints) => serde_json::to_value(hints).unwrap_or_default(),
            Say::Books | Say::Nothing(_) | Say::Unreadable { .. } => Value::Array(Vec::new()),
        };
        Self {
            event_id: event.id.to_string(),
            endpoint_id: event.endpoint.to_string(),
            state: event.state,
            received_at: event.received_at,
            signed_at: event.signed_at,
            sender_id: event.sender_id,
            hints,
            attempts: event.attempts,
            replays: event.replays,
            resume_at: event.resume_at,
            reason: event.why,
            cause: event.cause,
            failure: event.failure,
            rows: event.rows,
            ended_at: event.ended_at,
        }
    }
}
