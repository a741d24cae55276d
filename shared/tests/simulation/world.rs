//! Two sides, the tables between them, and workers that die.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::adapter::{Adapter, Hint};
use shared::clock::{Clock, ManualClock};
use shared::flow::watch::Registrar;
use shared::flow::work::{Connect, Job, Worker, work};
use shared::flow::{Ports, reconcile};
use shared::http::Exceptions;
use shared::inbox::{self, Delivery, EventState, Say};
use shared::integration::{ConflictRule, DeleteGuard, Direction, Integration, State, integration_key};
use shared::keys::MemoryKeys;
use shared::model::{Fields, Group, IntegrationId, Kind, Origin, Record, System, Value};
use shared::objects::MemoryObjects;
use shared::publish::{MemoryPublish, Publish};
use shared::queue::{MemoryQueue, Queue};
use shared::records;
use shared::scheduler::{MemoryScheduler, Scheduler};
use shared::store::{Content, Expect, MemoryStore, Query, Row, Store, StoreError, Table, Write};
use shared::sync::review::Decision;
use shared::sync::{self, Mode, Run, RunRequest, Trigger};

use crate::chaos::{ChaosBus, ChaosStore};
use crate::dice::{Dice, Fate};
use crate::system::{ModelSystem, is_single};

type Slice = Pin<Box<dyn Future<Output = Result<(), StoreError>>>>;

/// What the records of one side say, by the system's id.
pub(crate) type Side = BTreeMap<Box<str>, String>;

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) system: Arc<ModelSystem>,
    pub(crate) store: Arc<ChaosStore>,
    pub(crate) bus: Arc<ChaosBus>,
    queue: Arc<MemoryQueue>,
    worker: Worker,
    sleepers: Vec<Slice>,
    pub(crate) kills: u32,
}

#[derive(Debug)]
struct Only(Arc<ModelSystem>);

#[async_trait]
impl Connect for Only {
    async fn connect(&self, _: &Integration) -> Arc<dyn Adapter> {
        Arc::<ModelSystem>::clone(&self.0) as Arc<dyn Adapter>
    }
}

pub(crate) fn id() -> IntegrationId {
    IntegrationId::new("org".parse().unwrap(), System::Dynamics365)
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let dice = Arc::new(Dice::new(seed));
        let clock = Arc::new(ManualClock::new("2026-01-31T10:00:00Z".parse().unwrap()));
        let system = Arc::new(ModelSystem::new(
            Arc::<ManualClock>::clone(&clock),
            Arc::clone(&dice),
        ));
        let store = Arc::new(ChaosStore {
            inner: MemoryStore::new(),
            dice: Arc::clone(&dice),
        });
        let queue = Arc::new(MemoryQueue::new(Arc::<ManualClock>::clone(&clock)));
        let bus = Arc::new(ChaosBus {
            inner: MemoryPublish::new(),
            dice: Arc::clone(&dice),
        });
        let ports = Ports {
            store: Arc::<ChaosStore>::clone(&store),
            queue: Arc::<MemoryQueue>::clone(&queue),
            clock: Arc::<ManualClock>::clone(&clock),
        };
        let connect = Arc::new(Only(Arc::clone(&system)));
        let worker = Worker {
            ports,
            publish: Arc::<ChaosBus>::clone(&bus),
            connect,
            exceptions: Exceptions::none(),
            registrar: Registrar {
                keys: Arc::new(MemoryKeys::new()),
                api_url: "https://api.example".parse().unwrap(),
            },
        };
        let world = Self {
            clock,
            dice,
            system,
            store,
            bus,
            queue,
            worker,
            sleepers: Vec::new(),
            kills: 0,
        };
        world.connect().await;
        world
    }

    async fn connect(&self) {
        let rules = [
            ConflictRule::ExternalWins,
            ConflictRule::PlatformWins,
            ConflictRule::NewestWins,
        ];
        let rule = |group| (group, rules[self.dice.below(rules.len())]);
        let groups = [Group::Identity, Group::Contact, Group::Address, Group::Membership];
        let now = self.clock.now();
        let integration = Integration {
            id: id(),
            display_name: "a system".to_owned(),
            state: State::Active,
            direction: Direction::Both,
            conflict_rules: groups.into_iter().map(rule).collect(),
            excluded_groups: Vec::new(),
            delete_guard: DeleteGuard {
                percent: 100,
                rows: 1_000,
            },
            settings: serde_json::json!({"members": {}, "memberships": {}, "course-enrollments": {}}),
            integration_system_id: None,
            mapping_version: 1,
            credentials_expire_at: None,
            created_at: now,
            updated_at: now,
        };
        let write = Write::put(integration_key(&id()), Expect::Absent, Content::of(&integration));
        self.store.inner.write(vec![write]).await.unwrap();
    }

    /// Somebody starts a run, unless one is active; the queue may never hear of it.
    pub(crate) async fn open(&self, mode: Mode, dry_run: bool) -> Option<Run> {
        let request = RunRequest {
            integration: id(),
            mode,
            dry_run,
            trigger: Trigger::Api,
            requested_by: "test".to_owned(),
        };
        let run = sync::open(&self.store.inner, request, None, self.clock.now())
            .await
            .ok()?;
        if !self.dice.fault(10) {
            self.queue.send(run.message("open")).await.unwrap();
        }
        Some(run)
    }

    /// Somebody changes something in the portal, which may tell of it, once or more often.
    pub(crate) async fn human(&self) {
        let Some((kind, row)) = self.system.human() else {
            return;
        };
        for _ in 0..self.dice.below(3) {
            let name = self.dice.word("webhook");
            let delivery = Delivery {
                endpoint: "org.AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
                integration: id(),
                dedup_key: name.clone(),
                content: name,
                received_at: self.clock.now(),
                signed_at: None,
                sender_id: None,
                say: Say::Rows(vec![Hint {
                    kind,
                    id: row.clone(),
                }]),
            };
            self.queue.send(delivery.message()).await.unwrap();
        }
    }

    /// One worker takes one message, or `reconcile` has its turn.
    pub(crate) async fn turn(&mut self) {
        match self.queue.receive(System::Dynamics365) {
            None => self.reconcile().await,
            Some(received) => {
                let job: Job = serde_json::from_str(&received.message.body).unwrap();
                let worker = self.worker.clone();
                let work: Slice = Box::pin(async move { work(&worker, &job).await });
                match self.survive(work).await {
                    Some(Ok(())) => drop(self.queue.ack(&received)),
                    Some(Err(_)) => drop(self.queue.fail(&received)),
                    None => {}
                }
            }
        }
    }

    async fn reconcile(&mut self) {
        self.clock.advance(Duration::from_secs(60));
        let ports = self.worker.ports.clone();
        let bus: Arc<dyn Publish> = Arc::<ChaosBus>::clone(&self.bus);
        let clock: Arc<dyn Scheduler> = Arc::new(MemoryScheduler::new());
        let files = MemoryObjects::new();
        let sweep: Slice =
            Box::pin(async move { reconcile::sweep(&ports, &bus, &clock, &files).await.map(drop) });
        let _ended = self.survive(sweep).await;
        if self.dice.one_in(4) {
            self.wake_sleepers().await;
        }
    }

    /// Lets a worker work until it ends, is killed, or falls asleep.
    async fn survive(&mut self, mut work: Slice) -> Option<Result<(), StoreError>> {
        self.dice.light();
        let ended = tokio::select! {
            biased;
            ended = &mut work => Some(ended),
            fate = self.dice.struck() => {
                self.kills += 1;
                if fate == Fate::Asleep {
                    self.sleepers.push(work);
                }
                None
            }
        };
        self.dice.put_out();
        ended
    }

    /// Workers that slept past their lease go on as if nothing had happened.
    pub(crate) async fn wake_sleepers(&mut self) {
        for sleeper in std::mem::take(&mut self.sleepers) {
            self.clock.advance(Duration::from_secs(20));
            self.dice.wake_sleepers();
            let _ended = sleeper.await;
        }
    }

    /// Somebody changes something on the platform.
    pub(crate) async fn platform(&self) {
        let kind = if self.dice.one_in(4) {
            Kind::Membership
        } else {
            Kind::Member
        };
        let rows = self
            .partition(&records::record_partition(&id().organization, kind))
            .await;
        let now = self.clock.now();
        let (record, expect) = if rows.is_empty() || self.dice.one_in(3) {
            let Some(fields) = self.new_fields(kind).await else {
                return;
            };
            let name = self.dice.word("platform").parse().unwrap();
            (Record::new(name, fields, now, Origin::Platform), Expect::Absent)
        } else {
            let row = &rows[self.dice.below(rows.len())];
            let mut record = Record::from_row(kind, row).unwrap();
            if !record.is_live() {
                return;
            }
            if kind == Kind::Membership && self.dice.one_in(5) {
                record = record.tombstone(now, Origin::Platform, None);
            } else {
                self.system.edit(&mut record.fields);
                (record.modified_at, record.modified_by) = (now, Origin::Platform);
            }
            (record, Expect::Version(row.version))
        };
        let key = records::record_key(&id().organization, kind, &record.id);
        let writes = vec![
            Write::put(key, expect, record.content()),
            records::pend(&id(), kind, &record.id),
        ];
        self.store.inner.write(writes).await.unwrap();
    }

    /// Somebody carries a change to the system, or has it sent again.
    pub(crate) async fn carry(&self) {
        if let Some((kind, record)) = self.system.carry() {
            let mark = records::pend(&id(), kind, &record);
            self.store.inner.write(vec![mark]).await.unwrap();
        }
    }

    async fn new_fields(&self, kind: Kind) -> Option<Fields> {
        let mut fields = Fields::new(kind);
        if kind == Kind::Member {
            fields.set(2, Some(Value::Text(self.dice.word("name"))));
            return Some(fields);
        }
        let mut members = self.live(Kind::Member).await;
        members.retain(|member| !is_single(member.id.as_str()));
        let member = members.get(self.dice.below(members.len().max(1)))?;
        fields.set(0, Some(Value::Text(member.id.as_str().into())));
        Some(fields)
    }

    pub(crate) async fn partition(&self, partition: &str) -> Vec<Row> {
        let query = Query::new(Table::Records, partition, "", 100_000);
        self.store.inner.query(&query).await.unwrap().rows
    }

    pub(crate) async fn live(&self, kind: Kind) -> Vec<Record> {
        let rows = self
            .partition(&records::record_partition(&id().organization, kind))
            .await;
        let records = rows.iter().map(|row| Record::from_row(kind, row).unwrap());
        records.filter(Record::is_live).collect()
    }

    /// What the platform says, by the system's ids.
    pub(crate) async fn platform_side(&self, kind: Kind) -> Side {
        let members = self.live(Kind::Member).await;
        let external = |id: &str| {
            let member = members.iter().find(|member| member.id.as_str() == id);
            member.and_then(|member| member.links.get(&System::Dynamics365).cloned())
        };
        let records = self.live(kind).await.into_iter().map(|record| {
            let link = record
                .links
                .get(&System::Dynamics365)
                .cloned()
                .unwrap_or_else(|| "unlinked".into());
            let mut fields = record.fields;
            if let Some(Value::Text(member)) = fields.get("memberId") {
                let outward = external(member).map(Value::Text);
                fields.set(0, outward);
            }
            (link, serde_json::to_string(&fields).unwrap())
        });
        records.collect()
    }

    /// What the system says.
    pub(crate) fn system_side(&self, kind: Kind) -> Side {
        let rows = self.system.rows(kind).into_iter();
        rows.map(|(id, row)| (id, serde_json::to_string(&row.fields).unwrap()))
            .collect()
    }

    /// Works until no run is active.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..2_000 {
            let lease = self.lease().await;
            if lease.is_none_or(|lease| lease.run.is_none()) {
                return;
            }
            self.turn().await;
        }
        panic!("the run never ends");
    }

    /// Works until no webhook is left.
    pub(crate) async fn drain(&mut self) {
        for _ in 0..2_000 {
            let (events, _) = inbox::list_events(&self.store.inner, &id(), None, 100_000)
                .await
                .unwrap();
            let waits = events.iter().any(|event| event.state == EventState::Received);
            if !waits && self.queue.is_empty(System::Dynamics365) {
                return;
            }
            self.turn().await;
        }
        panic!("a webhook never ends");
    }

    /// A human approves what waits for one: a system that suddenly holds nothing at all is not believed unasked.
    pub(crate) async fn approve_all(&mut self) {
        let store = &self.store.inner;
        let (reviews, _) = sync::review::list(store, &id(), None, 100).await.unwrap();
        for review in reviews {
            let (mode, trigger, requested_by) = (Mode::Approved, Trigger::Api, "test".to_owned());
            let request = RunRequest {
                integration: id(),
                mode,
                dry_run: false,
                trigger,
                requested_by,
            };
            let (now, decision) = (self.clock.now(), Decision::Approve);
            let run = sync::review::decide(&self.store.inner, request, &review.id(), decision, None, now)
                .await
                .unwrap();
            self.queue.send(run.unwrap().message("open")).await.unwrap();
            self.settle().await;
        }
    }

    async fn lease(&self) -> Option<sync::Lease> {
        let key = shared::store::Key::new(Table::Control, "org", "lease#dynamics365");
        let row = self.store.inner.get(&[key]).await.unwrap().pop().flatten()?;
        row.decode().ok()
    }

    /// Prints every row, for whoever looks into a seed.
    pub(crate) async fn dump(&self) {
        for kind in Kind::ALL {
            let partitions = [
                records::record_partition(&id().organization, *kind),
                records::link_partition(&id(), *kind),
                records::pending_partition(&id()),
            ];
            for partition in partitions {
                for row in self.partition(&partition).await {
                    println!("{partition}/{} {:?} {}", row.key.sort, row.fence, row.body);
                }
            }
        }
        let control = Query::new(Table::Control, "org", "", 10_000);
        for row in self.store.inner.query(&control).await.unwrap().rows {
            println!("{} v{} {}", row.key.sort, row.version, row.body);
        }
    }
}
