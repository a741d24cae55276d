//! Events as they are worked: entered, claimed, ended, put off, and woken.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KEPT;
use super::delivery::{Delivery, group};
use super::event::{self, Cause, Event, EventState, StoredEvent};
use crate::model::{EventId, IntegrationId};
use crate::queue::Message;
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};
use crate::sync::Failure;

/// How long somebody who began to work on an event may take: more than a function lives.
const PATIENCE: Duration = Duration::from_secs(3 * 60);

/// How long an event that was put on the queue once more may wait there, before it is put there again.
const WOKEN: Duration = Duration::from_secs(15 * 60);

/// How often an event is begun without an end: whoever works on it dies of it.
const MOST_CLAIMS: u32 = 5;

/// That a webhook was seen.
///
/// # Shape
///
/// `{"event":"0190…","content":"n4bQ…"}`
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    event: EventId,
    content: Box<str>,
}

/// What a delivery was found to be.
#[derive(Debug, Clone)]
pub enum Entered {
    /// A new one, which is claimed.
    New(Box<StoredEvent>),
    /// One that was seen before, as this event.
    Seen(EventId),
    /// One whose sender has signed something else under the same id.
    Reused,
}

/// What came of claiming an event.
#[derive(Debug, Clone)]
pub enum Claimed {
    /// It is to be worked.
    Mine(Box<StoredEvent>),
    /// It has ended, waits, or is gone.
    Done,
    /// Everybody who began to work on it died: it has ended by that.
    Poisonous,
}

/// The message that has an event worked once more.
///
/// # Shape
///
/// `{"event":"0190…","integration":"hlf:dynamics365"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// The event.
    pub event: EventId,
    /// Whose records it is about.
    pub integration: IntegrationId,
}

fn receipt_key(delivery: &Delivery, name: &str) -> Key {
    let (system, token) = (delivery.integration.system, delivery.endpoint.token());
    let sort = format!("receipt#{system}#{token}#{name}");
    Key::new(Table::Control, delivery.integration.organization.as_str(), sort)
}

fn entered(delivery: &Delivery) -> Event {
    Event {
        id: EventId::at(delivery.received_at),
        endpoint: delivery.endpoint.clone(),
        integration: delivery.integration.clone(),
        state: EventState::Received,
        received_at: delivery.received_at,
        signed_at: delivery.signed_at,
        sender_id: delivery.sender_id.clone(),
        say: delivery.say.clone(),
        claims: 1,
        attempts: 0,
        replays: 0,
        claimed_until: None,
        resume_at: None,
        why: None,
        cause: None,
        failure: None,
        rows: None,
        ended_at: None,
    }
}

/// Enters a delivery: of the same one, delivered many times, exactly one becomes an event.
///
/// # Errors
///
/// Those of the store.
pub async fn enter(store: &dyn Store, delivery: &Delivery, now: Timestamp) -> Result<Entered, StoreError> {
    let event = Event {
        claimed_until: Some(now + PATIENCE),
        ..entered(delivery)
    };
    let content = event.content(now).due_at(now + PATIENCE);
    let Some(before) = put(store, delivery, &delivery.dedup_key, &event, content, now).await? else {
        return Ok(Entered::New(Box::new(StoredEvent { event, version: 1 })));
    };
    if before.content == delivery.content {
        return Ok(Entered::Seen(before.event));
    }
    let name = format!("{}#{}", delivery.dedup_key, delivery.content);
    let event = reused(event, now);
    put(store, delivery, &name, &event, event.content(now), now).await?;
    Ok(Entered::Reused)
}

/// Writes an event with its receipt, unless there is such a receipt, which it returns then.
async fn put(
    store: &dyn Store,
    delivery: &Delivery,
    name: &str,
    event: &Event,
    content: Content,
    now: Timestamp,
) -> Result<Option<Receipt>, StoreError> {
    let key = receipt_key(delivery, name);
    let receipt = Receipt {
        event: event.id.clone(),
        content: delivery.content.clone(),
    };
    let writes = vec![
        Write::put(
            key.clone(),
            Expect::Absent,
            Content::of(&receipt).expires_at(now + KEPT),
        ),
        Write::put(event.key(), Expect::Absent, content),
    ];
    match store.write(writes).await {
        Ok(()) => Ok(None),
        Err(StoreError::Refused { parts }) => {
            let row = store.get(&[key]).await?.pop().flatten();
            let row = row.ok_or(StoreError::Refused { parts })?;
            row.decode().map(Some)
        }
        Err(error) => Err(error),
    }
}

fn reused(event: Event, now: Timestamp) -> Event {
    let failure = Failure {
        code: "id_reused".to_owned(),
        message: "another webhook was signed under the same id: this one is not followed".to_owned(),
        next_action: "ask who runs the other system why; start a sync to be sure that both sides are equal"
            .to_owned(),
    };
    Event {
        state: EventState::DeadLettered,
        cause: Some(Cause::Signature),
        failure: Some(failure),
        ended_at: Some(now),
        ..event
    }
}

/// Claims an event that was entered before.
///
/// # Errors
///
/// Those of the store.
pub async fn claim(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &EventId,
    now: Timestamp,
) -> Result<Claimed, StoreError> {
    let Some(mut stored) = event::read_event(store, integration, id).await? else {
        return Ok(Claimed::Done);
    };
    let event = &mut stored.event;
    if event.state != EventState::Received || event.resume_at.is_some_and(|at| at > now) {
        return Ok(Claimed::Done);
    }
    event.resume_at = None;
    event.claimed_until = Some(now + PATIENCE);
    event.claims += 1;
    let poisonous = event.claims > MOST_CLAIMS;
    if poisonous {
        event.state = EventState::DeadLettered;
        event.cause = Some(Cause::Ours);
        event.ended_at = Some(now);
        event.failure = Some(Failure {
            code: "poisonous".to_owned(),
            message: format!("whoever works on it dies; it was begun {MOST_CLAIMS} times"),
            next_action: "report this: it is a fault of the service".to_owned(),
        });
    }
    let content = match poisonous {
        true => event.content(now),
        false => event.content(now).due_at(now + PATIENCE),
    };
    let write = Write::put(event.key(), Expect::Version(stored.version), content);
    match store.write(vec![write]).await {
        Ok(()) if poisonous => Ok(Claimed::Poisonous),
        Ok(()) => Ok(Claimed::Mine(Box::new(StoredEvent {
            version: stored.version + 1,
            ..stored
        }))),
        Err(StoreError::Refused { .. }) => Ok(Claimed::Done),
        Err(error) => Err(error),
    }
}

/// Ends an event; where somebody else has claimed it meanwhile, that one ends it. Says whether it was ended.
///
/// # Errors
///
/// Those of the store.
pub async fn end(store: &dyn Store, ended: StoredEvent, now: Timestamp) -> Result<bool, StoreError> {
    let event = Event {
        ended_at: Some(now),
        resume_at: None,
        ..ended.event
    };
    save(store, &event, ended.version, event.content(now)).await
}

/// Puts an event off; with a failure, it counts as tried in vain.
///
/// # Errors
///
/// Those of the store.
pub async fn wait(
    store: &dyn Store,
    stored: StoredEvent,
    failure: Option<Failure>,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let event = Event {
        attempts: stored.event.attempts + u32::from(failure.is_some()),
        claimed_until: None,
        claims: 0,
        resume_at: Some(until),
        failure: failure.or(stored.event.failure),
        ..stored.event
    };
    save(store, &event, stored.version, event.content(now).due_at(until)).await
}

async fn save(store: &dyn Store, event: &Event, version: u64, content: Content) -> Result<bool, StoreError> {
    let write = Write::put(event.key(), Expect::Version(version), content);
    match store.write(vec![write]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the message that has an event worked, where one that is due is still to be, and when to look again.
///
/// # Errors
///
/// Those of the store.
pub async fn wake(store: &dyn Store, key: &Key, now: Timestamp) -> Result<Option<Message>, StoreError> {
    let Some(row) = store.get(std::slice::from_ref(key)).await?.pop().flatten() else {
        return Ok(None);
    };
    let stored = StoredEvent::of(&row)?;
    let event = stored.event;
    let [claimed, rests] =
        [event.claimed_until, event.resume_at].map(|until| until.is_some_and(|until| until > now));
    // What the list of what is due says may be older than the row.
    if event.state != EventState::Received || claimed || rests {
        return Ok(None);
    }
    let saved = save(store, &event, row.version, event.content(now).due_at(now + WOKEN)).await?;
    Ok(saved.then(|| again(&event, row.version)))
}

/// Returns the message that has an event worked once more; `version` tells it from earlier ones.
#[must_use]
pub fn again(event: &Event, version: u64) -> Message {
    let wake = Wake {
        event: event.id.clone(),
        integration: event.integration.clone(),
    };
    Message {
        system: event.integration.system,
        group: group(&event.integration, &event.say, event.id.as_str()),
        deduplication: format!("{}-{version}", event.id),
        body: Content::of(&wake).body,
    }
}
