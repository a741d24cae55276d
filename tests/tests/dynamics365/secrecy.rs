//! Nothing secret and nothing personal is told to anyone who is not meant to know it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use serde_json::json;
use shared::adapter::From;
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{World, member, push_one};

/// Keeps what one thread logs: the subscriber is everybody's, since one of a thread's own may come too late for
/// places that other threads have passed already.
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

/// Does what an adapter does, and what it does when things go wrong; returns everything that came of it.
async fn everything(world: &World) -> String {
    let adapter = world.adapter();
    let change =
        |key: &str, name: &str| member(key, json!({ "lastName": name, "email": "canary@example.org" }));
    let mut told = vec![format!("{adapter:?}")];
    for change in [change("1", "canary"), change("2", &"canary".repeat(9))] {
        told.push(format!("{:?}", push_one(&*adapter, change).await));
    }
    for fault in [
        Fault::Html,
        Fault::ErrorInBody,
        Fault::TruncatedJson,
        Fault::ResetAfter,
        Fault::Unauthorized,
        Fault::NoLinks,
    ] {
        world.inject(FaultRule::always(fault).at("/contacts?"));
        told.push(format!("{:?}", adapter.pull(Kind::Member, &From::Start).await));
        world.simulation.clear_faults();
    }
    told.push(format!("{:?}", adapter.pull(Kind::Member, &From::Start).await));
    told.push(format!("{:?} {adapter:?}", adapter.probe().await));
    told.join("\n")
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let thread = std::thread::current().id();
    let captured = Captured {
        thread,
        bytes: Arc::default(),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let world = World::new(0).await;
    let shown = everything(&world).await;
    let logged = String::from_utf8(captured.bytes.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("call failed"), "the log was captured");
    for (place, text) in [("shown", shown), ("logged", logged)] {
        for secret in [world.simulation.client_secret(), "eyJ", "Bearer ", "canary"] {
            let at = text.find(secret);
            let around = at.map(|at| text.get(at.saturating_sub(200)..(at + 60).min(text.len())));
            assert_eq!(around, None, "{secret} is {place}");
        }
    }
}
