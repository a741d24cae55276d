//! Whole runs, engine and adapter together: what becomes of records when the other side is not as it should be.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::flow::stop;
use shared::integration::{self, ConflictRule, Direction, Integration};
use shared::model::{Group, Kind, Record, System};
use shared::records;
use shared::store::Expect;
use shared::sync::review::{self, Decision, Review};
use shared::sync::{Mode, Run, RunState, Totals};
use tests::dataverse::Privilege;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::limits::Limit;
use uuid::Uuid;

use crate::pair::{self, said, totals};
use crate::world::World;

mod deletions;
mod field_map;
mod hinted;
mod outages;
mod sending;

/// An organization, its Dynamics 365, and the engine between them.
type Pair = pair::Pair<World>;

impl Pair {
    /// Connects a Dynamics 365 with some contacts.
    async fn new(contacts: usize) -> Self {
        Self::with(World::new(contacts).await, |_| {}).await
    }

    /// Changes the settings, as somebody does who puts the integration anew.
    async fn reconfigure(&self, change: impl FnOnce(&mut Integration)) {
        let stored = integration::read(self.store(), &self.id())
            .await
            .unwrap()
            .unwrap();
        let mut integration = stored.integration;
        change(&mut integration);
        integration.mapping_version += 1;
        self.keep(&integration, Expect::Version(stored.version)).await;
    }

    /// Starts a run, and works its first slice.
    async fn begin(&self) -> Run {
        let run = self.open(Mode::Delta).await;
        self.deliver().await;
        self.now(&run).await
    }

    async fn members(&self) -> Vec<Record> {
        self.records(Kind::Member).await
    }

    async fn reviews(&self) -> Vec<Review> {
        review::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap()
            .0
    }

    async fn decide(&self, review: &Review, decision: Decision) -> Option<Run> {
        let request = self.request(Mode::Approved);
        let now = self.worker.ports.now();
        let run = review::decide(self.store(), request, &review.id(), decision, None, now)
            .await
            .unwrap()?;
        self.wait(15).await;
        Some(self.finish(&run).await)
    }

    /// Has humans delete some contacts.
    fn delete_there(&self, count: usize) {
        for row in self.contacts().iter().take(count) {
            let id = guid(row, "contactid");
            self.world.simulation.delete_as_human("contacts", id);
        }
    }

    fn contacts(&self) -> Vec<Value> {
        self.world.simulation.rows("contacts")
    }

    fn contact(&self, record: &Record) -> Value {
        let id = record.links[&System::Dynamics365].parse().unwrap();
        self.world.simulation.row("contacts", id).unwrap()
    }
}

fn guid(row: &Value, column: &str) -> Uuid {
    row[column].as_str().unwrap().parse().unwrap()
}
