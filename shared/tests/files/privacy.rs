//! What is said of a person is in records, rows and files, and nowhere else.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use serde_json::{Value, json};
use shared::integration::{ConflictRule, Integration};
use shared::model::{Group, Kind};
use shared::store::Table;
use shared::sync::Mode;
use tracing_subscriber::fmt::MakeWriter;

use crate::fill;
use crate::world::{World, id, integration};

/// Something that stands for what is said of a person.
const CANARY: &str = "Canaria";

/// Keeps what one thread logs.
#[derive(Clone)]
struct Captured {
    thread: ThreadId,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::thread::current().id() == self.thread {
            self.bytes.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Begins to keep what this thread logs; the subscriber is everybody's, since other threads may have passed the same places
/// before there was one.
fn capture() -> Captured {
    let captured = Captured {
        thread: std::thread::current().id(),
        bytes: Arc::default(),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    captured
}

fn person() -> Value {
    json!({ "firstName": CANARY, "lastName": CANARY, "email": format!("{CANARY}@example.org"), "city": CANARY })
}

/// Uploads that are taken, disputed, refused, faulty and complete; files that go out, fail, and are discarded.
async fn live_through() -> World {
    let rules = [Group::Identity, Group::Contact, Group::Address];
    let rules = rules.into_iter().map(|group| (group, ConflictRule::Review));
    let integration = Integration {
        conflict_rules: rules.collect(),
        ..integration()
    };
    let mut world = fill(World::of(&integration).await).await;
    world.put(Kind::Member, "ours", person()).await;
    world.put(Kind::Member, "C1", person()).await;
    world.consio.change(Kind::Member, "C1", "city", "Canaria by");
    let stranger = world.consio.make(Kind::Member, &person());
    let orphan = json!({ "memberId": "nobody", "type": CANARY });
    world.consio.make(Kind::Membership, &orphan);
    world
        .upload(Kind::Member, world.export(Kind::Member), false)
        .await;
    let nameless = json!({ "lastName": CANARY });
    let nameless = std::iter::once(nameless.as_object().unwrap().clone());
    let nameless = crate::consio::write(&World::csv(Kind::Member), nameless);
    world.upload(Kind::Member, nameless, false).await;
    world
        .upload(Kind::Membership, world.export(Kind::Membership), true)
        .await;
    world.run(Mode::Delta).await;
    assert!(!world.reviews().await.is_empty() && !world.quarantined().await.is_empty());
    hold_no_canary("the tables", &world.told().await);
    let files = world.outbox().await;
    world
        .say(&files[0], shared::transfer::FileDecision::Discarded)
        .await;
    world.sweep().await;
    world.delete(Kind::Member, &stranger).await;
    world.run(Mode::Delta).await;
    world.import_all().await;
    world.upload_all().await;
    world.run(Mode::Full).await;
    world
}

#[tokio::test]
async fn nothing_of_a_person_is_in_names_keys_events_warnings_and_logs() {
    let captured = capture();
    let world = live_through().await;
    let logged = String::from_utf8(captured.bytes.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the run has ended"));
    hold_no_canary("logs", &logged);
    for key in world.objects.keys() {
        hold_no_canary("the key of an object", &key);
    }
    for file in world.out().await {
        hold_no_canary("a file", &format!("{file:?}"));
    }
    for published in world.publish.published() {
        hold_no_canary("an event", &published.detail);
    }
    assert!(!world.publish.published().is_empty());
    hold_no_canary("the tables", &world.told().await);
}

impl World {
    /// Every row but records, and what the system is to get.
    async fn told(&self) -> String {
        let mut rows = self.kept(Table::Control, id().organization.as_str(), "").await;
        rows.retain(|row| !row.key.sort.starts_with("file-row#"));
        assert!(rows.len() > 20, "{}", rows.len());
        let lines = rows.iter().map(|row| format!("{} {}", row.key.sort, row.body));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn hold_no_canary(place: &str, text: &str) {
    assert!(!text.contains(CANARY), "{place}: {text}");
}
