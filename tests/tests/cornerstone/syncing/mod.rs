//! Whole runs, engine and adapter together: both sides are equal in the end, and nothing is there twice.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::model::{Kind, Record};
use shared::sync::{Mode, Run, RunState, Totals};
use tests::cornerstone::{Registration, Status, TrainingType};
use uuid::Uuid;

use crate::pair::{self, said};
use crate::world::{KIND, World, name};

mod falling_back;
mod faults;
mod hearing;
mod receiving;
mod sending;

/// An organization, its portal, and the engine between them.
type Pair = pair::Pair<World>;

impl Pair {
    async fn new() -> Self {
        Self::with(World::new().await, |_| {}).await
    }

    /// Makes users there who are members here.
    async fn people(&self, count: u32) -> Vec<String> {
        let users = self.world.users(count);
        for user in &users {
            self.member(user).await;
        }
        users
    }

    async fn member(&self, id: &str) {
        self.put(Kind::Member, id, json!({ "lastName": "Nordmann" }))
            .await;
    }

    fn session(&self) -> Uuid {
        let portal = self.world.portal();
        portal.add_learning_object("Samling", TrainingType::Session).id
    }

    /// Enrols a member on the platform.
    async fn enrol_here(&self, member: &str, course: Uuid, more: &Value) {
        let mut fields = json!({ "memberId": member, "courseId": course, "active": true });
        for (field, value) in more.as_object().unwrap() {
            fields[field] = value.clone();
        }
        self.put(KIND, &name(member, course), fields).await;
    }

    async fn enrollments(&self) -> Vec<Record> {
        self.records(KIND).await
    }

    async fn enrollment(&self, member: &str, course: Uuid) -> Record {
        let id = name(member, course);
        let found = self.enrollments().await;
        found
            .into_iter()
            .find(|record| record.id.as_str() == id)
            .unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// Insists that both sides hold the same enrolments, equally far, and none twice.
    async fn equal(&self) {
        let portal = self.world.portal();
        let mut there: Vec<(String, String)> = latest(&portal.registrations())
            .into_iter()
            .map(|one| {
                let user = portal
                    .users()
                    .into_iter()
                    .find(|user| user.id == one.user)
                    .unwrap();
                let status = one.status.title().to_lowercase().replace(' ', "_");
                (name(&user.external_id, one.learning_object), status)
            })
            .collect();
        let mut here: Vec<(String, String)> = self
            .enrollments()
            .await
            .iter()
            .map(|record| {
                (
                    record.id.to_string(),
                    said(record, "status").as_str().unwrap().to_owned(),
                )
            })
            .collect();
        there.sort();
        here.sort();
        assert_eq!(here, there);
    }
}

/// Returns of each enrolment the registration that counts.
fn latest(registrations: &[Registration]) -> Vec<&Registration> {
    let later = |one: &&Registration| {
        registrations.iter().any(|other| {
            (other.user, other.learning_object) == (one.user, one.learning_object)
                && other.number > one.number
                && !other.removed
        })
    };
    registrations
        .iter()
        .filter(|one| !one.removed && !later(one))
        .collect()
}

fn totals(run: &Run) -> Totals {
    pair::totals(run, KIND)
}
