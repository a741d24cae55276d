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
use shared::model::{Fields, IntegrationId, Kind, Record, RecordId, System};
use shared::objects::MemoryObjects;
use shared::publish::MemoryPublish;
use shared::queue::MemoryQueue;
use shared::records::{self, Wish};
use shared::store::{Content, Expect, MemoryStore, Store, Write};
use shared::sync::quarantine::{self, Quarantined};
use shared::sync::{Mode, Run, RunRequest, RunState, Totals, Trigger, read_run};
use tests::rest::{Collection, Paging, Settings};

use crate::simulation_clock::SimulationClock;
use crate::world::World;

mod both_ways;
mod outages;

/// An organization, its register, and the engine between them.
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
    async fn connect(&self, _: &Integration) -> Arc<dyn Adapter> {
        self.0.adapter_anew()
    }
}

/// Returns a scheduler that nobody has told anything.
fn nobody() -> Arc<dyn shared::scheduler::Scheduler> {
    Arc::new(shared::scheduler::MemoryScheduler::new())
}

/// The profiles that runs are tried with, by what the system can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ability {
    /// It tells changes and deletions, and takes `If-Match`.
    Everything,
    /// It tells neither, and takes none.
    Nothing,
}

impl Ability {
    async fn world(self, members: usize) -> World {
        let mut world = World::new(members).await;
        if self == Self::Nothing {
            world.register().change_settings(|settings| {
                *settings = Settings {
                    changes: false,
                    keeps_deleted: false,
                    versions: false,
                    silent: true,
                    ..Settings::default()
                }
            });
            for resource in world.settings["resources"].as_object_mut().unwrap().values_mut() {
                let read = resource["read"].as_object_mut().unwrap();
                for name in ["changes", "deleted", "modified"] {
                    read.remove(name);
                }
                read.insert("version".to_owned(), json!("content"));
                for write in resource["write"].as_object_mut().unwrap().values_mut() {
                    write
                        .as_object_mut()
                        .unwrap()
                        .retain(|name, _| name != "ifMatch" && name != "row");
                }
            }
        }
        world.page_by(Paging::Cursor, 7);
        world
    }
}

impl Pair {
    async fn new(ability: Ability, members: usize) -> Self {
        Self::with(ability.world(members).await).await
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
        let row = Write::put(
            integration_key(&integration.id),
            Expect::Absent,
            Content::of(&integration),
        );
        pair.store().write(vec![row]).await.unwrap();
        pair
    }

    fn store(&self) -> &dyn Store {
        &*self.worker.ports.store
    }

    fn id(&self) -> IntegrationId {
        self.world.integration().id
    }

    async fn deliver(&self) {
        while let Some(received) = self.queue.receive(self.id().system) {
            let message = serde_json::from_str(&received.message.body).unwrap();
            drop(slice(&self.worker, &message).await);
            self.queue.ack(&received);
        }
    }

    /// Runs to the end, whatever it takes; a run that has not ended after a day is returned as it is.
    async fn run(&self, mode: Mode) -> Run {
        self.world.simulation.advance(SignedDuration::from_mins(1));
        let request = RunRequest {
            integration: self.id(),
            mode,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "tests".to_owned(),
        };
        let run = trigger(&self.worker.ports, request, Attempt::default())
            .await
            .unwrap();
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

    /// Runs once, and insists that it succeeds.
    async fn sync(&self) -> Run {
        let run = self.run(Mode::Delta).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
        run
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
        let (waiting, _) = quarantine::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap();
        waiting
    }

    /// Insists that both sides hold the same people, with the same names and addresses, and nobody twice.
    async fn assert_equal(&self) {
        let ours = self.members().await;
        let mut ours: Vec<(String, String, String, String)> = ours
            .iter()
            .map(|record| {
                let fields = json!(record.fields);
                let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
                let link = record.links[&self.id().system].to_string();
                (link, text("firstName"), text("lastName"), text("email"))
            })
            .collect();
        let there = self.world.rows();
        let mut theirs: Vec<(String, String, String, String)> = there
            .iter()
            .map(|row| {
                let text = |place: &str| {
                    row.pointer(place)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                (
                    row["id"].to_string(),
                    text("/name/first"),
                    text("/name/last"),
                    text("/contact/email"),
                )
            })
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs);
        let mut numbers: Vec<_> = there.iter().filter_map(|row| row["number"].as_str()).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "nobody is there twice");
    }
}

fn totals(run: &Run, kind: Kind) -> Totals {
    run.totals.get(&kind).copied().unwrap_or_default()
}

fn row_of(record: &Record) -> u64 {
    record.links[&System::Consio].parse().unwrap()
}
