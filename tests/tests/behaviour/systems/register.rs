//! A register with a REST API: once as Consio, where it can do everything that a profile can describe, and once as any
//! other system, where it tells no changes and no deletions, has no versions, says of a new row only where it is, and
//! takes a number twice.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::model::Kind;
use tests::rest::{Auth, Collection, Paging, Settings};

use super::fields;
use crate::subject::{Subject, tried};
use world::{CURSOR, World, at};

#[expect(dead_code, unused_imports, reason = "the rest is for its own tests")]
#[path = "../../consio/world.rs"]
mod world;

pub(crate) async fn consio() -> World {
    let mut world = World::new(0).await;
    world.page_by(Paging::Page, 5);
    with_people(world)
}

pub(crate) async fn rest() -> World {
    let mut world = World::new(0).await;
    world.integration = "hlf:rest";
    world.settings = at(&world.simulation, CURSOR);
    world.register().change_settings(|settings| {
        *settings = Settings {
            paging: Paging::Cursor,
            changes: false,
            keeps_deleted: false,
            versions: false,
            silent: true,
            repeats_numbers: true,
            ..Settings::default()
        }
    });
    world.sign_in_by(Auth::Oidc);
    for resource in world.settings["resources"].as_object_mut().unwrap().values_mut() {
        resource["read"]["paging"]["size"] = json!(5);
    }
    with_people(world)
}

fn with_people(world: World) -> World {
    for _ in 0..3 {
        Subject::add(&world, Kind::Member);
    }
    world
}

const fn collection(kind: Kind) -> Collection {
    match kind {
        Kind::Member => Collection::Members,
        Kind::Membership => Collection::Memberships,
        Kind::CourseEnrollment => Collection::Enrollments,
    }
}

fn pointer(kind: Kind, field: &str) -> &'static str {
    match (kind, field) {
        (Kind::Member, "firstName") => "/name/first",
        (Kind::Member, "lastName") => "/name/last",
        (Kind::Member, "email") => "/contact/email",
        (Kind::Membership, "type") => "/type",
        (Kind::Membership, "status") => "/state",
        (Kind::CourseEnrollment, "status") => "/progress",
        _ => panic!("no place for {field}"),
    }
}

/// Returns what the register writes in the place of a value.
fn written(kind: Kind, value: &str) -> Value {
    match kind {
        Kind::Member => json!({ "name": { "last": value } }),
        Kind::Membership => json!({ "state": value }),
        Kind::CourseEnrollment => {
            let place = tried(kind).1.iter().position(|word| *word == value).unwrap();
            json!({ "progress": place + 1 })
        }
    }
}

impl Subject for World {
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter()
    }

    fn add(&self, kind: Kind) {
        let mut row = written(kind, tried(kind).1[0]);
        match kind {
            Kind::Member => row["name"]["first"] = json!("Ola"),
            Kind::Membership => {
                row["memberId"] = json!(self.people()[0].parse::<u64>().unwrap());
                row["type"] = json!("Hovedmedlem");
            }
            Kind::CourseEnrollment => {
                row["memberId"] = json!(self.people()[0].parse::<u64>().unwrap());
                row["course"] = json!("K-1");
            }
        }
        self.register().create_as_human(collection(kind), &row);
    }

    fn edit(&self, kind: Kind, id: &str, value: &str) {
        let (id, changes) = (id.parse().unwrap(), written(kind, value));
        self.register().edit_as_human(collection(kind), id, &changes);
    }

    fn delete(&self, kind: Kind, id: &str) {
        self.register()
            .delete_as_human(collection(kind), id.parse().unwrap());
    }

    fn rows(&self, kind: Kind) -> Vec<(String, Value)> {
        let rows = self.register().rows(collection(kind)).into_iter().map(|mut row| {
            if let Some(place) = row["progress"].as_u64() {
                row["progress"] = json!(tried(kind).1[place as usize - 1]);
            }
            let fields = fields(kind, &row, |field| pointer(kind, field));
            (row["id"].to_string(), fields)
        });
        rows.collect()
    }

    fn people(&self) -> Vec<String> {
        Subject::rows(self, Kind::Member)
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    }

    fn show_wrong_credentials(&mut self) {
        for secret in ["apiKey", "clientSecret"] {
            if self.credentials.get(secret).is_some() {
                self.credentials[secret] = json!("wrong");
            }
        }
    }

    fn secrets(&self) -> Vec<String> {
        let register = self.register();
        let secrets = [
            register.secret(),
            &register.client().client_secret,
            "reg_",
            "Bearer ",
        ];
        secrets.map(str::to_owned).into()
    }
}
