//! Whole runs: the engine over ports in memory, and the real adapter of a simulated system.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::adapters::FileStores;
use shared::flow::watch::Registrar;
use shared::flow::work::{Connect, Worker, slice};
use shared::flow::{Attempt, Ports, reconcile, trigger};
use shared::integration::{Integration, Precondition, integration_key};
use shared::keys::MemoryKeys;
use shared::model::{Fields, Kind, OrganizationId, Record, RecordId};
use shared::objects::MemoryObjects;
use shared::publish::MemoryPublish;
use shared::queue::{MemoryQueue, Received};
use shared::records::{self, Wish};
use shared::scheduler::{MemoryScheduler, Scheduler};
use shared::store::{Content, Expect, MemoryStore, Store, Write};
use shared::sync::quarantine::{self, Quarantined};
use shared::sync::{Mode, Run, RunRequest, Totals, Trigger, read_run};
use tests::Simulation;

use crate::simulation_clock::SimulationClock;

/// A simulated system, and how an integration reaches it.
pub(crate) trait Side: Send + Sync + 'static {
    fn simulation(&self) -> &Arc<Simulation>;

    fn integration(&self) -> Integration;

    /// Sets up the adapter in a process of its own, with settings that may have changed since.
    fn adapter_anew(&self, integration: &Integration, files: &FileStores) -> Arc<dyn Adapter>;
}

/// An organization, the system of its integration, and the engine between them.
pub(crate) struct Pair<W: ?Sized> {
    pub(crate) world: Arc<W>,
    pub(crate) worker: Worker,
    /// The files that go out and come in.
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) nobody: Arc<dyn Scheduler>,
}

/// Makes a place for files.
pub(crate) fn files() -> (FileStores, Arc<MemoryObjects>) {
    let objects = Arc::new(MemoryObjects::new());
    let stores = FileStores {
        store: Arc::new(MemoryStore::new()),
        objects: Arc::<MemoryObjects>::clone(&objects),
    };
    (stores, objects)
}

/// Sets adapters up as functions do: each slice is worked in a process of its own.
struct Processes<W: ?Sized>(Arc<W>, FileStores);

impl<W: ?Sized> fmt::Debug for Processes<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Processes")
    }
}

#[async_trait]
impl<W: Side + ?Sized> Connect for Processes<W> {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        self.0.adapter_anew(integration, &self.1)
    }
}

impl<W: Side + ?Sized> Pair<W> {
    /// Connects a system.
    pub(crate) async fn with(world: impl Into<Arc<W>>, change: impl FnOnce(&mut Integration)) -> Self {
        let world: Arc<W> = world.into();
        let clock = Arc::new(SimulationClock(Arc::clone(world.simulation())));
        let queue = Arc::new(MemoryQueue::new(Arc::<SimulationClock>::clone(&clock)));
        let (files, objects) = files();
        let worker = Worker {
            ports: Ports {
                store: Arc::clone(&files.store),
                queue: Arc::<MemoryQueue>::clone(&queue),
                clock,
            },
            publish: Arc::new(MemoryPublish::new()),
            connect: Arc::new(Processes(Arc::clone(&world), files)),
            exceptions: world.simulation().base_url().parse().unwrap(),
            registrar: Registrar {
                keys: Arc::new(MemoryKeys::new()),
                api_url: "https://api.example".parse().unwrap(),
            },
        };
        let nobody = Arc::new(MemoryScheduler::new());
        let mut integration = world.integration();
        change(&mut integration);
        let pair = Self {
            world,
            worker,
            objects,
            queue,
            nobody,
        };
        pair.keep(&integration, Expect::Absent).await;
        pair
    }

    pub(crate) async fn keep(&self, integration: &Integration, expect: Expect) {
        let row = Write::put(integration_key(&integration.id), expect, Content::of(integration));
        self.store().write(vec![row]).await.unwrap();
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.worker.ports.store
    }

    pub(crate) fn id(&self) -> shared::model::IntegrationId {
        self.world.integration().id
    }

    pub(crate) fn organization(&self) -> OrganizationId {
        self.id().organization
    }

    pub(crate) fn request(&self, mode: Mode) -> RunRequest {
        RunRequest {
            integration: self.id(),
            mode,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "tests".to_owned(),
        }
    }

    /// Opens a run, and puts its first slice on the queue.
    pub(crate) async fn open(&self, mode: Mode) -> Run {
        trigger(&self.worker.ports, self.request(mode), Attempt::default())
            .await
            .unwrap()
    }

    /// Returns a run as it is by now.
    pub(crate) async fn now(&self, run: &Run) -> Run {
        read_run(self.store(), &run.integration, &run.id).await.unwrap()
    }

    /// Takes a message off the queue, if there is one.
    pub(crate) fn take(&self) -> Option<Received> {
        let received = self.queue.receive(self.id().system)?;
        self.queue.ack(&received);
        Some(received)
    }

    /// Works the slices that are on the queue.
    pub(crate) async fn deliver(&self) {
        while let Some(received) = self.take() {
            self.work(&received).await;
        }
    }

    /// Works one slice; one that fails is the queue's and `reconcile`'s to deliver again.
    pub(crate) async fn work(&self, received: &Received) {
        let message = serde_json::from_str(&received.message.body).unwrap();
        drop(slice(&self.worker, &message).await);
    }

    /// Lets time pass, and has done what is due by then.
    pub(crate) async fn wait(&self, minutes: i64) {
        self.pass(SignedDuration::from_mins(minutes)).await;
    }

    pub(crate) async fn pass(&self, duration: SignedDuration) {
        self.world.simulation().advance(duration);
        let Worker { ports, publish, .. } = &self.worker;
        reconcile::sweep(ports, publish, &self.nobody, &*self.objects)
            .await
            .unwrap();
    }

    /// Goes on with a run until it has ended; one that has not after a day is returned as it is.
    pub(crate) async fn finish(&self, run: &Run) -> Run {
        for _ in 0..100 {
            self.deliver().await;
            let run = self.now(run).await;
            if run.finished_at.is_some() {
                return run;
            }
            self.wait(15).await;
        }
        self.now(run).await
    }

    pub(crate) async fn run(&self, mode: Mode) -> Run {
        let run = self.open(mode).await;
        self.finish(&run).await
    }

    pub(crate) async fn sync(&self) -> Run {
        self.run(Mode::Delta).await
    }

    pub(crate) async fn records(&self, kind: Kind) -> Vec<Record> {
        let page = records::list(self.store(), &self.organization(), kind, None, 1_000)
            .await
            .unwrap();
        let records = page.records.into_iter().map(|stored| stored.record);
        records.filter(Record::is_live).collect()
    }

    pub(crate) async fn put(&self, kind: Kind, id: &str, fields: Value) {
        let wish = Wish {
            id: id.parse().unwrap(),
            fields: Fields::from_json(kind, fields.as_object().unwrap()).unwrap(),
        };
        records::put(
            &self.worker.ports,
            &self.organization(),
            &wish,
            Precondition::None,
        )
        .await
        .unwrap();
    }

    /// Changes one field of a record, and leaves the others.
    pub(crate) async fn edit(&self, record: &Record, field: &str, value: &str) {
        let mut fields = json!(record.fields);
        fields[field] = json!(value);
        self.put(record.fields.kind(), record.id.as_str(), fields).await;
    }

    pub(crate) async fn delete(&self, kind: Kind, id: &RecordId) {
        let (ports, organization) = (&self.worker.ports, self.organization());
        records::delete(ports, &organization, kind, id, Precondition::None)
            .await
            .unwrap();
    }

    pub(crate) async fn quarantine(&self) -> Vec<Quarantined> {
        quarantine::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap()
            .0
    }
}

pub(crate) fn said(record: &Record, field: &str) -> Value {
    json!(record.fields)[field].clone()
}

pub(crate) fn totals(run: &Run, kind: Kind) -> Totals {
    run.totals.get(&kind).copied().unwrap_or_default()
}
