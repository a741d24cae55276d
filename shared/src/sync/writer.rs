//! Who takes rows over, and by what right.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::apply::Pair;
use super::lease;
use super::quarantine::{self, FoundBy, Side};
use crate::adapter::ExternalRecord;
use crate::integration::integration_key;
use crate::model::{IntegrationId, Kind, Link, Origin, System};
use crate::store::{Content, Expect, Write};

/// For how long a slice does not believe its page about a row that a webhook had taken over: a page may be as old as a
/// slice, and then be read again.
const RECENT: Duration = Duration::from_secs(15 * 60);

/// Says whether a page, which may be behind by `lag`, may be older than what was known then.
pub(super) fn is_recent(at: Timestamp, now: Timestamp, lag: Duration) -> bool {
    now.duration_since(at).unsigned_abs() < RECENT + lag
}

/// By what right a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// A slice's claim: no later holder may have written the row.
    Claim(u64),
    /// Nothing but the versions that were read, the integration's among them: a webhook waits for no run, and no run for it.
    Hint {
        /// Since when it was read.
        at: Timestamp,
        /// The version of the integration's row.
        integration: u64,
    },
}

/// Who takes rows over: a slice of a run, or the work on a webhook.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer<'w> {
    pub(super) right: Right,
    pub(super) dry_run: bool,
    pub(super) found_by: &'w FoundBy,
    /// Marks of what waits in quarantine, so that one that succeeds is taken out.
    pub(super) quarantined: &'w HashSet<String>,
    /// The versions that links had before their rows were asked for one by one; none for a page.
    pub(super) links: Option<&'w HashMap<Box<str>, Option<u64>>>,
    /// Between when changes should have been told of by webhooks, where changes alone are read.
    pub(super) told: Option<(Timestamp, Timestamp)>,
}

impl Right {
    /// Returns what must be true of a row for it to be written.
    pub(super) const fn expect(self, version: Option<u64>) -> Expect {
        match (version, self) {
            (None, _) => Expect::Absent,
            (Some(version), Self::Claim(fence)) => Expect::Fenced { version, fence },
            (Some(version), Self::Hint { .. }) => Expect::Version(version),
        }
    }

    /// Leaves on a row under which claim it was written.
    pub(super) const fn sign(self, content: Content) -> Content {
        match self {
            Self::Claim(fence) => content.fenced(fence),
            Self::Hint { .. } => content,
        }
    }

    /// Returns the part of a transaction that insists on the right: on a lane, or on the integration as it was.
    pub(super) fn lane(self, integration: &IntegrationId, lane: usize) -> Option<Write> {
        match self {
            Self::Claim(fence) => Some(lease::in_lane(integration, lane, fence)),
            Self::Hint { .. } => self.as_configured(integration),
        }
    }

    /// Returns the part that insists on the integration as it was, where no claim stands for it.
    pub(super) fn as_configured(self, id: &IntegrationId) -> Option<Write> {
        match self {
            Self::Claim(_) => None,
            Self::Hint { integration, .. } => {
                Some(Write::check(integration_key(id), Expect::Version(integration)))
            }
        }
    }
}

impl Writer<'_> {
    /// Leaves on a link when what it says was asked for, where a page that is read later may be older: a webhook's rows, and,
    /// of a system whose pages are behind by `lag`, every row that was asked for by itself.
    pub(super) fn mark(&self, link: Link, now: Timestamp, lag: Duration) -> Link {
        let hinted_at = match self.right {
            Right::Claim(_) => (self.links.is_some() && !lag.is_zero()).then_some(now),
            Right::Hint { at, .. } => Some(at),
        };
        Link { hinted_at, ..link }
    }

    /// Says whether a row of a page would bring back a record whose row was found to be gone a while ago, perhaps since.
    pub(super) fn revives(&self, pair: &Pair, system: System, now: Timestamp, lag: Duration) -> bool {
        let gone_at = pair.record.as_ref().and_then(|(_, record)| {
            let by_system = record.modified_by == Origin::System(system);
            record.deleted_at.filter(|_| by_system)
        });
        self.links.is_none() && pair.link.is_none() && gone_at.is_some_and(|at| is_recent(at, now, lag))
    }

    /// Says whether a webhook should have told of a row.
    pub(super) fn should_know(&self, row: &ExternalRecord) -> bool {
        let at = row.modified_at.filter(|_| !row.ours);
        at.zip(self.told)
            .is_some_and(|(at, (since, until))| (since..until).contains(&at))
    }

    /// Says whether somebody else may have taken over a later state of a row than the one that was read.
    pub(super) fn is_late(
        &self,
        id: &str,
        link: Option<&(u64, Link)>,
        now: Timestamp,
        lag: Duration,
    ) -> bool {
        match self.links {
            Some(before) => before.get(id).copied().flatten() != link.map(|(version, _)| *version),
            None => {
                let hinted_at = link.and_then(|(_, link)| link.hinted_at);
                hinted_at.is_some_and(|at| is_recent(at, now, lag))
            }
        }
    }

    /// Says whether a row, or a record, waits in quarantine.
    pub(super) fn waits(&self, kind: Kind, side: Side, id: &str) -> bool {
        !self.quarantined.is_empty() && self.quarantined.contains(&quarantine::mark(kind, side, id))
    }
}
