//! Whole runs, engine and adapter together: what becomes of records when the other side is not as it should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::clock::Clock;
use shared::flow::watch::Registrar;
use shared::flow::work::{Connect, Worker, slice};
use shared::flow::{Attempt, Ports, reconcile, stop, trigger};
use shared::integration::{self, ConflictRule, Direction, Integration, Precondition, integration_key};
use shared::keys::MemoryKeys;
use shared::model::{Fields, Group, Kind, Record, RecordId, System};
use shared::objects::MemoryObjects;
use shared::publish::MemoryPublish;
use shared::queue::MemoryQueue;
use shared::records::{self, Wish};
use shared::store::{Content, Expect, MemoryStore, Store, Write};
use shared::sync::quarantine::{self, Quarantined};
use shared::sync::review::{self, Decision, Review};
use shared::sync::{Mode, Run, RunRequest, RunState, Totals, Trigger, read_run};
use tests::dataverse::Privilege;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::limits::Limit;
use uuid::Uuid;

use crate::simulation_clock::SimulationClock;
use crate::world::World;

mod deletions;
mod field_map;
mod hinted;
mod outages;
mod sending;

/// An organization, its Dynamics 365, and the engine between them.
struct Pair {
    world: Arc<World>,
    worker: Worker,
    queue: Arc<MemoryQueue>,
}

/// Sets adapters up as functions do, each in a process of its own and with the settings that there are by then.
struct Connections(Arc<World>);

/// Returns a scheduler that nobody has told anything.
fn nobody() -> Arc<dyn shared::scheduler::Scheduler> {
    Arc::new(shared::scheduler::MemoryScheduler::new())
}

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
    /// Connects a Dynamics 365 with some contacts.
    async fn new(contacts: usize) -> Self {
        Self::with(World::new(contacts).await, |_| {}).await
    }

    async fn with(world: World, change: impl FnOnce(&mut Integration)) -> Self {
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
        let mut integration = pair.world.integration("hlf");
        change(&mut integration);
        pair.keep(&integration, Expect::Absent).await;
        pair
    }

    async fn keep(&self, integration: &Integration, expect: Expect) {
        let row = Write::put(integration_key(&integration.id), expect, Content::of(integration));
        self.store().write(vec![row]).await.unwrap();
    }

    /// Changes the settings, as somebody does who puts the integration anew.
    async fn reconfigure(&self, change: impl FnOnce(&mut Integration)) {
        let stored = integration::read(self.store(), &self.id())
            .await
            .unwrap()
            .unwrap();
        let mut integration = stored.integration;
        change(&mut integration);
        integration.mapping_version += 1;
        self.keep(&integration, Expect::Version(stored.version)).await;
    }

    fn store(&self) -> &dyn Store {
        &*self.worker.ports.store
    }

    fn id(&self) -> shared::model::IntegrationId {
        self.world.integration("hlf").id
    }

    fn request(&self, mode: Mode) -> RunRequest {
        RunRequest {
            integration: self.id(),
            mode,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "tests".to_owned(),
        }
    }

    /// Starts a run, and works its first slice.
    async fn begin(&self) -> Run {
        let run = trigger(&self.worker.ports, self.request(Mode::Delta), Attempt::default())
            .await
            .unwrap();
        self.deliver().await;
        read_run(self.store(), &run.integration, &run.id).await.unwrap()
    }

    /// Works the slices that are on the queue.
    async fn deliver(&self) {
        while let Some(received) = self.queue.receive(System::Dynamics365) {
            let message = serde_json::from_str(&received.message.body).unwrap();
            drop(slice(&self.worker, &message).await);
            self.queue.ack(&received);
        }
    }

    /// Runs to the end, whatever it takes; a run that has not ended after a day is returned as it is.
    async fn run(&self, mode: Mode) -> Run {
        let run = trigger(&self.worker.ports, self.request(mode), Attempt::default())
            .await
            .unwrap();
        self.finish(&run).await
    }

    async fn finish(&self, run: &Run) -> Run {
        for _ in 0..100 {
            self.deliver().await;
            let run = read_run(self.store(), &run.integration, &run.id).await.unwrap();
            if run.finished_at.is_some() {
                return run;
            }
            self.world.simulation.advance(SignedDuration::from_mins(15));
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

    async fn sync(&self) -> Run {
        self.run(Mode::Delta).await
    }

    async fn records(&self, kind: Kind) -> Vec<Record> {
        let organization = self.id().organization;
        let page = records::list(self.store(), &organization, kind, None, 1_000)
            .await
            .unwrap();
        let records = page.records.into_iter().map(|stored| stored.record);
        records.filter(Record::is_live).collect()
    }

    async fn members(&self) -> Vec<Record> {
        self.records(Kind::Member).await
    }

    async fn put(&self, kind: Kind, id: &str, fields: Value) {
        let wish = Wish {
            id: id.parse().unwrap(),
            fields: Fields::from_json(kind, fields.as_object().unwrap()).unwrap(),
        };
        let organization = self.id().organization;
        records::put(&self.worker.ports, &organization, &wish, Precondition::None)
            .await
            .unwrap();
    }

    /// Changes one field of a record, and leaves the others.
    async fn edit(&self, record: &Record, field: &str, value: &str) {
        let mut fields = json!(record.fields);
        fields[field] = json!(value);
        self.put(record.fields.kind(), record.id.as_str(), fields).await;
    }

    async fn delete(&self, kind: Kind, id: &RecordId) {
        let organization = self.id().organization;
        records::delete(&self.worker.ports, &organization, kind, id, Precondition::None)
            .await
            .unwrap();
    }

    async fn quarantine(&self) -> Vec<Quarantined> {
        quarantine::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap()
            .0
    }

    async fn reviews(&self) -> Vec<Review> {
        review::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap()
            .0
    }

    async fn decide(&self, review: &Review, decision: Decision) -> Option<Run> {
        let request = self.request(Mode::Approved);
        let now = self.worker.ports.now();
        let run = review::decide(self.store(), request, &review.id(), decision, None, now)
            .await
            .unwrap()?;
        self.world.simulation.advance(SignedDuration::from_mins(15));
        reconcile::sweep(
            &self.worker.ports,
            &self.worker.publish,
            &nobody(),
            &MemoryObjects::new(),
        )
        .await
        .unwrap();
        Some(self.finish(&run).await)
    }

    /// Has humans delete some contacts.
    fn delete_there(&self, count: usize) {
        for row in self.contacts().iter().take(count) {
            let id = guid(row, "contactid");
            self.world.simulation.delete_as_human("contacts", id);
        }
    }

    fn contacts(&self) -> Vec<Value> {
        self.world.simulation.rows("contacts")
    }

    fn contact(&self, record: &Record) -> Value {
        let id = record.links[&System::Dynamics365].parse().unwrap();
        self.world.simulation.row("contacts", id).unwrap()
    }
}

fn said(record: &Record, field: &str) -> Value {
    json!(record.fields)[field].clone()
}

fn totals(run: &Run, kind: Kind) -> Totals {
    run.totals.get(&kind).copied().unwrap_or_default()
}

fn guid(row: &Value, column: &str) -> Uuid {
    row[column].as_str().unwrap().parse().unwrap()
}
