//! How often a client may be tried with a wrong secret from one address.
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
use crate::registry::GrantError;

/// How many wrong secrets are looked at …
const TRIES: u32 = 20;
/// … in this time.
const WINDOW: Duration = Duration::from_secs(60);
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
    now: Timestamp,
}

impl Throttle {
    /// Begins a try, unless there were too many wrong ones.
    pub(super) fn begin(
        &self,
        client: &str,
        remote: &RemoteAddress,
        now: Timestamp,
    ) -> Result<Try<'_>, OAuthError> {
        let mut hasher = DefaultHasher::new();
        (client, remote).hash(&mut hasher);
        let key = hasher.finish();
        let wrong = self
            .tried()
            .get(&key)
            .filter(|tried| tried.is_recent(now))
            .map_or(0, |tried| tried.wrong);
        if wrong < TRIES {
            Ok(Try {
                throttle: self,
                key,
                now,
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
    /// Ends the try with what came of it.
    pub(super) fn end<T>(self, outcome: Result<T, GrantError>) -> Result<T, OAuthError> {
        if matches!(outcome, Err(GrantError::InvalidClient)) {
            self.count();
        }
        Ok(outcome?)
    }

    fn count(&self) {
        let (now, mut tried) = (self.now, self.throttle.tried());
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
