//! Handing changes over: each becomes a row of the file that collects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Files, Layout, Row, failed, key};
use crate::adapter::{Change, ChangeAction, Outcome, Pushed, Result};
use crate::model::{FilePurpose, FileRowKey, Kind};
use crate::transfer::{self, File, Repeat, RowStanding};

impl<L: Layout> Files<L> {
    /// Puts changes into files; what no file can carry is refused by itself.
    pub(super) async fn hand_over(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        let listed = match changes.iter().any(|change| change.target.is_none()) {
            true => self.listed(kind).await?,
            false => None,
        };
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(changes.len());
        let mut rows: BTreeMap<FilePurpose, Vec<(FileRowKey, Value, bool)>> = BTreeMap::new();
        for change in changes {
            outcomes.push(
                match (
                    self.objection(kind, change, listed.is_some()),
                    self.row(kind, change),
                ) {
                    (_, Err(error)) => Err(error),
                    (Some(reason), _) => Ok(Pushed::Waits(reason)),
                    (None, Ok(Row { purpose, value })) => {
                        let row = (key(change), value, change.target.is_some());
                        rows.entry(purpose).or_default().push(row);
                        Ok(Pushed::HandedOver)
                    }
                },
            );
        }
        if !rows.is_empty() {
            self.used.lock().await.remove(&kind);
        }
        for (purpose, rows) in rows {
            self.collect(&purpose, rows, listed.as_ref()).await?;
        }
        Ok(outcomes)
    }

    /// Says why a change is better not handed over now.
    fn objection(&self, kind: Kind, change: &Change, is_listed: bool) -> Option<String> {
        let Some(target) = &change.target else {
            let waits = self.layout.makes_twice() && !is_listed;
            return waits.then(|| {
                format!(
                    "for a complete upload of {}, an empty one where the system has none: what it has already would be made \
                     twice",
                    kind.plural()
                )
            });
        };
        let mapped = self
            .layout
            .kinds()
            .iter()
            .find(|known| known.kind == kind)?
            .mapped;
        let untold = mapped & !target.tellable;
        if untold == 0 || self.layout.leaves_blanks() || matches!(change.action, ChangeAction::Remove) {
            return None;
        }
        let fields = kind.fields().iter().enumerate();
        let names: Vec<&str> = fields
            .filter(|(position, _)| untold >> position & 1 == 1)
            .map(|(_, field)| field.name)
            .collect();
        Some(format!(
            "for a decision about {0}, or an upload with {0}: a file would empty them",
            names.join(", ")
        ))
    }

    /// Puts rows into the file for a purpose.
    ///
    /// One goes out once more although it says what it said where the file was imported, and the system has been looked at
    /// since: of a row that is there, an upload has said that it is not as it should be, and of others a complete one that they
    /// are not there.
    async fn collect(
        &self,
        purpose: &FilePurpose,
        rows: Vec<(FileRowKey, Value, bool)>,
        listed: Option<&File>,
    ) -> Result<()> {
        let keys: Vec<FileRowKey> = rows.iter().map(|(key, ..)| key.clone()).collect();
        let (store, id, now) = (&*self.stores.store, &self.integration, self.clock.now());
        let standings = transfer::standings(store, id, purpose, &keys).await;
        let standings = standings.map_err(|error| failed(error.into()))?;
        let mut batches: [Vec<(FileRowKey, Value)>; 2] = Default::default();
        for ((key, value, is_there), standing) in rows.into_iter().zip(standings) {
            let decided_at = standing.and_then(|standing| standing.decided_at);
            let is_missing = decided_at
                .zip(listed)
                .is_some_and(|(at, listed)| listed.opened_at > at);
            batches[usize::from(is_there || is_missing)].push((key, value));
        }
        for (repeat, rows) in [Repeat::Changed, Repeat::Again].into_iter().zip(batches) {
            transfer::collect(store, id, purpose, repeat, &rows, now)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Returns the purposes that there has ever been a file for; mostly none, beside an API.
    async fn used(&self, kind: Kind) -> Result<Vec<FilePurpose>> {
        let mut known = self.used.lock().await;
        if let Some(used) = known.get(&kind) {
            return Ok(used.clone());
        }
        let (store, id) = (&*self.stores.store, &self.integration);
        let used = transfer::used(store, id, self.layout.purposes(kind)).await;
        let used = used.map_err(|error| failed(error.into()))?;
        Ok(known.entry(kind).or_insert(used).clone())
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
        for purpose in self.used(kind).await? {
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
