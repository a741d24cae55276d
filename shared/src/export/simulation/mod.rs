//! Days in the life of an export: workers that are killed or held still at every await, tables that fail, a ledger that
//! is late, people who click twice, change their minds and decide. In the end everything is booked once or not at all.
//!
//! `SEED=17 cargo test -p shared export::simulation` runs one seed; `SEEDS=5000` runs more of them.

mod books;
mod chance;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use self::books::Books;
use self::chance::{Chance, Chaos, Virtual};
use super::correct::correct;
use super::decide::{Verdict, decide};
use super::engine::Exporter;
use super::intend::{IntendError, Intended, Request, intend};
use super::intent::{Booked, Intent, booked, intent_key, list_intents, read_intents};
use super::ledger::{Dedup, Ledger, Route, Standing};
use super::preflight::Ready;
use super::reason::Reason;
use super::reconciliation::reconcile;
use super::review::{ReviewRow, list_reviews};
use super::samples::{integration, ready};
use super::step::{Decision, State};
use crate::clock::Clock;
use crate::model::{Currency, IntegrationId, Money, RecordId};
use crate::store::{Due, Query, Store, Table};

const REIMBURSEMENTS: [&str; 5] = ["4711", "4712", "4713", "4714", "4715"];

struct World {
    integration: IntegrationId,
    chance: Arc<Chance>,
    clock: Arc<Virtual>,
    store: Arc<Chaos>,
    books: Arc<Books>,
    workers: Vec<tokio::task::JoinHandle<()>>,
    /// How often a human said that something is not there, so that it may be sent again.
    again: usize,
    decisions: usize,
}

fn wanted(id: &str, version: u64) -> Ready {
    ready(
        id,
        ["101.00", "99.50", "-12.00"][usize::try_from(version % 3).unwrap()],
    )
}

impl World {
    fn new(seed: u64, dedup: Dedup, route: Route) -> Self {
        let chance = Arc::new(Chance::new(seed));
        Self {
            integration: integration(),
            clock: Arc::new(Virtual::new()),
            store: Arc::new(Chaos {
                inner: crate::store::MemoryStore::new(),
                chance: Arc::clone(&chance),
            }),
            books: Arc::new(Books::new(dedup, route, Arc::clone(&chance))),
            chance,
            workers: Vec::new(),
            again: 0,
            decisions: 0,
        }
    }

    fn id(&self) -> RecordId {
        REIMBURSEMENTS[usize::try_from(self.chance.below(5)).unwrap()]
            .parse()
            .unwrap()
    }

    /// Somebody clicks "export", perhaps twice, perhaps in two windows.
    fn click(&mut self) {
        let id = self.id();
        for _ in 0..=self.chance.below(2) {
            let (integration, store) = (self.integration.clone(), Arc::clone(&self.store));
            let (clock, route) = (Arc::clone(&self.clock), self.books.route());
            let ready = wanted(id.as_str(), self.chance.below(10) / 9);
            self.workers.push(tokio::spawn(async move {
                let request = Request {
                    integration: &integration,
                    route,
                    by: "treasurer",
                    now: clock.now(),
                };
                match intend(&*store, &request, &ready).await {
                    Ok(Intended::New(_) | Intended::Before(_)) | Err(IntendError::Store(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }));
        }
    }

    /// A reimbursement is changed or deleted, and what is booked of it is to be corrected.
    fn change(&mut self) {
        let (id, version) = (self.id(), self.chance.below(4));
        let (integration, store) = (self.integration.clone(), Arc::clone(&self.store));
        let (clock, route) = (Arc::clone(&self.clock), self.books.route());
        self.workers.push(tokio::spawn(async move {
            let wanted = (version < 3).then(|| wanted(id.as_str(), version));
            let request = Request {
                integration: &integration,
                route,
                by: "treasurer",
                now: clock.now(),
            };
            let date = "2026-03-01".parse().unwrap();
            match correct(&*store, &request, &id, wanted.as_ref(), date).await {
                Ok(_) | Err(IntendError::Unsettled(_) | IntendError::Changed | IntendError::Store(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }));
    }

    fn work(&mut self, intent: &Intent) {
        let (integration, store) = (self.integration.clone(), Arc::clone(&self.store));
        let (clock, books) = (Arc::clone(&self.clock), Arc::clone(&self.books));
        let (id, revision) = (intent.reimbursement.clone(), intent.revision);
        self.workers.push(tokio::spawn(async move {
            let exporter = Exporter {
                store: &*store,
                clock: &*clock,
                integration: &integration,
                ledger: &*books,
            };
            // A table that does not answer, or another worker: it is due again.
            drop(exporter.work(&id, revision).await);
        }));
    }

    async fn intents(&self) -> Vec<Intent> {
        list_intents(&self.store.inner, &self.integration, None, 1_000)
            .await
            .unwrap()
            .0
    }

    /// Delivers what is due, and now and then what is not.
    async fn deliver(&mut self) {
        let due = self
            .store
            .inner
            .due(Due::Reconcile, self.clock.now(), 1_000)
            .await
            .unwrap();
        for intent in self.intents().await {
            let key = intent_key(&self.integration, &intent.reimbursement, intent.revision);
            if due.contains(&key) || self.chance.fault(4) {
                self.work(&intent);
            }
        }
    }

    fn kill_one(&mut self) {
        if !self.workers.is_empty() && self.chance.fault(2) {
            let at = self.chance.below(self.workers.len() as u64);
            self.workers.swap_remove(usize::try_from(at).unwrap()).abort();
        }
    }

    /// Somebody decides what waits for a human, by what the ledger shows; too early, the decision is not taken.
    async fn decide(&mut self) {
        let reviews = list_reviews(&self.store.inner, &self.integration, None, 1_000)
            .await
            .unwrap()
            .0;
        for review in reviews {
            let ReviewRow::Voucher(review) = review else {
                panic!("nobody changes what was exported here");
            };
            let intents = read_intents(&self.store.inner, &self.integration, &review.reimbursement)
                .await
                .unwrap();
            let Some((intent, _)) = intents
                .into_iter()
                .find(|(intent, _)| intent.revision == review.revision)
            else {
                panic!("a review of nothing");
            };
            let decision = match self.chance.below(4) {
                _ if self.books.has(&intent.reference) => Decision::ItIsThere,
                0 => Decision::Cancel,
                _ => Decision::SendAgain,
            };
            self.verdict(&intent, decision).await;
        }
    }

    /// Somebody goes through what the ledger refused, which is then removed there, and through what it cannot be asked
    /// about.
    async fn confirm(&mut self) {
        for intent in self.intents().await {
            let standing = self.books.standing(&intent.reference);
            let unasked = intent.progress.state == State::Accepted && self.books.dedup() == Dedup::None;
            match standing {
                Some(Standing::Posted) if unasked => self.verdict(&intent, Decision::ItIsThere).await,
                Some(Standing::Rejected(_)) if unasked || intent.progress.state == State::Rejected => {
                    self.verdict(&intent, Decision::Cancel).await;
                }
                _ => {}
            }
        }
    }

    async fn verdict(&mut self, intent: &Intent, decision: Decision) {
        let reason: Reason = "looked it up".parse().unwrap();
        let verdict = Verdict {
            decision,
            reason: &reason,
            by: "accountant",
            now: self.clock.now(),
        };
        let (store, id) = (&self.store.inner, &intent.reimbursement);
        if decide(store, &self.integration, id, intent.revision, &verdict)
            .await
            .is_ok()
        {
            self.again += usize::from(decision != Decision::ItIsThere);
            if decision != Decision::ItIsThere {
                self.books.remove_refused(&intent.reference);
            }
            self.decisions += 1;
        }
    }

    async fn days(&mut self) {
        for _ in 0..120 {
            match self.chance.below(8) {
                0 => self.click(),
                1 if self.chance.one_in(3) => self.change(),
                2 => self.books.post(),
                3 => self.decide().await,
                4 => self.kill_one(),
                _ => self.deliver().await,
            }
            let wait = if self.chance.one_in(10) { 20_000 } else { 300 };
            sleep(Duration::from_secs(self.chance.below(wait))).await;
            self.check();
        }
    }

    /// Everybody comes to rest: what is held still wakes up, and what was late has arrived.
    async fn settle(&mut self) {
        self.chance.calm();
        for _ in 0..400 {
            self.deliver().await;
            self.books.post();
            sleep(Duration::from_secs(2 * 3_600)).await;
            self.decide().await;
            self.confirm().await;
            if self.intents().await.iter().all(is_settled) {
                break;
            }
        }
        for worker in self.workers.drain(..) {
            match worker.await {
                Ok(()) => {}
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
    }

    /// Holds at every moment.
    fn check(&self) {
        let entries = self.books.entries();
        for entry in &entries {
            let times = entries
                .iter()
                .filter(|other| other.reference == entry.reference)
                .count();
            assert!(times <= 1, "{} is there {times} times", entry.reference);
        }
    }

    async fn check_all(&self) {
        self.check();
        let intents = self.intents().await;
        for intent in &intents {
            assert!(is_settled(intent), "{intent:#?}");
            assert!(
                self.books.arrived(&intent.reference) <= 1 + self.again,
                "{intent:#?}"
            );
        }
        assert_eq!(reconcile(&intents, &self.books.entries()), []);
        self.check_sums(&intents);
        self.check_rows(&intents).await;
    }

    /// What the ledger owes for a reimbursement is what stands of it.
    fn check_sums(&self, intents: &[Intent]) {
        let currency: Currency = "NOK".parse().unwrap();
        for id in REIMBURSEMENTS {
            let of: Vec<_> = intents
                .iter()
                .filter(|intent| intent.reimbursement.as_str() == id)
                .cloned()
                .collect();
            let expected = match booked(&of) {
                Booked::Nothing => Money::zero(currency),
                Booked::Standing(intent) => intent.total,
                other => panic!("{other:#?}"),
            };
            let ours =
                |entry: &super::ledger::Entry| of.iter().any(|intent| intent.reference == entry.reference);
            let there = self.books.entries().into_iter().filter(ours);
            let sum = Money::sum(currency, there.map(|entry| entry.total)).unwrap();
            assert_eq!(sum, expected, "{id}: {of:#?}");
        }
    }

    /// No two vouchers share a number; no review is left; every decision has its row.
    async fn check_rows(&self, intents: &[Intent]) {
        let mut numbers: Vec<_> = intents.iter().map(|intent| intent.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), intents.len());
        let count = async |prefix: &str| {
            let query = Query::new(
                Table::Control,
                self.integration.organization.as_str(),
                prefix,
                10_000,
            );
            self.store.inner.query(&query).await.unwrap().rows
        };
        assert!(count("export-review#").await.is_empty());
        assert_eq!(count("audit#").await.len(), self.decisions);
        let events = count("outbox#").await;
        for intent in intents
            .iter()
            .filter(|intent| intent.progress.state == State::Posted)
        {
            let told = events
                .iter()
                .filter(|row| row.body.contains(intent.reference.as_str()));
            assert!(told.count() >= 1, "{intent:#?}");
        }
    }
}

fn is_settled(intent: &Intent) -> bool {
    matches!(
        intent.progress.state,
        State::Posted | State::Refused | State::Cancelled
    )
}

fn seeds() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how much")]
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    number("SEED").map_or(0..number("SEEDS").unwrap_or(150), |seed| seed..seed + 1)
}

fn run_seeds(dedup: Dedup, route: Route) {
    for seed in seeds() {
        let ran = std::panic::catch_unwind(|| {
            let builder = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build();
            builder.unwrap().block_on(async {
                let mut world = World::new(seed, dedup, route);
                world.days().await;
                world.settle().await;
                world.check_all().await;
            });
        });
        if let Err(panic) = ran {
            println!("failed with SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn everything_is_booked_once_where_the_ledger_takes_a_reference_once() {
    run_seeds(Dedup::UniqueKey, Route::Graphql);
}

#[test]
fn everything_is_booked_once_where_the_ledger_can_be_asked() {
    run_seeds(Dedup::Queryable, Route::Graphql);
}

#[test]
fn everything_is_booked_once_where_the_ledger_does_neither() {
    run_seeds(Dedup::None, Route::Csv);
}
