//! A whole life of a voucher: the real protocol, the real adapter, the simulated ledger.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock as _;
use shared::export::{
    Batch, Candidate, Exporter, Intended, Ledger, Request, Revision, Route, State, Worked, check, intend,
    look_again, read_intents,
};
use shared::integration::Integration;
use shared::model::RecordId;
use shared::store::{Due, MemoryStore, Store as _};
use tests::dataverse::faults::Fault;
use tests::xledger::faults::Misbehaviour;

use crate::simulation_clock::SimulationClock;
use crate::world::{World, organization, reimbursement};

/// One reimbursement that is to be booked.
struct Life {
    world: World,
    store: MemoryStore,
    clock: SimulationClock,
    integration: Integration,
    id: RecordId,
}

impl Life {
    /// Checks and intends it, by the way that is found to work.
    async fn begin() -> Self {
        let world = World::new().await;
        let life = Self {
            store: MemoryStore::new(),
            clock: SimulationClock(std::sync::Arc::clone(&world.simulation)),
            integration: world.integration(),
            id: "4711".parse().unwrap(),
            world,
        };
        let books = life.world.books();
        let route = books.route().await.unwrap();
        assert_eq!(route, Route::Graphql);
        let candidate = reimbursement(
            "4711",
            "2026-02-16T23:30:00Z",
            &[("travel", "60.50"), ("travel", "40.50")],
        );
        let needs = shared::export::Needs {
            accounts: ["7140", "2910"].map(Box::from).into(),
            subledgers: ["50012"].map(Box::from).into(),
        };
        let facts = books.facts(route, &needs).await.unwrap();
        let checked = check(&Batch {
            organization: &organization(),
            mapping: books.mapping(),
            ledger: &facts,
            exported: &BTreeMap::new(),
            candidates: &[Candidate::Found(candidate)],
        });
        assert!(checked.refused.is_empty(), "{:?}", checked.refused);
        let request = Request {
            integration: &life.integration.id,
            route,
            by: "treasurer",
            now: life.clock.now(),
        };
        let intended = intend(&life.store, &request, &checked.ready[0]).await.unwrap();
        assert!(matches!(intended, Intended::New(_)));
        life
    }

    async fn work_on(&self, ledger: &dyn Ledger) -> State {
        let exporter = Exporter {
            store: &self.store,
            clock: &self.clock,
            integration: &self.integration.id,
            ledger,
        };
        match exporter.work(&self.id, Revision::FIRST).await.unwrap() {
            Worked::Done(intent) => intent.progress.state,
            other => panic!("{other:?}"),
        }
    }

    /// Takes it up as a function does when it is woken.
    async fn work(&self) -> State {
        self.work_on(&*self.world.ledger()).await
    }

    async fn due(&self, at: Timestamp) -> bool {
        let due = self.store.due(Due::Reconcile, at, 100).await.unwrap();
        due.iter().any(|key| key.sort.starts_with("export#"))
    }

    fn advance(&self, seconds: i64) {
        self.world.simulation.advance(SignedDuration::from_secs(seconds));
    }

    /// Says how many lines the ledger has, anywhere.
    fn lines(&self) -> usize {
        self.world.xledger().queue().len() + self.world.xledger().posted().len()
    }
}

#[tokio::test]
async fn a_voucher_is_intended_sent_queued_and_posted() {
    let life = Life::begin().await;
    assert_eq!(life.work().await, State::Accepted);
    life.advance(60);
    assert_eq!(life.work().await, State::Accepted, "it waits in the queue");
    life.world.xledger().run_job();
    life.advance(60);
    assert_eq!(life.work().await, State::Posted);
    assert_eq!(life.lines(), 3);
    let intents = read_intents(&life.store, &life.integration.id, &life.id)
        .await
        .unwrap();
    assert_eq!(
        intents[0].0.reference.as_str(),
        life.world.xledger().posted()[0]
            .line
            .ext_identifier
            .as_deref()
            .unwrap()
            .rsplit_once('-')
            .unwrap()
            .0
    );
}

#[tokio::test]
async fn a_voucher_whose_answer_was_lost_is_looked_up_and_not_sent_twice() {
    for fault in [
        Fault::ResetAfter,
        Fault::TruncatedJson,
        Fault::StatusAfter {
            status: 504,
            body: None,
            retry_after: None,
        },
    ] {
        let life = Life::begin().await;
        life.world.on_add(fault);
        assert_eq!(life.work().await, State::Doubtful);
        life.advance(31);
        assert_eq!(life.work().await, State::Accepted);
        life.world.xledger().run_job();
        life.advance(60);
        assert_eq!(life.work().await, State::Posted);
        assert_eq!(life.lines(), 3, "it was sent once");
    }
}

#[tokio::test]
async fn a_voucher_that_met_a_limit_is_sent_later() {
    let life = Life::begin().await;
    let misbehaviour = Misbehaviour::Limit {
        limit: tests::xledger::Limit::Credits,
        resets_after_seconds: 120,
    };
    life.world.misbehave(misbehaviour, "addGLImportItems");
    assert_eq!(life.work().await, State::Intended);
    life.advance(301);
    assert_eq!(life.work().await, State::Accepted);
    assert_eq!(life.lines(), 3);
}

#[tokio::test]
async fn a_voucher_that_was_taken_in_part_waits_for_a_human() {
    let life = Life::begin().await;
    let misbehaviour = Misbehaviour::ApplyFirst {
        nodes: 2,
        status: None,
    };
    life.world.misbehave(misbehaviour, "addGLImportItems");
    assert_eq!(life.work().await, State::Doubtful);
    life.advance(31);
    assert_eq!(life.work().await, State::Review);
    assert_eq!(life.lines(), 2, "nothing was sent after it");
}

#[tokio::test]
async fn a_voucher_that_the_job_refuses_is_rejected() {
    let life = Life::begin().await;
    assert_eq!(life.work().await, State::Accepted);
    life.world.xledger().close_period("23001", 2026, 2, true);
    life.world.xledger().run_job();
    life.advance(1800);
    assert_eq!(life.work().await, State::Rejected);
}

#[tokio::test]
async fn what_the_ledger_tells_of_our_own_sending_is_left_alone_and_what_it_tells_later_is_looked_at() {
    let life = Life::begin().await;
    assert_eq!(life.work().await, State::Accepted);
    let id = &life.integration.id;
    let echo = look_again(&life.store, id, life.clock.now()).await.unwrap();
    assert_eq!(echo.due, 0);
    assert!(!life.due(life.clock.now()).await);
    life.advance(600);
    life.world.xledger().run_job();
    for _ in 0..3 {
        // One webhook for each line.
        look_again(&life.store, id, life.clock.now()).await.unwrap();
    }
    assert!(life.due(life.clock.now()).await, "twenty minutes before its time");
    assert_eq!(life.work().await, State::Posted);
}
