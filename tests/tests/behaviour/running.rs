//! Whole runs: both sides are equal in the end, and nothing is there twice.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use shared::adapter::References;
use shared::clock::Clock;
use shared::model::{Kind, Record};
use shared::sync::{Mode, RunState};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::pair::{Pair, said, totals};
use crate::simulation_clock::SimulationClock;
use crate::subject::{Case, Subject, compared, every_case, every_written_case, status, tried};

/// How many rows there are there before the first run.
const THERE: usize = 12;

/// How many records are made here once there was one.
const HERE: usize = 3;

/// One kind of a system, and the organization that it is kept equal with.
struct Whole {
    case: Case,
    pair: Pair<dyn Subject>,
}

/// Shows the simulation's time, and moves it whenever somebody looks: slices end early.
#[derive(Debug)]
struct Hurried(SimulationClock);

#[async_trait]
impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        self.0.0.advance(SignedDuration::from_secs(10));
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

impl Whole {
    /// Connects a system with some rows; whoever they are about is known here already where members are not synced.
    async fn begin(case: &Case) -> Self {
        let case = case.anew().await;
        let people = case.subject.people();
        case.seed(THERE);
        let pair = Pair::with(Arc::clone(&case.subject), |_| {}).await;
        if case.can.references == References::ByKey {
            for person in people {
                pair.put(Kind::Member, &person, json!({ "lastName": "Nordmann" }))
                    .await;
            }
        }
        Self { case, pair }
    }

    /// Connects a system, and takes over what is there.
    async fn synced(case: &Case) -> Self {
        let whole = Self::begin(case).await;
        whole.succeed().await;
        whole
    }

    /// Runs once, and insists that nothing is left to be done.
    async fn succeed(&self) {
        let run = self.pair.sync().await;
        let waiting = self.pair.quarantine().await;
        assert_eq!(
            run.state,
            RunState::Succeeded,
            "{}: {run:?} {waiting:?}",
            self.case.name()
        );
    }

    /// Makes, changes and deletes on both sides, as far as the system can be written to.
    async fn change_both_sides(&self) {
        let (kind, subject, ids) = (self.case.kind, &self.case.subject, self.case.ids());
        let (field, values) = tried(kind);
        subject.edit(kind, &ids[0], values[1]);
        subject.delete(kind, &ids[1]);
        subject.add(kind);
        if self.case.can.pushes {
            let record = self.linked(kind, &ids[2]).await;
            self.pair.edit(&record, field, values[1]).await;
            for (nth, person) in subject.people().iter().enumerate().take(HERE) {
                let person = match self.case.can.references {
                    References::ByLink if kind != Kind::Member => {
                        self.linked(Kind::Member, person).await.id.to_string()
                    }
                    _ => person.clone(),
                };
                let (id, fields) = subject.wish(kind, nth, &person);
                self.pair.put(kind, &id, fields).await;
            }
        }
        self.case.settle();
    }

    /// Returns the record that is linked with a row.
    async fn linked(&self, kind: Kind, id: &str) -> Record {
        let records = self.pair.records(kind).await;
        let is_linked = |record: &Record| {
            record
                .links
                .get(&self.case.system)
                .is_some_and(|link| **link == *id)
        };
        records.into_iter().find(is_linked).unwrap()
    }

    /// Insists that both sides hold the same rows of every kind, that none is there twice, and that there are so many.
    async fn equal(&self, count: usize, when: &str) {
        for can in self.case.subject.adapter().capability().kinds {
            let mut there = self.case.subject.rows(can.kind);
            let mut here: Vec<(String, Value)> = Vec::new();
            for record in self.pair.records(can.kind).await {
                let fields = compared(can.kind).iter();
                let fields = fields.map(|field| ((*field).to_owned(), said(&record, field)));
                here.push((
                    record.links[&self.case.system].to_string(),
                    Value::Object(Map::from_iter(fields)),
                ));
            }
            there.sort_by(|one, other| one.0.cmp(&other.0));
            here.sort_by(|one, other| one.0.cmp(&other.0));
            assert_eq!(here, there, "{} {when}", self.case.name());
        }
        assert_eq!(self.case.ids().len(), count, "{} {when}", self.case.name());
    }

    /// Insists that both sides are equal after what [`Whole::change_both_sides`] does, whatever it took.
    async fn equal_after_changes(&self, before: usize, when: &str) {
        self.case.settle();
        self.succeed().await;
        let made = if self.case.can.pushes { HERE } else { 0 };
        self.equal(before + made, when).await;
    }
}

#[tokio::test]
async fn both_sides_are_equal_after_the_first_run_and_the_next_one_does_nothing() {
    for case in every_case().await {
        let whole = Whole::begin(&case).await;
        let there = whole.case.ids().len();
        whole.succeed().await;
        whole.equal(there, "at first").await;
        for mode in [Mode::Delta, Mode::Full] {
            whole.case.settle();
            let run = whole.pair.run(mode).await;
            let done = totals(&run, case.kind);
            let done = [done.created, done.updated, done.removed, done.sent];
            assert_eq!(
                (run.state, done),
                (RunState::Succeeded, [0; 4]),
                "{}",
                case.name()
            );
        }
        whole.equal(there, "later").await;
    }
}

#[tokio::test]
async fn what_changes_on_either_side_is_on_the_other_after_the_next_run() {
    for case in every_case().await {
        let whole = Whole::synced(&case).await;
        let there = whole.case.ids().len();
        whole.change_both_sides().await;
        whole.succeed().await;
        whole.equal_after_changes(there, "after changes").await;
        assert_eq!(
            totals(&whole.pair.sync().await, case.kind).sent,
            0,
            "{}",
            case.name()
        );
    }
}

#[tokio::test]
async fn what_a_human_changes_of_a_row_that_was_made_here_is_taken_over() {
    for case in every_written_case().await {
        let whole = Whole::synced(&case).await;
        let there = whole.case.ids().len();
        whole.change_both_sides().await;
        let theirs = whole.case.ids();
        whole.succeed().await;
        let (kind, value) = (case.kind, tried(case.kind).1[1]);
        let made: Vec<String> = whole
            .case
            .ids()
            .into_iter()
            .filter(|id| !theirs.contains(id))
            .collect();
        assert_eq!(made.len(), HERE);
        whole.case.subject.edit(kind, &made[0], value);
        whole.case.settle();
        let run = whole.pair.sync().await;
        assert_eq!(
            (run.state, totals(&run, kind).sent),
            (RunState::Succeeded, 0),
            "{}",
            case.name()
        );
        assert_eq!(said(&whole.linked(kind, &made[0]).await, tried(kind).0), value);
        whole.equal_after_changes(there, "after a change there").await;
    }
}

/// Returns how many requests a run makes that carries changes to both sides.
async fn requests_of_a_run(case: &Case) -> u32 {
    let whole = Whole::synced(case).await;
    whole.change_both_sides().await;
    let before = whole.case.requests();
    whole.succeed().await;
    (whole.case.requests() - before) as u32
}

#[tokio::test]
async fn an_outage_at_any_request_of_a_run_is_waited_for_and_nothing_is_done_twice() {
    for case in every_case().await {
        let asked = requests_of_a_run(&case).await;
        for (fault, times) in [(status(503), 9), (Fault::ResetAfter, 3)] {
            let mut waited = 0;
            for skip in 0..asked {
                let whole = Whole::synced(&case).await;
                let there = whole.case.ids().len();
                whole.change_both_sides().await;
                whole.case.inject(FaultRule {
                    times: Some(times),
                    ..FaultRule::always(fault.clone()).after(skip)
                });
                let run = whole.pair.open(Mode::Delta).await;
                whole.pair.deliver().await;
                waited += u32::from(whole.pair.now(&run).await.state == RunState::Waiting);
                whole.pair.finish(&run).await;
                whole.case.clear_faults();
                let when = format!("after {fault:?} at {skip}");
                whole.equal_after_changes(there, &when).await;
            }
            assert!(waited > 0, "{}: {fault:?} was noticed", case.name());
        }
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_once_any_request_was_done_is_followed_by_one_that_carries_on() {
    for case in every_case().await {
        let asked = requests_of_a_run(&case).await;
        let mut killed = 0;
        for skip in 0..asked {
            let whole = Whole::synced(&case).await;
            let there = whole.case.ids().len();
            whole.change_both_sides().await;
            let unanswered = Fault::DelayAfter {
                milliseconds: 3_600_000,
            };
            whole.case.inject(FaultRule::once(unanswered).after(skip));
            let run = whole.pair.open(Mode::Delta).await;
            let received = whole.pair.take().unwrap();
            let work = tokio::time::timeout(Duration::from_millis(80), whole.pair.work(&received));
            killed += u32::from(work.await.is_err());
            whole.case.clear_faults();
            let run = whole.pair.finish(&run).await;
            assert_eq!(run.state, RunState::Succeeded, "{} {skip}: {run:?}", case.name());
            let when = format!("after a death at {skip}");
            whole.equal_after_changes(there, &when).await;
        }
        assert_eq!(killed, asked, "{}", case.name());
    }
}

#[tokio::test]
async fn a_run_whose_worker_is_killed_after_every_slice_is_carried_on() {
    for case in every_case().await {
        let mut whole = Whole::synced(&case).await;
        let there = whole.case.ids().len();
        whole.change_both_sides().await;
        let clock = SimulationClock(Arc::clone(whole.case.subject.simulation()));
        whole.pair.worker.ports.clock = Arc::new(Hurried(clock));
        let mut run = whole.pair.open(Mode::Full).await;
        let mut slices = 0;
        while run.finished_at.is_none() && slices < 100 {
            if let Some(received) = whole.pair.take() {
                whole.pair.work(&received).await;
                slices += 1;
            }
            // Whoever was told to go on is gone before it begins.
            while whole.pair.take().is_some() {}
            whole.pair.wait(15).await;
            run = whole.pair.now(&run).await;
        }
        assert_eq!(run.state, RunState::Succeeded, "{}: {run:?}", case.name());
        assert!(slices > 2, "{}: {slices} slices", case.name());
        whole.equal_after_changes(there, "after the killing").await;
    }
}
