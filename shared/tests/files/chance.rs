//! Whatever people do, in whatever order, and wherever a process is killed: in the end both sides are equal.
//!
//! `SEED=17 cargo test -p shared --test files chance` runs one seed; `SEEDS=20000` runs more of them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde_json::{Value, json};
use shared::integration::{ConflictRule, DeleteGuard, Integration};
use shared::model::{Group, Kind};
use shared::records::PutError;
use shared::sync::Mode;
use shared::transfer::FileDecision;

use crate::mortal::Fault;
use crate::world::{World, integration};

/// What people do, with what they have exported and not uploaded yet.
struct People {
    world: World,
    random: fastrand::Rng,
    drawer: Vec<(Kind, Vec<u8>, bool)>,
    words: u32,
}

/// Members of whom no membership tells, so that they may be deleted.
const SINGLE: &str = "Single";

impl People {
    async fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let rules = [
            ConflictRule::ExternalWins,
            ConflictRule::PlatformWins,
            ConflictRule::NewestWins,
        ];
        let groups = [Group::Identity, Group::Contact, Group::Address, Group::Membership];
        let integration = Integration {
            conflict_rules: groups.map(|group| (group, rules[random.usize(..3)])).into(),
            delete_guard: DeleteGuard {
                percent: 100,
                rows: 1_000,
            },
            ..integration()
        };
        Self {
            world: World::of(&integration).await,
            random,
            drawer: Vec::new(),
            words: 0,
        }
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.random.usize(..chances) == 0
    }

    fn word(&mut self, stem: &str) -> String {
        self.words += 1;
        format!("{stem} {}", self.words)
    }

    /// Takes one of what there is.
    fn one<T>(&mut self, mut of: Vec<T>) -> Option<T> {
        (!of.is_empty()).then(|| of.swap_remove(self.random.usize(..of.len())))
    }

    fn kind(&mut self) -> Kind {
        match self.one_in(3) {
            true => Kind::Membership,
            false => Kind::Member,
        }
    }

    /// Makes up a record; a membership of one of these members.
    fn fields(&mut self, kind: Kind, members: Vec<String>) -> Option<Value> {
        if kind == Kind::Membership {
            return Some(json!({ "memberId": self.one(members)? }));
        }
        let stem = if self.one_in(2) { SINGLE } else { "Ek" };
        Some(json!({ "lastName": self.word(stem) }))
    }

    /// Makes up a change, now and then one back to what was.
    fn edit(&mut self, kind: Kind) -> (&'static str, String) {
        let fields: &[&str] = match kind {
            Kind::Member => &["firstName", "email", "city"],
            _ => &["type", "status"],
        };
        let value = match self.one_in(2) {
            true => format!("Oslo {}", self.random.u8(..2)),
            false => self.word("Bergen"),
        };
        (fields[self.random.usize(..fields.len())], value)
    }

    async fn in_the_system(&mut self) {
        let kind = self.kind();
        let all: Vec<String> = self.world.consio.rows(kind).map(|(id, _)| id.clone()).collect();
        match self.random.u8(..4) {
            0 => {
                let members = self.world.consio.rows(Kind::Member);
                let members = members.filter(|(_, row)| !is_single(row.fields.get("lastName")));
                let members = members.map(|(id, _)| id.clone()).collect();
                if let Some(fields) = self.fields(kind, members) {
                    self.world.consio.make(kind, &fields);
                }
            }
            1 => {
                let row = self.one(all);
                let row = row.filter(|id| {
                    let row = self.world.consio.row(kind, id).unwrap();
                    kind == Kind::Membership || is_single(row.fields.get("lastName"))
                });
                // What was made here and is gone there before an upload has told of it is not told from what is still to come.
                if let Some(id) = row
                    && self.world.is_linked(kind, &id).await
                {
                    self.world.consio.delete(kind, &id);
                }
            }
            _ => {
                let (field, value) = self.edit(kind);
                if let Some(id) = self.one(all) {
                    self.world.consio.change(kind, &id, field, &value);
                }
            }
        }
    }

    async fn on_the_platform(&mut self) {
        let kind = self.kind();
        let all: Vec<(String, Value)> = self.world.platform(kind).await.into_iter().collect();
        match self.random.u8(..4) {
            0 => {
                let members = self.world.platform(Kind::Member).await.into_iter();
                let members = members.filter(|(_, fields)| !is_single(fields.get("lastName")));
                let members = members.map(|(id, _)| id).collect();
                let name = self.word("ours").replace(' ', "-");
                if let Some(fields) = self.fields(kind, members) {
                    self.world.put(kind, &name, fields).await;
                }
            }
            1 => {
                let may_go = |fields: &Value| kind == Kind::Membership || is_single(fields.get("lastName"));
                if let Some((name, _)) = self.one(all).filter(|(_, fields)| may_go(fields)) {
                    self.world.delete(kind, &name).await;
                }
            }
            _ => {
                let (field, value) = self.edit(kind);
                if let Some((name, mut fields)) = self.one(all) {
                    fields[field] = json!(value);
                    // Its member may be gone: an upload from before it was made, which says that it holds all there is.
                    match self.world.try_put(kind, &name, fields).await {
                        Ok(()) | Err(PutError::Invalid(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
    }

    /// Exports something, to be uploaded at some time.
    fn export(&mut self) {
        let (kind, complete) = (self.kind(), self.one_in(2));
        let ids: Vec<String> = self.world.consio.rows(kind).map(|(id, _)| id.clone()).collect();
        let some: Vec<&str> = ids
            .iter()
            .map(String::as_str)
            .filter(|_| complete || self.random.bool())
            .collect();
        let bytes = self.world.export_some(kind, &some);
        self.drawer.push((kind, bytes, complete));
    }

    async fn upload(&mut self) {
        let drawer = std::mem::take(&mut self.drawer);
        let place = self.random.usize(..drawer.len().max(1));
        for (at, (kind, bytes, complete)) in drawer.into_iter().enumerate() {
            if at == place {
                let file = self.world.upload(kind, bytes, complete).await;
                if self.one_in(10) {
                    self.world.say_of(&file, FileDecision::Discarded).await;
                }
            } else {
                self.drawer.push((kind, bytes, complete));
            }
        }
    }

    /// Works a run, which may be killed.
    async fn run(&mut self) {
        if self.one_in(2) {
            let fault = if self.one_in(2) { Fault::Death } else { Fault::Blip };
            self.world.store.fail_at(self.random.u64(1..150), fault);
        }
        let mode = if self.one_in(4) { Mode::Full } else { Mode::Delta };
        self.world.open(mode).await;
        while let Some(Ok(())) = self.world.turn().await {}
        if self.one_in(2) {
            self.world.sweep().await;
        }
        self.world.store.heal();
        self.world.wait(10);
        self.world.settle().await;
    }

    /// Carries one file that waits.
    async fn carry(&mut self) {
        let files = self.world.outbox().await;
        if let Some(file) = self.one(files) {
            match self.one_in(3) {
                true => self.world.say(&file, FileDecision::Discarded).await,
                false => self.world.import(&file).await,
            }
        }
    }

    async fn act(&mut self) {
        match self.random.u8(..8) {
            0 | 1 => self.in_the_system().await,
            2 | 3 => self.on_the_platform().await,
            4 => self.export(),
            5 => self.upload().await,
            6 => self.run().await,
            _ => self.carry().await,
        }
    }

    /// Carries everything back and forth, until nothing is left to be carried.
    async fn come_to_rest(&mut self) {
        for _ in 0..4 {
            self.world.run(Mode::Delta).await;
            self.world.import_all().await;
            self.world.upload_all().await;
            self.world.run(Mode::Delta).await;
            self.world.approve_all().await;
        }
    }
}

fn is_single(last_name: Option<&Value>) -> bool {
    let last_name = last_name.and_then(Value::as_str);
    last_name.is_some_and(|last_name| last_name.starts_with(SINGLE))
}

async fn live_through(seed: u64) {
    let mut people = People::new(seed).await;
    for _ in 0..60 {
        people.act().await;
    }
    people.come_to_rest().await;
    people.world.check_equal().await;
    assert!(
        people.world.outbox().await.is_empty(),
        "nothing is left to go out"
    );
    for kind in [Kind::Member, Kind::Membership] {
        let before = people.world.platform(kind).await;
        people.world.run(Mode::Full).await;
        assert_eq!(before, people.world.platform(kind).await);
    }
    assert!(people.world.outbox().await.is_empty(), "nor after a full run");
}

#[test]
fn both_sides_are_equal_in_the_end_whatever_people_do() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = number("SEED").map_or_else(|| 0..number("SEEDS").unwrap_or(300), |seed| seed..seed + 1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    for seed in seeds {
        let lived = catch_unwind(AssertUnwindSafe(|| runtime.block_on(live_through(seed))));
        if let Err(panic) = lived {
            println!("failed with SEED={seed}");
            resume_unwind(panic);
        }
    }
}
