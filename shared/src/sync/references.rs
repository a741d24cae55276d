//! Finds the records that rows refer to, as the system names them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::engine::{Engine, Stop};
use crate::adapter::{ExternalRecord, References};
use crate::model::{FieldType, Kind, Link, Record, RecordId, Value};
use crate::records;
use crate::store::Key;

impl Engine<'_> {
    /// Returns the platform's ids of the records that rows refer to.
    pub(super) async fn references(
        &self,
        kind: Kind,
        rows: &[ExternalRecord],
    ) -> Result<HashMap<(Kind, Box<str>), RecordId>, Stop> {
        let wanted: HashSet<(Kind, Box<str>)> = rows.iter().flat_map(referred).collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        match self.refers(kind) {
            References::ByLink => self.linked_as(wanted).await,
            References::ByKey => self.live(wanted).await,
            References::ByEither => {
                let mut known = self.linked_as(wanted.clone()).await?;
                let others = wanted
                    .into_iter()
                    .filter(|one| !known.contains_key(one))
                    .collect();
                known.extend(self.live(others).await?);
                Ok(known)
            }
        }
    }

    /// Returns which records the rows with these ids are linked with.
    async fn linked_as(
        &self,
        wanted: Vec<(Kind, Box<str>)>,
    ) -> Result<HashMap<(Kind, Box<str>), RecordId>, Stop> {
        let keys: Vec<Key> = wanted
            .iter()
            .map(|(to, id)| records::link_key(&self.integration.id, *to, id))
            .collect();
        tracing::trace!(references = keys.len(), "resolve references");
        let mut known = HashMap::with_capacity(wanted.len());
        for (reference, row) in wanted.into_iter().zip(self.read(&keys).await?) {
            if let Some(row) = row {
                let link: Link = row.decode()?;
                known.insert(reference, link.record);
            }
        }
        Ok(known)
    }

    /// Returns which of these ids, which are the platform's own, are those of live records.
    async fn live(&self, wanted: Vec<(Kind, Box<str>)>) -> Result<HashMap<(Kind, Box<str>), RecordId>, Stop> {
        let named = wanted.into_iter().filter_map(|(to, id)| {
            let record: RecordId = id.parse().ok()?;
            Some(((to, id), record))
        });
        let named: Vec<((Kind, Box<str>), RecordId)> = named.collect();
        let organization = &self.integration.id.organization;
        let keys: Vec<Key> = named
            .iter()
            .map(|((to, _), record)| records::record_key(organization, *to, record))
            .collect();
        let mut live = HashMap::with_capacity(named.len());
        for ((reference, record), row) in named.into_iter().zip(self.read(&keys).await?) {
            let found = row.map(|row| Record::from_row(reference.0, &row)).transpose()?;
            if found.is_some_and(|found| found.is_live()) {
                live.insert(reference, record);
            }
        }
        Ok(live)
    }

    /// Says what rows hold that refer to records.
    pub(super) fn refers(&self, kind: Kind) -> References {
        let capability = self.adapter.capability();
        capability
            .of(kind)
            .map_or(References::ByLink, |capability| capability.references)
    }

    /// Returns how far a page may be behind what the system, asked for a row, says.
    pub(super) fn lag(&self, kind: Kind) -> Duration {
        let capability = self.adapter.capability();
        capability
            .of(kind)
            .map_or(Duration::ZERO, |capability| capability.lag)
    }
}

fn referred(row: &ExternalRecord) -> Vec<(Kind, Box<str>)> {
    let fields = row.fields.iter();
    fields
        .filter_map(|(_, field, value)| match (field.holds, value) {
            (FieldType::Reference(to), Some(Value::Text(id))) => Some((to, id.clone())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
#[path = "references_tests.rs"]
mod tests;
