//! How tests ask an adapter, and the one place that takes its answers apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use shared::adapter::{
    Adapter, Change, ChangeAction, ExternalRecord, Found, From, Item, Made, Next, Pushed, Result, Target,
};
use shared::adapters::Connections;
use shared::integration::{DeleteGuard, Direction, Integration, State};
use shared::model::{Fields, Kind};
use tests::Simulation;

use crate::simulation_clock::SimulationClock;

/// Returns an integration that reads and writes.
pub(crate) fn integration(id: &str, settings: &Value, now: Timestamp) -> Integration {
    Integration {
        id: id.parse().unwrap(),
        display_name: "System".to_owned(),
        state: State::Active,
        direction: Direction::Both,
        conflict_rules: BTreeMap::new(),
        excluded_groups: Vec::new(),
        delete_guard: DeleteGuard::default(),
        settings: settings.clone(),
        integration_system_id: None,
        mapping_version: 1,
        credentials_expire_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Returns what the adapters of a process share that lives in the time of a simulation.
pub(crate) fn connections(simulation: &Arc<Simulation>) -> Connections {
    let clock = Arc::new(SimulationClock(Arc::clone(simulation)));
    Connections::new(simulation.base_url().parse().unwrap(), clock)
}

/// Says where reading goes on: at the next page, or, in the second case, after everything.
pub(crate) fn after(next: Next) -> std::result::Result<From, From> {
    match next {
        Next::Page(cursor) => Ok(From::Page(cursor)),
        Next::End(cursor) | Next::Enough(cursor) => Err(From::Since(cursor)),
    }
}

/// Reads a listing to its end; says where the next one begins.
pub(crate) async fn try_pull_all(adapter: &dyn Adapter, kind: Kind, from: From) -> Result<(Vec<Item>, From)> {
    let (mut items, mut from) = (Vec::new(), from);
    loop {
        let page = adapter.pull(kind, &from).await?;
        items.extend(page.items);
        match after(page.next) {
            Ok(next) => from = next,
            Err(since) => return Ok((items, since)),
        }
    }
}

pub(crate) async fn pull_all(adapter: &dyn Adapter, kind: Kind, from: From) -> (Vec<Item>, From) {
    try_pull_all(adapter, kind, from).await.unwrap()
}

pub(crate) fn rows(items: &[Item]) -> Vec<&ExternalRecord> {
    let mut rows = Vec::new();
    for item in items {
        if let Item::Row(row) = item {
            rows.push(row);
        }
    }
    rows
}

/// Makes a change that writes these fields.
pub(crate) fn write(kind: Kind, key: &str, target: Option<Target>, fields: Value) -> Change {
    let fields = fields.as_object().unwrap();
    let changed = fields
        .keys()
        .fold(0, |bits, name| bits | 1 << kind.position(name).unwrap());
    let fields = Fields::from_json(kind, fields).unwrap();
    Change {
        key: key.parse().unwrap(),
        target,
        action: ChangeAction::Write { fields, changed },
    }
}

pub(crate) fn remove(key: &str, target: Target) -> Change {
    Change {
        key: key.parse().unwrap(),
        target: Some(target),
        action: ChangeAction::Remove,
    }
}

/// Returns the row that a change was made to, as it is then.
pub(crate) fn target(pushed: &Made) -> Target {
    Target {
        id: pushed.id.clone(),
        etag: pushed.etag.clone(),
        active: pushed.active,
        tellable: u64::MAX,
    }
}

/// Returns a row as it was read.
pub(crate) fn seen(row: &ExternalRecord) -> Target {
    Target {
        id: row.id.clone(),
        etag: row.etag.clone(),
        active: row.active,
        tellable: u64::MAX,
    }
}

/// Takes it that the system has a change.
pub(crate) fn made(pushed: Pushed) -> Made {
    match pushed {
        Pushed::Made(made) => made,
        other => panic!("the system does not have it: {other:?}"),
    }
}

/// Makes one change; a removal does not say of what kind, and is one of the adapter's first.
pub(crate) async fn push_one(adapter: &dyn Adapter, change: Change) -> Result<Made> {
    let kind = match &change.action {
        ChangeAction::Write { fields, .. } => fields.kind(),
        ChangeAction::Remove => adapter.capability().kinds[0].kind,
    };
    let mut outcomes = adapter.push(kind, &[change]).await?;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).map(made)
}

/// Asks for one row of the adapter's first kind.
pub(crate) async fn find_one(adapter: &dyn Adapter, id: &str) -> Found {
    let kind = adapter.capability().kinds[0].kind;
    adapter.find(kind, &[id.into()]).await.unwrap().remove(0)
}
