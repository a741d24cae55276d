//! One organization, its simulated portal, and the adapter between them.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{Adapter, Change, ChangeAction, Error, ExternalRecord, From, Item, Target};
use shared::adapters::{Connections, FileStores, connect};
use shared::integration::Integration;
use shared::model::{Fields, Kind};
use shared::secrets::Secret;
use tests::cornerstone::faults::Misbehaviour;
use tests::cornerstone::{Cornerstone, LearningObject, Settings, TrainingType};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::{Simulation, SimulationConfig};
use uuid::Uuid;

use crate::asking::{self, connections};
pub(crate) use crate::asking::{find_one, push_one, rows, target};
use crate::pair::Side;

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

impl Side for World {
    fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    fn integration(&self) -> Integration {
        asking::integration("hlf:cornerstone", &self.settings, self.simulation.now())
    }

    fn adapter_anew(&self, integration: &Integration, files: &FileStores) -> Arc<dyn Adapter> {
        let connections = connections(&self.simulation).filing(files.clone());
        self.connect(integration, &connections, SignedDuration::from_mins(10))
    }
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
    asking::pull_all(adapter, KIND, from).await
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
    asking::remove(&name(member, course), target)
}
