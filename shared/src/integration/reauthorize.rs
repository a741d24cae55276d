//! Marks an integration whose credential no longer works, so that nothing is asked with it any more.

use super::{State, audit, integration_key, read};
use crate::flow::Ports;
use crate::store::{Content, Expect, StoreError, Write};
use crate::sync::Run;

/// Who is said to have done what nobody asked for.
const SERVICE: &str = "service";

/// Marks the integration of a run that failed for its credential, unless it was changed since the run was opened.
///
/// # Errors
///
/// Those of the store.
pub async fn needs_reauthorization(ports: &Ports, run: &Run) -> Result<(), StoreError> {
    let id = &run.integration;
    while let Some(mut stored) = read(&*ports.store, id).await? {
        let integration = &mut stored.integration;
        if integration.state != State::Active || integration.updated_at > run.opened_at {
            return Ok(());
        }
        let now = ports.now();
        integration.state = State::NeedsReauthorization;
        integration.updated_at = now;
        let row = Write::put(
            integration_key(id),
            Expect::Version(stored.version),
            Content::of(&stored.integration),
        );
        let entry = audit::write(id, SERVICE, "needs_reauthorization", &["state"], now);
        match ports.store.write(vec![row, entry]).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return answer,
        }
    }
    Ok(())
}
