//! Result events on their way to the bus: kept with what they tell of, and marked once the bus has them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::run::{Run, read_row};
use crate::model::IntegrationId;
use crate::publish::{Publish, ResultEvent};
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

/// How long the one who wrote an event has to publish it, before `reconcile` does.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a published event is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Begins the place of every row of the outbox.
pub(crate) const PREFIX: &str = "outbox#";

fn key(integration: &IntegrationId, sequence: u64) -> Key {
    place(integration, &format!("{sequence:020}"))
}

fn place(integration: &IntegrationId, name: &str) -> Key {
    let sort = format!("{PREFIX}{}#{name}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Tells of a run that has ended; holds no personal data.
pub(super) fn event(run: &Run, sequence: u64, now: Timestamp) -> ResultEvent {
    let detail = json!({
        "organizationId": run.integration.organization,
        "integrationType": run.integration.system,
        "sequence": sequence,
        "runId": run.id,
        "mode": run.mode,
        "dryRun": run.dry_run,
        "outcome": run.state,
        "openedAt": run.opened_at,
        "finishedAt": run.finished_at,
        "totals": run.totals,
        "failure": run.failure,
    });
    let event_id = format!("{}.{}", run.id, sequence);
    ResultEvent {
        event_id,
        detail_type: "sync.finished.v1".to_owned(),
        time: now,
        detail,
    }
}

/// Returns the write that puts the event of a run in the outbox.
pub(super) fn put(integration: &IntegrationId, sequence: u64, event: &ResultEvent, now: Timestamp) -> Write {
    let content = Content::of(event).due_at(now + PATIENCE);
    Write::put(key(integration, sequence), Expect::Absent, content)
}

/// Returns the write that puts an event of no run in the outbox, from where `reconcile` publishes it; `name` is that of
/// this event alone, so that the same one put twice says the same under the same id.
pub(crate) fn post(integration: &IntegrationId, name: &str, event: &ResultEvent, now: Timestamp) -> Write {
    let content = Content::of(event).due_at(now);
    Write::put(place(integration, name), Expect::Anything, content)
}

/// Publishes the event of a row of the outbox and marks it; one that is marked, or gone, is passed over.
///
/// A crash between the two publishes it once more, under the same id.
///
/// # Errors
///
/// Those of the store; an event that the bus did not take stays due.
pub async fn publish(
    store: &dyn Store,
    publish: &dyn Publish,
    key: Key,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(row) = read_row(store, key).await? else {
        return Ok(false);
    };
    let event: ResultEvent = row.decode()?;
    if let Some(Err(error)) = publish
        .publish(std::slice::from_ref(&event))
        .await
        .into_iter()
        .next()
    {
        tracing::warn!(event.id = %event.event_id, %error, "the event stays in the outbox");
        return Ok(false);
    }
    let content = Content::of(&event).expires_at(now + KEPT);
    match store
        .write(vec![Write::put(row.key, Expect::Version(row.version), content)])
        .await
    {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Returns the key of the event with which a run ended.
pub(crate) fn key_of(integration: &IntegrationId, event: &ResultEvent) -> Option<Key> {
    let sequence = event.detail.get("sequence")?.as_u64()?;
    Some(key(integration, sequence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{Mode, Position, RunRequest, Trigger};

    const SCHEMA: &str = include_str!("../../../events/result-events/sync.finished.v1.schema.json");

    fn run() -> Run {
        let request = RunRequest {
            integration: "org:dynamics365".parse().unwrap(),
            mode: Mode::Delta,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "administrator".to_owned(),
        };
        Run::new(request, Position::Done, "2026-01-31T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_event_has_the_fields_of_its_schema_and_no_other() {
        event(&run(), 7, "2026-01-31T10:01:00Z".parse().unwrap()).check(SCHEMA);
    }

    #[test]
    fn the_same_end_of_a_run_has_the_same_id() {
        let now = "2026-01-31T10:01:00Z".parse().unwrap();
        let run = run();
        assert_eq!(event(&run, 7, now).event_id, event(&run, 7, now).event_id);
    }
}
