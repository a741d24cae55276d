//! Pauses an integration, and resumes it.

use super::change::{self, ChangeError, Claim, Precondition};
use super::{State, Stored, audit, integration_key, read};
use crate::flow::{Ports, schedule};
use crate::model::IntegrationId;
use crate::store::{Content, Expect, StoreError, Write};

/// Pauses an integration: nothing starts until it is resumed; one that is paused stays as it is.
///
/// # Errors
///
/// `Unknown`, `Precondition`, `InProgress`, `NotIn`, and those of the store.
pub async fn pause(
    ports: &Ports,
    id: &IntegrationId,
    precondition: Precondition,
    by: &str,
) -> Result<Stored, ChangeError> {
    set(ports, id, State::Paused, precondition, by).await
}

/// Resumes an integration; one that is active stays as it is.
///
/// # Errors
///
/// `NotIn` where it needs another credential first; `Unknown`, `Precondition`, `InProgress`, and those of the store.
pub async fn resume(
    ports: &Ports,
    id: &IntegrationId,
    precondition: Precondition,
    by: &str,
) -> Result<Stored, ChangeError> {
    let stored = set(ports, id, State::Active, precondition, by).await?;
    schedule::wake(ports, id).await?;
    Ok(stored)
}

async fn set(
    ports: &Ports,
    id: &IntegrationId,
    state: State,
    precondition: Precondition,
    by: &str,
) -> Result<Stored, ChangeError> {
    let store = &*ports.store;
    let claim = Claim::take(store, id, by, ports.now()).await?;
    let answer = set_claimed(ports, id, state, precondition, by, &claim).await;
    if !matches!(answer, Ok((_, true))) {
        claim.abandon(store).await;
    }
    answer.map(|(stored, _)| stored)
}

/// Also says whether anything was written.
async fn set_claimed(
    ports: &Ports,
    id: &IntegrationId,
    state: State,
    precondition: Precondition,
    by: &str,
    claim: &Claim,
) -> Result<(Stored, bool), ChangeError> {
    loop {
        let stored = read(&*ports.store, id).await?;
        change::check(stored.as_ref(), precondition)?;
        let mut stored = stored.ok_or_else(|| ChangeError::Unknown(id.clone()))?;
        match (stored.integration.state, state) {
            (now, wanted) if now == wanted => return Ok((stored, false)),
            (State::NeedsReauthorization, State::Active) => {
                return Err(ChangeError::NotIn(State::NeedsReauthorization));
            }
            _ => stored.integration.state = state,
        }
        match ports.store.write(writes(ports, &mut stored, by, claim)).await {
            Err(StoreError::Refused { parts }) if parts == [0] => {}
            answer => return Ok(answer.map(|()| (stored, true))?),
        }
    }
}

fn writes(ports: &Ports, stored: &mut Stored, by: &str, claim: &Claim) -> Vec<Write> {
    let now = ports.now();
    let (id, expect) = (stored.integration.id.clone(), Expect::Version(stored.version));
    stored.integration.updated_at = now;
    stored.version += 1;
    let did = if stored.integration.state == State::Paused {
        "pause"
    } else {
        "resume"
    };
    vec![
        Write::put(integration_key(&id), expect, Content::of(&stored.integration)),
        audit::write(&id, by, did, &["state"], now),
        claim.release(),
    ]
}
