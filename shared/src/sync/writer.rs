//! Who takes rows over, and by what right.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::lease;
use super::quarantine::{self, FoundBy, Side};
use crate::adapter::ExternalRecord;
use crate::model::{IntegrationId, Kind, Link};
use crate::store::{Content, Expect, Write};

/// For how long a slice does not believe its page about a row that a webhook had taken over: a page may be as old as a
/// slice, and then be read again.
const RECENT: Duration = Duration::from_secs(15 * 60);

/// By what right a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// A slice's claim: no later holder may have written the row.
    Claim(u64),
    /// Nothing but the versions that were read, since this time: a webhook waits for no run, and no run for it.
    Hint(Timestamp),
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
            (Some(version), Self::Hint(_)) => Expect::Version(version),
        }
    }

    /// Leaves on a row under which claim it was written.
    pub(super) const fn sign(self, content: Content) -> Content {
        match self {
            Self::Claim(fence) => content.fenced(fence),
            Self::Hint(_) => content,
        }
    }

    /// Returns the part of a transaction that insists on a lane, where there are any.
    pub(super) fn lane(self, integration: &IntegrationId, lane: usize) -> Option<Write> {
        match self {
            Self::Claim(fence) => Some(lease::in_lane(integration, lane, fence)),
            Self::Hint(_) => None,
        }
    }

    /// Leaves on a link whether a webhook brought what it says, and when that was asked for.
    pub(super) fn mark(self, link: Link) -> Link {
        let hinted_at = match self {
            Self::Claim(_) => None,
            Self::Hint(at) => Some(at),
        };
        Link { hinted_at, ..link }
    }
}

impl Writer<'_> {
    /// Says whether a webhook should have told of a row.
    pub(super) fn should_know(&self, row: &ExternalRecord) -> bool {
        let at = row.modified_at.filter(|_| !row.ours);
        at.zip(self.told)
            .is_some_and(|(at, (since, until))| (since..until).contains(&at))
    }

    /// Says whether somebody else may have taken over a later state of a row than the one that was read.
    pub(super) fn is_late(&self, id: &str, link: Option<&(u64, Link)>, now: Timestamp) -> bool {
        match self.links {
            Some(before) => before.get(id).copied().flatten() != link.map(|(version, _)| *version),
            None => {
                let hinted_at = link.and_then(|(_, link)| link.hinted_at);
                hinted_at.is_some_and(|at| {
                    now.duration_since(at) < jiff::SignedDuration::try_from(RECENT).unwrap_or_default()
                })
            }
        }
    }

    /// Says whether a row, or a record, waits in quarantine.
    pub(super) fn waits(&self, kind: Kind, side: Side, id: &str) -> bool {
        !self.quarantined.is_empty() && self.quarantined.contains(&quarantine::mark(kind, side, id))
    }
}
