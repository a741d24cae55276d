//! How long an API has been down: one failure says nothing, half an hour of them does.
//!
//! # Shape
//!
//! One row for each integration, `breaker#{system}`, in the organization's partition; it goes after two days:
//!
//! ```json
//! {"reading":{"since":"2026-01-31T12:00:00Z","last":"2026-01-31T12:40:00Z","failures":7}}
//! ```
//!
//! Reading and writing are told apart: that one works says nothing of the other. The row is a hint, and no decision hangs on it
//! that another process must not take otherwise; where it cannot be written, what this process knows counts.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::model::IntegrationId;
use crate::store::{Content, Expect, Key, Row, Store, StoreError, Table, Write};

/// How many failures there have to be at least, of which no two are from the same minute: a call that is repeated at once is
/// one.
const FAILURES: u32 = 3;
const APART: SignedDuration = SignedDuration::from_mins(1);

/// After how long without a failure the next one is one of another outage.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(6);

/// What a call did that failed or worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Reading,
    Writing,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Outages {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<Outage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writing: Option<Outage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Outage {
    since: Timestamp,
    last: Timestamp,
    failures: u32,
}

impl Outages {
    const fn of(&mut self, side: Side) -> &mut Option<Outage> {
        match side {
            Side::Reading => &mut self.reading,
            Side::Writing => &mut self.writing,
        }
    }
}

/// Keeps count of what fails.
#[derive(Debug)]
pub(super) struct Breaker {
    after: SignedDuration,
    known: Mutex<Outages>,
    loaded: OnceCell<()>,
}

impl Breaker {
    pub(super) fn new(after: SignedDuration) -> Self {
        Self {
            after,
            known: Mutex::default(),
            loaded: OnceCell::new(),
        }
    }

    /// Says whether a side has been down for long.
    pub(super) fn is_open(&self, side: Side, now: Timestamp) -> bool {
        let outage = *self.lock().of(side);
        outage.is_some_and(|outage| {
            outage.failures >= FAILURES && now.duration_since(outage.since) >= self.after
        })
    }

    /// Takes note of a failure.
    pub(super) async fn failed(
        &self,
        store: &dyn Store,
        integration: &IntegrationId,
        side: Side,
        now: Timestamp,
    ) {
        if self.is_off() {
            return;
        }
        self.load(store, integration).await;
        let known = {
            let mut known = self.lock();
            let outage = known.of(side);
            *outage = Some(match *outage {
                Some(before) if now.duration_since(before.last) < APART => return,
                Some(before) if now.duration_since(before.last) < FORGOTTEN => Outage {
                    last: now,
                    failures: before.failures.saturating_add(1),
                    ..before
                },
                _ => Outage {
                    since: now,
                    last: now,
                    failures: 1,
                },
            });
            *known
        };
        keep(store, integration, known, now).await;
    }

    /// Takes note that a side works; nothing is written where it did all the time.
    pub(super) async fn worked(
        &self,
        store: &dyn Store,
        integration: &IntegrationId,
        side: Side,
        now: Timestamp,
    ) {
        if self.is_off() {
            return;
        }
        self.load(store, integration).await;
        let known = {
            let mut known = self.lock();
            if known.of(side).take().is_none() {
                return;
            }
            *known
        };
        keep(store, integration, known, now).await;
    }

    /// Says whether it never opens, so that nothing need be counted.
    fn is_off(&self) -> bool {
        self.after == SignedDuration::MAX
    }

    /// Reads what other processes have found out, once.
    pub(super) async fn load(&self, store: &dyn Store, integration: &IntegrationId) {
        if self.is_off() {
            return;
        }
        let read = self.loaded.get_or_try_init(|| async {
            let row = store.get(&[key(integration)]).await?.pop().flatten();
            let known: Option<Outages> = row.as_ref().map(Row::decode).transpose()?;
            *self.lock() = known.unwrap_or_default();
            Ok::<(), StoreError>(())
        });
        if let Err(error) = read.await {
            tracing::warn!(%integration, ?error, "nothing is known of earlier outages");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Outages> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(integration: &IntegrationId) -> Key {
    let sort = format!("breaker#{}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

async fn keep(store: &dyn Store, integration: &IntegrationId, known: Outages, now: Timestamp) {
    let key = key(integration);
    let write = if known == Outages::default() {
        Write::delete(key, Expect::Anything)
    } else {
        let content = Content::of(&known).expires_at(now.checked_add(48.hours()).unwrap_or(now));
        Write::put(key, Expect::Anything, content)
    };
    if let Err(error) = store.write(vec![write]).await {
        tracing::warn!(%integration, ?error, "how long the system has been down is known to this process alone");
    }
}
