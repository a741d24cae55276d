//! Tables, a clock and a ledger that do what a test says, and die where it says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::decide::{DecideError, Verdict, decide};
use super::super::engine::{Exporter, WorkError, Worked};
use super::super::intend::{IntendError, Intended, Request, intend};
use super::super::intent::{Intent, read_intents};
use super::super::ledger::{Dedup, Entry, FindError, Ledger, Route, Sent, Standing};
use super::super::reference::{Reference, Revision};
use super::super::samples::{integration, now, ready};
use super::super::step::{Decision, State};
use super::super::voucher::Voucher;
use crate::clock::{Clock, ManualClock};
use crate::model::RecordId;
use crate::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Table, Write};

/// A ledger that answers what it is told to, and keeps what it takes.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) dedup: Dedup,
    pub(crate) answers: Mutex<Vec<Sent>>,
    pub(crate) entries: Mutex<Vec<Entry>>,
    pub(crate) sends: AtomicUsize,
    pub(crate) finds: AtomicUsize,
    pub(crate) crash: Crash,
}

/// Stops the world at one point: whoever gets there never goes on.
#[derive(Debug, Default)]
pub(crate) struct Crash {
    pub(crate) passed: AtomicUsize,
    pub(crate) at: AtomicUsize,
}

impl Crash {
    pub(crate) async fn point(&self) {
        let passed = self.passed.fetch_add(1, SeqCst) + 1;
        if passed == self.at.load(SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

impl Script {
    pub(crate) fn new(dedup: Dedup) -> Self {
        Self {
            dedup,
            answers: Mutex::default(),
            entries: Mutex::default(),
            sends: AtomicUsize::new(0),
            finds: AtomicUsize::new(0),
            crash: Crash::default(),
        }
    }

    pub(crate) fn answering(dedup: Dedup, answers: impl IntoIterator<Item = Sent>) -> Self {
        let script = Self::new(dedup);
        script.answers.lock().unwrap().extend(answers);
        script
    }

    pub(crate) fn book(&self, voucher: &Voucher, standing: Standing) {
        self.entries.lock().unwrap().push(Entry {
            reference: voucher.reference().clone(),
            standing,
            total: voucher.owed(),
            subledger: voucher.subledger().map(Into::into),
        });
    }

    pub(crate) fn post(&self) {
        self.entries
            .lock()
            .unwrap()
            .iter_mut()
            .for_each(|entry| entry.standing = Standing::Posted);
    }

    pub(crate) fn booked(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

#[async_trait]
impl Ledger for Script {
    fn dedup(&self) -> Dedup {
        self.dedup
    }

    fn route(&self) -> Route {
        Route::Graphql
    }

    async fn send(&self, voucher: &Voucher) -> Sent {
        self.crash.point().await;
        self.sends.fetch_add(1, SeqCst);
        let scripted = {
            let mut answers = self.answers.lock().unwrap();
            if answers.is_empty() {
                None
            } else {
                Some(answers.remove(0))
            }
        };
        let before: Vec<_> = {
            let entries = self.entries.lock().unwrap();
            entries
                .iter()
                .filter(|entry| entry.reference == *voucher.reference())
                .cloned()
                .collect()
        };
        let answer = match scripted {
            Some(answer) => answer,
            None if self.dedup == Dedup::UniqueKey && !before.is_empty() => Sent::Duplicate(before),
            None => {
                self.book(voucher, Standing::Queued);
                Sent::Accepted
            }
        };
        self.crash.point().await;
        answer
    }

    async fn find(&self, reference: &Reference) -> Result<Vec<Entry>, FindError> {
        self.crash.point().await;
        self.finds.fetch_add(1, SeqCst);
        let entries = self.entries.lock().unwrap();
        Ok(entries
            .iter()
            .filter(|entry| entry.reference == *reference)
            .cloned()
            .collect())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) inner: MemoryStore,
    pub(crate) crash: Crash,
}

#[async_trait]
impl Store for Tables {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.crash.point().await;
        self.inner.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.crash.point().await;
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.crash.point().await;
        let answer = self.inner.write(writes).await;
        self.crash.point().await;
        answer
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.inner.due(list, now, limit).await
    }
}

/// A clock that moves on whenever somebody looks at it.
#[derive(Debug)]
pub(super) struct Slow {
    pub(super) clock: ManualClock,
    pub(super) pace: Duration,
}

#[async_trait]
impl Clock for Slow {
    fn now(&self) -> Timestamp {
        self.clock.advance(self.pace);
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

pub(super) struct World {
    pub(super) tables: Tables,
    pub(super) clock: ManualClock,
    pub(super) ledger: Script,
}

pub(super) fn id() -> RecordId {
    "4711".parse().unwrap()
}

impl World {
    pub(super) async fn new(ledger: Script) -> Self {
        let world = Self {
            tables: Tables::default(),
            clock: ManualClock::new(now()),
            ledger,
        };
        assert!(matches!(world.intend("101.00").await, Ok(Intended::New(_))));
        world
    }

    pub(super) async fn intend(&self, amount: &str) -> Result<Intended, IntendError> {
        let integration = integration();
        intend(&self.tables, &self.request(&integration), &ready("4711", amount)).await
    }

    pub(super) fn request<'a>(&self, integration: &'a crate::model::IntegrationId) -> Request<'a> {
        Request {
            integration,
            route: Route::Graphql,
            by: "treasurer",
            now: self.clock.now(),
        }
    }

    pub(super) async fn try_work(&self, revision: Revision) -> Result<Worked, WorkError> {
        let exporter = Exporter {
            store: &self.tables,
            clock: &self.clock,
            integration: &integration(),
            ledger: &self.ledger,
        };
        exporter.work(&id(), revision).await
    }

    pub(super) async fn work(&self) -> State {
        match self.try_work(Revision::FIRST).await.unwrap() {
            Worked::Done(intent) => intent.progress.state,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) async fn intents(&self) -> Vec<Intent> {
        let intents = read_intents(&self.tables.inner, &integration(), &id())
            .await
            .unwrap();
        intents.into_iter().map(|(intent, _)| intent).collect()
    }

    pub(super) async fn first(&self) -> Intent {
        self.intents().await.remove(0)
    }

    pub(super) async fn decide(&self, decision: Decision) -> Result<Intent, DecideError> {
        self.decide_about(Revision::FIRST, decision).await
    }

    pub(super) async fn decide_about(
        &self,
        revision: Revision,
        decision: Decision,
    ) -> Result<Intent, DecideError> {
        let reason = "looked it up".parse().unwrap();
        let verdict = Verdict {
            decision,
            reason: &reason,
            by: "accountant",
            now: self.clock.now(),
        };
        decide(&self.tables, &integration(), &id(), revision, &verdict).await
    }

    pub(super) async fn rows(&self, prefix: &str) -> Vec<Row> {
        let query = Query::new(Table::Control, "hlf", prefix, 1_000);
        self.tables.inner.query(&query).await.unwrap().rows
    }
}
