//! What every adapter is: few methods, rich values.

mod deadline;
mod error;
mod log;
mod retry;
mod unusable;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

pub use deadline::Deadline;
pub use error::{Error, ErrorKind, Result};
pub use log::Log;
pub use retry::Retry;
pub use unusable::Unusable;

use crate::model::{FieldError, Fields, Kind, RecordId, System};

/// A system's own bookmark: opaque to all but its adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl Cursor {
    /// Makes the bookmark of a system that tells no changes: the next reading is one of everything.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// Says whether it is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the fields of a system's rows hold that refer to other records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// The system's ids of rows that are linked with those records.
    ByLink,
    /// The platform's own ids: the system has no rows for those records, and knows them by the names that they have here.
    ByKey,
    /// Going out, the platform's own ids; coming in, those, or the system's ids of rows that are linked.
    ByEither,
}

/// What an adapter can do with one kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCapability {
    /// The kind.
    pub kind: Kind,
    /// Which fields the integration maps, by position in [`Kind::fields`].
    pub mapped: u64,
    /// Whether changes, and so deletions, are told since a cursor.
    pub tracks_changes: bool,
    /// Whether changes can be written.
    pub pushes: bool,
    /// What fields hold that refer to other records.
    pub references: References,
    /// How far what a page tells may be behind what [`Adapter::find`] does.
    pub lag: Duration,
}

/// What an adapter can do, as data; asking costs no I/O.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The kinds that it reads and writes.
    pub kinds: Vec<KindCapability>,
    /// The most changes that one push takes.
    pub push_batch: usize,
    /// The most ids that one [`Adapter::find`] takes.
    pub find_batch: usize,
    /// Whether changes can be pushed right now although nothing can be read: they go another way.
    pub pushes_unread: bool,
}

impl Capability {
    /// Returns what can be done with one kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<&KindCapability> {
        self.kinds.iter().find(|capability| capability.kind == kind)
    }
}

impl KindCapability {
    /// Says whether the integration maps the field at this position.
    #[must_use]
    pub const fn maps(&self, position: usize) -> bool {
        self.mapped >> position & 1 == 1
    }
}

/// The answer to one question of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was asked, such as `sign in` or `read members`.
    pub question: String,
    /// Whether it works.
    pub works: bool,
    /// Where it fails: `name`, `tls`, `network`, `key`, `scope`, `permission`, `configuration`, `clock` or `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// What was found, and what to do about it.
    pub answer: String,
}

/// Where to begin reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// At the beginning of everything.
    Start,
    /// After what this cursor has seen.
    Since(Cursor),
    /// In the middle of a listing, at the page that this one names.
    Page(Cursor),
}

/// One page of what a system holds.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// What was read, in the system's order.
    pub items: Vec<Item>,
    /// What comes after.
    pub next: Next,
    /// What an operator should know and nobody need stop for, such as columns that have vanished.
    pub warnings: Vec<String>,
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Another page.
    Page(Cursor),
    /// Nothing: the listing is complete, and later changes are told since this cursor.
    End(Cursor),
    /// Nothing, and that was not everything that there is: what was not told need not be gone.
    Enough(Cursor),
}

/// One thing that a system tells.
#[derive(Debug, Clone)]
pub enum Item {
    /// A row as it is now.
    Row(ExternalRecord),
    /// A row that is gone.
    Deleted {
        /// Its id.
        id: Box<str>,
        /// The id of the row that it was merged into.
        merged_into: Option<Box<str>>,
    },
    /// A row that could not be read as a record.
    Faulty {
        /// Its id.
        id: Box<str>,
        /// The field that is at fault, as the platform names it.
        field: String,
        /// What is wrong, and what to do; holds nothing of the row.
        message: String,
    },
}

/// A row of a system, in the platform's words.
///
/// A field that refers to another record holds that record's *external* id, or as [`References`] says.
#[derive(Debug, Clone)]
pub struct ExternalRecord {
    /// The system's id, in one canonical form.
    pub id: Box<str>,
    /// The system's version of the row.
    pub etag: Option<Box<str>>,
    /// The platform's id of it, where the row carries one.
    pub key: Option<Box<str>>,
    /// What it says.
    pub fields: Fields,
    /// Of which fields it says anything at all, by position in [`Kind::fields`]: one without its bit was not told,
    /// and is left as it is.
    pub told: u64,
    /// When it was last changed there.
    pub modified_at: Option<Timestamp>,
    /// Whether the last one to change it was this service.
    pub ours: bool,
    /// Whether it is in use there.
    pub active: bool,
}

/// A change to be made on the other side.
#[derive(Debug, Clone)]
pub struct Change {
    /// The platform's id; the key under which a new row is made.
    pub key: RecordId,
    /// The row to change; `None` makes one.
    pub target: Option<Target>,
    /// What to do.
    pub action: ChangeAction,
}

/// The row that a change is for, as it was last seen.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its id.
    pub id: Box<str>,
    /// Its version; the change is refused as `Conflict` where it has another by now.
    pub etag: Option<Box<str>>,
    /// Whether it was in use.
    pub active: bool,
    /// Which fields may be told, by position in [`Kind::fields`]: what was never compared, and what a human decides about,
    /// is left alone.
    pub tellable: u64,
}

/// What to do with a row.
#[derive(Debug, Clone)]
pub enum ChangeAction {
    /// Give these fields, by position in [`Kind::fields`], the values that `fields` has.
    Write {
        /// The values; references hold external ids, or as [`References`] says.
        fields: Fields,
        /// Which of them to write, a bit for each position.
        changed: u64,
    },
    /// Take it out of use, as the integration's configuration says.
    Remove,
}

/// What became of one change.
pub type Outcome = Result<Pushed>;

/// What became of a change that nobody refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The system has it.
    Made(Made),
    /// It is in a file: the system has it once somebody has imported that, and the next reading tells.
    HandedOver,
    /// Nothing was done, and it stays to be sent; says what it waits for.
    Waits(String),
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The row's id.
    pub id: Box<str>,
    /// Its version after the change, where the system says so.
    pub etag: Option<Box<str>>,
    /// Whether it is in use after the change.
    pub active: bool,
    /// Whether there is no such row any more.
    pub gone: bool,
}

impl Pushed {
    /// Returns what became of changes of which each was made, or refused.
    #[must_use]
    pub fn all_made(outcomes: Vec<Result<Made>>) -> Vec<Outcome> {
        outcomes
            .into_iter()
            .map(|outcome| outcome.map(Self::Made))
            .collect()
    }
}

/// What stands under an id.
#[derive(Debug, Clone)]
pub enum Found {
    /// A row, or a row that was merged away or cannot be read.
    Here(Item),
    /// The system does not let us look.
    Hidden,
    /// Nothing: the system says that there is no such row.
    Nothing,
}

/// A row that a webhook says something happened to: to be looked at, and not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    /// What kind of record it holds.
    pub kind: Kind,
    /// Its id.
    pub id: Box<str>,
}

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Told {
    /// That something happened to these rows.
    Rows(Vec<Hint>),
    /// That something happened in the books.
    Books,
    /// Nothing that is to be looked at.
    Nothing(Why),
}

/// Why nothing is done about a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is about a table, or a resource, that the integration does not map.
    NotMapped,
    /// It tells of an event that nobody asked for.
    UnknownEvent,
    /// It names no row.
    NoRows,
    /// This service made the change that it tells of.
    Echo,
    /// It was sent to test the endpoint.
    Test,
    /// The integration is paused.
    Paused,
    /// The integration is being disconnected, or gone.
    Disconnected,
}

/// Reads what the webhooks of one integration say; does no I/O.
pub trait ReadWebhook: Debug + Send + Sync + 'static {
    /// Reads the body of a webhook whose sender is known.
    ///
    /// # Errors
    ///
    /// What cannot be read, by its place in the body, and nothing of what stands there.
    fn read(&self, body: &[u8]) -> core::result::Result<Told, FieldError>;
}

/// What was sent and received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Requests sent.
    pub requests: u64,
    /// Bytes of answers, as they travelled.
    pub bytes_received: u64,
}

/// Where and how a system is to send webhooks.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Tells it from all others: the id of the endpoint.
    pub name: String,
    /// Where to.
    pub url: Url,
    /// The header that shows the secret; none where the system signs by it.
    pub header: Option<String>,
    /// The secret.
    pub secret: SecretString,
}

/// How a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscribed {
    /// It was as it should be.
    Running,
    /// It was not, and is now: what happened meanwhile was perhaps not told. Says what was wrong, such as `missing`.
    Mended(Vec<String>),
    /// The system lets nobody register by its API: a human does.
    ByHand,
}

/// An outside system, as one integration reaches it.
///
/// # Behaviour
///
/// - `capability` and `usable` do no I/O.
/// - Pages end, and a page read again holds what was not changed in between.
/// - A listing that was cut short is an error, never an end.
/// - What is written through `push` is what `find` and the next delta tell.
/// - A change pushed twice has one effect.
/// - One change that fails leaves the others of its batch as they are.
/// - A limit that the system sets is `RateLimited`, and nothing more is sent before its time.
/// - A subscription that is asked for again and again is registered once, and only what differs is changed.
/// - A subscription that was begun and not finished is finished by the next call.
/// - A subscription that is not there is as good as ended.
/// - `Debug` output shows no secret.
#[async_trait]
pub trait Adapter: Debug + Send + Sync + 'static {
    /// Names the system.
    fn system(&self) -> System;

    /// Says what can be done.
    fn capability(&self) -> Capability;

    /// Says why the adapter could not be set up, where it could not; asking costs no I/O.
    ///
    /// # Errors
    ///
    /// What every other call would end in.
    fn usable(&self) -> Result<()>;

    /// Returns what was sent and received since this was last asked.
    fn take_usage(&self) -> Usage;

    /// Asks one cheap question for each capability: does it really work?
    async fn probe(&self) -> Vec<Finding>;

    /// Reads one page.
    ///
    /// # Errors
    ///
    /// `CursorExpired` where the system no longer knows the cursor; else as its answer is to be taken.
    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled>;

    /// Hears that everything up to a cursor is kept, and will not be asked for again; a crash may keep that from it.
    ///
    /// # Errors
    ///
    /// As the system's answer is to be taken; it hears of it again with the next cursor.
    async fn acknowledge(&self, kind: Kind, since: &Cursor) -> Result<()>;

    /// Makes changes; answers for each, in their order.
    ///
    /// A row is made only where there is none: where one has the key already, the change is refused as `Conflict` with
    /// that row's id as the fact `row`.
    ///
    /// # Errors
    ///
    /// Where nothing is known of any of them: what was not answered for one by one.
    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>>;

    /// Says what stands under each id, in their order.
    ///
    /// # Errors
    ///
    /// Where any of them could not be asked: "nothing" is only said by the system itself.
    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>>;

    /// Sees to it that the system sends webhooks for every kind that is mapped.
    ///
    /// # Errors
    ///
    /// As the system's answer is to be taken; `Unsupported` where the wanted cannot be registered as it is. What was done
    /// before stays, and the next call goes on from there: the first success after an error is as good as `Mended`.
    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed>;

    /// Sees to it that the system sends no webhooks under this name.
    ///
    /// # Errors
    ///
    /// As the system's answer is to be taken.
    async fn unsubscribe(&self, name: &str) -> Result<()>;
}
