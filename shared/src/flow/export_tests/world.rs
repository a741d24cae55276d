//! An organization with books in memory, and somebody who works its queue.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::adapter::{self, Adapter, ErrorKind, Unusable, Usage};
use crate::clock::ManualClock;
use crate::export::engine_tests::world::{Script, Tables};
use crate::export::samples;
use crate::export::{
    AccountState, Books, Dedup, Entries, Intent, Ledger, LedgerFacts, Mapping, Needs, Reason, Route, State,
};
use crate::flow::watch::Registrar;
use crate::flow::work::{Connect, Job, Worker, work};
use crate::flow::{Attempt, ExportError, ExportRequest, Exported, Ports, export, reconcile};
use crate::http::Exceptions;
use crate::integration::{self, Integration, integration_key};
use crate::keys::MemoryKeys;
use crate::model::{IntegrationId, RecordId, Reimbursement, System};
use crate::objects::MemoryObjects;
use crate::publish::{MemoryPublish, Publish};
use crate::queue::MemoryQueue;
use crate::records;
use crate::scheduler::{MemoryScheduler, Scheduler};
use crate::store::{Content, Expect, Query, Store, Table, Write};

/// Books that are kept by a ledger in memory.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) ledger: Arc<Script>,
    mapping: Mapping,
    pub(super) automatic: Mutex<bool>,
    pub(super) accounts: Mutex<LedgerFacts>,
    /// What it is asked fails with, while there is something.
    pub(crate) fails: Mutex<Option<ErrorKind>>,
    pub(super) refusal: Mutex<Option<ErrorKind>>,
    pub(super) routes: Mutex<Vec<Route>>,
    pub(super) probes: AtomicU64,
    pub(super) monthly: Mutex<Option<u64>>,
    /// Whether the listing of the books has anything.
    pub(super) lists: Mutex<bool>,
    pub(super) sent: AtomicU64,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self {
            ledger: Arc::new(Script::new(Dedup::Queryable)),
            mapping: samples::mapping(),
            automatic: Mutex::default(),
            accounts: Mutex::default(),
            fails: Mutex::default(),
            refusal: Mutex::default(),
            routes: Mutex::new(vec![Route::Graphql]),
            probes: AtomicU64::default(),
            monthly: Mutex::new(None),
            lists: Mutex::new(true),
            sent: AtomicU64::default(),
        }
    }

    fn asked(&self) -> adapter::Result<()> {
        self.sent.fetch_add(1, SeqCst);
        match *self.fails.lock().unwrap() {
            Some(kind) => Err(adapter::Error::new(kind, "the ledger does not answer")),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Books for Shelf {
    fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    fn automatic(&self) -> bool {
        *self.automatic.lock().unwrap()
    }

    fn route_holds(&self) -> Duration {
        Duration::from_secs(24 * 60 * 60)
    }

    fn monthly_requests(&self) -> Option<u64> {
        *self.monthly.lock().unwrap()
    }

    fn take_usage(&self) -> Usage {
        Usage {
            requests: self.sent.swap(0, SeqCst),
            bytes_received: 0,
        }
    }

    fn take_refusal(&self) -> Option<adapter::Error> {
        let kind = self.refusal.lock().unwrap().take();
        kind.map(|kind| adapter::Error::new(kind, "the token is not known"))
    }

    async fn route(&self) -> adapter::Result<Route> {
        self.probes.fetch_add(1, SeqCst);
        self.asked()?;
        let mut routes = self.routes.lock().unwrap();
        Ok(if routes.len() > 1 {
            routes.remove(0)
        } else {
            routes[0]
        })
    }

    async fn facts(&self, _: Route, _: &Needs) -> adapter::Result<LedgerFacts> {
        self.asked()?;
        Ok(self.accounts.lock().unwrap().clone())
    }

    fn ledger(&self, route: Route) -> adapter::Result<Arc<dyn Ledger>> {
        match route {
            Route::Graphql => Ok(Arc::<Script>::clone(&self.ledger)),
            other => Err(adapter::Error::new(ErrorKind::Unsupported, other.as_str())),
        }
    }

    async fn entries(&self, _: Date, after: Option<&str>) -> adapter::Result<Entries> {
        self.asked()?;
        if !*self.lists.lock().unwrap() {
            return Ok(Entries::default());
        }
        let entries = self.ledger.entries.lock().unwrap();
        let at = after.map_or(0, |after| after.parse().unwrap());
        let next = at + 2;
        Ok(Entries {
            entries: entries.iter().skip(at).take(2).cloned().collect(),
            next: (next < entries.len()).then(|| next.to_string()),
        })
    }
}

#[derive(Debug)]
pub(crate) struct Library(pub(crate) Arc<Shelf>);

#[async_trait]
impl Connect for Library {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        Arc::new(Unusable::new(
            integration.id.system,
            ErrorKind::Unsupported,
            "books only",
        ))
    }

    async fn books(&self, _: &Integration) -> adapter::Result<Arc<dyn Books>> {
        Ok(Arc::<Shelf>::clone(&self.0))
    }
}

/// An organization with books.
pub(super) struct World {
    pub(super) tables: Arc<Tables>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) bus: Arc<MemoryPublish>,
    pub(super) worker: Worker,
}

pub(super) fn id() -> IntegrationId {
    "hlf:xledger".parse().unwrap()
}

pub(super) fn record(id: &str) -> RecordId {
    id.parse().unwrap()
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(samples::now()));
        let tables = Arc::new(Tables::default());
        let queue = Arc::new(MemoryQueue::new(Arc::<ManualClock>::clone(&clock)));
        let shelf = Arc::new(Shelf::new());
        let ports = Ports {
            store: Arc::<Tables>::clone(&tables),
            queue: Arc::<MemoryQueue>::clone(&queue),
            clock: Arc::<ManualClock>::clone(&clock),
        };
        let bus = Arc::new(MemoryPublish::default());
        let worker = Worker {
            ports,
            publish: Arc::<MemoryPublish>::clone(&bus),
            connect: Arc::new(Library(Arc::clone(&shelf))),
            exceptions: Exceptions::none(),
            registrar: Registrar {
                keys: Arc::new(MemoryKeys::new()),
                api_url: "https://api.example".parse().unwrap(),
            },
        };
        let world = Self {
            tables,
            clock,
            queue,
            shelf,
            bus,
            worker,
        };
        world.set_state("active").await;
        world
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.worker.ports
    }

    pub(super) async fn set_state(&self, state: &str) {
        let integration: Integration = serde_json::from_value(json!({
            "id": id(),
            "displayName": "Accounts",
            "state": state,
            "direction": "both",
            "deleteGuard": { "percent": 10, "rows": 20 },
            "settings": {},
            "mappingVersion": 1,
            "createdAt": samples::now(),
            "updatedAt": samples::now(),
        }))
        .unwrap();
        let row = Write::put(
            integration_key(&id()),
            Expect::Anything,
            Content::of(&integration),
        );
        self.tables.inner.write(vec![row]).await.unwrap();
    }

    /// Takes the integration away.
    pub(super) async fn remove(&self) {
        let gone = Write::delete(integration_key(&id()), Expect::Anything);
        self.tables.inner.write(vec![gone]).await.unwrap();
    }

    pub(super) async fn state(&self) -> integration::State {
        let stored = integration::read(&self.tables.inner, &id())
            .await
            .unwrap()
            .unwrap();
        stored.integration.state
    }

    pub(super) async fn put(&self, reimbursement: &str, amount: &str) {
        self.put_json(reimbursement, samples::reimbursement_json(amount))
            .await;
    }

    pub(super) async fn put_json(&self, reimbursement: &str, value: Value) {
        let wanted = Reimbursement::from_json(record(reimbursement), &value).unwrap();
        let none = integration::Precondition::None;
        records::put_reimbursement(self.ports(), &id().organization, &wanted, none)
            .await
            .unwrap();
    }

    pub(super) async fn delete(&self, reimbursement: &str) {
        let none = integration::Precondition::None;
        records::delete_reimbursement(self.ports(), &id().organization, &record(reimbursement), none)
            .await
            .unwrap();
    }

    pub(super) async fn export(&self, ids: &[&str]) -> Result<Exported, ExportError> {
        self.ask(ids, None, Attempt::default()).await
    }

    pub(super) async fn ask(
        &self,
        ids: &[&str],
        force: Option<&Reason>,
        attempt: Attempt,
    ) -> Result<Exported, ExportError> {
        let ids: Vec<_> = ids.iter().map(|id| record(id)).collect();
        let integration = id();
        let request = ExportRequest {
            integration: &integration,
            reimbursements: &ids,
            dry_run: false,
            force,
            by: "treasurer",
            attempt,
        };
        export(self.ports(), &*self.worker.connect, &request).await
    }

    /// Works what is on the queue.
    pub(super) async fn work(&self) {
        while let Some(received) = self.queue.receive(System::Xledger) {
            let job: Job = serde_json::from_str(&received.message.body).unwrap();
            match work(&self.worker, &job).await {
                Ok(()) => assert!(self.queue.ack(&received)),
                Err(_) => assert!(self.queue.fail(&received)),
            }
        }
    }

    /// Lets some time pass, in which the ledger posts, and what is due is seen to.
    pub(super) async fn pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
        self.shelf.ledger.post();
        self.sweep().await;
        self.work().await;
    }

    pub(super) async fn sweep(&self) -> reconcile::Mended {
        let publish: Arc<dyn Publish> = Arc::<MemoryPublish>::clone(&self.bus);
        let scheduler: Arc<dyn Scheduler> = Arc::new(MemoryScheduler::new());
        let mended = reconcile::sweep(self.ports(), &publish, &scheduler, &MemoryObjects::new())
            .await
            .unwrap();
        assert_eq!(mended.failed, 0, "{mended:?}");
        mended
    }

    /// As [`World::sweep`], by a process that may die.
    pub(super) async fn sweep_quietly(&self) {
        let publish: Arc<dyn Publish> = Arc::<MemoryPublish>::clone(&self.bus);
        let scheduler: Arc<dyn Scheduler> = Arc::new(MemoryScheduler::new());
        drop(reconcile::sweep(self.ports(), &publish, &scheduler, &MemoryObjects::new()).await);
    }

    pub(super) async fn audit(&self) -> Vec<String> {
        let query = Query::new(Table::Control, "hlf", "audit#", 100);
        let page = self.tables.inner.query(&query).await.unwrap();
        page.rows.into_iter().map(|row| row.body).collect()
    }

    pub(super) async fn intents(&self, reimbursement: &str) -> Vec<Intent> {
        let intents = crate::export::read_intents(&self.tables.inner, &id(), &record(reimbursement))
            .await
            .unwrap();
        intents.into_iter().map(|(intent, _)| intent).collect()
    }

    pub(super) async fn states(&self, reimbursement: &str) -> Vec<State> {
        self.intents(reimbursement)
            .await
            .into_iter()
            .map(|intent| intent.progress.state)
            .collect()
    }

    pub(super) fn clock_now(&self) -> jiff::Timestamp {
        self.ports().now()
    }

    /// Returns the names of the events that were published.
    pub(super) fn told(&self) -> Vec<String> {
        let published = self.bus.published();
        published
            .into_iter()
            .map(|event| event.event.detail_type)
            .collect()
    }

    /// Returns what the ledger has, summed up.
    pub(super) fn booked(&self) -> Vec<String> {
        let entries = self.shelf.ledger.entries.lock().unwrap();
        let mut totals: Vec<_> = entries.iter().map(|entry| entry.total.to_string()).collect();
        totals.sort();
        totals
    }

    /// Returns what all that is booked comes to.
    pub(super) fn sum(&self) -> String {
        let entries = self.shelf.ledger.entries.lock().unwrap();
        let currency = "NOK".parse().unwrap();
        let sum = crate::model::Money::sum(currency, entries.iter().map(|entry| entry.total));
        sum.unwrap().to_string()
    }

    /// The accounts of the samples, with one of them locked.
    pub(super) fn lock_account(&self, locked: &str) {
        let accounts = ["7140", "7142", "2711", "2910"].map(|account| {
            let state = if account == locked {
                AccountState::Locked
            } else {
                AccountState::Open
            };
            (account.into(), state)
        });
        self.shelf.accounts.lock().unwrap().accounts = Some(accounts.into());
    }
}
