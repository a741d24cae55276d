//! Replays: events that have ended are worked once more, one by one or by what they have in common.
//!
//! To replay an event is to have it wait again, due at once; who does so also puts it on the queue, and `reconcile` does
//! where that was not done. Ten thousand of them are so many rows, and the queue gets them a thousand a minute.

use std::time::Duration;

use jiff::Timestamp;

use super::endpoint::EndpointId;
use super::event::{Cause, Event, EventState, StoredEvent, prefix};
use super::work::again;
use crate::integration::audit;
use crate::model::IntegrationId;
use crate::queue::Message;
use crate::store::{Expect, Query, Store, StoreError, Table, Write};

/// How many events are looked at in one go.
const PAGE: usize = 500;

/// Which events are meant; what is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where they stand.
    pub state: Option<EventState>,
    /// What kept them from being followed.
    pub cause: Option<Cause>,
    /// Where they were sent to.
    pub endpoint: Option<EndpointId>,
    /// Accepted then, or later.
    pub since: Option<Timestamp>,
    /// Accepted before then.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Says whether an event is meant: only one that has ended can be.
    #[must_use]
    pub fn selects(&self, event: &Event) -> bool {
        event.state != EventState::Received
            && self.state.is_none_or(|state| event.state == state)
            && self.cause.is_none_or(|cause| event.cause == Some(cause))
            && self.endpoint.as_ref().is_none_or(|id| event.endpoint == *id)
            && self.since.is_none_or(|since| event.received_at >= since)
            && self.until.is_none_or(|until| event.received_at < until)
    }
}

/// Looks for events, the oldest first: those that are meant, and where to go on after, where not all were looked at.
///
/// # Errors
///
/// Those of the store.
pub async fn select(
    store: &dyn Store,
    integration: &IntegrationId,
    filter: &Filter,
    after: Option<String>,
) -> Result<(Vec<StoredEvent>, Option<String>), StoreError> {
    // An id begins with the time of its event, so that whatever is older need not be looked at.
    let oldest = filter
        .since
        .and_then(|since| since.checked_sub(Duration::from_secs(1)).ok());
    let begin = oldest.map(|since| {
        let milliseconds = u64::try_from(since.as_millisecond()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid();
        format!("{}{id}", prefix(integration))
    });
    let query = Query::new(
        Table::Control,
        integration.organization.as_str(),
        prefix(integration),
        PAGE,
    );
    let page = store.query(&query.after(after.or(begin))).await?;
    let mut selected = Vec::new();
    for row in &page.rows {
        let stored = StoredEvent::of(row)?;
        if filter
            .until
            .is_some_and(|until| stored.event.received_at > until + Duration::from_secs(1))
        {
            return Ok((selected, None));
        }
        if filter.selects(&stored.event) {
            selected.push(stored);
        }
    }
    Ok((selected, page.next))
}

/// Has an event that has ended worked once more; `None` where it has not, or somebody else was faster.
///
/// # Errors
///
/// Those of the store.
pub async fn replay(
    store: &dyn Store,
    stored: StoredEvent,
    by: &str,
    now: Timestamp,
) -> Result<Option<(Event, Message)>, StoreError> {
    if stored.event.state == EventState::Received {
        return Ok(None);
    }
    let event = Event {
        state: EventState::Received,
        claims: 0,
        attempts: 0,
        replays: stored.event.replays + 1,
        claimed_until: None,
        resume_at: None,
        why: None,
        cause: None,
        failure: None,
        rows: None,
        ended_at: None,
        ..stored.event
    };
    let writes = vec![
        Write::put(
            event.key(),
            Expect::Version(stored.version),
            event.content(now).due_at(now),
        ),
        audit::write(
            &event.integration,
            by,
            "replay_webhook_event",
            &[event.id.as_str()],
            now,
        ),
    ];
    match store.write(writes).await {
        Ok(()) => {
            let message = again(&event, stored.version + 1);
            Ok(Some((event, message)))
        }
        Err(StoreError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
