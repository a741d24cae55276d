//! Starts runs, and stops them.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 open | run and lease in one transaction, the lease due | a run that nobody works on | `reconcile`, when the lease is due |
//! | 2 enqueue | the first slice's message | – | the queue delivers |

use jiff::Timestamp;

use super::Ports;
use crate::integration::{self, State, Stored};
use crate::model::{IntegrationId, Kind, OrganizationId, RunId, System};
use crate::store::{Expect, StoreError, Write};
use crate::sync::{self, OpenError, Run, RunError, RunRequest};

/// How many of the newest runs are searched for one that an earlier attempt opened.
const LOOK_BACK: usize = 10;

/// Which attempt at a request this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempt {
    /// Since when earlier attempts, which died, may have left something behind.
    pub resumes: Option<Timestamp>,
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// The organization has not connected the system.
    #[error("{0} is not connected")]
    Unknown(IntegrationId),
    /// The integration is not active.
    #[error("the integration is {}", .0.as_str())]
    NotActive(State),
    /// It keeps no records.
    #[error("{0} keeps no records")]
    KeepsNothing(System),
    /// Another run is.
    #[error("the run {0} is active")]
    Active(RunId),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OpenError> for TriggerError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Active(run) => Self::Active(run),
            OpenError::Store(error) => Self::Store(error),
        }
    }
}

/// Starts a run of an integration; an attempt that was made before gets the run that it opened then.
///
/// A run that is opened is a run that will be worked: where the queue does not take its first slice, `reconcile`
/// hands it over when the lease is due.
///
/// # Errors
///
/// `Unknown`, `NotActive`, `Active`, and those of the store.
pub async fn trigger(ports: &Ports, request: RunRequest, attempt: Attempt) -> Result<Run, TriggerError> {
    if let Some(run) = opened_before(ports, &request, attempt).await? {
        return Ok(run);
    }
    loop {
        let guard = active(ports, &request.integration).await?;
        match sync::open(&*ports.store, request.clone(), Some(guard), ports.now()).await {
            // The integration was changed between the look at it and the run.
            Err(OpenError::Store(StoreError::Refused { .. })) => {}
            opened => {
                let run = opened?;
                hand_over(ports, &run, "open").await;
                return Ok(run);
            }
        }
    }
}

/// Insists on the integration as it is: connected, and active.
///
/// # Errors
///
/// `Unknown`, `NotActive`, and those of the store.
pub async fn active(ports: &Ports, id: &IntegrationId) -> Result<Write, TriggerError> {
    let stored = integration::read(&*ports.store, id).await?;
    let stored = stored.ok_or_else(|| TriggerError::Unknown(id.clone()))?;
    if stored.integration.keeps_books() {
        return Err(TriggerError::KeepsNothing(id.system));
    }
    match stored.integration.state {
        State::Active => Ok(Write::check(
            integration::integration_key(id),
            Expect::Version(stored.version),
        )),
        state => Err(TriggerError::NotActive(state)),
    }
}

/// Returns the run that an earlier attempt, which died, has opened.
///
/// # Errors
///
/// Those of the store.
pub async fn opened_before(
    ports: &Ports,
    request: &RunRequest,
    attempt: Attempt,
) -> Result<Option<Run>, StoreError> {
    let Some(since) = attempt.resumes else {
        return Ok(None);
    };
    let (runs, _) = sync::list_runs(&*ports.store, &request.integration, None, LOOK_BACK).await?;
    let ours = |run: &Run| {
        run.opened_at >= since
            && run.requested_by == request.requested_by
            && (run.mode, run.dry_run) == (request.mode, request.dry_run)
    };
    Ok(runs.into_iter().find(ours))
}

/// Puts a run's next slice on its queue; where the queue does not take it, `reconcile` does so when the lease is due.
pub async fn hand_over(ports: &Ports, run: &Run, why: &str) {
    if let Err(error) = ports.queue.send(run.message(why)).await {
        tracing::warn!(run.id = %run.id, integration.id = %run.integration, ?error, "left the run to reconcile");
    }
}

/// Starts a run for every active integration of an organization that keeps any of these kinds equal; a run that is active
/// already counts as started.
///
/// # Errors
///
/// Those of the store.
pub async fn sync_all(
    ports: &Ports,
    organization: &OrganizationId,
    kinds: &[Kind],
    request: impl Fn(IntegrationId) -> RunRequest,
    attempt: Attempt,
) -> Result<Vec<(IntegrationId, Result<Run, TriggerError>)>, StoreError> {
    let mut answers = Vec::new();
    let connected = integration::list(&*ports.store, organization).await?;
    for Stored { integration, .. } in connected {
        if !integration.keeps(kinds) {
            continue;
        }
        let id = integration.id;
        match trigger(ports, request(id.clone()), attempt).await {
            Err(TriggerError::Store(error)) => return Err(error),
            Err(TriggerError::Unknown(_)) => {}
            answer => answers.push((id, answer)),
        }
    }
    Ok(answers)
}

/// Asks a run to stop, and has it looked at soon, should it be waiting.
///
/// # Errors
///
/// `Missing`, `Ended`, and those of the store.
pub async fn stop(ports: &Ports, integration: &IntegrationId, run: &RunId) -> Result<Run, RunError> {
    let run = sync::cancel(&*ports.store, integration, run).await?;
    hand_over(ports, &run, "cancel").await;
    Ok(run)
}
