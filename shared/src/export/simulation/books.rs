//! A ledger that is late, refuses, loses answers and shows things late, and keeps to what it promises.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::super::ledger::{Dedup, Entry, FindError, Ledger, Route, Sent, Standing};
use super::super::reference::Reference;
use super::super::voucher::Voucher;
use super::chance::Chance;

/// One thing that the ledger took.
#[derive(Debug, Clone)]
struct Taken {
    entry: Entry,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct Books {
    dedup: Dedup,
    route: Route,
    chance: Arc<Chance>,
    taken: Arc<Mutex<Vec<Taken>>>,
    /// How many requests have arrived under each reference.
    arrived: Arc<Mutex<BTreeMap<Reference, usize>>>,
}

fn entry(voucher: &Voucher) -> Entry {
    Entry {
        reference: voucher.reference().clone(),
        standing: Standing::Queued,
        total: voucher.owed(),
        subledger: voucher.subledger().map(Into::into),
    }
}

impl Books {
    pub(super) fn new(dedup: Dedup, route: Route, chance: Arc<Chance>) -> Self {
        Self {
            dedup,
            route,
            chance,
            taken: Arc::default(),
            arrived: Arc::default(),
        }
    }

    /// Returns what the ledger has, for who can look into it.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.taken
            .lock()
            .unwrap()
            .iter()
            .map(|taken| taken.entry.clone())
            .collect()
    }

    /// Returns how far it is with what it has under a reference.
    pub(super) fn standing(&self, reference: &Reference) -> Option<Standing> {
        self.under(reference).pop().map(|entry| entry.standing)
    }

    /// Says whether it is there, or about to be posted.
    pub(super) fn has(&self, reference: &Reference) -> bool {
        let stands =
            |entry: &Entry| entry.reference == *reference && !matches!(entry.standing, Standing::Rejected(_));
        self.entries().iter().any(stands)
    }

    pub(super) fn arrived(&self, reference: &Reference) -> usize {
        self.arrived.lock().unwrap().get(reference).copied().unwrap_or(0)
    }

    /// Somebody removes what was refused, having read why.
    pub(super) fn remove_refused(&self, reference: &Reference) {
        let refused =
            |entry: &Entry| entry.reference == *reference && matches!(entry.standing, Standing::Rejected(_));
        self.taken.lock().unwrap().retain(|taken| !refused(&taken.entry));
    }

    /// The job that posts what waits.
    pub(super) fn post(&self) {
        for taken in self.taken.lock().unwrap().iter_mut() {
            if taken.entry.standing == Standing::Queued {
                let refused = self.chance.fault(12);
                taken.entry.standing = if refused {
                    Standing::Rejected("the period is closed".into())
                } else {
                    Standing::Posted
                };
            }
        }
    }

    fn under(&self, reference: &Reference) -> Vec<Entry> {
        self.entries()
            .into_iter()
            .filter(|entry| entry.reference == *reference)
            .collect()
    }

    fn answer(&self, voucher: &Voucher) -> Sent {
        if self.chance.fault(15) {
            return Sent::Rejected("the account is locked".into());
        }
        let before = self.under(voucher.reference());
        if self.dedup == Dedup::UniqueKey && !before.is_empty() {
            return Sent::Duplicate(before);
        }
        *self
            .arrived
            .lock()
            .unwrap()
            .entry(voucher.reference().clone())
            .or_default() += 1;
        let (entry, at) = (entry(voucher), Instant::now());
        self.taken.lock().unwrap().push(Taken { entry, at });
        Sent::Accepted
    }

    fn share(&self) -> Self {
        Self {
            dedup: self.dedup,
            route: self.route,
            chance: Arc::clone(&self.chance),
            taken: Arc::clone(&self.taken),
            arrived: Arc::clone(&self.arrived),
        }
    }
}

#[async_trait]
impl Ledger for Books {
    fn dedup(&self) -> Dedup {
        self.dedup
    }

    fn route(&self) -> Route {
        self.route
    }

    async fn send(&self, voucher: &Voucher) -> Sent {
        // Whoever is held still here sends when it wakes up, long after its claim.
        self.chance.point().await;
        if self.chance.fault(10) {
            return Sent::NotSent("the connection was refused".into());
        }
        if self.chance.fault(6) {
            // It left, and arrives whatever becomes of who sent it: hours later, or never.
            if self.chance.one_in(2) {
                let (books, voucher) = (self.share(), voucher.clone());
                let late = Duration::from_secs(self.chance.below(6 * 3_600));
                drop(tokio::spawn(async move {
                    sleep(late).await;
                    books.answer(&voucher);
                }));
            }
            sleep(Duration::from_secs(20)).await;
            return Sent::Unknown;
        }
        let answer = self.answer(voucher);
        self.chance.point().await;
        if self.chance.fault(6) {
            Sent::Unknown
        } else {
            answer
        }
    }

    async fn find(&self, reference: &Reference) -> Result<Vec<Entry>, FindError> {
        self.chance.point().await;
        if self.dedup == Dedup::None || self.chance.fault(8) {
            return Err(FindError("it is down".into()));
        }
        let hidden = self.chance.fault(4);
        let shown = |taken: &&Taken| {
            let fresh = taken.at.elapsed() < Duration::from_secs(600);
            taken.entry.reference == *reference && !(hidden && fresh)
        };
        Ok(self
            .taken
            .lock()
            .unwrap()
            .iter()
            .filter(shown)
            .map(|taken| taken.entry.clone())
            .collect())
    }
}
