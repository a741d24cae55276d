//! Carries plans out: transactions that are as full as they can be, eight at a time, each in a lane of its own.

use futures::future;

use super::engine::{Engine, Stop};
use super::lease::LANES;
use super::plan::Plan;
use super::totals::Totals;
use super::writer::Writer;
use crate::adapter::ExternalRecord;
use crate::model::Kind;
use crate::store::{MAX_WRITES, StoreError};

/// What became of one transaction.
struct Batch {
    done: Vec<Plan>,
    refused: Vec<Plan>,
}

impl Engine<'_> {
    /// Carries plans out; returns the rows whose record changed meanwhile.
    pub(super) async fn run_plans(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        plans: Vec<Plan>,
        totals: &mut Totals,
    ) -> Result<Vec<ExternalRecord>, Stop> {
        let (idle, busy): (Vec<Plan>, Vec<Plan>) = plans.into_iter().partition(|plan| plan.writes.is_empty());
        idle.iter().for_each(|plan| plan.count(totals));
        if writer.dry_run {
            busy.iter().for_each(|plan| plan.count(totals));
            return Ok(Vec::new());
        }
        let mut lanes: Vec<Vec<Vec<Plan>>> = (0..LANES).map(|_| Vec::new()).collect();
        for (number, batch) in pack(busy).into_iter().enumerate() {
            lanes[number % LANES].push(batch);
        }
        let lanes = lanes
            .into_iter()
            .enumerate()
            .map(|(lane, batches)| self.in_lane(writer, lane, batches));
        let done = future::try_join_all(lanes).await?.into_iter().flatten();
        let mut again = Vec::new();
        for batch in done {
            batch.done.iter().for_each(|plan| plan.count(totals));
            again.extend(batch.refused.into_iter().map(|plan| plan.external));
        }
        if !again.is_empty() {
            tracing::debug!(%kind, rows = again.len(), "records changed meanwhile");
        }
        Ok(again)
    }

    async fn in_lane(
        &self,
        writer: &Writer<'_>,
        lane: usize,
        batches: Vec<Vec<Plan>>,
    ) -> Result<Vec<Batch>, Stop> {
        let mut done = Vec::with_capacity(batches.len());
        for batch in batches {
            done.push(self.transact(writer, lane, batch).await?);
        }
        Ok(done)
    }

    /// Carries out the plans of one transaction; those that are refused leave it, and the rest is tried again.
    async fn transact(&self, writer: &Writer<'_>, lane: usize, mut plans: Vec<Plan>) -> Result<Batch, Stop> {
        let mut refused = Vec::new();
        while !plans.is_empty() {
            let guard = writer.right.lane(&self.integration.id, lane);
            let guards = usize::from(guard.is_some());
            let parts = plans.iter().flat_map(|plan| plan.writes.iter().cloned());
            match self.write(guard.into_iter().chain(parts).collect()).await {
                Ok(()) => break,
                Err(StoreError::Refused { parts }) if parts.first().is_some_and(|first| *first < guards) => {
                    return Err(Stop::Fenced);
                }
                Err(StoreError::Refused { parts }) => {
                    refused.extend(take_refused(&mut plans, guards, &parts))
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Batch { done: plans, refused })
    }
}

/// Takes out the plans to which the refused parts belong; all of them where none is named.
fn take_refused(plans: &mut Vec<Plan>, guards: usize, parts: &[usize]) -> Vec<Plan> {
    let mut first = guards;
    let mut refused = Vec::new();
    let mut kept = Vec::with_capacity(plans.len());
    for plan in plans.drain(..) {
        let mine = first..first + plan.writes.len();
        first = mine.end;
        if parts.is_empty() || parts.iter().any(|part| mine.contains(part)) {
            refused.push(plan);
        } else {
            kept.push(plan);
        }
    }
    *plans = kept;
    refused
}

/// Fills transactions, keeping what belongs to one row in one of them.
fn pack(plans: Vec<Plan>) -> Vec<Vec<Plan>> {
    let mut batches: Vec<Vec<Plan>> = Vec::new();
    let mut room = 0;
    for plan in plans {
        let parts = plan.writes.len();
        if parts > room {
            batches.push(Vec::new());
            room = MAX_WRITES - 1;
        }
        room -= parts;
        if let Some(batch) = batches.last_mut() {
            batch.push(plan);
        }
    }
    batches
}
