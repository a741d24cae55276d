//! The service with tables, objects and queues in memory, a system without an API, and a human who carries files between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::adapters::{Connections, FileStores, Registry};
use shared::clock::ManualClock;

use shared::flow::watch::Registrar;
use shared::flow::work::{Job, Worker, work};
use shared::flow::{Attempt, Ports, reconcile, trigger};
use shared::http::Exceptions;
use shared::integration::{DeleteGuard, Direction, Integration, Precondition, State, integration_key};
use shared::keys::MemoryKeys;
use shared::model::{Fields, IntegrationId, Kind, Record, RecordId, System};
use shared::objects::MemoryObjects;
use shared::publish::{MemoryPublish, Publish};
use shared::queue::{MemoryQueue, Queue as _};
use shared::records::{self, PutError, Wish};
use shared::scheduler::{MemoryScheduler, Scheduler};
use shared::secrets::MemorySecrets;
use shared::store::{Content, Expect, Key, MemoryStore, Query, Row, Store, StoreError, Table, Write};
use shared::sync::quarantine::{self, Quarantined};
use shared::sync::review::{self, Decision, Review};
use shared::sync::{self, Mode, Run, RunRequest, Trigger};

use crate::consio::Consio;
use crate::mortal::Mortal;

/// What the records of one side say, by the platform's ids.
pub(crate) type Side = BTreeMap<String, Value>;

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<Mortal>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) publish: Arc<MemoryPublish>,
    pub(crate) consio: Consio,
    pub(crate) ports: Ports,
    queue: Arc<MemoryQueue>,
    worker: Worker,
}

pub(crate) fn id() -> IntegrationId {
    IntegrationId::new("org".parse().unwrap(), System::Consio)
}

pub(crate) fn integration() -> Integration {
    let now = "2026-01-31T10:00:00Z".parse().unwrap();
    Integration {
        id: id(),
        display_name: "a system".to_owned(),
        state: State::Active,
        direction: Direction::Both,
        conflict_rules: BTreeMap::new(),
        excluded_groups: Vec::new(),
        delete_guard: DeleteGuard::default(),
        settings: json!({}),
        integration_system_id: None,
        mapping_version: 1,
        credentials_expire_at: None,
        created_at: now,
        updated_at: now,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(&integration()).await
    }

    pub(crate) async fn of(integration: &Integration) -> Self {
        let clock = Arc::new(ManualClock::new(integration.created_at));
        let store = Arc::new(Mortal::new(Arc::clone(&clock)));
        let objects = Arc::new(MemoryObjects::new());
        let queue = Arc::new(MemoryQueue::new(Arc::<ManualClock>::clone(&clock)));
        let publish = Arc::new(MemoryPublish::new());
        let ports = Ports {
            store: Arc::<Mortal>::clone(&store),
            queue: Arc::<MemoryQueue>::clone(&queue),
            clock: Arc::<ManualClock>::clone(&clock),
        };
        let files = FileStores {
            store: Arc::<Mortal>::clone(&store),
            objects: Arc::<MemoryObjects>::clone(&objects),
        };
        let registry = Registry {
            connections: Connections::new(Exceptions::none(), Arc::<ManualClock>::clone(&clock))
                .filing(files),
            secrets: Arc::new(MemorySecrets::new()),
            secret_prefix: "members/".to_owned(),
            time_limit: Duration::from_secs(100),
        };
        let worker = Worker {
            ports: ports.clone(),
            publish: Arc::<MemoryPublish>::clone(&publish),
            connect: Arc::new(registry),
            exceptions: Exceptions::none(),
            registrar: Registrar {
                keys: Arc::new(MemoryKeys::new()),
                api_url: "https://api.example".parse().unwrap(),
            },
        };
        let world = Self {
            clock,
            store,
            objects,
            publish,
            consio: Consio::default(),
            ports,
            queue,
            worker,
        };
        let write = Write::put(integration_key(&id()), Expect::Absent, Content::of(integration));
        world.store.write(vec![write]).await.unwrap();
        world
    }

    pub(crate) fn wait(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    fn request(mode: Mode) -> RunRequest {
        RunRequest {
            integration: id(),
            mode,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "test".to_owned(),
        }
    }

    /// Opens a run.
    pub(crate) async fn open(&self, mode: Mode) -> Option<Run> {
        self.wait(1);
        trigger(&self.ports, Self::request(mode), Attempt::default())
            .await
            .ok()
    }

    /// Works one message, if there is one.
    pub(crate) async fn turn(&self) -> Option<Result<(), StoreError>> {
        let received = self.queue.receive(System::Consio)?;
        let job: Job = serde_json::from_str(&received.message.body).unwrap();
        let worked = Box::pin(work(&self.worker, &job)).await;
        match worked {
            Ok(()) => assert!(self.queue.ack(&received)),
            Err(_) => drop(self.queue.fail(&received)),
        }
        Some(worked)
    }

    /// Works until no run is active.
    pub(crate) async fn settle(&self) {
        for _ in 0..1_000 {
            let lease: Option<sync::Lease> = {
                let key = Key::new(Table::Control, "org", "lease#consio");
                let row = self.rows().get(&[key]).await.unwrap().pop().flatten();
                row.map(|row| row.decode().unwrap())
            };
            if lease.is_none_or(|lease| lease.run.is_none()) {
                return;
            }
            if self.turn().await.is_none() {
                self.wait(1);
                self.sweep().await;
            }
        }
        panic!("the run never ends");
    }

    /// Has a run to its end.
    pub(crate) async fn run(&self, mode: Mode) -> Run {
        let opened = self.open(mode).await.unwrap();
        self.settle().await;
        self.read_run(&opened).await
    }

    /// Has a run count what it would do.
    pub(crate) async fn dry_run(&self) -> Run {
        self.wait(1);
        let request = RunRequest {
            dry_run: true,
            ..Self::request(Mode::Delta)
        };
        let opened = trigger(&self.ports, request, Attempt::default()).await.unwrap();
        self.settle().await;
        self.read_run(&opened).await
    }

    pub(crate) async fn read_run(&self, run: &Run) -> Run {
        sync::read_run(self.rows(), &id(), &run.id).await.unwrap()
    }

    /// Has a run of what has changed, which leaves nothing to a human.
    pub(crate) async fn sync(&self) -> Run {
        let run = self.run(Mode::Delta).await;
        assert_eq!(run.state, sync::RunState::Succeeded, "{run:#?}");
        run
    }

    /// `reconcile` has its turn.
    pub(crate) async fn sweep(&self) {
        let (publish, scheduler): (Arc<dyn Publish>, Arc<dyn Scheduler>) = (
            Arc::<MemoryPublish>::clone(&self.publish),
            Arc::new(MemoryScheduler::new()),
        );
        let swept = reconcile::sweep(&self.ports, &publish, &scheduler, &*self.objects).await;
        if let Ok(mended) = swept {
            assert!(self.store.is_faulty() || mended.failed == 0, "{mended:?}");
        }
    }

    /// The tables, which always answer.
    pub(crate) fn rows(&self) -> &MemoryStore {
        &self.store.rows
    }

    pub(crate) async fn kept(&self, table: Table, partition: &str, prefix: &str) -> Vec<Row> {
        let query = Query::new(table, partition, prefix, 1_000_000);
        self.rows().query(&query).await.unwrap().rows
    }

    pub(crate) async fn reviews(&self) -> Vec<Review> {
        review::list(self.rows(), &id(), None, 100).await.unwrap().0
    }

    pub(crate) async fn quarantined(&self) -> Vec<Quarantined> {
        quarantine::list(self.rows(), &id(), None, 100).await.unwrap().0
    }

    /// A human decides the one review that there is; the run that this takes is worked.
    pub(crate) async fn decide(&self, decision: Decision) {
        let reviews = self.reviews().await;
        assert_eq!(reviews.len(), 1, "{reviews:?}");
        self.decide_first(decision).await;
    }

    async fn decide_first(&self, decision: Decision) {
        let review = self.reviews().await.remove(0);
        let run = review::decide(
            self.rows(),
            Self::request(Mode::Approved),
            &review.id(),
            decision,
            None,
            self.ports.now(),
        )
        .await
        .unwrap();
        if let Some(run) = run {
            self.queue.send(run.message("open")).await.unwrap();
            self.settle().await;
        }
    }

    /// A human approves every deletion that waits for one.
    pub(crate) async fn approve_all(&self) {
        while !self.reviews().await.is_empty() {
            self.decide_first(Decision::Approve).await;
        }
    }

    /// Marks that wait to be sent.
    pub(crate) async fn pending(&self) -> usize {
        let partition = records::pending_partition(&id());
        self.kept(Table::Records, &partition, "").await.len()
    }
}

/// Records.
impl World {
    pub(crate) async fn put(&self, kind: Kind, name: &str, fields: Value) {
        self.try_put(kind, name, fields).await.unwrap();
    }

    pub(crate) async fn try_put(&self, kind: Kind, name: &str, fields: Value) -> Result<(), PutError> {
        self.wait(1);
        let wish = Wish {
            id: name.parse().unwrap(),
            fields: Fields::from_json(kind, fields.as_object().unwrap()).unwrap(),
        };
        let put = records::put(&self.ports, &id().organization, &wish, Precondition::None).await;
        put.map(drop)
    }

    /// Somebody changes one field of a record.
    pub(crate) async fn change(&self, kind: Kind, name: &str, field: &str, value: &str) {
        let mut fields = self.fields(kind, name).await.unwrap();
        fields.insert(field.to_owned(), json!(value));
        self.put(kind, name, Value::Object(fields)).await;
    }

    pub(crate) async fn delete(&self, kind: Kind, name: &str) {
        self.wait(1);
        let (organization, name) = (id().organization, name.parse::<RecordId>().unwrap());
        records::delete(&self.ports, &organization, kind, &name, Precondition::None)
            .await
            .unwrap();
    }

    pub(crate) async fn record(&self, kind: Kind, name: &str) -> Option<Record> {
        let name: RecordId = name.parse().unwrap();
        let stored = records::read(self.rows(), &id().organization, kind, &name).await;
        stored.unwrap().map(|stored| stored.record)
    }

    pub(crate) async fn fields(&self, kind: Kind, name: &str) -> Option<Map<String, Value>> {
        let record = self.record(kind, name).await.filter(Record::is_live)?;
        json!(record.fields).as_object().cloned()
    }

    pub(crate) async fn says(&self, kind: Kind, name: &str, field: &str) -> Option<String> {
        let fields = self.fields(kind, name).await?;
        fields.get(field)?.as_str().map(str::to_owned)
    }

    /// What the platform says.
    pub(crate) async fn platform(&self, kind: Kind) -> Side {
        let partition = records::record_partition(&id().organization, kind);
        let rows = self.kept(Table::Records, &partition, "").await;
        let records = rows.iter().map(|row| Record::from_row(kind, row).unwrap());
        records
            .filter(Record::is_live)
            .map(|record| (record.id.as_str().to_owned(), json!(record.fields)))
            .collect()
    }

    pub(crate) async fn is_linked(&self, kind: Kind, external: &str) -> bool {
        let key = records::link_key(&id(), kind, external);
        self.rows().get(&[key]).await.unwrap()[0].is_some()
    }

    /// What the system says.
    pub(crate) fn system(&self, kind: Kind) -> Side {
        let rows = self.consio.rows(kind).map(|(id, row)| {
            let mut fields = row.fields.clone();
            if let Some(member) = fields.get("memberId").and_then(Value::as_str) {
                let member = self.consio.record_id(Kind::Member, member);
                fields.insert("memberId".to_owned(), json!(member));
            }
            (self.consio.record_id(kind, id), Value::Object(fields))
        });
        rows.collect()
    }

    /// Insists that both sides say the same, are linked row by row, and that nothing waits.
    pub(crate) async fn check_equal(&self) {
        for kind in [Kind::Member, Kind::Membership] {
            let (platform, system) = (self.platform(kind).await, self.system(kind));
            assert_eq!(platform, system, "{kind}");
            let links = records::link_partition(&id(), kind);
            let links = self.kept(Table::Records, &links, "").await;
            let links: Vec<&str> = links.iter().map(|row| row.key.sort.as_str()).collect();
            let mut rows: Vec<&str> = self.consio.rows(kind).map(|(id, _)| id.as_str()).collect();
            rows.sort_unstable();
            assert_eq!(links, rows, "{kind}: a link for each row");
        }
        assert_eq!(self.pending().await, 0, "nothing is left to be sent");
    }
}
