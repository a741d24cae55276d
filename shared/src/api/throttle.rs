//! How often a client may be tried with a wrong secret from one address, and how long a refusal takes.
//!
//! Nobody guesses 256 random bits; this only keeps guesses from costing anything. It is counted in each process for
//! itself, and a client that is tried from somewhere is let in from everywhere else.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::RemoteAddress;
use super::form::OAuthError;
use crate::clock::Clock;
use crate::registry::GrantError;

/// How many wrong secrets are looked at …
const TRIES: u32 = 20;
/// … in this time.
const WINDOW: Duration = Duration::from_secs(60);
/// A refusal takes a multiple of this, whatever it was that was wrong: what is read and computed takes a hundredth.
const BEAT: Duration = Duration::from_millis(100);
/// How many pairs of client and address are remembered.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Tried {
    since: Timestamp,
    wrong: u32,
}

/// Counts wrong secrets.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<u64, Tried>>);

/// A try that was begun.
#[derive(Debug)]
pub(super) struct Try<'a> {
    throttle: &'a Throttle,
    key: u64,
    clock: &'a dyn Clock,
    began: Timestamp,
}

impl Throttle {
    /// Begins a try, unless there were too many wrong ones.
    pub(super) fn begin<'a>(
        &'a self,
        client: &str,
        remote: &RemoteAddress,
        clock: &'a dyn Clock,
    ) -> Result<Try<'a>, OAuthError> {
        let began = clock.now();
        let mut hasher = DefaultHasher::new();
        (client, remote).hash(&mut hasher);
        let key = hasher.finish();
        let wrong = self
            .tried()
            .get(&key)
            .filter(|tried| tried.is_recent(began))
            .map_or(0, |tried| tried.wrong);
        if wrong < TRIES {
            Ok(Try {
                throttle: self,
                key,
                clock,
                began,
            })
        } else {
            Err(OAuthError::TooMany)
        }
    }

    fn tried(&self) -> MutexGuard<'_, HashMap<u64, Tried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tried {
    fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.since).unsigned_abs() < WINDOW
    }
}

impl Try<'_> {
    /// Ends the try with what came of it; a wrong one on the next beat.
    pub(super) async fn end<T>(self, outcome: Result<T, GrantError>) -> Result<T, OAuthError> {
        if matches!(outcome, Err(GrantError::InvalidClient)) {
            self.count();
            let spent = self.clock.now().duration_since(self.began).unsigned_abs();
            let beyond =
                Duration::from_nanos(u64::try_from(spent.as_nanos() % BEAT.as_nanos()).unwrap_or_default());
            self.clock.sleep(BEAT - beyond).await;
        }
        Ok(outcome?)
    }

    fn count(&self) {
        let (now, mut tried) = (self.began, self.throttle.tried());
        if tried.len() >= REMEMBERED {
            tried.retain(|_, tried| tried.is_recent(now));
        }
        if tried.len() >= REMEMBERED {
            tried.clear();
        }
        let fresh = Tried { since: now, wrong: 0 };
        let entry = tried.entry(self.key).or_insert(fresh);
        if !entry.is_recent(now) {
            *entry = fresh;
        }
        entry.wrong += 1;
    }
}
