//! What the export asks of a ledger, and what it takes from the answers.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::mapping::Mapping;
use super::preflight::LedgerFacts;
use super::reference::Reference;
use super::step::{Answer, Look};
use super::voucher::Voucher;
use crate::adapter::{self, Usage};
use crate::model::Money;

/// How a ledger keeps a voucher from being booked twice; the protocol follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dedup {
    /// It takes a reference once: sending again is safe.
    UniqueKey,
    /// It takes a reference as often as it is sent, and can be asked what stands under it.
    Queryable,
    /// Neither.
    None,
}

/// A way to a ledger. A voucher takes one, for ever, since two of them do not know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Over the ledger's GraphQL API.
    Graphql,
    /// Over its SOAP API.
    Soap,
    /// As a file that somebody imports.
    Csv,
}

/// What a ledger has under a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The reference.
    pub reference: Reference,
    /// How far it is.
    pub standing: Standing,
    /// What is owed to the claimant by it, less than nothing where the claimant owes.
    pub total: Money,
    /// The claimant's account, where the ledger tells it.
    pub subledger: Option<Box<str>>,
}

/// How far a ledger is with what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It waits to be posted.
    Queued,
    /// It is in the books.
    Posted,
    /// It was taken, and refused when it was to be posted.
    Rejected(Box<str>),
}

/// What became of a voucher that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The ledger has it.
    Accepted,
    /// The ledger has had something under the reference before, and took nothing.
    Duplicate(Vec<Entry>),
    /// The ledger refuses it as it is, and kept nothing of it.
    Rejected(Box<str>),
    /// Nothing left, or what left was turned away unread; sending later may do.
    NotSent(Box<str>),
    /// It left, and no answer came that says what became of it.
    Unknown,
}

/// A ledger did not say what stands under a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger did not say what it has: {0}")]
pub struct FindError(pub Box<str>);

/// A ledger, by one route.
///
/// # Behaviour
///
/// - What it calls [`Sent::NotSent`] or [`Sent::Rejected`] is not booked later. Where in doubt it is `Unknown`: a
///   connection that broke, a deadline, a server's error after the request was read.
/// - A voucher is taken wholly or not at all.
/// - `find` returns all that stands under the reference, queued, posted and refused alike.
/// - Both answer, one way or the other, well within the time that a claim holds.
/// - Reasons hold no secret and no personal data.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// Says how it keeps a voucher from being booked twice.
    fn dedup(&self) -> Dedup;

    /// Says which way this is.
    fn route(&self) -> Route;

    /// Sends a voucher, once.
    async fn send(&self, voucher: &Voucher) -> Sent;

    /// Returns what stands under a reference.
    ///
    /// # Errors
    ///
    /// Where it cannot say: never to be taken for "nothing".
    async fn find(&self, reference: &Reference) -> Result<Vec<Entry>, FindError>;
}

/// What is asked of a system's books before anything is exported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The accounts that vouchers would be booked on.
    pub accounts: BTreeSet<Box<str>>,
    /// The claimants that vouchers name.
    pub subledgers: BTreeSet<Box<str>>,
}

/// Some of what a system has in its books under our references.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    /// What it has.
    pub entries: Vec<Entry>,
    /// Where to go on, if there is more.
    pub next: Option<String>,
}

/// A system that keeps books, as one integration reaches it.
///
/// # Behaviour
///
/// - Only `route`, `facts` and `entries` do I/O, and the ledgers.
/// - `route` never answers with another way because of what may pass: an error that is temporary stays one.
#[async_trait]
pub trait Books: Debug + Send + Sync + 'static {
    /// Returns how the organization's reimbursements are booked.
    fn mapping(&self) -> &Mapping;

    /// Says whether what is approved is exported without anybody's asking.
    fn automatic(&self) -> bool;

    /// Says for how long a route that was found stays the one that is taken.
    fn route_holds(&self) -> Duration;

    /// Returns how many requests the organization's contract has in a month; none where they are not counted.
    fn monthly_requests(&self) -> Option<u64>;

    /// Returns what was sent and received since this was last asked.
    fn take_usage(&self) -> Usage;

    /// Returns what the system last refused the credential with, since this was last asked: what a ledger says of a
    /// voucher does not tell.
    fn take_refusal(&self) -> Option<adapter::Error>;

    /// Finds out which way works, by asking.
    ///
    /// # Errors
    ///
    /// As the system's answers are to be taken; temporary ones say nothing of which way works.
    async fn route(&self) -> adapter::Result<Route>;

    /// Returns what is known of the books by one way; what cannot be asked is left out.
    ///
    /// # Errors
    ///
    /// As the system's answers are to be taken.
    async fn facts(&self, route: Route, needs: &Needs) -> adapter::Result<LedgerFacts>;

    /// Returns the ledger, by one way.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the integration is not set up for it.
    fn ledger(&self, route: Route) -> adapter::Result<Arc<dyn Ledger>>;

    /// Returns some of what stands in the books under references of ours since a day, with the place to go on.
    ///
    /// # Errors
    ///
    /// As the system's answers are to be taken; `Unsupported` where none of its ways lets it be asked.
    async fn entries(&self, since: Date, after: Option<&str>) -> adapter::Result<Entries>;
}

impl Route {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graphql => "graphql",
            Self::Soap => "soap",
            Self::Csv => "csv",
        }
    }
}

impl Sent {
    /// Returns what the protocol takes from it, and the reason that goes with it.
    pub(super) fn answer(self, voucher: &Voucher) -> (Answer, Option<Box<str>>) {
        match self {
            Self::Accepted => (Answer::Accepted, None),
            Self::Duplicate(entries) => {
                let (look, reason) = look(&entries, voucher);
                (Answer::Duplicate(look), reason)
            }
            Self::Rejected(reason) => (Answer::Rejected, Some(reason)),
            Self::NotSent(reason) => (Answer::NotSent, Some(reason)),
            Self::Unknown => (Answer::Unknown, None),
        }
    }
}

/// Compares what a ledger has with what it should have.
///
/// The accounts are not compared, since a ledger splits lines when it works out tax: what the claimant is owed is.
pub(super) fn look(entries: &[Entry], voucher: &Voucher) -> (Look, Option<Box<str>>) {
    let standing: Vec<_> = entries
        .iter()
        .filter(|entry| entry.reference == *voucher.reference())
        .filter(|entry| !matches!(entry.standing, Standing::Rejected(_)))
        .collect();
    match standing.as_slice() {
        [] => refused(entries),
        [entry] if differs(entry, voucher) => {
            let reason = format!(
                "the ledger has {} under the reference, and {} were sent",
                entry.total,
                voucher.owed()
            );
            (Look::Different, Some(reason.into()))
        }
        [entry] if entry.standing == Standing::Posted => (Look::Posted, None),
        [_] => (Look::Queued, None),
        several => {
            let reason = format!("the ledger has {} vouchers under the reference", several.len());
            (Look::Different, Some(reason.into()))
        }
    }
}

fn refused(entries: &[Entry]) -> (Look, Option<Box<str>>) {
    let reason = entries.iter().find_map(|entry| match &entry.standing {
        Standing::Rejected(reason) => Some(reason.clone()),
        Standing::Queued | Standing::Posted => None,
    });
    reason.map_or((Look::Nothing, None), |reason| (Look::Rejected, Some(reason)))
}

fn differs(entry: &Entry, voucher: &Voucher) -> bool {
    let other = |code: &str| voucher.subledger().is_some_and(|ours| ours != code);
    entry.total != voucher.owed() || entry.subledger.as_deref().is_some_and(other)
}
