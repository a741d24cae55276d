//! Works webhooks: what they hint at is looked at, and taken over.
//!
//! The steps, and what a crash after each leaves, are those of [`crate::inbox`].

use std::time::Duration;

use crate::adapter::{self, ErrorKind, Hint, Why};
use crate::export;
use crate::flow::work::Worker;
use crate::inbox::{
    self, Cause, Claimed, Delivery, Entered, Event, EventState, KeptBody, Say, StoredEvent, Wake,
};
use crate::integration::{self, Integration, State};
use crate::model::IntegrationId;
use crate::store::StoreError;
use crate::sync::{self, Engine, Failure, HintError, Hinted, Mode, RunRequest, Trigger};

use super::{Attempt, TriggerError, receive, trigger};

/// How long an event waits for the run that is active to end.
const BUSY: Duration = Duration::from_secs(5 * 60);

/// How soon an event is tried again that the tables had no answer for.
const SOON: Duration = Duration::from_secs(60);

/// Who is said to have started a run that nobody asked for.
const SERVICE: &str = "service";

/// How an event ends.
struct Ending {
    state: EventState,
    why: Option<Why>,
    cause: Option<Cause>,
    failure: Option<Failure>,
    rows: Option<Hinted>,
}

impl Ending {
    fn of(state: EventState) -> Self {
        Self {
            state,
            why: None,
            cause: None,
            failure: None,
            rows: None,
        }
    }

    fn ignored(why: Why) -> Self {
        Self {
            why: Some(why),
            ..Self::of(EventState::Ignored)
        }
    }

    fn dead(cause: Cause, failure: Failure) -> Self {
        Self {
            cause: Some(cause),
            failure: Some(failure),
            ..Self::of(EventState::DeadLettered)
        }
    }

    fn followed(rows: Hinted) -> Self {
        let state = match rows.quarantined {
            0 => EventState::Applied,
            _ => EventState::Quarantined,
        };
        Self {
            rows: Some(rows),
            ..Self::of(state)
        }
    }
}

/// Works a webhook that comes from the queue; one that was seen before is passed over.
///
/// # Errors
///
/// Those of the store: the queue delivers it again.
pub async fn delivered(worker: &Worker, delivery: &Delivery) -> Result<(), StoreError> {
    let store = &*worker.ports.store;
    match inbox::enter(store, delivery, worker.ports.now()).await? {
        Entered::New(stored) => try_to_process(worker, *stored).await,
        Entered::Seen(event) => tracing::info!(event.id = %event, "the webhook was seen before"),
        Entered::Reused => {
            let (endpoint, sender) = (delivery.endpoint.to_string(), delivery.sender_id.as_deref());
            tracing::error!(
                dead_lettered = true,
                cause = "signature",
                endpoint.id = endpoint,
                sender,
                "an id was signed twice"
            );
        }
    }
    Ok(())
}

/// Works an event that waits, unless somebody else does.
///
/// # Errors
///
/// As for [`delivered`].
pub async fn woken(worker: &Worker, wake: &Wake) -> Result<(), StoreError> {
    let now = worker.ports.now();
    match inbox::claim(&*worker.ports.store, &wake.integration, &wake.event, now).await? {
        Claimed::Mine(stored) => try_to_process(worker, *stored).await,
        Claimed::Done => {}
        Claimed::Poisonous => {
            tracing::error!(dead_lettered = true, cause = "ours", event.id = %wake.event, "whoever works on the webhook dies");
        }
    }
    Ok(())
}

/// Works an event that is claimed, and so due: where the tables fail, `reconcile` has it worked again. Giving the message
/// back would hold up all that come after it for as long as the queue hides it.
async fn try_to_process(worker: &Worker, stored: StoredEvent) {
    let claimed = stored.clone();
    if let Err(error) = process(worker, stored).await {
        tracing::warn!(event.id = %claimed.event.id, ?error, "left the webhook to reconcile");
        // Nobody has died of it. Where this is not written either, it is due all the same.
        let now = worker.ports.now();
        drop(inbox::wait(&*worker.ports.store, claimed, None, now + SOON, now).await);
    }
}

async fn process(worker: &Worker, mut stored: StoredEvent) -> Result<(), StoreError> {
    let id = &stored.event.integration;
    let integration = integration::read(&*worker.ports.store, id).await?;
    let version = integration.as_ref().map_or(0, |stored| stored.version);
    let integration = integration.map(|stored| stored.integration);
    let ending = match integration {
        None => Ending::ignored(Why::Disconnected),
        Some(integration) => match read_again(worker, &mut stored.event, &integration).await? {
            Say::Nothing(why) => Ending::ignored(why),
            Say::Unreadable { fault, .. } => {
                Ending::dead(Cause::Mapping, unreadable(&fault.field, &fault.reason))
            }
            Say::Rows(hints) => match asleep(&integration) {
                Some(ending) => ending,
                None => return follow(worker, stored, (&integration, version), &hints).await,
            },
            Say::Books => match asleep(&integration) {
                Some(ending) => ending,
                None => look_again(worker, &integration.id).await?,
            },
        },
    };
    end(worker, stored, ending).await
}

/// Says how an event ends whose integration is not at work.
fn asleep(integration: &Integration) -> Option<Ending> {
    match integration.state {
        State::Active => None,
        State::Paused => Some(Ending::ignored(Why::Paused)),
        State::Disconnecting => Some(Ending::ignored(Why::Disconnected)),
        State::NeedsReauthorization => Some(Ending::dead(
            Cause::Credential,
            Failure {
                code: State::NeedsReauthorization.as_str().to_owned(),
                message: "the integration's credential does not work".to_owned(),
                next_action:
                    "give the integration a credential that works: the run after that finds what was told"
                        .to_owned(),
            },
        )),
    }
}

/// Returns what an event says; one that could not be read is read by the settings of now, and its body kept no longer. Whoever
/// took it in may have known those of a minute before.
async fn read_again(
    worker: &Worker,
    event: &mut Event,
    integration: &Integration,
) -> Result<Say, StoreError> {
    if let Say::Unreadable { body: Some(body), .. } = &event.say {
        let endpoint =
            inbox::read_endpoint(&*worker.ports.store, &event.integration, &event.endpoint).await?;
        if let (Some(endpoint), Some(bytes)) = (endpoint, KeptBody::bytes(body)) {
            let reader = receive::reader(&endpoint.endpoint, integration, &worker.exceptions);
            event.say = Say::read(&reader, &bytes);
        }
    }
    Ok(event.say.clone())
}

/// Looks at the rows, and ends the event or puts it off.
async fn follow(
    worker: &Worker,
    stored: StoredEvent,
    (integration, version): (&Integration, u64),
    hints: &[Hint],
) -> Result<(), StoreError> {
    let (store, clock) = (&*worker.ports.store, &*worker.ports.clock);
    let as_of = worker.ports.now();
    let adapter = worker.connect.connect(integration).await;
    let engine = Engine::new(store, &*adapter, clock, integration);
    let taken = Box::pin(engine.take_hints(&stored.event.id, hints, version)).await;
    match taken {
        Ok(rows) if rows.unmapped == hints.len() as u64 => {
            end(worker, stored, Ending::ignored(Why::NotMapped)).await
        }
        Ok(rows) => {
            if rows.left > 0 && !start_a_run(worker, &integration.id).await? {
                let now = worker.ports.now();
                inbox::wait(store, stored, None, now + BUSY, now).await?;
                return Ok(());
            }
            end(worker, stored, Ending::followed(rows)).await
        }
        Err(HintError::Paused(until)) => {
            inbox::wait(store, stored, None, until, worker.ports.now()).await?;
            Ok(())
        }
        Err(HintError::Store(error)) if error.may_pass() => Err(error),
        Err(HintError::Store(error)) => {
            let failure = sync::unworkable(&error);
            end(worker, stored, Ending::dead(Cause::Ours, failure)).await
        }
        Err(HintError::Adapter(error)) => {
            let now = worker.ports.now();
            if let Some(until) = sync::try_again_at(&error, stored.event.attempts, now) {
                let failure = sync::failure(&error);
                tracing::warn!(event.id = %stored.event.id, failure = failure.code, %until, "the webhook waits");
                inbox::wait(store, stored, Some(failure), until, now).await?;
                return Ok(());
            }
            if error.kind() == ErrorKind::Unauthenticated {
                let cause = error.to_string();
                integration::needs_reauthorization(&worker.ports, &integration.id, as_of, &cause).await?;
            }
            let ending = Ending::dead(cause(&error), sync::failure(&error));
            end(worker, stored, ending).await
        }
    }
}

/// Has what the ledger has taken looked at.
async fn look_again(worker: &Worker, id: &IntegrationId) -> Result<Ending, StoreError> {
    let looked = export::look_again(&*worker.ports.store, id, worker.ports.now()).await?;
    tracing::info!(integration = %id, ?looked, "something happened in the books");
    Ok(Ending::of(EventState::Applied))
}

/// Says who has to do something about an error that does not pass.
fn cause(error: &adapter::Error) -> Cause {
    match error.kind() {
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => Cause::Credential,
        ErrorKind::Unsupported | ErrorKind::NotFound | ErrorKind::Rejected => Cause::Mapping,
        ErrorKind::Conflict
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unavailable
        | ErrorKind::Malformed
        | ErrorKind::CursorExpired
        | ErrorKind::Unknown => Cause::System,
    }
}

fn unreadable(field: &str, reason: &str) -> Failure {
    Failure {
        code: "unreadable".to_owned(),
        message: format!("{field} {reason}"),
        next_action: "correct the endpoint's records or the integration's settings, and replay it".to_owned(),
    }
}

/// Ends an event, and tells what a human should look at.
async fn end(worker: &Worker, stored: StoredEvent, ending: Ending) -> Result<(), StoreError> {
    let Ending {
        state,
        why,
        cause,
        failure,
        rows,
    } = ending;
    let event = Event {
        state,
        why,
        cause,
        failure,
        rows,
        ..stored.event
    };
    let (id, integration) = (event.id.clone(), event.integration.clone());
    let stored = StoredEvent { event, ..stored };
    if !inbox::end(&*worker.ports.store, stored, worker.ports.now()).await? {
        tracing::info!(event.id = %id, "somebody else works on the webhook");
        return Ok(());
    }
    match cause {
        Some(cause) => {
            tracing::error!(dead_lettered = true, ?cause, event.id = %id, %integration, "the webhook could not be followed");
        }
        None => tracing::info!(event.id = %id, %integration, ?state, ?why, ?rows, "the webhook has ended"),
    }
    Ok(())
}

/// Starts a run that finds what webhooks did not tell of, and asks about what they may not do by themselves; says no where
/// another is active, which may be past that.
pub(super) async fn start_a_run(worker: &Worker, id: &IntegrationId) -> Result<bool, StoreError> {
    let request = RunRequest {
        integration: id.clone(),
        mode: Mode::Delta,
        dry_run: false,
        trigger: Trigger::Webhook,
        requested_by: SERVICE.to_owned(),
    };
    match trigger(&worker.ports, request, Attempt::default()).await {
        Err(TriggerError::Store(error)) => Err(error),
        Err(TriggerError::Active(_)) => Ok(false),
        // The integration's return brings one.
        Ok(_) | Err(_) => Ok(true),
    }
}
