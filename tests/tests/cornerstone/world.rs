//! One organization, its simulated portal, and the adapter between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{
    Adapter, Change, ChangeAction, Error, ExternalRecord, Found, From, Item, Made, Next, Pushed, Target,
};
use shared::adapters::{Connections, connect};
use shared::integration::{DeleteGuard, Direction, Integration, State};
use shared::model::{Fields, Kind};
use shared::secrets::Secret;
use tests::cornerstone::faults::Misbehaviour;
use tests::cornerstone::{Cornerstone, LearningObject, Settings, TrainingType};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::{Simulation, SimulationConfig};
use uuid::Uuid;

use crate::simulation_clock::SimulationClock;

pub(crate) const KIND: Kind = Kind::CourseEnrollment;
pub(crate) const VIEW: &str = "vw_rpt_transcript";

pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) connections: Connections,
    pub(crate) settings: Value,
    pub(crate) secret: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut cornerstone = Settings::default();
        change(&mut cornerstone);
        let config = SimulationConfig {
            cornerstone,
            ..SimulationConfig::default()
        };
        let simulation = Arc::new(Simulation::start(config).await);
        Self {
            connections: connections(&simulation),
            settings: settings(&simulation),
            secret: simulation.learner().client_secret.clone(),
            simulation,
        }
    }

    pub(crate) fn portal(&self) -> &Cornerstone {
        self.simulation.cornerstone()
    }

    /// Makes users whose ids are `100001` and so on.
    pub(crate) fn users(&self, count: u32) -> Vec<String> {
        let ids = (1..=count).map(|number| format!("{}", 100_000 + number));
        ids.inspect(|id| drop(self.portal().add_user(id, "Kari", "Nordmann")))
            .collect()
    }

    pub(crate) fn course(&self) -> LearningObject {
        self.portal()
            .add_learning_object("Førstehjelp", TrainingType::OnlineClass)
    }

    /// Waits until the views have everything.
    pub(crate) fn settle(&self) {
        self.simulation.advance(SignedDuration::from_mins(16));
    }

    /// Waits until the next minute has begun.
    pub(crate) fn next_minute(&self) {
        let past = self.simulation.now().as_millisecond().rem_euclid(60_000);
        let wait = SignedDuration::from_millis(60_000 - past + 1);
        self.simulation.advance(wait);
    }

    /// Sets up the adapter as a function does when it is woken.
    pub(crate) fn adapter(&self) -> Arc<dyn Adapter> {
        self.connect(
            &self.integration(),
            &self.connections,
            SignedDuration::from_hours(12),
        )
    }

    /// Sets up the adapter in a process of its own.
    pub(crate) fn adapter_anew(&self, integration: &Integration) -> Arc<dyn Adapter> {
        let connections = connections(&self.simulation);
        self.connect(integration, &connections, SignedDuration::from_mins(10))
    }

    fn connect(
        &self,
        integration: &Integration,
        connections: &Connections,
        time: SignedDuration,
    ) -> Arc<dyn Adapter> {
        let credentials =
            json!({ "clientId": self.simulation.learner().client_id, "clientSecret": self.secret });
        let secret = Secret {
            value: credentials.to_string().into(),
            version: "1".to_owned(),
        };
        let deadline = self.simulation.now() + time;
        connect(integration, &secret, connections, deadline).unwrap()
    }

    pub(crate) fn integration(&self) -> Integration {
        Integration {
            id: "hlf:cornerstone".parse().unwrap(),
            display_name: "Kurs".to_owned(),
            state: State::Active,
            direction: Direction::Both,
            conflict_rules: BTreeMap::new(),
            excluded_groups: Vec::new(),
            delete_guard: DeleteGuard::default(),
            settings: self.settings.clone(),
            integration_system_id: None,
            mapping_version: 1,
            credentials_expire_at: None,
            created_at: self.simulation.now(),
            updated_at: self.simulation.now(),
        }
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        self.simulation.inject(rule);
    }

    pub(crate) fn count(&self, kind: &str) -> u64 {
        let counters = self.simulation.counters();
        counters.by_kind.get(kind).copied().unwrap_or_default()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.simulation.counters().requests
    }

    pub(crate) async fn pull_error(&self) -> Error {
        self.adapter().pull(KIND, &From::Start).await.unwrap_err()
    }
}

pub(crate) fn misbehaves(misbehaviour: Misbehaviour) -> Fault {
    Fault::Cornerstone { misbehaviour }
}

fn connections(simulation: &Arc<Simulation>) -> Connections {
    let clock = Arc::new(SimulationClock(Arc::clone(simulation)));
    Connections::new(simulation.base_url().parse().unwrap(), clock)
}

fn settings(simulation: &Simulation) -> Value {
    json!({
        "baseUrl": simulation.base_url(),
        "course-enrollments": {
            "statuses": {
                "requested": 1, "approved": 2, "registered": 4, "in_progress": 8, "completed": 16, "exempt": 32,
                "withdrawn": 64, "cancelled": 128, "waitlisted": 256, "incomplete": 512, "no_show": 1024,
            },
        },
    })
}

/// Returns the id that an enrolment has on both sides.
pub(crate) fn name(member: &str, course: Uuid) -> String {
    format!("{member}.{course}")
}

/// Reads a listing to its end.
pub(crate) async fn pull_all(adapter: &dyn Adapter, from: From) -> (Vec<Item>, From) {
    let (mut items, mut from) = (Vec::new(), from);
    loop {
        let page = adapter.pull(KIND, &from).await.unwrap();
        items.extend(page.items);
        match page.next {
            Next::Page(cursor) => from = From::Page(cursor),
            Next::End(cursor) | Next::Enough(cursor) => return (items, From::Since(cursor)),
        }
    }
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

pub(crate) fn said(row: &ExternalRecord, field: &str) -> Value {
    json!(row.fields)[field].clone()
}

/// Makes a change of an enrolment that writes these fields.
pub(crate) fn write(member: &str, course: Uuid, target: Option<Target>, more: &Value) -> Change {
    let mut fields = json!({ "memberId": member, "courseId": course });
    for (field, value) in more.as_object().unwrap() {
        fields[field] = value.clone();
    }
    let fields = Fields::from_json(KIND, fields.as_object().unwrap()).unwrap();
    let named = more.as_object().unwrap().keys();
    let changed = named.fold(0, |bits, name| bits | 1 << KIND.position(name).unwrap());
    let changed = if target.is_none() { u64::MAX } else { changed };
    Change {
        key: name(member, course).parse().unwrap(),
        target,
        action: ChangeAction::Write { fields, changed },
    }
}

pub(crate) fn remove(member: &str, course: Uuid, target: Target) -> Change {
    Change {
        key: name(member, course).parse().unwrap(),
        target: Some(target),
        action: ChangeAction::Remove,
    }
}

pub(crate) fn target(pushed: &Made) -> Target {
    Target {
        id: pushed.id.clone(),
        etag: pushed.etag.clone(),
        active: pushed.active,
    }
}

/// Takes it that the system has a change.
pub(crate) fn made(pushed: Pushed) -> Made {
    match pushed {
        Pushed::Made(made) => made,
        other => panic!("the system does not have it: {other:?}"),
    }
}

pub(crate) async fn push_one(adapter: &dyn Adapter, change: Change) -> shared::adapter::Result<Made> {
    let mut outcomes = adapter.push(KIND, &[change]).await?;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).map(made)
}

pub(crate) async fn find_one(adapter: &dyn Adapter, id: &str) -> Found {
    adapter.find(KIND, &[id.into()]).await.unwrap().remove(0)
}
