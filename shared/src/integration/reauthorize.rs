//! Marks an integration whose credential no longer works, so that nothing is asked with it any more; and one whose does
//! again.

use jiff::Timestamp;
use serde_json::json;

use super::{State, audit, integration_key, read};
use crate::flow::{Ports, schedule};
use crate::model::IntegrationId;
use crate::publish::ResultEvent;
use crate::store::{Content, Expect, StoreError, Write};
use crate::sync::outbox;

/// Who is said to have done what nobody asked for.
const SERVICE: &str = "service";

/// Marks an integration whose credential was refused, unless it was changed since; its schedule owes one run for when it
/// works again.
///
/// # Errors
///
/// Those of the store.
pub async fn needs_reauthorization(
    ports: &Ports,
    id: &IntegrationId,
    as_of: Timestamp,
    cause: &str,
) -> Result<(), StoreError> {
    while let Some(mut stored) = read(&*ports.store, id).await? {
        let integration = &mut stored.integration;
        if integration.state != State::Active || integration.updated_at > as_of {
            return Ok(());
        }
        let now = ports.now();
        integration.state = State::NeedsReauthorization;
        integration.updated_at = now;
        let mut writes = vec![
            Write::put(
                integration_key(id),
                Expect::Version(stored.version),
                Content::of(&stored.integration),
            ),
            audit::write(id, SERVICE, "needs_reauthorization", &["state"], now),
            outbox::post(id, &format!("reauthorize#{now}"), &event(id, cause, now), now),
        ];
        writes.extend(schedule::owe(ports, id).await?);
        match ports.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => {
                answer?;
                tracing::error!(reauthorize = true, integration.id = %id, cause, "the credential does not work any more");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Tells that a credential does not work any more; holds no personal data.
fn event(id: &IntegrationId, cause: &str, now: Timestamp) -> ResultEvent {
    let detail = json!({
        "organizationId": id.organization,
        "integrationType": id.system,
        "cause": cause,
    });
    ResultEvent {
        event_id: format!("{id}.reauthorize.{now}"),
        detail_type: "integration.needs_reauthorization.v1".to_owned(),
        time: now,
        detail,
    }
}

/// Marks an integration whose credential works again; who has found otherwise before comes too late.
///
/// # Errors
///
/// Those of the store.
pub async fn authorized(ports: &Ports, id: &IntegrationId, by: &str) -> Result<(), StoreError> {
    while let Some(mut stored) = read(&*ports.store, id).await? {
        let integration = &mut stored.integration;
        if integration.state == State::Disconnecting {
            return Ok(());
        }
        let now = ports.now();
        if integration.state == State::NeedsReauthorization {
            integration.state = State::Active;
        }
        integration.updated_at = now;
        let row = Write::put(
            integration_key(id),
            Expect::Version(stored.version),
            Content::of(&stored.integration),
        );
        let entry = audit::write(id, by, "authorize", &["state"], now);
        match ports.store.write(vec![row, entry]).await {
            Err(StoreError::Refused { .. }) => {}
            answer => {
                answer?;
                return schedule::wake(ports, id).await;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str =
        include_str!("../../../events/result-events/integration.needs_reauthorization.v1.schema.json");

    #[test]
    fn an_event_has_the_fields_of_its_schema_and_no_other() {
        let id = "hlf:dynamics365".parse().unwrap();
        event(&id, "the credential is refused", Timestamp::UNIX_EPOCH).check(SCHEMA);
    }
}
