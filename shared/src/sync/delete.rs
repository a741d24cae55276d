//! Makes deletions: each is asked for once more, and too many at once are left to a human.

use super::engine::{Engine, Stop, Work};
use super::position::Position;
use super::review::{self, Review, Subject};
use super::writer::Right;
use crate::adapter::{Found, Item};
use crate::model::{Kind, Link, Origin, Record, RecordId};
use crate::records;
use crate::store::{Expect, Row, StoreError, Write};

/// How often a removal is tried while the record changes under it.
const TRIES: u32 = 4;

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    Made,
    /// There is no link, and so nothing to remove.
    Needless,
    /// The record changes all the time.
    Contended,
}

impl Engine<'_> {
    pub(super) async fn delete(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Delete {
            kind,
            since,
            lists,
            list,
            found_by,
            approved,
        } = work.run.position.clone()
        else {
            return Ok(());
        };
        if list == 0 && !approved && self.too_many(work, kind).await? {
            self.leave_to_review(work, kind, lists);
            return self.end_of_kind(work, kind, since, false).await;
        }
        if list >= lists || work.run.dry_run {
            return self.end_of_kind(work, kind, since, false).await;
        }
        let ids = self.deletion_list(&found_by, kind, list).await?;
        for ids in ids.chunks(self.adapter.capability().find_batch.max(1)) {
            let found = self.adapter.find(kind, ids).await?;
            for (id, found) in ids.iter().zip(found) {
                self.delete_if_gone(work, kind, id, found).await?;
            }
        }
        let position = Position::Delete {
            kind,
            since,
            lists,
            list: list + 1,
            found_by,
            approved,
        };
        self.checkpoint(work, position).await
    }

    /// Says whether a human should see the deletions first.
    async fn too_many(&self, work: &Work, kind: Kind) -> Result<bool, Stop> {
        let totals = work.run.totals.get(&kind).copied().unwrap_or_default();
        let gone = totals.deleted + totals.absent;
        let hinted = super::hint::linked(self.store, &self.integration.id, kind).await?;
        let linked = self.linked(work, kind).await?.saturating_add_signed(hinted);
        let guard = self.integration.delete_guard;
        let beyond = gone > u64::from(guard.rows) && gone * 100 > u64::from(guard.percent) * linked;
        let nothing_left = work.run.listed.contains(&kind) && totals.read == totals.deleted;
        Ok(beyond || nothing_left && gone > 0)
    }

    fn leave_to_review(&self, work: &mut Work, kind: Kind, lists: u32) {
        let totals = work.run.totals.get(&kind).copied().unwrap_or_default();
        let count = totals.deleted + totals.absent;
        work.warn(format!(
            "{count} {} are gone from the system: too many to delete unasked",
            kind.plural()
        ));
        if work.run.dry_run {
            return;
        }
        let subject = Subject::Deletions {
            kind,
            count,
            lists,
            found_by: work.run.id.clone(),
        };
        let review = Review {
            subject,
            opened_at: self.clock.now(),
        };
        work.with_checkpoint
            .push(review::write(&self.integration.id, &review));
    }

    async fn delete_if_gone(&self, work: &mut Work, kind: Kind, id: &str, found: Found) -> Result<(), Stop> {
        match found {
            Found::Nothing => self.remove(work, kind, id, None).await,
            Found::Here(Item::Deleted { merged_into, .. }) => {
                self.remove(work, kind, id, merged_into.as_deref()).await
            }
            Found::Hidden => {
                work.warn(format!(
                    "the system does not let us look whether some {} are gone: they are kept",
                    kind.plural()
                ));
                Ok(())
            }
            Found::Here(_) => {
                work.warn(format!(
                    "the system left {} out of its list that it still has",
                    kind.plural()
                ));
                Ok(())
            }
        }
    }

    async fn remove(&self, work: &mut Work, kind: Kind, id: &str, master: Option<&str>) -> Result<(), Stop> {
        match self.remove_as(work.right(), kind, id, master, None).await? {
            Removal::Made => {
                work.totals(kind).removed += 1;
                work.totals(kind).unlinked += 1;
            }
            Removal::Needless => {}
            Removal::Contended => work.warn(format!(
                "a {kind} that is gone changes all the time; the next full run removes it"
            )),
        }
        Ok(())
    }

    /// Removes a record from the platform, whatever happens to it meanwhile; `seen` is the version that its link must have.
    pub(super) async fn remove_as(
        &self,
        right: Right,
        kind: Kind,
        id: &str,
        master: Option<&str>,
        seen: Option<u64>,
    ) -> Result<Removal, Stop> {
        let link_key = records::link_key(&self.integration.id, kind, id);
        for _ in 0..TRIES {
            let Some(link_row) = self.read(std::slice::from_ref(&link_key)).await?.pop().flatten() else {
                return Ok(Removal::Needless);
            };
            if seen.is_some_and(|seen| seen != link_row.version) {
                return Ok(Removal::Contended);
            }
            let link: Link = link_row.decode()?;
            let merged_into = self.record_of(kind, master).await?;
            let writes = self.removal(right, kind, &link, &link_row, merged_into).await?;
            let guard = right.as_configured(&self.integration.id);
            let parts = writes.len();
            match self.write(writes.into_iter().chain(guard).collect()).await {
                Ok(()) => return Ok(Removal::Made),
                Err(StoreError::Refused { parts: refused }) if refused.contains(&parts) => {
                    return Err(Stop::Fenced);
                }
                Err(StoreError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Removal::Contended)
    }

    async fn removal(
        &self,
        right: Right,
        kind: Kind,
        link: &Link,
        link_row: &Row,
        merged_into: Option<RecordId>,
    ) -> Result<Vec<Write>, Stop> {
        let id = &self.integration.id;
        let key = records::record_key(&id.organization, kind, &link.record);
        let mut writes = vec![
            Write::delete(link_row.key.clone(), right.expect(Some(link_row.version))),
            Write::delete(records::pending_key(id, kind, &link.record), Expect::Anything),
            review::remove(id, kind, &link.record),
        ];
        if let Some(row) = self.read(std::slice::from_ref(&key)).await?.pop().flatten() {
            let record = Record::from_row(kind, &row)?;
            let mut gone = match record.is_live() {
                true => record.tombstone(self.clock.now(), Origin::System(id.system), merged_into),
                false => record,
            };
            gone.links.remove(&id.system);
            gone.handed_to.remove(&id.system);
            writes.push(Write::put(
                key,
                right.expect(Some(row.version)),
                right.sign(gone.content()),
            ));
        }
        Ok(writes)
    }

    async fn record_of(&self, kind: Kind, external: Option<&str>) -> Result<Option<RecordId>, Stop> {
        let Some(external) = external else { return Ok(None) };
        let key = records::link_key(&self.integration.id, kind, external);
        let row = self.read(&[key]).await?.pop().flatten();
        let link: Option<Link> = row.map(|row| row.decode()).transpose()?;
        Ok(link.map(|link| link.record))
    }
}
