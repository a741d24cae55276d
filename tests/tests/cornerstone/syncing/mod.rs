//! Whole runs, engine and adapter together: both sides are equal in the end, and nothing is there twice.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::clock::Clock;
use shared::flow::watch::Registrar;
use shared::flow::work::{Connect, Worker, slice};
use shared::flow::{Attempt, Ports, reconcile, trigger};
use shared::integration::{Integration, Precondition, integration_key};
use shared::keys::MemoryKeys;
use shared::model::{Fields, Kind, Record, System};
use shared::objects::MemoryObjects;
use shared::publish::MemoryPublish;
use shared::queue::MemoryQueue;
use shared::records::{self, Wish};
use shared::scheduler::MemoryScheduler;
use shared::store::{Content, Expect, MemoryStore, Store, Write};
use shared::sync::quarantine::{self, Quarantined};
use shared::sync::{Mode, Run, RunRequest, RunState, Totals, Trigger, read_run};
use tests::cornerstone::{Registration, Status, TrainingType};
use uuid::Uuid;

use crate::simulation_clock::SimulationClock;
use crate::world::{KIND, World, name};

mod faults;
mod hearing;
mod receiving;
mod sending;

/// An organization, its portal, and the engine between them.
struct Pair {
    world: Arc<World>,
    worker: Worker,
    queue: Arc<MemoryQueue>,
}

/// Sets adapters up as functions do, each in a process of its own.
struct Connections(Arc<World>);

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connections")
    }
}

#[async_trait]
impl Connect for Connections {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        self.0.adapter_anew(integration)
    }
}

impl Pair {
    async fn new() -> Self {
        Self::with(World::new().await).await
    }

    async fn with(world: World) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SimulationClock(Arc::clone(&world.simulation)));
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock)));
        let world = Arc::new(world);
        let worker = Worker {
            ports: Ports {
                store: Arc::new(MemoryStore::new()),
                queue: Arc::<MemoryQueue>::clone(&queue),
                clock,
            },
            publish: Arc::new(MemoryPublish::new()),
            connect: Arc::new(Connections(Arc::clone(&world))),
            exceptions: world.simulation.base_url().parse().unwrap(),
            registrar: Registrar {
                keys: Arc::new(MemoryKeys::new()),
                api_url: "https://api.example".parse().unwrap(),
            },
        };
        let pair = Self { world, worker, queue };
        let integration = pair.world.integration();
        let key = integration_key(&integration.id);
        let row = Write::put(key, Expect::Absent, Content::of(&integration));
        pair.store().write(vec![row]).await.unwrap();
        pair
    }

    fn store(&self) -> &dyn Store {
        &*self.worker.ports.store
    }

    /// Makes users there who are members here.
    async fn people(&self, count: u32) -> Vec<String> {
        let users = self.world.users(count);
        for user in &users {
            self.member(user).await;
        }
        users
    }

    async fn member(&self, id: &str) {
        self.put(Kind::Member, id, &json!({ "lastName": "Nordmann" }))
            .await;
    }

    fn session(&self) -> Uuid {
        let portal = self.world.portal();
        portal.add_learning_object("Samling", TrainingType::Session).id
    }

    async fn put(&self, kind: Kind, id: &str, fields: &Value) {
        let wish = Wish {
            id: id.parse().unwrap(),
            fields: Fields::from_json(kind, fields.as_object().unwrap()).unwrap(),
        };
        let organization = self.world.integration().id.organization;
        records::put(&self.worker.ports, &organization, &wish, Precondition::None)
            .await
            .unwrap();
    }

    /// Enrols a member on the platform.
    async fn enrol_here(&self, member: &str, course: Uuid, more: &Value) {
        let mut fields = json!({ "memberId": member, "courseId": course, "active": true });
        for (field, value) in more.as_object().unwrap() {
            fields[field] = value.clone();
        }
        self.put(KIND, &name(member, course), &fields).await;
    }

    /// Changes one field of an enrolment, and leaves the others.
    async fn edit(&self, record: &Record, field: &str, value: &str) {
        let mut fields = json!(record.fields);
        fields[field] = json!(value);
        self.put(KIND, record.id.as_str(), &fields).await;
    }

    async fn deliver(&self) {
        while let Some(received) = self.queue.receive(System::Cornerstone) {
            let message = serde_json::from_str(&received.message.body).unwrap();
            drop(slice(&self.worker, &message).await);
            self.queue.ack(&received);
        }
    }

    async fn begin(&self, mode: Mode) -> Run {
        let request = RunRequest {
            integration: self.world.integration().id,
            mode,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "tests".to_owned(),
        };
        trigger(&self.worker.ports, request, Attempt::default())
            .await
            .unwrap()
    }

    /// Runs to the end, whatever it takes; a minute passes whenever it waits.
    async fn finish(&self, run: &Run) -> Run {
        for _ in 0..200 {
            self.deliver().await;
            let run = read_run(self.store(), &run.integration, &run.id).await.unwrap();
            if run.finished_at.is_some() {
                return run;
            }
            self.world.simulation.advance(SignedDuration::from_mins(1));
            reconcile::sweep(
                &self.worker.ports,
                &self.worker.publish,
                &nobody(),
                &MemoryObjects::new(),
            )
            .await
            .unwrap();
        }
        read_run(self.store(), &run.integration, &run.id).await.unwrap()
    }

    async fn run(&self, mode: Mode) -> Run {
        self.finish(&self.begin(mode).await).await
    }

    async fn sync(&self) -> Run {
        self.run(Mode::Delta).await
    }

    async fn enrollments(&self) -> Vec<Record> {
        let organization = self.world.integration().id.organization;
        let page = records::list(self.store(), &organization, KIND, None, 1_000)
            .await
            .unwrap();
        let records = page.records.into_iter().map(|stored| stored.record);
        records.filter(Record::is_live).collect()
    }

    async fn enrollment(&self, member: &str, course: Uuid) -> Record {
        let id = name(member, course);
        let found = self.enrollments().await;
        found
            .into_iter()
            .find(|record| record.id.as_str() == id)
            .unwrap_or_else(|| panic!("there is no {id}"))
    }

    async fn quarantine(&self) -> Vec<Quarantined> {
        quarantine::list(self.store(), &self.world.integration().id, None, 1_000)
            .await
            .unwrap()
            .0
    }

    /// Insists that both sides hold the same enrolments, equally far, and none twice.
    async fn equal(&self) {
        let portal = self.world.portal();
        let mut there: Vec<(String, String)> = latest(&portal.registrations())
            .into_iter()
            .map(|one| {
                let user = portal
                    .users()
                    .into_iter()
                    .find(|user| user.id == one.user)
                    .unwrap();
                let status = one.status.title().to_lowercase().replace(' ', "_");
                (name(&user.external_id, one.learning_object), status)
            })
            .collect();
        let mut here: Vec<(String, String)> = self
            .enrollments()
            .await
            .iter()
            .map(|record| {
                (
                    record.id.to_string(),
                    said(record, "status").as_str().unwrap().to_owned(),
                )
            })
            .collect();
        there.sort();
        here.sort();
        assert_eq!(here, there);
    }
}

/// Returns of each enrolment the registration that counts.
fn latest(registrations: &[Registration]) -> Vec<&Registration> {
    let later = |one: &&Registration| {
        registrations.iter().any(|other| {
            (other.user, other.learning_object) == (one.user, one.learning_object)
                && other.number > one.number
                && !other.removed
        })
    };
    registrations
        .iter()
        .filter(|one| !one.removed && !later(one))
        .collect()
}

fn nobody() -> Arc<dyn shared::scheduler::Scheduler> {
    Arc::new(MemoryScheduler::new())
}

fn said(record: &Record, field: &str) -> Value {
    json!(record.fields)[field].clone()
}

fn totals(run: &Run) -> Totals {
    run.totals.get(&KIND).copied().unwrap_or_default()
}
