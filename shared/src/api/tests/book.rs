//! A system of a few rows, and who works what comes from its queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::world::World;
use crate::adapter::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, ExternalRecord, Finding, Found, From, Item,
    KindCapability, Next, Outcome, Pulled, References, Subscribed, Subscription, Usage,
};
use crate::flow::watch::Registrar;
use crate::flow::work::{Connect, Job, Worker, work};
use crate::http::Exceptions;
use crate::integration::Integration;
use crate::model::{Fields, Kind, System};
use crate::publish::MemoryPublish;

/// What stands under an id.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A member of this name, in this version.
    Member(&'static str, u32),
    /// A row that cannot be read.
    Faulty,
    /// A row that nobody lets us see.
    Hidden,
    /// A row that is gone as soon as somebody has looked at it.
    Fleeting,
}

/// A system of a few rows.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) rows: Mutex<BTreeMap<String, Entry>>,
    /// What it answers instead.
    pub(super) fails: Mutex<Option<ErrorKind>>,
    /// How often it was asked for each row.
    pub(super) asked: Mutex<BTreeMap<String, u32>>,
    /// What a page says, which may be older than the rows.
    pub(super) page: Mutex<Vec<(&'static str, &'static str, u32)>>,
    /// What is registered.
    pub(super) subscriptions: Mutex<BTreeMap<String, Subscription>>,
}

impl Book {
    pub(super) fn write(&self, id: &str, entry: Entry) {
        self.rows.lock().unwrap().insert(id.to_owned(), entry);
    }

    pub(super) fn tear_out(&self, id: &str) {
        self.rows.lock().unwrap().remove(id);
    }

    pub(super) fn fails_with(&self, kind: Option<ErrorKind>) {
        *self.fails.lock().unwrap() = kind;
    }

    pub(super) fn asked_for(&self, id: &str) -> u32 {
        self.asked.lock().unwrap().get(id).copied().unwrap_or_default()
    }

    fn look(&self, id: &str) -> Found {
        *self.asked.lock().unwrap().entry(id.to_owned()).or_default() += 1;
        let entry = self.rows.lock().unwrap().get(id).cloned();
        match entry {
            None => Found::Nothing,
            Some(Entry::Hidden) => Found::Hidden,
            Some(Entry::Faulty) => Found::Here(Item::Faulty {
                id: id.into(),
                field: "email".to_owned(),
                message: "is not an address".to_owned(),
            }),
            Some(Entry::Member(name, version)) => Found::Here(Item::Row(member(id, name, version))),
            Some(Entry::Fleeting) => {
                self.tear_out(id);
                Found::Here(Item::Row(member(id, "Gone", 1)))
            }
        }
    }
}

fn member(id: &str, name: &str, version: u32) -> ExternalRecord {
    let fields = json!({ "lastName": name });
    ExternalRecord {
        id: id.into(),
        etag: Some(format!("W/\"{version}\"").into()),
        key: None,
        fields: Fields::from_json(Kind::Member, fields.as_object().unwrap()).unwrap(),
        told: u64::MAX,
        modified_at: None,
        ours: false,
        active: true,
    }
}

#[async_trait]
impl Adapter for Book {
    fn system(&self) -> System {
        System::Dynamics365
    }

    fn capability(&self) -> Capability {
        let members = KindCapability {
            kind: Kind::Member,
            mapped: 0b100,
            tracks_changes: true,
            pushes: false,
            references: References::ByLink,
            lag: Duration::ZERO,
        };
        Capability {
            kinds: vec![members],
            push_batch: 1,
            find_batch: 100,
            pushes_unread: false,
        }
    }

    fn usable(&self) -> crate::adapter::Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        Usage::default()
    }

    async fn probe(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn pull(&self, _: Kind, _: &From) -> crate::adapter::Result<Pulled> {
        let page = self.page.lock().unwrap();
        let rows = page
            .iter()
            .map(|(id, name, version)| Item::Row(member(id, name, *version)));
        Ok(Pulled {
            items: rows.collect(),
            next: Next::End(Cursor("1".to_owned())),
            warnings: Vec::new(),
        })
    }

    async fn acknowledge(&self, _: Kind, _: &Cursor) -> crate::adapter::Result<()> {
        Ok(())
    }

    async fn push(&self, _: Kind, _: &[Change]) -> crate::adapter::Result<Vec<Outcome>> {
        Err(Error::new(ErrorKind::Unsupported, "nobody pushes"))
    }

    async fn subscribe(&self, wanted: &Subscription) -> crate::adapter::Result<Subscribed> {
        if let Some(kind) = *self.fails.lock().unwrap() {
            return Err(Error::new(kind, "not now"));
        }
        let before = self
            .subscriptions
            .lock()
            .unwrap()
            .insert(wanted.name.clone(), wanted.clone());
        let same =
            before.is_some_and(|before| before.secret.expose_secret() == wanted.secret.expose_secret());
        Ok(match same {
            true => Subscribed::Running,
            false => Subscribed::Mended(vec!["missing".to_owned()]),
        })
    }

    async fn unsubscribe(&self, name: &str) -> crate::adapter::Result<()> {
        self.subscriptions.lock().unwrap().remove(name);
        Ok(())
    }

    async fn find(&self, _: Kind, ids: &[Box<str>]) -> crate::adapter::Result<Vec<Found>> {
        match *self.fails.lock().unwrap() {
            Some(kind) => Err(Error::new(kind, "not now")),
            None => Ok(ids.iter().map(|id| self.look(id)).collect()),
        }
    }
}

/// Everybody's system is the same book.
#[derive(Debug)]
struct Shelf(Arc<Book>);

#[derive(Debug)]
struct Reader(Arc<Book>);

#[async_trait]
impl Connect for Shelf {
    async fn connect(&self, _: &Integration) -> Arc<dyn Adapter> {
        Arc::new(Reader(Arc::clone(&self.0)))
    }
}

#[async_trait]
impl Adapter for Reader {
    fn system(&self) -> System {
        self.0.system()
    }

    fn capability(&self) -> Capability {
        self.0.capability()
    }

    fn usable(&self) -> crate::adapter::Result<()> {
        self.0.usable()
    }

    fn take_usage(&self) -> Usage {
        self.0.take_usage()
    }

    async fn probe(&self) -> Vec<Finding> {
        self.0.probe().await
    }

    async fn pull(&self, kind: Kind, from: &From) -> crate::adapter::Result<Pulled> {
        self.0.pull(kind, from).await
    }

    async fn acknowledge(&self, _: Kind, _: &Cursor) -> crate::adapter::Result<()> {
        Ok(())
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> crate::adapter::Result<Vec<Outcome>> {
        self.0.push(kind, changes).await
    }

    async fn subscribe(&self, wanted: &Subscription) -> crate::adapter::Result<Subscribed> {
        self.0.subscribe(wanted).await
    }

    async fn unsubscribe(&self, name: &str) -> crate::adapter::Result<()> {
        self.0.unsubscribe(name).await
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> crate::adapter::Result<Vec<Found>> {
        self.0.find(kind, ids).await
    }
}

/// Works what is queued, once; returns how many messages there were.
pub(super) async fn work_all(world: &World, book: &Arc<Book>) -> usize {
    let worker = worker(world, book);
    let mut worked = 0;
    let next = || System::ALL.iter().find_map(|system| world.queue.receive(*system));
    while let Some(received) = next() {
        let job: Job = serde_json::from_str(&received.message.body).unwrap();
        if work(&worker, &job).await.is_ok() {
            world.queue.ack(&received);
        }
        worked += 1;
    }
    worked
}

pub(super) fn worker(world: &World, book: &Arc<Book>) -> Worker {
    Worker {
        ports: world.ports.clone(),
        publish: Arc::new(MemoryPublish::new()),
        connect: Arc::new(Shelf(Arc::clone(book))),
        exceptions: Exceptions::none(),
        registrar: Registrar {
            keys: Arc::clone(&world.keys),
            api_url: "https://api.example".parse().unwrap(),
        },
    }
}

/// A webhook of Dataverse about a contact.
pub(super) fn context(id: &str) -> Value {
    json!({ "MessageName": "Update", "PrimaryEntityName": "contact", "PrimaryEntityId": id, "Stage": 40 })
}
