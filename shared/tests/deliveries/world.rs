//! A service whose queue fails, and a system that has every row that it is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::adapter::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, ExternalRecord, Finding, Found, From, Item,
    KindCapability, Outcome, Pulled, References, Result, Subscribed, Subscription, Usage,
};
use shared::clock::{Clock, ManualClock};
use shared::flow::receive::Receiver;
use shared::flow::watch::Registrar;
use shared::flow::work::{Connect, Job, Worker, work};
use shared::flow::{Ports, reconcile};
use shared::http::Exceptions;
use shared::inbox::{self, Event, EventState};
use shared::integration::{DeleteGuard, Direction, Integration, State, integration_key};
use shared::keys::{Keys, MemoryKeys};
use shared::model::{Fields, IntegrationId, Kind, System};
use shared::objects::MemoryObjects;
use shared::publish::{MemoryPublish, Publish};
use shared::queue::{MemoryQueue, Message, Queue, QueueError};
use shared::scheduler::{MemoryScheduler, Scheduler};
use shared::store::{Content, Expect, MemoryStore, Write};

/// Moves only forward.
#[derive(Debug)]
pub(crate) struct Time(ManualClock);

impl Time {
    pub(crate) fn wait_until(&self, at: Timestamp) {
        let wait = at.duration_since(self.now()).max(SignedDuration::ZERO);
        self.0.advance(wait.unsigned_abs());
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: std::time::Duration) {
        self.0.sleep(duration).await;
    }
}

/// A queue of whose writes one in three fails.
#[derive(Debug)]
struct Failing {
    inner: Arc<MemoryQueue>,
    random: Mutex<fastrand::Rng>,
}

#[async_trait]
impl Queue for Failing {
    async fn send(&self, message: Message) -> std::result::Result<(), QueueError> {
        let fails = self.random.lock().unwrap().u8(0..3) == 0;
        // It may have taken the message all the same.
        let takes = !fails || self.random.lock().unwrap().bool();
        if takes {
            self.inner.send(message).await?;
        }
        if fails {
            Err(QueueError("full".into()))
        } else {
            Ok(())
        }
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<Time>,
    pub(crate) ports: Ports,
    pub(crate) keys: Arc<dyn Keys>,
    pub(crate) receiver: Receiver,
    pub(crate) system: Arc<Endless>,
    queue: Arc<MemoryQueue>,
    worker: Worker,
}

pub(crate) fn id() -> IntegrationId {
    IntegrationId::new("org".parse().unwrap(), System::Dynamics365)
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let clock = Arc::new(Time(ManualClock::new("2026-01-31T10:00:00Z".parse().unwrap())));
        let time: Arc<dyn Clock> = Arc::<Time>::clone(&clock);
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&time)));
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            queue: Arc::new(Failing {
                inner: Arc::clone(&queue),
                random: Mutex::new(fastrand::Rng::with_seed(seed)),
            }),
            clock: time,
        };
        let keys: Arc<dyn Keys> = Arc::new(MemoryKeys::new());
        let system = Arc::new(Endless::default());
        let world = Self {
            receiver: Receiver::new(ports.clone(), Arc::clone(&keys), Exceptions::none()),
            worker: Worker {
                ports: ports.clone(),
                publish: Arc::new(MemoryPublish::new()),
                connect: Arc::new(Only(Arc::clone(&system))),
                exceptions: Exceptions::none(),
                registrar: Registrar {
                    keys: Arc::new(MemoryKeys::new()),
                    api_url: "https://api.example".parse().unwrap(),
                },
            },
            keys,
            clock,
            ports,
            system,
            queue,
        };
        world.connect().await;
        world
    }

    async fn connect(&self) {
        let now = self.clock.now();
        let integration = Integration {
            id: id(),
            display_name: "a system".to_owned(),
            state: State::Active,
            direction: Direction::Pull,
            conflict_rules: std::collections::BTreeMap::new(),
            excluded_groups: Vec::new(),
            delete_guard: DeleteGuard::default(),
            settings: serde_json::Value::Null,
            integration_system_id: None,
            mapping_version: 1,
            credentials_expire_at: None,
            created_at: now,
            updated_at: now,
        };
        let write = Write::put(integration_key(&id()), Expect::Absent, Content::of(&integration));
        self.ports.store.write(vec![write]).await.unwrap();
    }

    /// Works what is queued; what is due is put there again.
    pub(crate) async fn work(&self) {
        while let Some(received) = self.queue.receive(System::Dynamics365) {
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            work(&self.worker, &job).await.unwrap();
            assert!(self.queue.ack(&received));
        }
    }

    /// Works until nothing waits.
    pub(crate) async fn finish(&self) {
        loop {
            self.work().await;
            if self
                .events()
                .await
                .iter()
                .all(|event| event.state != EventState::Received)
            {
                return;
            }
            self.clock
                .wait_until(self.clock.now() + SignedDuration::from_mins(1));
            let (publish, scheduler): (Arc<dyn Publish>, Arc<dyn Scheduler>) =
                (Arc::new(MemoryPublish::new()), Arc::new(MemoryScheduler::new()));
            reconcile::sweep(&self.ports, &publish, &scheduler, &MemoryObjects::new())
                .await
                .unwrap();
        }
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        let listed = inbox::list_events(&*self.ports.store, &id(), None, 10_000_000).await;
        listed.unwrap().0
    }
}

/// A system that has every row that it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Endless {
    asked: Mutex<HashMap<String, u32>>,
}

impl Endless {
    pub(crate) fn asked_for(&self, id: &str) -> u32 {
        self.asked.lock().unwrap().get(id).copied().unwrap_or_default()
    }

    pub(crate) fn rows_asked_for(&self) -> u64 {
        self.asked.lock().unwrap().len() as u64
    }

    fn look(&self, id: &str) -> Found {
        *self.asked.lock().unwrap().entry(id.to_owned()).or_default() += 1;
        let fields = json!({ "lastName": "Ek" });
        Found::Here(Item::Row(ExternalRecord {
            id: id.into(),
            etag: Some("1".into()),
            key: None,
            fields: Fields::from_json(Kind::Member, fields.as_object().unwrap()).unwrap(),
            told: u64::MAX,
            modified_at: None,
            ours: false,
            active: true,
        }))
    }
}

#[derive(Debug)]
struct Only(Arc<Endless>);

#[async_trait]
impl Connect for Only {
    async fn connect(&self, _: &Integration) -> Arc<dyn Adapter> {
        Arc::new(Asked(Arc::clone(&self.0)))
    }
}

#[derive(Debug)]
struct Asked(Arc<Endless>);

fn nobody<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "nobody does"))
}

#[async_trait]
impl Adapter for Asked {
    fn system(&self) -> System {
        System::Dynamics365
    }

    fn capability(&self) -> Capability {
        let members = KindCapability {
            kind: Kind::Member,
            mapped: 0b100,
            tracks_changes: true,
            pushes: false,
            references: References::ByLink,
            lag: Duration::ZERO,
        };
        Capability {
            kinds: vec![members],
            push_batch: 1,
            find_batch: 100,
            pushes_unread: false,
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        Usage::default()
    }

    async fn probe(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn pull(&self, _: Kind, _: &From) -> Result<Pulled> {
        nobody()
    }

    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, _: Kind, _: &[Change]) -> Result<Vec<Outcome>> {
        nobody()
    }

    async fn subscribe(&self, _: &Subscription) -> Result<Subscribed> {
        nobody()
    }

    async fn unsubscribe(&self, _: &str) -> Result<()> {
        nobody()
    }

    async fn find(&self, _: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        Ok(ids.iter().map(|id| self.0.look(id)).collect())
    }
}
