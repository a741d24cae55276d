//! Sets schedules, hears their ticks, and sees to what nobody called for. [`crate::schedule`] has the steps.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::trigger::{TriggerError, active, hand_over};
use super::{Ports, standing};
use crate::integration::{self, ChangeError, audit};
use crate::model::{IntegrationId, RunId};
use crate::schedule::{self, Disabled, Overlap, Schedule, Stored, Wish};
use crate::scheduler::{Order, Scheduler};
use crate::store::{Expect, Key, StoreError, Write};
use crate::sync::{self, OpenError, RunRequest, RunState, Trigger};

/// Who is said to ask for what a schedule starts.
const BY: &str = "schedule";

/// Why nothing is started for an integration that is paused, or needs another credential.
const INACTIVE: &str = "the integration is not active";

/// How far ahead of ours the scheduler's clock may be.
const AHEAD: Duration = Duration::from_secs(300);

/// What became of a call by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "because")]
pub enum Ticked {
    /// A run was started.
    Started(RunId),
    /// A run is active, and another one is started when it has ended.
    Queued,
    /// A run is active.
    Skipped,
    /// There was nothing to start.
    Void(&'static str),
}

/// Makes a schedule, or changes it; earlier ticks are void from then on.
///
/// # Errors
///
/// `Unknown`, `Invalid`, and those of the store; where the scheduler does not answer, `reconcile` tells it later.
pub async fn set(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    id: &IntegrationId,
    wish: &Wish,
    by: &str,
) -> Result<Schedule, ChangeError> {
    loop {
        let now = ports.now();
        let guard = connected(ports, id).await?;
        let before = schedule::read(&*ports.store, id).await?;
        let next = wish
            .applied(id, before.as_ref().map(|stored| &stored.schedule), now)
            .map_err(ChangeError::Invalid)?;
        let writes = vec![
            next.write(expected(before.as_ref()), now),
            guard,
            audit::write(id, by, "schedule", &["schedule"], now),
        ];
        match ports.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => {
                answer?;
                tell_or_leave(ports, scheduler, id).await;
                return Ok(next);
            }
        }
    }
}

/// Cancels a schedule; one that there is not is cancelled already.
///
/// # Errors
///
/// Those of the store.
pub async fn cancel(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    id: &IntegrationId,
    by: &str,
) -> Result<(), StoreError> {
    let cancelled = change(ports, id, |schedule, now| {
        schedule
            .cancel(now)
            .then(|| vec![audit::write(id, by, "cancel_schedule", &["schedule"], now)])
    });
    if cancelled.await?.is_some() {
        tell_or_leave(ports, scheduler, id).await;
    }
    Ok(())
}

/// Has a schedule fire again that was given up.
///
/// # Errors
///
/// `Unknown` where there is no schedule, and those of the store.
pub async fn resume(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    id: &IntegrationId,
    by: &str,
) -> Result<Option<Schedule>, StoreError> {
    let resumed = change(ports, id, |schedule, now| {
        schedule
            .resume(now)
            .then(|| vec![audit::write(id, by, "resume_schedule", &["schedule"], now)])
    });
    let resumed = resumed.await?.filter(|schedule| !schedule.cancelled);
    if resumed.as_ref().is_some_and(|schedule| !schedule.told) {
        tell_or_leave(ports, scheduler, id).await;
    }
    Ok(resumed)
}

/// Changes the row of a schedule, anew where another change came between: what `change` returns is written with it, and
/// nothing where it returns none. Returns the schedule as it is now, if there is one.
async fn change(
    ports: &Ports,
    id: &IntegrationId,
    mut change: impl FnMut(&mut Schedule, Timestamp) -> Option<Vec<Write>>,
) -> Result<Option<Schedule>, StoreError> {
    while let Some(Stored {
        mut schedule,
        version,
    }) = schedule::read(&*ports.store, id).await?
    {
        let now = ports.now();
        let Some(mut writes) = change(&mut schedule, now) else {
            return Ok(Some(schedule));
        };
        writes.push(schedule.write(Expect::Version(version), now));
        match ports.store.write(writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return answer.map(|()| Some(schedule)),
        }
    }
    Ok(None)
}

fn expected(stored: Option<&Stored>) -> Expect {
    stored.map_or(Expect::Absent, |stored| Expect::Version(stored.version))
}

/// Insists on an integration that is not being disconnected.
async fn connected(ports: &Ports, id: &IntegrationId) -> Result<Write, ChangeError> {
    let stored = integration::read(&*ports.store, id).await?;
    let stored = stored.ok_or_else(|| ChangeError::Unknown(id.clone()))?;
    match stored.integration.state {
        integration::State::Disconnecting => Err(ChangeError::NotIn(stored.integration.state)),
        _ => Ok(Write::check(
            integration::integration_key(id),
            Expect::Version(stored.version),
        )),
    }
}

/// Marks a schedule whose integration is being disconnected; `reconcile` tells the scheduler.
///
/// # Errors
///
/// Those of the store.
pub async fn leave(ports: &Ports, id: &IntegrationId) -> Result<(), StoreError> {
    change(ports, id, |schedule, now| schedule.cancel(now).then(Vec::new))
        .await
        .map(drop)
}

/// Tells the scheduler now, or leaves it to `reconcile`.
async fn tell_or_leave(ports: &Ports, scheduler: &Arc<dyn Scheduler>, id: &IntegrationId) {
    if let Err(error) = tell(ports, scheduler, id).await {
        tracing::warn!(integration.id = %id, %error, "left a schedule to reconcile");
    }
}

/// Makes the scheduler know what the row says, and notes that it does. Who finds that the row was changed meanwhile
/// tells of that: the last one to speak says what the row says.
async fn tell(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    id: &IntegrationId,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut told: Option<String> = None;
    loop {
        let Some(Stored {
            mut schedule,
            version,
        }) = schedule::read(&*ports.store, id).await?
        else {
            if let Some(name) = told {
                scheduler.delete(&name).await?;
            }
            return Ok(());
        };
        let expect = Expect::Version(version);
        let name = schedule.name();
        let write = if schedule.cancelled {
            scheduler.delete(&name).await?;
            Write::delete(schedule::schedule_key(id), expect)
        } else {
            scheduler.put(&schedule.order(ports.now())).await?;
            schedule.told = true;
            schedule.write(expect, ports.now())
        };
        match ports.store.write(vec![write]).await {
            Err(StoreError::Refused { .. }) => told = Some(name),
            answer => return Ok(answer?),
        }
    }
}

/// Ends the calling for an integration that has no schedule; says whether it was so.
///
/// # Errors
///
/// Those of the store and the scheduler.
pub(super) async fn end_orphan(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    id: &IntegrationId,
) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    if schedule::read(&*ports.store, id).await?.is_some() {
        return Ok(false);
    }
    tracing::warn!(integration.id = %id, "the scheduler calls for a schedule that there is not");
    scheduler.delete(&schedule::order_name(id)).await?;
    // Where one was made in between, its order may be the one that was deleted.
    tell(ports, scheduler, id).await?;
    Ok(true)
}

/// Returns the write by which a schedule owes a run: it is started when its integration is active again.
///
/// # Errors
///
/// Those of the store.
pub(crate) async fn owe(ports: &Ports, id: &IntegrationId) -> Result<Option<Write>, StoreError> {
    let stored = schedule::read(&*ports.store, id).await?;
    let stored = stored.filter(|stored| stored.schedule.is_live());
    Ok(stored.map(
        |Stored {
             mut schedule,
             version,
         }| {
            schedule.queued = true;
            schedule.write(Expect::Version(version), ports.now())
        },
    ))
}

/// Has a schedule looked at soon, since its integration is active again: what was missed is started once.
///
/// # Errors
///
/// Those of the store.
pub async fn wake(ports: &Ports, id: &IntegrationId) -> Result<(), StoreError> {
    change(ports, id, |schedule, now| {
        schedule.expected_since = now;
        Some(Vec::new())
    })
    .await
    .map(drop)
}

/// Hears a call by the clock: of many for one fire, one starts a run.
///
/// # Errors
///
/// Those of the store.
pub async fn tick(
    ports: &Ports,
    id: &IntegrationId,
    generation: Uuid,
    scheduled: Option<Timestamp>,
) -> Result<Ticked, StoreError> {
    let stored = schedule::read(&*ports.store, id).await?;
    if stored.is_none_or(|stored| stored.schedule.generation != generation) {
        return Ok(Ticked::Void("the schedule was changed or cancelled"));
    }
    fire(ports, id, scheduled, false).await
}

/// Sees to the last fire that nobody has seen to.
async fn fire(
    ports: &Ports,
    id: &IntegrationId,
    scheduled: Option<Timestamp>,
    late: bool,
) -> Result<Ticked, StoreError> {
    loop {
        let now = ports.now();
        let Some(Stored {
            mut schedule,
            version,
        }) = schedule::read(&*ports.store, id).await?
        else {
            return Ok(Ticked::Void("there is no schedule"));
        };
        if !schedule.is_live() {
            return Ok(Ticked::Void("the schedule does not fire"));
        }
        let until = scheduled.map_or(now, |scheduled| scheduled.clamp(now, now + AHEAD));
        let guard = match active(ports, id).await {
            Ok(guard) => guard,
            Err(TriggerError::Store(error)) => return Err(error),
            // What was missed meanwhile is started once, when it is active again.
            Err(_) => return Ok(Ticked::Void(INACTIVE)),
        };
        let unseen = if late {
            schedule.unanswered(now)
        } else {
            schedule.unseen(until)
        };
        if unseen.is_none() && !schedule.queued {
            return Ok(Ticked::Void("the fire was seen to"));
        }
        if let Some((at, count)) = unseen {
            schedule.last_fire = at;
            schedule.missed += if late { count } else { count - 1 };
        }
        count_failures(ports, &mut schedule).await?;
        if let Some(disabled) = &schedule.disabled {
            tracing::error!(integration.id = %id, reason = disabled.reason, "gave a schedule up");
            schedule.told = false;
            match ports
                .store
                .write(vec![schedule.write(Expect::Version(version), now)])
                .await
            {
                Err(StoreError::Refused { .. }) => continue,
                answer => return answer.map(|()| Ticked::Void("the schedule was given up")),
            }
        }
        match start(ports, &schedule, version, guard).await {
            Err(OpenError::Store(StoreError::Refused { .. })) => {}
            Err(OpenError::Store(error)) => return Err(error),
            Ok(ticked) => return Ok(ticked),
            Err(OpenError::Active(_)) => match pass_over(ports, schedule, version).await {
                Err(StoreError::Refused { .. }) => {}
                answer => return answer,
            },
        }
    }
}

async fn start(ports: &Ports, schedule: &Schedule, version: u64, guard: Write) -> Result<Ticked, OpenError> {
    let now = ports.now();
    let mut next = schedule.clone();
    next.queued = false;
    let request = RunRequest {
        integration: schedule.integration.clone(),
        mode: schedule.mode,
        dry_run: false,
        trigger: Trigger::Schedule,
        requested_by: BY.to_owned(),
    };
    let guards = [guard, next.write(Expect::Version(version), now)];
    let run = sync::open(&*ports.store, request, guards, now).await?;
    hand_over(ports, &run, "schedule").await;
    Ok(Ticked::Started(run.id))
}

/// Notes a fire that found a run active.
async fn pass_over(ports: &Ports, mut schedule: Schedule, version: u64) -> Result<Ticked, StoreError> {
    let ticked = match schedule.overlap {
        Overlap::Skip => {
            schedule.skipped += 1;
            Ticked::Skipped
        }
        Overlap::QueueOne => {
            schedule.queued = true;
            Ticked::Queued
        }
    };
    let write = schedule.write(Expect::Version(version), ports.now());
    ports.store.write(vec![write]).await.map(|()| ticked)
}

/// Counts the last run, if it was not counted yet; too many failures in a row, and the schedule is given up.
async fn count_failures(ports: &Ports, schedule: &mut Schedule) -> Result<(), StoreError> {
    let standing = sync::runs_standing(&*ports.store, &schedule.integration).await?;
    let Some(last) = standing
        .last
        .filter(|last| schedule.counted.as_ref() != Some(&last.id))
    else {
        return Ok(());
    };
    schedule.failures = match last.state {
        _ if last.dry_run => schedule.failures,
        RunState::Failed => schedule.failures + 1,
        RunState::Succeeded | RunState::Partial => 0,
        _ => schedule.failures,
    };
    schedule.counted = Some(last.id);
    if schedule.failures >= schedule::GIVEN_UP {
        let why = last.failure.map_or_else(String::new, |failure| failure.message);
        let reason = format!(
            "{} runs have failed in a row; the last one: {why}",
            schedule.failures
        );
        schedule.disabled = Some(Disabled {
            at: ports.now(),
            reason,
        });
    }
    Ok(())
}

/// Looks at a schedule that is due: tells the scheduler what it does not know, starts what nobody called for, and says
/// so where an integration is silent.
///
/// # Errors
///
/// Those of the store and the scheduler; the schedule stays due.
pub async fn look(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    key: &Key,
) -> Result<Ticked, Box<dyn std::error::Error + Send + Sync>> {
    let row = ports.store.get(std::slice::from_ref(key)).await?.pop().flatten();
    let Some(Stored { schedule, .. }) = row.map(Stored::try_from).transpose()? else {
        return Ok(Ticked::Void("there is no schedule"));
    };
    let id = schedule.integration.clone();
    // Whatever the scheduler does, what is missing is started, and silence is told.
    let told = if schedule.told {
        compare(ports, scheduler, &schedule).await
    } else {
        tell(ports, scheduler, &id).await
    };
    let ticked = fire(ports, &id, None, true).await?;
    if let Ticked::Started(run) = &ticked {
        tracing::warn!(integration.id = %id, run.id = %run, "started a run that nobody called for");
    }
    if let Some(standing) = standing(ports, &id).await? {
        if let Some(since) = standing.overdue_since(ports.now()) {
            tracing::error!(silent = true, integration.id = %id, overdue.since = %since, "an integration is silent");
        }
    } else {
        // Its integration is gone.
        cancel(ports, scheduler, &id, "service").await?;
    }
    rest(ports, &id, ticked == Ticked::Void(INACTIVE)).await?;
    told.map(|()| ticked)
}

/// Sees what the scheduler knows of a schedule, and tells it once more where that is something else.
async fn compare(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
    schedule: &Schedule,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // From when on it counts is told anew each time.
    let timeless = |order: Order| Order { start: None, ..order };
    if !schedule.is_to_be_compared(ports.now()) {
        return Ok(());
    }
    let order = timeless(schedule.order(ports.now()));
    let known = scheduler.get(&order.name).await?.map(timeless);
    if known.as_ref() != Some(&order) {
        tracing::warn!(integration.id = %schedule.integration, there = known.is_some(), "the scheduler knew something else");
        tell(ports, scheduler, &schedule.integration).await?;
    }
    change(ports, &schedule.integration, |schedule, now| {
        schedule.compared_at = Some(now);
        Some(Vec::new())
    })
    .await?;
    Ok(())
}

/// Has a schedule looked at again at its time; that of an integration which is not active, when it must be.
async fn rest(ports: &Ports, id: &IntegrationId, inactive: bool) -> Result<(), StoreError> {
    let Some(Stored {
        mut schedule,
        version,
    }) = schedule::read(&*ports.store, id).await?
    else {
        return Ok(());
    };
    let (expect, now) = (Expect::Version(version), ports.now());
    schedule.looked_at = now;
    let write = if inactive {
        schedule.at_rest(expect, now)
    } else {
        schedule.write(expect, now)
    };
    match ports.store.write(vec![write]).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
