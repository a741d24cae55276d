//! Handing changes over: each becomes a row of the file that collects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Files, Layout, Row, failed, key};
use crate::adapter::{Change, Outcome, Pushed, Result};
use crate::model::{FilePurpose, FileRowKey, Kind};
use crate::transfer::{self, Repeat, RowStanding};

impl<L: Layout> Files<L> {
    /// Puts changes into files; what no file can carry is refused by itself.
    pub(super) async fn hand_over(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(changes.len());
        let mut batches: BTreeMap<(FilePurpose, bool), Vec<(FileRowKey, Value)>> = BTreeMap::new();
        for change in changes {
            outcomes.push(match self.row(kind, change) {
                Ok(Row { purpose, value }) => {
                    let batch = batches.entry((purpose, change.target.is_some())).or_default();
                    batch.push((key(change), value));
                    Ok(Pushed::HandedOver)
                }
                Err(error) => Err(error),
            });
        }
        for ((purpose, is_there), rows) in batches {
            // Of a row that is there, an upload has said that it is not as it should be; of others none has said anything.
            let repeat = if is_there { Repeat::Again } else { Repeat::Changed };
            let (store, now) = (&*self.stores.store, self.clock.now());
            transfer::collect(store, &self.integration, &purpose, repeat, &rows, now)
                .await
                .map_err(failed)?;
        }
        Ok(outcomes)
    }

    /// Says in which file the row for each change is that nobody has decided about yet, and whether it says the same there.
    pub(super) async fn standings(
        &self,
        kind: Kind,
        changes: &[Change],
    ) -> Result<Vec<Option<(RowStanding, bool)>>> {
        let keys: Vec<FileRowKey> = changes.iter().map(key).collect();
        let rows: Vec<Option<Row>> = changes.iter().map(|change| self.row(kind, change).ok()).collect();
        let mut open = vec![None; changes.len()];
        for purpose in self.layout.purposes(kind) {
            let (store, id) = (&*self.stores.store, &self.integration);
            let standings = transfer::standings(store, id, &purpose, &keys).await;
            let standings = standings.map_err(|error| failed(error.into()))?;
            for ((slot, standing), row) in open.iter_mut().zip(standings).zip(&rows) {
                if let Some(standing) = standing.filter(RowStanding::is_open) {
                    let row = row.as_ref().filter(|row| row.purpose == purpose);
                    let same = row.is_some_and(|row| standing.says(&row.value));
                    *slot = Some((standing, same));
                }
            }
        }
        Ok(open)
    }
}
