//! The right to work on an integration: one run at a time, one slice at a time.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::position::Position;
use super::run::{Mode, Run, RunRequest, last_key, read_row, run_key};
use crate::model::{IntegrationId, Kind, RunId};
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

/// How long a claim lasts: more than a function lives, so that a holder is dead before it runs out.
pub(super) const LEASE: Duration = Duration::from_secs(150);

/// How many transactions of records may be under way at once.
pub(super) const LANES: usize = 8;

/// How long a slice that was put on the queue may take to begin, before it is put there again.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who works on an integration. The row's version is the fence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lease {
    /// The run that is active.
    pub run: Option<RunId>,
    /// Until when its current slice is held; absent between slices.
    pub until: Option<Timestamp>,
}

/// The last run that has ended, and how many result events the integration has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Last {
    pub(super) run: RunId,
    pub(super) sequence: u64,
    pub(super) last_success_at: Option<Timestamp>,
    pub(super) last_failure_at: Option<Timestamp>,
}

/// The right to work one slice of a run.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The run, as it stands.
    pub run: Run,
    /// The version of the run's row.
    pub(super) run_version: u64,
    /// The number that every later write is conditional on.
    pub fence: u64,
    /// Until when the claim holds.
    pub until: Timestamp,
}

/// Why a run was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// One is active already.
    #[error("the run {0} is active")]
    Active(RunId),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a slice is not to be worked.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Somebody else works on it until then.
    #[error("the run is being worked on until {0}")]
    Held(Timestamp),
    /// The run has ended, is another one by now, or is past this slice.
    #[error("the slice is no longer wanted")]
    Stale,
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) fn lease_key(integration: &IntegrationId) -> Key {
    let sort = format!("lease#{}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Opens a run; of many that try at once, one succeeds.
///
/// # Errors
///
/// `Active` with the id of the run that is in the way; `Refused` where one of the `guards` does not hold, and the other errors
/// of the store.
pub async fn open(
    store: &dyn Store,
    request: RunRequest,
    guards: impl IntoIterator<Item = Write> + Send,
    now: Timestamp,
) -> Result<Run, OpenError> {
    let kind = Kind::Member;
    let position = match request.mode {
        Mode::Retry => Position::Retry { kind, after: None },
        Mode::Delta | Mode::Full | Mode::Approved => Position::Begin { kind },
    };
    open_at(store, request, position, guards.into_iter().collect(), now).await
}

/// Opens a run that begins at a given place, in one transaction with what else is to be written.
pub(super) async fn open_at(
    store: &dyn Store,
    request: RunRequest,
    position: Position,
    more: Vec<Write>,
    now: Timestamp,
) -> Result<Run, OpenError> {
    let run = Run::new(request, position, now);
    loop {
        let row = read_row(store, lease_key(&run.integration)).await?;
        let lease: Lease = row
            .as_ref()
            .map_or_else(|| Ok(Lease::default()), |row| row.decode())?;
        if let Some(active) = lease.run {
            return Err(OpenError::Active(active));
        }
        let expect = row.map_or(Expect::Absent, |row| Expect::Version(row.version));
        let mut writes = vec![
            free(&run.integration, expect, &run.id, now),
            Write::put(run.key(), Expect::Absent, Content::of(&run)),
        ];
        writes.extend(more.iter().cloned());
        match store.write(writes).await {
            Err(StoreError::Refused { parts }) if parts.iter().all(|part| *part < 2) => {}
            answer => return answer.map(|()| run).map_err(OpenError::from),
        }
    }
}

/// Leaves the run without a holder, to be looked at if nobody claims it soon.
pub(super) fn free(integration: &IntegrationId, expect: Expect, run: &RunId, now: Timestamp) -> Write {
    free_until(integration, expect, run, now + PATIENCE)
}

/// Leaves the run without a holder, to be looked at from `due` on.
pub(super) fn free_until(integration: &IntegrationId, expect: Expect, run: &RunId, due: Timestamp) -> Write {
    let lease = Lease {
        run: Some(run.clone()),
        until: None,
    };
    Write::put(lease_key(integration), expect, Content::of(&lease).due_at(due))
}

fn lane_key(integration: &IntegrationId, lane: usize) -> Key {
    let sort = format!("lane#{}#{lane}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns the writes that open the lanes for the holder of the lease, and close them for every earlier one.
///
/// Transactions that share a row exclude each other, so that the lease itself could only guard one at a time: each of
/// those that are under way together insists on a lane of its own.
///
/// With them goes a mark that records of the kind were written, should the holder die before it can say so.
pub(super) fn open_lanes(integration: &IntegrationId, kind: Kind, fence: u64) -> Vec<Write> {
    let touched = Content {
        body: "{}".to_owned(),
        fence: None,
        due: None,
        expires_at: None,
    };
    let touched = Write::put(touched_key(integration, kind), Expect::Anything, touched);
    let lane = |lane| {
        let content = Content {
            body: "{}".to_owned(),
            fence: Some(fence),
            due: None,
            expires_at: None,
        };
        Write::put(lane_key(integration, lane), Expect::Anything, content)
    };
    let lease = Write::check(lease_key(integration), Expect::Version(fence));
    [lease, touched].into_iter().chain((0..LANES).map(lane)).collect()
}

fn touched_key(integration: &IntegrationId, kind: Kind) -> Key {
    let sort = format!("touched#{}#{kind}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Says whether any record of a kind may ever have been written.
pub(super) async fn is_touched(
    store: &dyn Store,
    integration: &IntegrationId,
    kind: Kind,
) -> Result<bool, StoreError> {
    Ok(read_row(store, touched_key(integration, kind)).await?.is_some())
}

/// Returns the part of a transaction that insists on a lane.
pub(super) fn in_lane(integration: &IntegrationId, lane: usize, fence: u64) -> Write {
    Write::check(lane_key(integration, lane), Expect::HeldUnder(fence))
}

/// Claims a slice of a run.
///
/// The run is read once more under the claim: from then on nobody else changes it, but for asking it to stop.
///
/// # Errors
///
/// `Held`, `Stale`, and those of the store.
pub async fn claim(
    store: &dyn Store,
    integration: &IntegrationId,
    run: &RunId,
    slice: u32,
    now: Timestamp,
) -> Result<Claim, ClaimError> {
    let lease_row = read_row(store, lease_key(integration))
        .await?
        .ok_or(ClaimError::Stale)?;
    let lease: Lease = lease_row.decode()?;
    if lease.run.as_ref() != Some(run) {
        return Err(ClaimError::Stale);
    }
    if let Some(until) = lease.until.filter(|until| *until > now) {
        return Err(ClaimError::Held(until));
    }
    wanted(store, integration, run, slice).await?;
    let until = now + LEASE;
    let held = Content::of(&Lease {
        run: Some(run.clone()),
        until: Some(until),
    })
    .due_at(until);
    let write = Write::put(lease_row.key.clone(), Expect::Version(lease_row.version), held);
    match store.write(vec![write]).await {
        Ok(()) => {}
        Err(StoreError::Refused { .. }) => return Err(ClaimError::Held(until)),
        Err(error) => return Err(error.into()),
    }
    let (run_version, run) = wanted(store, integration, run, slice).await?;
    Ok(Claim {
        run,
        run_version,
        fence: lease_row.version + 1,
        until,
    })
}

/// Reads the run, if this is the slice that it needs next.
async fn wanted(
    store: &dyn Store,
    integration: &IntegrationId,
    run: &RunId,
    slice: u32,
) -> Result<(u64, Run), ClaimError> {
    let row = read_row(store, run_key(integration, run))
        .await?
        .ok_or(ClaimError::Stale)?;
    let run: Run = row.decode()?;
    let wanted = !run.has_ended() && run.slice == slice;
    wanted.then_some((row.version, run)).ok_or(ClaimError::Stale)
}

/// Ends the lease together with its run.
pub(super) fn end(integration: &IntegrationId, fence: u64) -> Write {
    Write::put(
        lease_key(integration),
        Expect::Version(fence),
        Content::of(&Lease::default()),
    )
}

/// Reads what is known of the last run that has ended.
pub(super) async fn last(
    store: &dyn Store,
    integration: &IntegrationId,
) -> Result<Option<(u64, Last)>, StoreError> {
    let row = read_row(store, last_key(integration)).await?;
    row.map(|row| Ok((row.version, row.decode()?))).transpose()
}

/// A run that nobody works on.
#[derive(Debug, Clone)]
pub struct Woken {
    /// The run.
    pub run: Run,
    /// Tells this call from earlier ones.
    pub wake: String,
}

/// Says which run a due lease is for, and when to look again, should this call be lost too.
///
/// # Errors
///
/// Those of the store.
pub async fn wake(store: &dyn Store, lease: &Key, now: Timestamp) -> Result<Option<Woken>, StoreError> {
    let Some(row) = read_row(store, lease.clone()).await? else {
        return Ok(None);
    };
    let held: Lease = row.decode()?;
    let Some((run, until)) = held.run.clone().map(|run| (run, held.until)) else {
        return Ok(None);
    };
    if until.is_some_and(|until| until > now) {
        return Ok(None);
    }
    let Some(integration) = integration_of(lease) else {
        return Ok(None);
    };
    let Some(run) = read_row(store, run_key(&integration, &run)).await? else {
        return Ok(None);
    };
    let run: Run = run.decode()?;
    if run.resume_at.is_some_and(|at| at > now) {
        return Ok(None);
    }
    let write = free(&integration, Expect::Version(row.version), &run.id, now);
    match store.write(vec![write]).await {
        Ok(()) => Ok(Some(Woken {
            run,
            wake: format!("wake-{}", row.version),
        })),
        Err(StoreError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn integration_of(lease: &Key) -> Option<IntegrationId> {
    let system = lease.sort.strip_prefix("lease#")?.parse().ok()?;
    Some(IntegrationId::new(lease.partition.parse().ok()?, system))
}

/// Ends a run whose integration is gone.
///
/// # Errors
///
/// Those of the store; where the run has changed meanwhile nothing happens.
pub async fn abandon(store: &dyn Store, run: &Run, now: Timestamp) -> Result<(), StoreError> {
    let rows = store.get(&[lease_key(&run.integration), run.key()]).await?;
    let [Some(lease_row), Some(run_row)] = rows.as_slice() else {
        return Ok(());
    };
    let lease: Lease = lease_row.decode()?;
    if lease.run.as_ref() != Some(&run.id) || lease.until.is_some_and(|until| until > now) {
        return Ok(());
    }
    let mut ended: Run = run_row.decode()?;
    ended.state = super::run::RunState::Cancelled;
    ended.finished_at = Some(now);
    let writes = vec![
        end(&run.integration, lease_row.version),
        Write::put(
            run_row.key.clone(),
            Expect::Version(run_row.version),
            Content::of(&ended),
        ),
    ];
    match store.write(writes).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
