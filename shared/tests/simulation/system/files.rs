//! Changes that go by files: somebody imports them late, or never.

use shared::adapter::{Change, Pushed, Target};
use shared::model::{Kind, RecordId};

use super::ModelSystem;

impl ModelSystem {
    /// Puts a change into a file, or lets it wait for what is in one; nothing where it goes to the system itself, which none
    /// does while another one of the same record is in a file.
    pub(super) fn hand_over(&self, kind: Kind, change: &Change) -> Option<Pushed> {
        let place = (kind, change.key.clone());
        let mut tables = self.tables();
        let is_filed = tables.filed.contains_key(&place);
        if is_filed && self.dice.one_in(2) {
            return Some(Pushed::Waits("for the file before it".to_owned()));
        }
        let goes_by_file = is_filed || self.by_files && self.dice.fault(3);
        goes_by_file.then(|| {
            tables.filed.insert(place, change.clone());
            Pushed::HandedOver
        })
    }

    pub(crate) fn has_files(&self) -> bool {
        !self.tables().filed.is_empty()
    }

    /// Somebody imports a row of a file, or discards it; returns which record is to be sent again then.
    pub(crate) fn carry(&self) -> Option<(Kind, RecordId)> {
        let mut tables = self.tables();
        let filed = tables.filed.len();
        let place = tables.filed.keys().nth(self.dice.below(filed.max(1))).cloned()?;
        let change = tables.filed.remove(&place)?;
        drop(tables);
        if self.dice.fault(3) {
            return Some(place);
        }
        self.import(place.0, change);
        None
    }

    /// Makes a change by hand: whatever the row has become since, and where there is none with its key, a new one.
    fn import(&self, kind: Kind, mut change: Change) {
        let rows = self.rows(kind);
        let by_key = || {
            rows.iter()
                .find(|(_, row)| row.key.as_deref() == Some(change.key.as_str()))
        };
        let row = match &change.target {
            Some(target) => match rows.get_key_value(&target.id) {
                None => return,
                found => found,
            },
            None => by_key(),
        };
        change.target = row.map(|(id, row)| Target {
            id: id.clone(),
            etag: Some(row.version.to_string().into()),
            active: true,
            tellable: u64::MAX,
        });
        if let Ok(made) = self.push_one(kind, &change)
            && let Some(row) = self.tables().rows.get_mut(&(kind, made.id))
        {
            row.ours = false;
        }
    }
}
