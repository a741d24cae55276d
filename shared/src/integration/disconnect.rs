//! Disconnects an integration: a little more with each call, until nothing of it is left.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 mark | integration (disconnecting) and audit row | an integration that starts nothing | the caller repeats the request |
//! | 2 stop | the active run: ended, or asked to stop where somebody works on it | a run that stops at its next checkpoint | the engine |
//! | 3 forget | page by page: links with what records say of them, pending rows, cursors, quarantine, reviews | half of them | the caller repeats the request |
//! | 4 secret | the credentials are deleted | an integration without credentials, that starts nothing | the caller repeats the request |
//! | 5 row | integration removed, and audit row | – | – |
//!
//! While somebody works on a run nothing is forgotten: it would be written anew.

use std::time::Duration;

use super::change::{ChangeError, Precondition};
use super::{State, Vault, audit, forget, integration_key, read};
use crate::flow::{self, Ports};
use crate::model::{IntegrationId, RunId};
use crate::registry::Managed;
use crate::store::{Content, Expect, StoreError, Write};
use crate::sync::{self, RunError};

/// How long one call works before it answers how far it came: well within the API's 30 seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far a disconnection has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disconnected {
    /// Nothing of it is left.
    Gone,
    /// A run has been asked to stop; repeat the request when it has.
    Stopping(RunId),
    /// More is left than one call does; repeat the request.
    Forgetting,
}

/// Disconnects an integration, or goes on doing so.
///
/// # Errors
///
/// `Unknown` where nothing of it is left, `Precondition`, and those of the ports.
pub async fn disconnect(
    ports: &Ports,
    vault: &Vault,
    id: &IntegrationId,
    precondition: Precondition,
    by: &str,
) -> Result<Disconnected, ChangeError> {
    if !mark(ports, id, precondition, by).await? {
        // A connection that died between its secret and its row has left the secret.
        vault.delete(id).await?;
        return Err(ChangeError::Unknown(id.clone()));
    }
    if let Some(run) = stop(ports, id).await? {
        return Ok(Disconnected::Stopping(run));
    }
    flow::schedule::leave(ports, id).await?;
    let deadline = ports.now() + PATIENCE;
    if !forget::all(ports, id, deadline).await? {
        return Ok(Disconnected::Forgetting);
    }
    vault.delete(id).await?;
    remove(ports, id, by).await?;
    Ok(Disconnected::Gone)
}

/// Says whether there is anything to disconnect.
///
/// The mark needs no claim: a change under way is refused its row, and says so to its caller.
async fn mark(
    ports: &Ports,
    id: &IntegrationId,
    precondition: Precondition,
    by: &str,
) -> Result<bool, ChangeError> {
    loop {
        let Some(mut stored) = read(&*ports.store, id).await? else {
            return Ok(false);
        };
        if stored.integration.state == State::Disconnecting {
            return Ok(true);
        }
        if !precondition.accepts(Some(stored.version)) {
            return Err(ChangeError::Precondition);
        }
        let now = ports.now();
        let expect = Expect::Version(stored.version);
        stored.integration.state = State::Disconnecting;
        stored.integration.updated_at = now;
        let row = Write::put(integration_key(id), expect, Content::of(&stored.integration));
        match ports
            .store
            .write(vec![row, audit::write(id, by, "disconnect", &["state"], now)])
            .await
        {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer.map(|()| true)?),
        }
    }
}

/// Ends the active run, unless somebody works on it: then it is asked to stop, and is returned.
async fn stop(ports: &Ports, id: &IntegrationId) -> Result<Option<RunId>, ChangeError> {
    let standing = sync::runs_standing(&*ports.store, id).await?;
    let Some(run) = standing.active else {
        return Ok(None);
    };
    if standing.held_until.is_none_or(|until| until <= ports.now()) {
        sync::abandon(&*ports.store, &run, ports.now()).await?;
        let left = sync::runs_standing(&*ports.store, id).await?.active;
        return Ok(left.map(|run| run.id));
    }
    match flow::stop(ports, id, &run.id).await {
        Ok(_) => Ok(Some(run.id)),
        Err(RunError::Ended | RunError::Missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn remove(ports: &Ports, id: &IntegrationId, by: &str) -> Result<(), ChangeError> {
    while let Some(stored) = read(&*ports.store, id).await? {
        let row = Write::delete(integration_key(id), Expect::Version(stored.version));
        let audit = audit::write(id, by, "disconnected", &[], ports.now());
        let managed = stored.integration.integration_system_id;
        let managed = Managed::pass(&*ports.store, id, (managed, None)).await?;
        let writes = [vec![row, audit], managed.writes()].concat();
        match ports.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer?),
        }
    }
    Ok(())
}
