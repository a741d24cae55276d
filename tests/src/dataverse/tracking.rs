//! Change tracking: a listing of everything, then only what changed.

use std::sync::Arc;

use http::StatusCode;
use jiff::SignedDuration;
use uuid::Uuid;

use super::error::{Outcome, Refusal};
use super::link::{Bookmark, Mode};
use super::options::Options;
use super::row::Row;
use super::store::{Change, Rows};

/// How long a delta link lives when its organization changed nothing.
///
/// Source: Microsoft Learn, "Use change tracking to synchronize data", read 2026-11-21.
pub(crate) const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Holds one page of a tracked listing.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) rows: Vec<Arc<Row>>,
    pub(crate) deleted: Vec<Uuid>,
    /// Where the next page begins, or else what the delta link remembers.
    pub(crate) then: Result<Mode, Bookmark>,
}

/// Refuses what change tracking does not go with.
pub(crate) fn check(rows: &Rows, options: &Options) -> Outcome<()> {
    let table = &rows.table;
    for option in ["$filter", "$orderby", "$expand", "$top"] {
        if options.get(option).is_some() {
            let message =
                format!("The \"{option}\" query parameter isn't supported when Change Tracking is enabled.");
            return Err(Refusal::bad_request(message));
        }
    }
    if table.change_tracking {
        return Ok(());
    }
    let name = &table.logical_name;
    Err(Refusal::bad_request(format!(
        "Change tracking is not enabled for entity '{name}'."
    )))
}

/// Refuses a bookmark that the organization no longer keeps the history for.
pub(crate) fn check_age(rows: &Rows, mark: &Bookmark, now: i64, forgotten_before: u64) -> Outcome<()> {
    let expired = now - mark.taken_at > LINK_LIFETIME.as_secs() || mark.version < forgotten_before;
    if !expired && mark.metadata_version == rows.metadata_version {
        return Ok(());
    }
    let message = "Version stamp associated with the client has expired. Please perform a full sync.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, "0x80044352", message))
}

/// Lists a page of everything; what is written meanwhile comes with the first delta.
pub(crate) fn baseline(rows: &Rows, after: Option<Uuid>, since: Bookmark, size: usize) -> Tracked {
    let mut page: Vec<_> = rows.after(after).take(size + 1).cloned().collect();
    let more = page.len() > size;
    page.truncate(size);
    let next = page.last().filter(|_| more).map(|last| Mode::Baseline {
        after: last.id,
        since,
    });
    Tracked {
        rows: page,
        deleted: Vec::new(),
        then: next.ok_or(since),
    }
}

/// Lists a page of changes in `(from, to]`: rows by version, then deletions.
pub(crate) fn delta(rows: &Rows, mode: &Mode, size: usize) -> Tracked {
    let Mode::Delta {
        from,
        to,
        done,
        deletes,
    } = *mode
    else {
        unreachable!("only deltas are listed as deltas")
    };
    let start = if deletes { from.version } else { done };
    let mut page = Page {
        rows,
        size,
        written: Vec::new(),
        deleted: Vec::new(),
        last: None,
    };
    if !deletes && page.take_written(rows.changes(start, to.version)) {
        let done = page.last_version();
        return page.tracked(Ok(Mode::Delta {
            from,
            to,
            done,
            deletes: false,
        }));
    }
    let after = if deletes { done } else { from.version };
    if page.take_deleted(rows.changes(after, to.version)) {
        let done = page.last_version().max(after);
        return page.tracked(Ok(Mode::Delta {
            from,
            to,
            done,
            deletes: true,
        }));
    }
    page.tracked(Err(to))
}

struct Page<'a> {
    rows: &'a Rows,
    size: usize,
    written: Vec<Arc<Row>>,
    deleted: Vec<Uuid>,
    last: Option<u64>,
}

impl Page<'_> {
    /// Takes written rows until the page is full; returns whether some are left.
    fn take_written(&mut self, changes: impl Iterator<Item = (u64, Change)>) -> bool {
        for (version, change) in changes {
            let Change::Written(id) = change else { continue };
            if self.written.len() == self.size {
                return true;
            }
            self.written.extend(self.rows.get(id).cloned());
            self.last = Some(version);
        }
        false
    }

    fn take_deleted(&mut self, changes: impl Iterator<Item = (u64, Change)>) -> bool {
        self.last = None;
        for (version, change) in changes {
            let Change::Deleted(id) = change else { continue };
            if self.written.len() + self.deleted.len() == self.size {
                return true;
            }
            self.deleted.push(id);
            self.last = Some(version);
        }
        false
    }

    fn last_version(&self) -> u64 {
        self.last.unwrap_or_default()
    }

    fn tracked(self, then: Result<Mode, Bookmark>) -> Tracked {
        Tracked {
            rows: self.written,
            deleted: self.deleted,
            then,
        }
    }
}
