//! Takes webhooks; opens, shows and closes the endpoints that they are sent to; shows and replays what was accepted.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json as JsonAnswer};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use tokio::time::timeout;

use crate::adapters::webhook_support;
use crate::api::body::{Json, JsonObject, bytes, expect_webhook_type};
use crate::api::edge::Quiet;
use crate::api::idempotency::{Again, Kept};
use crate::api::operation::connected;
use crate::api::place::{AtEndpoint, AtEvent, AtIntegration, Path};
use crate::api::query::{Paging, next, place};
use crate::api::routes::{Integrations, WebhookState};
use crate::api::view::{
    EndpointBody, EndpointList, EndpointView, EventList, EventView, ReplayBody, Replayed, RotationBody,
    TestView,
};
use crate::api::{Code, Problem};
use crate::flow::Ports;
use crate::flow::receive::{MAX_WEBHOOK, Received};
use crate::inbox::{self, Filter, Opened, StoredEvent, WantedEndpoint};
use crate::model::FieldError;
use crate::webhook::{RawWebhook, Reason};

/// How long a secret goes on counting beside the one that takes its place, where nobody says otherwise.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a webhook may take: some who send them wait for the answer, and the function must live to give it.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many pages of events one request looks at.
const PAGES: usize = 4;

/// How many events are marked at once.
const AT_ONCE: usize = 8;

/// Takes a webhook. Whatever is wrong with who sent it, and to where, is answered alike.
#[utoipa::path(post, path = "/v1/webhooks/{source}/{endpointId}", operation_id = "processWebhookEvent", tag = "webhooks",
    params(("source" = String, Path, description = "The system that sends it."),
        ("endpointId" = String, Path, description = "The endpoint's id.")),
    request_body(content = Vec<u8>, content_type = "application/json"),
    responses((status = 202, description = "It is kept, and will be worked."),
        (status = 401, description = "It is not from whoever keeps the secret of an endpoint, or not of now."),
        (status = 503, description = "It was not kept: send it again.")))]
pub(in crate::api) async fn process_webhook_event(
    State(state): State<WebhookState>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let path = Path::of(&mut parts, &state).await?;
    let body = bytes(Request::new(body), MAX_WEBHOOK).await?;
    if body.is_empty() {
        return Err(Problem::of_field("body", "is required"));
    }
    expect_webhook_type(&parts.headers)?;
    let raw = RawWebhook {
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    };
    let received = state
        .receiver
        .receive(path.text("source")?, path.text("endpointId")?, raw);
    let received = timeout(PATIENCE, AssertUnwindSafe(received).catch_unwind()).await;
    match received
        .map_err(|_| unkept("it took too long"))?
        .map_err(|_| unkept("it panicked"))??
    {
        // Whoever works it says so, and keeps what became of it.
        Received::Kept(_) => Ok((StatusCode::ACCEPTED, Extension(Quiet)).into_response()),
        Received::Refused(refusal) => Err(Problem::new(match refusal.reason() {
            // Only who has shown the secret gets that far.
            Reason::Encoding => Code::UnsupportedMediaType,
            Reason::TooLarge => Code::TooLarge,
            _ => Code::WebhookRefused,
        })),
    }
}

/// Tells that a webhook could not be kept, so that it is sent again.
fn unkept(why: &str) -> Problem {
    tracing::error!(not_kept = true, why, "a webhook could not be kept");
    Problem::new(Code::Unavailable)
}

/// Sends a test delivery to an endpoint, signed as its sender would: it passes all that a webhook passes.
#[utoipa::path(post, path = "/webhooks/{endpointId}/test", operation_id = "testWebhookEndpoint", tag = "webhooks",
    responses((status = 200, body = TestView)))]
pub(in crate::api) async fn test_webhook_endpoint(
    State(state): State<WebhookState>,
    AtEndpoint { id, endpoint, .. }: AtEndpoint,
) -> Result<JsonAnswer<TestView>, Problem> {
    let tested = state.receiver.test(&id, &endpoint).await?;
    let tested = tested.ok_or_else(|| Problem::new(Code::UnknownWebhookEndpoint))?;
    let answer = match tested.map_err(|fault| Problem::of_fields(vec![fault]))? {
        Received::Kept(_) => TestView {
            accepted: true,
            answer: "it was verified and kept: it is among the events soon, as ignored, with the reason test",
        },
        Received::Refused(_) => TestView {
            accepted: false,
            answer: "it was refused: give the endpoint another secret, and test it again",
        },
    };
    Ok(JsonAnswer(answer))
}

/// Opens an endpoint, and says what to paste into the other system. The secret is shown this once.
#[utoipa::path(post, path = "/webhooks", operation_id = "openWebhookEndpoint", tag = "webhooks",
    request_body = EndpointBody, responses((status = 201, body = EndpointView)))]
pub(in crate::api) async fn open_webhook_endpoint(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
    Again(attempt): Again,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let support = webhook_support(id.system);
    let wanted = WantedEndpoint::read(&body, support).map_err(Problem::of_fields)?;
    let (ports, keys) = (&state.ports, &*state.keys);
    let opened = inbox::open(ports, keys, &id, wanted, caller.name(), attempt.resumes).await?;
    Ok(shown_once(&state, StatusCode::CREATED, opened))
}

/// Lists the endpoints of an integration.
#[utoipa::path(get, path = "/webhooks", operation_id = "listWebhookEndpoints", tag = "webhooks",
    responses((status = 200, body = EndpointList)))]
pub(in crate::api) async fn list_webhook_endpoints(
    State(state): State<Integrations>,
    AtIntegration { id, .. }: AtIntegration,
) -> Result<JsonAnswer<EndpointList>, Problem> {
    connected(&state.ports, &id).await?;
    let stored = inbox::list_endpoints(&*state.ports.store, &id).await?;
    let items = stored
        .into_iter()
        .map(|stored| EndpointView::of(&state.api_url, stored));
    Ok(JsonAnswer(EndpointList {
        items: items.collect(),
    }))
}

/// Shows an endpoint.
#[utoipa::path(get, path = "/webhooks/{endpointId}", operation_id = "getWebhookEndpoint", tag = "webhooks",
    responses((status = 200, body = EndpointView)))]
pub(in crate::api) async fn get_webhook_endpoint(
    State(state): State<Integrations>,
    AtEndpoint { id, endpoint, .. }: AtEndpoint,
) -> Result<JsonAnswer<EndpointView>, Problem> {
    let stored = inbox::read_endpoint(&*state.ports.store, &id, &endpoint).await?;
    let stored = stored.ok_or_else(|| Problem::new(Code::UnknownWebhookEndpoint))?;
    Ok(JsonAnswer(EndpointView::of(&state.api_url, stored)))
}

/// Closes an endpoint: within a minute, what is sent to it is refused.
#[utoipa::path(delete, path = "/webhooks/{endpointId}", operation_id = "closeWebhookEndpoint", tag = "webhooks",
    responses((status = 204, description = "There is none.")))]
pub(in crate::api) async fn close_webhook_endpoint(
    State(state): State<Integrations>,
    AtEndpoint { caller, id, endpoint }: AtEndpoint,
) -> Result<StatusCode, Problem> {
    inbox::close(&state.ports, &id, &endpoint, caller.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an endpoint another secret, which is shown this once; the one that it has goes on counting for a while.
#[utoipa::path(post, path = "/webhooks/{endpointId}/rotate", operation_id = "rotateWebhookSecret", tag = "webhooks",
    request_body = Option<RotationBody>, responses((status = 200, body = EndpointView)))]
pub(in crate::api) async fn rotate_webhook_secret(
    State(state): State<Integrations>,
    AtEndpoint { caller, id, endpoint }: AtEndpoint,
    Again(attempt): Again,
    Json(body): Json<RotationBody>,
) -> Result<Response, Problem> {
    let overlap = body.overlap_seconds.map_or(OVERLAP, Duration::from_secs);
    let (ports, keys) = (&state.ports, &*state.keys);
    let opened = inbox::rotate(
        ports,
        keys,
        (&id, &endpoint),
        body.secret,
        overlap,
        caller.name(),
        attempt.resumes,
    )
    .await?;
    Ok(shown_once(&state, StatusCode::OK, opened))
}

/// Answers with a secret, and keeps the answer without it.
fn shown_once(state: &Integrations, status: StatusCode, opened: Opened) -> Response {
    let without = EndpointView::of(&state.api_url, opened.stored.clone());
    let mut answer = (status, JsonAnswer(EndpointView::opened(&state.api_url, opened))).into_response();
    answer.extensions_mut().insert(Kept::json(&without));
    answer
}

/// Lists the webhooks that were accepted, the newest first, for thirty days.
#[utoipa::path(get, path = "/webhook-events", operation_id = "listWebhookEvents", tag = "webhooks",
    responses((status = 200, body = EventList)))]
pub(in crate::api) async fn list_webhook_events(
    State(ports): State<Ports>,
    AtIntegration { id, .. }: AtIntegration,
    paging: Paging,
) -> Result<JsonAnswer<EventList>, Problem> {
    connected(&ports, &id).await?;
    let prefix = inbox::events_prefix(&id);
    let after = paging.after(&prefix)?;
    let (events, place) = inbox::list_events(&*ports.store, &id, after, paging.limit).await?;
    Ok(JsonAnswer(EventList {
        items: events.into_iter().map(EventView::from).collect(),
        next: next(place, &prefix),
    }))
}

/// Shows what became of a webhook.
#[utoipa::path(get, path = "/webhook-events/{eventId}", operation_id = "getWebhookEvent", tag = "webhooks",
    responses((status = 200, body = EventView)))]
pub(in crate::api) async fn get_webhook_event(
    State(ports): State<Ports>,
    AtEvent { id, event, .. }: AtEvent,
) -> Result<JsonAnswer<EventView>, Problem> {
    let stored = inbox::read_event(&*ports.store, &id, &event).await?;
    let stored = stored.ok_or_else(|| Problem::new(Code::UnknownWebhookEvent))?;
    Ok(JsonAnswer(stored.event.into()))
}

/// Has a webhook that has ended worked once more.
#[utoipa::path(post, path = "/webhook-events/{eventId}/replay", operation_id = "replayWebhookEvent", tag = "webhooks",
    responses((status = 202, body = EventView)))]
pub(in crate::api) async fn replay_webhook_event(
    State(ports): State<Ports>,
    AtEvent { caller, id, event }: AtEvent,
) -> Result<Response, Problem> {
    let stored = inbox::read_event(&*ports.store, &id, &event).await?;
    let stored = stored.ok_or_else(|| Problem::new(Code::UnknownWebhookEvent))?;
    let replayed = inbox::replay(&*ports.store, stored.clone(), caller.name(), ports.now()).await?;
    let event = match replayed {
        Some((event, message)) => {
            if let Err(error) = ports.queue.send(message).await {
                tracing::warn!(?error, "left the webhook to reconcile");
            }
            event
        }
        // It waits already: asking twice is asking once.
        None => stored.event,
    };
    Ok((StatusCode::ACCEPTED, JsonAnswer(EventView::from(event))).into_response())
}

/// Has all webhooks worked once more that have something in common, or counts them. They are handed out a thousand a minute.
#[utoipa::path(post, path = "/webhook-events/replay", operation_id = "replayWebhookEvents", tag = "webhooks",
    request_body = ReplayBody, responses((status = 202, body = Replayed)))]
pub(in crate::api) async fn replay_webhook_events(
    State(ports): State<Ports>,
    AtIntegration { caller, id }: AtIntegration,
    Json(body): Json<ReplayBody>,
) -> Result<Response, Problem> {
    connected(&ports, &id).await?;
    let prefix = inbox::events_prefix(&id);
    let filter = filter(&body)?;
    let mut after = body
        .after
        .as_deref()
        .map(|after| place(after, &prefix))
        .transpose()?;
    let mut done = Replayed {
        selected: 0,
        replayed: 0,
        next: None,
    };
    for _ in 0..PAGES {
        let (selected, place) = inbox::select(&*ports.store, &id, &filter, after).await?;
        done.selected += selected.len() as u64;
        if !body.preview {
            done.replayed += mark(&ports, selected, caller.name()).await?;
        }
        after = place;
        if after.is_none() {
            break;
        }
    }
    done.next = next(after, &prefix);
    Ok((StatusCode::ACCEPTED, JsonAnswer(done)).into_response())
}

fn filter(body: &ReplayBody) -> Result<Filter, Problem> {
    let endpoint = body.endpoint_id.as_deref().map(str::parse).transpose();
    let malformed =
        |error| Problem::of_fields(vec![FieldError::new("endpointId", format!("must be: {error}"))]);
    Ok(Filter {
        state: body.state,
        cause: body.cause,
        endpoint: endpoint.map_err(malformed)?,
        since: body.since,
        until: body.until,
    })
}

/// Has events wait again, all of them due: `reconcile` hands them out.
async fn mark(ports: &Ports, selected: Vec<StoredEvent>, by: &str) -> Result<u64, Problem> {
    let now = ports.now();
    let marks = stream::iter(selected).map(|stored| inbox::replay(&*ports.store, stored, by, now));
    let marked: Vec<_> = marks.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(marked.iter().flatten().count() as u64)
}
