//! Cornerstone, with enrolments: the portal does with a second assignment what is hardest, and repeats it.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::model::Kind;
use tests::cornerstone::{Registration, Repeated, Status, TrainingType};
use uuid::Uuid;

use crate::subject::{Subject, tried};
use world::{World, name};

#[expect(dead_code, unused_imports, reason = "the rest is for its own tests")]
#[path = "../../cornerstone/world.rs"]
mod world;

/// What humans enrol people for, and what the platform does.
const THEIRS: &str = "Førstehjelp";
const OURS: &str = "Likepersonkurs";

pub(crate) async fn begin() -> World {
    let mut world = World::with(|settings| settings.repeated_assignment = Repeated::Registered).await;
    world.settings["pageSize"] = json!(5);
    world.users(40);
    for title in [THEIRS, OURS] {
        world
            .portal()
            .add_learning_object(title, TrainingType::OnlineClass);
    }
    world.settle();
    world
}

fn course(world: &World, title: &str) -> Uuid {
    let objects = world.portal().learning_objects();
    objects.iter().find(|object| object.title == title).unwrap().id
}

/// Returns whose enrolment an id names, and in what.
fn parts(id: &str) -> (&str, Uuid) {
    let (user, course) = id.split_once('.').unwrap();
    (user, course.parse().unwrap())
}

fn word(status: Status) -> String {
    status.title().to_lowercase().replace(' ', "_")
}

impl Subject for World {
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter()
    }

    fn add(&self, _: Kind) {
        let course = course(self, THEIRS);
        let taken: Vec<i64> = self.portal().registrations().iter().map(|one| one.user).collect();
        let is_new = |user: &&String| !taken.contains(&self.portal().user(user).unwrap().id);
        let people = self.people();
        let user = people.iter().rfind(is_new).unwrap();
        self.portal().enrol(user, course, Status::Registered);
    }

    fn edit(&self, _: Kind, id: &str, value: &str) {
        let (user, course) = parts(id);
        let all = [Status::Registered, Status::InProgress, Status::Completed];
        let status = all.into_iter().find(|status| word(*status) == value).unwrap();
        self.portal().advance(user, course, status);
    }

    fn delete(&self, _: Kind, id: &str) {
        let (user, course) = parts(id);
        self.portal()
            .change_registration(user, course, |one| one.removed = true);
    }

    /// Returns every registration, so that one that was made twice is there twice.
    fn rows(&self, kind: Kind) -> Vec<(String, Value)> {
        let users = self.portal().users();
        let row = |one: Registration| {
            let user = users.iter().find(|user| user.id == one.user).unwrap();
            let id = name(&user.external_id, one.learning_object);
            (id, json!({ tried(kind).0: word(one.status) }))
        };
        let all = self.portal().registrations().into_iter();
        all.filter(|one| !one.removed).map(row).collect()
    }

    fn people(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .portal()
            .users()
            .into_iter()
            .map(|user| user.external_id)
            .collect();
        ids.sort();
        ids
    }

    fn wish(&self, kind: Kind, _: usize, person: &str) -> (String, Value) {
        let course = course(self, OURS);
        let fields = json!({ "memberId": person, "courseId": course, "status": tried(kind).1[0] });
        (name(person, course), fields)
    }

    fn show_wrong_credentials(&mut self) {
        self.secret = "wrong".to_owned();
    }

    fn secrets(&self) -> Vec<String> {
        let secret = self.simulation.learner().client_secret.as_str();
        [secret, "edge_", "Bearer "].map(str::to_owned).into()
    }
}
