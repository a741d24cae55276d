//! Dynamics 365, with contacts and memberships.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::model::Kind;

use super::fields;
use crate::subject::{Subject, tried};
use world::World;

#[expect(dead_code, unused_imports, reason = "the rest is for its own tests")]
#[path = "../../dynamics365/world.rs"]
mod world;

pub(crate) async fn begin() -> World {
    let mut world = World::new(0).await;
    world.settings["pageSize"] = json!(5);
    for _ in 0..3 {
        world.add(Kind::Member);
    }
    world
}

const fn set(kind: Kind) -> &'static str {
    match kind {
        Kind::Member => "contacts",
        Kind::Membership => "hlf_memberships",
        Kind::CourseEnrollment => panic!("Dynamics 365 has no enrolments"),
    }
}

fn column(kind: Kind, field: &str) -> &'static str {
    match (kind, field) {
        (Kind::Member, "firstName") => "/firstname",
        (Kind::Member, "lastName") => "/lastname",
        (Kind::Member, "email") => "/emailaddress1",
        (Kind::Membership, "type") => "/hlf_type",
        (Kind::Membership, "status") => "/hlf_status",
        _ => panic!("no column for {field}"),
    }
}

impl Subject for World {
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter()
    }

    fn add(&self, kind: Kind) {
        let value = tried(kind).1[0];
        let row = match kind {
            Kind::Member => json!({ "firstname": "Ola", "lastname": value }),
            _ => {
                let contact = format!("/contacts({})", self.people()[0]);
                json!({ "hlf_Contact@odata.bind": contact, "hlf_type": "Hovedmedlem", "hlf_status": value })
            }
        };
        self.simulation.create_as_human(set(kind), &row);
    }

    fn edit(&self, kind: Kind, id: &str, value: &str) {
        let column = column(kind, tried(kind).0).trim_start_matches('/');
        let changes = json!({ column: value });
        self.simulation
            .edit_as_human(set(kind), id.parse().unwrap(), &changes);
    }

    fn delete(&self, kind: Kind, id: &str) {
        self.simulation.delete_as_human(set(kind), id.parse().unwrap());
    }

    fn rows(&self, kind: Kind) -> Vec<(String, Value)> {
        let key = match kind {
            Kind::Member => "contactid",
            _ => "hlf_membershipid",
        };
        let rows = self.simulation.rows(set(kind)).into_iter().map(|row| {
            let id = row[key].as_str().unwrap().to_owned();
            (id, fields(kind, &row, |field| column(kind, field)))
        });
        rows.collect()
    }

    fn people(&self) -> Vec<String> {
        self.rows(Kind::Member).into_iter().map(|(id, _)| id).collect()
    }

    fn show_wrong_credentials(&mut self) {
        self.credentials["clientSecret"] = json!("wrong");
    }

    fn secrets(&self) -> Vec<String> {
        [self.simulation.client_secret(), "eyJ", "Bearer "]
            .map(str::to_owned)
            .into()
    }
}
