//! The port to the tables: rows under two-part keys, read strongly, written on conditions.
//!
//! A row is a JSON text with a version. Every write of more than one row is one transaction: all of it, or nothing.
//! What a row means is the business of the module that owns it; nothing here knows.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

mod counts;
mod dynamodb;
mod limits;
mod memory;

pub use counts::Counts;
pub use dynamodb::{DynamoStore, TableNames};
pub use memory::MemoryStore;

/// The tables of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What the service knows about its own work: integrations, runs, leases, quarantine, outbox.
    Control,
    /// The platform's records and their links.
    Records,
    /// The integration systems and their credentials.
    Registry,
}

/// Where a row is: a partition, which begins with the organization, and a place in its order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// The partition.
    pub partition: String,
    /// The place within the partition, in the order of bytes.
    pub sort: String,
}

impl Key {
    /// Names a row.
    pub fn new(table: Table, partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self {
            table,
            partition: partition.into(),
            sort: sort.into(),
        }
    }
}

/// A row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it is.
    pub key: Key,
    /// Goes up by one with each write, from 1.
    pub version: u64,
    /// The fence of the last claimed work that wrote it, if any did.
    pub fence: Option<u64>,
    /// What it says: JSON.
    pub body: String,
}

/// The lists of rows that somebody should look at again, one for each who does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// What `reconcile` looks at: work that may have been left lying.
    Reconcile,
    /// Tokens that are to be refreshed.
    Tokens,
}

/// What to put in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it says: JSON.
    pub body: String,
    /// The fence of the claimed work that writes it; `None` keeps the one it has.
    pub fence: Option<u64>,
    /// Who should look at it again, and when; a row with it is listed by [`Store::due`].
    pub due: Option<(Due, Timestamp)>,
    /// When the table may drop it, at the earliest.
    pub expires_at: Option<Timestamp>,
}

/// What must be true of a row for the write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is none.
    Absent,
    /// It has this version.
    Version(u64),
    /// It has this version, and no later holder of the claim has written it.
    Fenced {
        /// The version that was read.
        version: u64,
        /// The writer's own fence.
        fence: u64,
    },
    /// It was last written under this fence.
    HeldUnder(u64),
    /// Nothing: only for rows whose content is the same whoever writes them.
    Anything,
}

/// What to do with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Replace it, one version on.
    Put(Content),
    /// Remove it.
    Delete,
    /// Only insist on the expectation.
    Check,
}

/// One part of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which row.
    pub key: Key,
    /// What must be true of it.
    pub expect: Expect,
    /// What to do with it.
    pub action: Action,
}

/// Some rows of a partition, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where to go on after; `None` at the end.
    pub next: Option<String>,
}

/// Which rows of a partition to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The table.
    pub table: Table,
    /// The partition.
    pub partition: String,
    /// How the place begins.
    pub prefix: String,
    /// Only what comes after this place (before it, when `newest_first`).
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// In falling order of place.
    pub newest_first: bool,
}

/// Why the tables did not do what they were asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An expectation was not met; nothing was written.
    #[error("an expectation was not met")]
    Refused {
        /// The parts of the transaction, by position, whose expectation failed.
        parts: Vec<usize>,
    },
    /// The tables are throttled, busy or out of reach; asking again later may do.
    #[error("the tables are unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row could not be read as what it should be.
    #[error("the row {sort} is malformed")]
    Malformed {
        /// The row's place.
        sort: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tables refuse the request as such: an error of ours, or of the deployment.
    #[error("the tables refuse the request")]
    Invalid(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Says whether the same request may succeed another time.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Refused { .. })
    }
}

/// The most parts that one transaction has.
pub const MAX_WRITES: usize = 100;

/// Reads and writes rows.
///
/// # Behaviour
///
/// - A read sees every write that was answered before it began.
/// - A transaction happens wholly or not at all; no reader sees a row of one that is refused.
/// - Rows that are read together may be from before and after a transaction: what must belong together is
///   insisted on when it is written.
/// - Of many writers that expect the same version, exactly one succeeds.
/// - A refused transaction names the parts whose expectation failed.
/// - A write that was made, and whose answer was lost, succeeds or is refused, and is never doubled.
/// - A row whose time has passed may still be there.
/// - A row is due in one list at the most, and no list shows what is due in another.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Returns the rows under `keys`, in their order, of any number.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Invalid`.
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError>;

    /// Returns some rows of one partition, in order.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Invalid`.
    async fn query(&self, query: &Query) -> Result<Page, StoreError>;

    /// Carries out at most [`MAX_WRITES`] writes of different rows as one transaction.
    ///
    /// # Errors
    ///
    /// `Refused` where an expectation is not met; `Unavailable`, `Invalid`.
    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError>;

    /// Returns keys of control rows that are due by `now` in one list, the oldest first.
    ///
    /// What it returns may be some seconds old: read the row before acting on it.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Invalid`.
    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError>;
}

impl Row {
    /// Reads the body as what it should be.
    ///
    /// # Errors
    ///
    /// `Malformed`, with the row's place.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(&self.body).map_err(|error| StoreError::Malformed {
            sort: self.key.sort.clone(),
            source: Box::new(error),
        })
    }
}

impl Content {
    /// Writes a value as the content of a row.
    ///
    /// # Panics
    ///
    /// If `value` has a map whose keys are not texts, which no row of ours has.
    pub fn of(value: &impl Serialize) -> Self {
        let body = serde_json::to_string(value).expect("rows have text keys only");
        Self {
            body,
            fence: None,
            due: None,
            expires_at: None,
        }
    }

    /// Adds the fence of the claimed work that writes.
    #[must_use]
    pub const fn fenced(mut self, fence: u64) -> Self {
        self.fence = Some(fence);
        self
    }

    /// Adds the time at which `reconcile` should look again.
    #[must_use]
    pub const fn due_at(self, at: Timestamp) -> Self {
        self.due_in(Due::Reconcile, at)
    }

    /// Adds the time at which somebody should look again.
    #[must_use]
    pub const fn due_in(mut self, list: Due, at: Timestamp) -> Self {
        self.due = Some((list, at));
        self
    }

    /// Adds the time from which the table may drop the row.
    #[must_use]
    pub const fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

impl Write {
    /// Puts a row.
    #[must_use]
    pub const fn put(key: Key, expect: Expect, content: Content) -> Self {
        Self {
            key,
            expect,
            action: Action::Put(content),
        }
    }

    /// Removes a row.
    #[must_use]
    pub const fn delete(key: Key, expect: Expect) -> Self {
        Self {
            key,
            expect,
            action: Action::Delete,
        }
    }

    /// Insists on what a row is, without changing it.
    #[must_use]
    pub const fn check(key: Key, expect: Expect) -> Self {
        Self {
            key,
            expect,
            action: Action::Check,
        }
    }
}

impl Query {
    /// Lists a partition's rows that begin with `prefix`.
    pub fn new(table: Table, partition: impl Into<String>, prefix: impl Into<String>, limit: usize) -> Self {
        let (partition, prefix) = (partition.into(), prefix.into());
        Self {
            table,
            partition,
            prefix,
            after: None,
            limit,
            newest_first: false,
        }
    }

    /// Goes on after a place.
    #[must_use]
    pub fn after(mut self, after: Option<String>) -> Self {
        self.after = after;
        self
    }

    /// Lists in falling order of place.
    #[must_use]
    pub const fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }
}
