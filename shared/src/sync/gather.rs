//! Marks the records that a system has never been told of.

use super::engine::{Engine, Stop, Work};
use super::position::Position;
use crate::model::Record;
use crate::records;
use crate::store::{Query, Table};

/// How many records are looked through in one go.
const GATHER: usize = 1_000;

impl Engine<'_> {
    /// Looks, where everything was read, for records that the system has never been told of.
    pub(super) async fn gather(&self, work: &mut Work) -> Result<(), Stop> {
        let Position::Gather { kind, after } = work.run.position.clone() else {
            return Ok(());
        };
        if !work.run.listed.contains(&kind) || !self.sends(kind) {
            work.run.position = self.after_gather(kind);
            return Ok(());
        }
        let partition = records::record_partition(&self.integration.id.organization, kind);
        let page = self
            .query(&Query::new(Table::Records, partition, "", GATHER).after(after))
            .await?;
        let mut marks = Vec::new();
        for row in &page.rows {
            let record = Record::from_row(kind, row)?;
            if record.is_live() && !record.links.contains_key(&self.integration.id.system) {
                marks.push(records::pend(&self.integration.id, kind, &record.id));
            }
        }
        if work.run.dry_run {
            work.totals(kind).sent += marks.len() as u64;
            marks.clear();
        }
        for marks in marks.chunks(crate::store::MAX_WRITES) {
            self.write(marks.to_vec()).await?;
        }
        let position = match page.next {
            Some(next) => Position::Gather {
                kind,
                after: Some(next),
            },
            None => self.after_gather(kind),
        };
        self.checkpoint(work, position).await
    }
}
