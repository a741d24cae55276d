//! Reads what a system holds, page by page: the next page travels while this one is written.

use futures::future::OptionFuture;

use jiff::Timestamp;

use super::cursor::Known;
use super::engine::{Engine, Stop, Work};
use super::listing;
use super::position::Position;
use super::totals::Totals;
use crate::adapter::{Cursor, Error, ErrorKind, From, Next, Pulled};
use crate::model::Kind;
use crate::store::Write;

/// Where a reading is.
#[derive(Debug, Clone)]
struct Reading {
    kind: Kind,
    page: u32,
    listing: bool,
    /// Whether what it did not tell is not there.
    complete: bool,
    fresh: bool,
    lists: u32,
}

impl Engine<'_> {
    pub(super) async fn pull(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Pull {
            kind,
            from,
            page,
            listing,
            fresh,
            lists,
        } = work.run.position.clone()
        else {
            return Ok(());
        };
        let mut reading = Reading {
            kind,
            page,
            listing,
            complete: true,
            fresh,
            lists,
        };
        let mut pulled = match self.adapter.pull(kind, &from).await {
            Ok(pulled) => pulled,
            Err(error) => return self.start_over(work, kind, &from, error).await,
        };
        loop {
            let next = pulled.next.clone();
            let ahead: OptionFuture<_> = match &next {
                Next::Page(cursor) => Some(self.ahead(kind, cursor.clone())).into(),
                Next::End(_) | Next::Enough(_) => None.into(),
            };
            let (taken, ahead) = futures::join!(self.take_page(work, &mut reading, pulled), ahead);
            taken?;
            match (next, ahead) {
                (Next::Page(_), Some(Ok(next))) => pulled = next,
                (Next::Page(cursor), Some(Err(error))) => {
                    return self.start_over(work, kind, &From::Page(cursor), error).await;
                }
                (Next::Page(_), None) => return Ok(()),
                (Next::End(_) | Next::Enough(_), _) => return Ok(()),
            }
        }
    }

    async fn ahead(&self, kind: Kind, cursor: Cursor) -> Result<Pulled, crate::adapter::Error> {
        self.adapter.pull(kind, &From::Page(cursor)).await
    }

    /// Reads everything, where the system no longer knows since when to tell changes, or which page comes next; that once
    /// in a run, so that one that always forgets does not have it go on for ever. A run asks for changes but once.
    async fn start_over(&self, work: &mut Work, kind: Kind, from: &From, error: Error) -> Result<(), Stop> {
        let mut is_first = || matches!(from, From::Since(_)) || work.run.restarted.insert(kind);
        if error.kind() != ErrorKind::CursorExpired || !is_first() {
            return Err(error.into());
        }
        work.warn(format!(
            "all {} are read, and not only those that have changed: {error}",
            kind.plural()
        ));
        let position = Position::Pull {
            kind,
            from: From::Start,
            page: 0,
            listing: true,
            fresh: false,
            lists: 0,
        };
        self.checkpoint(work, position).await
    }

    /// Writes a page, and goes on behind it.
    async fn take_page(&self, work: &mut Work, reading: &mut Reading, pulled: Pulled) -> Result<(), Stop> {
        let (kind, said_nothing) = (reading.kind, pulled.items.is_empty());
        for warning in pulled.warnings {
            work.warn(warning);
        }
        work.told = self.told(work, reading);
        let applied = self.apply(work, kind, pulled.items, reading.fresh).await;
        work.told = None;
        let applied = applied?;
        if reading.listing {
            work.with_checkpoint
                .push(listing::seen(&work.run, kind, reading.page, &applied.seen));
        }
        reading.lists = listing::keep_deletions(work, kind, reading.lists, &applied.deletions);
        reading.page += 1;
        work.totals(kind).add(&applied.totals);
        match pulled.next {
            Next::Page(cursor) => self.checkpoint(work, reading.at(From::Page(cursor))).await,
            Next::End(since) => self.end_of_reading(work, reading, since, said_nothing).await,
            Next::Enough(since) => {
                reading.complete = false;
                self.end_of_reading(work, reading, since, said_nothing).await
            }
        }
    }

    /// Returns between when what a page says should have been told of by webhooks: a listing says more than what has changed.
    fn told(&self, work: &Work, reading: &Reading) -> Option<(Timestamp, Timestamp)> {
        let since = work.webhooks_since.filter(|_| !reading.listing)?;
        Some((
            since,
            work.run.opened_at.checked_sub(super::engine::PATIENCE).ok()?,
        ))
    }

    async fn end_of_reading(
        &self,
        work: &mut Work,
        reading: &Reading,
        since: Cursor,
        said_nothing: bool,
    ) -> Result<(), Stop> {
        let kind = reading.kind;
        if reading.listing && reading.complete {
            work.run.listed.insert(kind);
        }
        // A webhook may have taken over rows that have gone since.
        let was_empty =
            reading.fresh && !super::hint::is_hinted(self.store, &self.integration.id, kind).await?;
        let position = if reading.listing && reading.complete && !was_empty {
            Position::Sweep {
                kind,
                since,
                pages: reading.page,
                after: None,
                lists: reading.lists,
            }
        } else if reading.lists > 0 {
            let found_by = work.run.id.clone();
            Position::Delete {
                kind,
                since: Some(since),
                lists: reading.lists,
                list: 0,
                found_by,
                approved: false,
            }
        } else {
            return self
                .end_of_kind(work, kind, Some(since), said_nothing && reading.page == 1)
                .await;
        };
        self.checkpoint(work, position).await
    }

    /// Keeps the cursor and goes on to the next kind.
    ///
    /// Where nothing was told, the cursor travels with the next checkpoint that is due anyway.
    pub(super) async fn end_of_kind(
        &self,
        work: &mut Work,
        kind: Kind,
        since: Option<Cursor>,
        said_nothing: bool,
    ) -> Result<(), Stop> {
        let since = since.filter(|_| !work.run.dry_run);
        if let Some(cursor) = &since {
            let linked = self.linked(work, kind).await?;
            let known = Known {
                cursor: cursor.clone(),
                mapping_version: work.run.mappings.get(&kind).copied().unwrap_or_default(),
                linked,
            };
            work.with_checkpoint
                .push(super::cursor::write(&self.integration.id, kind, &known));
        }
        let next = self.after_delete(work, kind);
        if said_nothing {
            work.run.position = next;
            return Ok(());
        }
        self.checkpoint(work, next).await?;
        if let Some(cursor) = since
            && let Err(error) = self.adapter.acknowledge(kind, &cursor).await
        {
            tracing::warn!(%kind, %error, "the next reading tells the system what is kept");
        }
        Ok(())
    }

    /// Returns how many records of a kind are linked by now.
    pub(super) async fn linked(&self, work: &Work, kind: Kind) -> Result<u64, Stop> {
        let before = match work.run.linked.get(&kind) {
            Some(before) => *before,
            None => {
                let known = super::cursor::read(self.store, &self.integration.id, kind).await?;
                known.map_or(0, |known| known.linked)
            }
        };
        let Totals { linked, unlinked, .. } = work.run.totals.get(&kind).copied().unwrap_or_default();
        Ok((before + linked).saturating_sub(unlinked))
    }

    /// Returns the writes that keep how many records are linked, where the end of a run finds it to be another number
    /// than the end of a reading did.
    pub(super) async fn recount(&self, work: &Work) -> Result<Vec<Write>, Stop> {
        let mut writes = Vec::new();
        for kind in work.run.totals.keys().copied().filter(|_| !work.run.dry_run) {
            let linked = self.linked(work, kind).await?;
            let known = super::cursor::read(self.store, &self.integration.id, kind).await?;
            if let Some(known) = known.filter(|known| known.linked != linked) {
                let known = Known { linked, ..known };
                writes.push(super::cursor::write(&self.integration.id, kind, &known));
            }
        }
        Ok(writes)
    }
}

impl Reading {
    fn at(&self, from: From) -> Position {
        let Self {
            kind,
            page,
            listing,
            fresh,
            lists,
            complete: _,
        } = *self;
        Position::Pull {
            kind,
            from,
            page,
            listing,
            fresh,
            lists,
        }
    }
}
