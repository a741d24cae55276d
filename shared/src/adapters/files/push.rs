//! Handing changes over: each becomes a row of the file that collects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Files, Layout, Row, failed};
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
                Ok(Row { purpose, key, value }) => {
                    let batch = batches.entry((purpose, change.target.is_some())).or_default();
                    batch.push((key, value));
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

    /// Says by which file the row for each change went out last, and whether it said the same; nothing for one that no file
    /// can carry, or has carried.
    pub(in crate::adapters) async fn standings(
        &self,
        kind: Kind,
        changes: &[Change],
    ) -> Result<Vec<Option<(RowStanding, bool)>>> {
        let rows: Vec<Option<Row>> = changes.iter().map(|change| self.row(kind, change).ok()).collect();
        let mut keys: BTreeMap<FilePurpose, Vec<FileRowKey>> = BTreeMap::new();
        for row in rows.iter().flatten() {
            keys.entry(row.purpose.clone()).or_default().push(row.key.clone());
        }
        let mut known = BTreeMap::new();
        for (purpose, keys) in keys {
            let standings =
                transfer::standings(&*self.stores.store, &self.integration, &purpose, &keys).await;
            let standings = standings.map_err(|error| failed(error.into()))?;
            known.extend(
                keys.into_iter()
                    .zip(standings)
                    .map(|(key, standing)| ((purpose.clone(), key), standing)),
            );
        }
        let stands = |row: Option<Row>| {
            let row = row?;
            let standing = known.get(&(row.purpose, row.key))?.clone()?;
            let same = standing.says(&row.value);
            Some((standing, same))
        };
        Ok(rows.into_iter().map(stands).collect())
    }
}
