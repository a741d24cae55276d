//! Whole runs, engine and adapter together: both sides are equal in the end, and nothing is there twice.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::model::{Kind, Record, System};
use shared::sync::{Mode, Run, RunState};
use tests::rest::{Collection, Paging, Settings};

use crate::pair;
use crate::world::World;

mod both_ways;
mod outages;

/// An organization, its register, and the engine between them.
type Pair = pair::Pair<World>;

/// The profiles that runs are tried with, by what the system can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ability {
    /// It tells changes and deletions, and takes `If-Match`.
    Everything,
    /// It tells neither, and takes none.
    Nothing,
}

impl Ability {
    async fn world(self, members: usize) -> World {
        let mut world = World::new(members).await;
        if self == Self::Nothing {
            world.register().change_settings(|settings| {
                *settings = Settings {
                    changes: false,
                    keeps_deleted: false,
                    versions: false,
                    silent: true,
                    repeats_numbers: true,
                    ..Settings::default()
                }
            });
            for resource in world.settings["resources"].as_object_mut().unwrap().values_mut() {
                let read = resource["read"].as_object_mut().unwrap();
                for name in ["changes", "deleted", "modified"] {
                    read.remove(name);
                }
                read.insert("version".to_owned(), json!("content"));
                for write in resource["write"].as_object_mut().unwrap().values_mut() {
                    write
                        .as_object_mut()
                        .unwrap()
                        .retain(|name, _| name != "ifMatch" && name != "row");
                }
            }
        }
        world.page_by(Paging::Cursor, 7);
        world
    }
}

impl Pair {
    async fn new(ability: Ability, members: usize) -> Self {
        Self::with(ability.world(members).await, |_| {}).await
    }

    /// Runs a minute later, and insists that the run succeeds.
    async fn succeed(&self) -> Run {
        self.world.simulation.advance(SignedDuration::from_mins(1));
        let run = self.sync().await;
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
        run
    }

    async fn members(&self) -> Vec<Record> {
        self.records(Kind::Member).await
    }

    /// Insists that both sides hold the same people, with the same names and addresses, and nobody twice.
    async fn assert_equal(&self) {
        let ours = self.members().await;
        let mut ours: Vec<(String, String, String, String)> = ours
            .iter()
            .map(|record| {
                let fields = json!(record.fields);
                let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
                let link = record.links[&self.id().system].to_string();
                (link, text("firstName"), text("lastName"), text("email"))
            })
            .collect();
        let there = self.world.rows();
        let mut theirs: Vec<(String, String, String, String)> = there
            .iter()
            .map(|row| {
                let text = |place: &str| {
                    row.pointer(place)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                (
                    row["id"].to_string(),
                    text("/name/first"),
                    text("/name/last"),
                    text("/contact/email"),
                )
            })
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs);
        let mut numbers: Vec<_> = there.iter().filter_map(|row| row["number"].as_str()).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "nobody is there twice");
    }
}

fn row_of(record: &Record) -> u64 {
    record.links[&System::Consio].parse().unwrap()
}
