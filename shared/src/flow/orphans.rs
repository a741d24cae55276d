//! Ends calls by the clock for schedules that there are no rows of: a table was restored, or a row deleted by hand.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Ports, schedule as schedules};
use crate::model::IntegrationId;
use crate::schedule;
use crate::scheduler::{Order, Scheduler};
use crate::store::{Due, Key};

/// At which minute of each hour they are looked for.
const MINUTE: i64 = 17;

/// How many rows that are due at any time are read; those beyond are looked up one by one.
const KNOWN: usize = 100_000;

/// What an order has its target called with, as far as it tells whom it is for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    integration_id: IntegrationId,
}

/// Says whether it is time to look for them.
pub(super) fn is_time(now: Timestamp) -> bool {
    now.as_second().div_euclid(60).rem_euclid(60) == MINUTE
}

/// Deletes what the scheduler has and no row asks for; returns how many there were.
///
/// # Errors
///
/// Those of the store and the scheduler; what was not deleted is found the next time.
pub(super) async fn end(
    ports: &Ports,
    scheduler: &Arc<dyn Scheduler>,
) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    // Every schedule is due some day. This list may lag behind: it only says where not to look.
    let due = ports.store.due(Due::Reconcile, Timestamp::MAX, KNOWN).await?;
    let known: HashSet<String> = due
        .iter()
        .filter_map(integration)
        .map(|id| schedule::order_name(&id))
        .collect();
    let mut ended = 0;
    for name in scheduler.names(schedule::ORDERS).await? {
        if known.contains(&name) {
            continue;
        }
        let Some(order) = scheduler.get(&name).await? else {
            continue;
        };
        match target(&order) {
            Some(id) => ended += u32::from(schedules::end_orphan(ports, scheduler, &id).await?),
            None => tracing::warn!(order = %name, "left an order alone that is not one of ours"),
        }
    }
    Ok(ended)
}

/// Returns whose schedule is kept at a place, if one is.
fn integration(key: &Key) -> Option<IntegrationId> {
    let system = key.sort.strip_prefix(schedule::PREFIX)?;
    format!("{}:{system}", key.partition).parse().ok()
}

/// Returns whose schedule an order is: whether there is one or not, its name is made of that.
fn target(order: &Order) -> Option<IntegrationId> {
    let Input { integration_id } = serde_json::from_str(&order.input).ok()?;
    Some(integration_id).filter(|id| schedule::order_name(id) == order.name)
}
