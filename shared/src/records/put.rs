//! The platform's own writes: a record, and the word to each integration that it has changed, in one transaction.

use std::collections::BTreeMap;

use super::{pend, record_key};
use crate::flow::Ports;
use crate::integration::{self, Direction, Integration, Precondition, State, Stored};
use crate::model::{
    FieldError, FieldType, Fields, IntegrationId, Kind, OrganizationId, Origin, Record, RecordId, System,
    Value,
};
use crate::store::{Expect, Key, Row, Store, StoreError, Write};

/// A record as somebody wants it to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Which record.
    pub id: RecordId,
    /// What it is to say; a field without a value has none.
    pub fields: Fields,
}

/// A record with the version of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub record: Record,
    /// The version.
    pub version: u64,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The record as it is now.
    pub stored: StoredRecord,
    /// What was done.
    pub outcome: PutOutcome,
}

/// What was done to have a record as it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was so already; nothing was written.
    Unchanged,
}

/// Why a record was not written.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// There is no such record.
    #[error("there is no such record")]
    Missing,
    /// What it is to say is wrong: everything that is, at once.
    #[error("the record is not valid")]
    Invalid(Vec<FieldError>),
    /// It has another version than the caller has in mind.
    #[error("the record has another version")]
    Precondition,
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What there is, as far as a wish depends on it.
pub(super) struct Found {
    integrations: Vec<Integration>,
    rows: BTreeMap<Key, Row>,
}

/// What is to be written for a wish, and what is then there.
pub(super) struct Plan {
    pub(super) put: Put,
    pub(super) writes: Vec<Write>,
}

/// Has a record say what is wanted.
///
/// # Errors
///
/// `Invalid`, `Precondition`, and those of the store.
pub async fn put(
    ports: &Ports,
    organization: &OrganizationId,
    wish: &Wish,
    precondition: Precondition,
) -> Result<Put, PutError> {
    require(&wish.fields)?;
    loop {
        let found = Found::read(&*ports.store, organization, std::slice::from_ref(wish)).await?;
        let plan = found.plan(ports, organization, wish, precondition)?;
        match write(&*ports.store, plan.writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer.map(|()| plan.put)?),
        }
    }
}

/// Deletes a record; one that is deleted stays so.
///
/// # Errors
///
/// `Missing`, `Precondition`, and those of the store.
pub async fn delete(
    ports: &Ports,
    organization: &OrganizationId,
    kind: Kind,
    id: &RecordId,
    precondition: Precondition,
) -> Result<(), PutError> {
    let wish = Wish {
        id: id.clone(),
        fields: Fields::new(kind),
    };
    loop {
        let found = Found::read(&*ports.store, organization, std::slice::from_ref(&wish)).await?;
        let Some(stored) = found.record(organization, kind, id)? else {
            return Err(PutError::Missing);
        };
        if !stored.record.is_live() {
            return Ok(());
        }
        if !precondition.accepts(Some(stored.version)) {
            return Err(PutError::Precondition);
        }
        let record = stored.record.tombstone(ports.now(), Origin::Platform, None);
        let writes = found.writes(organization, &record, Some(stored.version));
        match write(&*ports.store, writes).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return Ok(answer?),
        }
    }
}

/// Names the required fields that have no value.
pub(super) fn require(fields: &Fields) -> Result<(), PutError> {
    let errors: Vec<_> = fields
        .missing()
        .map(|field| FieldError::new(field, "is required"))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(PutError::Invalid(errors))
    }
}

pub(super) async fn write(store: &dyn Store, writes: Vec<Write>) -> Result<(), StoreError> {
    if writes.is_empty() {
        Ok(())
    } else {
        store.write(writes).await
    }
}

impl Found {
    /// Reads, in one go, the records that are wished for, those they refer to, and the integrations.
    pub(super) async fn read(
        store: &dyn Store,
        organization: &OrganizationId,
        wishes: &[Wish],
    ) -> Result<Self, StoreError> {
        let id = |system: &System| IntegrationId::new(organization.clone(), *system);
        let mut keys: Vec<_> = System::ALL
            .iter()
            .map(|system| integration::integration_key(&id(system)))
            .collect();
        for wish in wishes {
            keys.push(record_key(organization, wish.fields.kind(), &wish.id));
            keys.extend(references(wish).map(|(_, kind, target)| record_key(organization, kind, &target)));
        }
        keys.sort_unstable();
        keys.dedup();
        let found = store.get(&keys).await?.into_iter().flatten();
        let mut rows: BTreeMap<_, _> = found.map(|row| (row.key.clone(), row)).collect();
        let stored = System::ALL
            .iter()
            .filter_map(|system| rows.remove(&integration::integration_key(&id(system))));
        let integrations = stored.map(|row| Ok(Stored::try_from(row)?.integration));
        Ok(Self {
            integrations: integrations.collect::<Result<_, StoreError>>()?,
            rows,
        })
    }

    pub(super) fn record(
        &self,
        organization: &OrganizationId,
        kind: Kind,
        id: &RecordId,
    ) -> Result<Option<StoredRecord>, StoreError> {
        let row = self.rows.get(&record_key(organization, kind, id));
        row.map(|row| StoredRecord::from_row(kind, row)).transpose()
    }

    /// Says what is to be written so that a record is as it is wanted.
    pub(super) fn plan(
        &self,
        ports: &Ports,
        organization: &OrganizationId,
        wish: &Wish,
        precondition: Precondition,
    ) -> Result<Plan, PutError> {
        let kind = wish.fields.kind();
        let before = self.record(organization, kind, &wish.id)?;
        let live = before.as_ref().filter(|stored| stored.record.is_live());
        if !precondition.accepts(live.map(|stored| stored.version)) {
            return Err(PutError::Precondition);
        }
        if let Some(stored) = live.filter(|stored| stored.record.fields == wish.fields) {
            let put = Put {
                stored: stored.clone(),
                outcome: PutOutcome::Unchanged,
            };
            return Ok(Plan {
                put,
                writes: Vec::new(),
            });
        }
        let mut checks = self.references(organization, wish)?;
        let outcome = if live.is_some() {
            PutOutcome::Updated
        } else {
            PutOutcome::Created
        };
        let version = before.as_ref().map(|stored| stored.version);
        let record = wished(ports, wish, before.map(|stored| stored.record));
        checks.extend(self.writes(organization, &record, version));
        let stored = StoredRecord {
            record,
            version: version.unwrap_or(0) + 1,
        };
        Ok(Plan {
            put: Put { stored, outcome },
            writes: checks,
        })
    }

    /// A record that is referred to is there, and still is when the record that refers to it is written.
    fn references(&self, organization: &OrganizationId, wish: &Wish) -> Result<Vec<Write>, PutError> {
        let mut checks = Vec::new();
        let mut errors = Vec::new();
        for (field, kind, target) in references(wish) {
            match self
                .record(organization, kind, &target)?
                .filter(|stored| stored.record.is_live())
            {
                Some(stored) => {
                    let key = record_key(organization, kind, &target);
                    checks.push(Write::check(key, Expect::Version(stored.version)));
                }
                None => errors.push(FieldError::new(
                    field,
                    format!("names no {kind} of the organization"),
                )),
            }
        }
        errors.extend(malformed_references(wish));
        if errors.is_empty() {
            Ok(checks)
        } else {
            Err(PutError::Invalid(errors))
        }
    }

    fn writes(&self, organization: &OrganizationId, record: &Record, version: Option<u64>) -> Vec<Write> {
        let kind = record.fields.kind();
        let expect = version.map_or(Expect::Absent, Expect::Version);
        let row = Write::put(
            record_key(organization, kind, &record.id),
            expect,
            record.content(),
        );
        let told = self
            .integrations
            .iter()
            .filter(|integration| is_told(integration, kind));
        let pending = told.map(|integration| pend(&integration.id, kind, &record.id));
        std::iter::once(row).chain(pending).collect()
    }
}

impl StoredRecord {
    pub(super) fn from_row(kind: Kind, row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            record: Record::from_row(kind, row)?,
            version: row.version,
        })
    }
}

/// A paused integration is told when it goes on.
fn is_told(integration: &Integration, kind: Kind) -> bool {
    integration.direction == Direction::Both
        && integration.state != State::Disconnecting
        && integration.keeps(&[kind])
}

/// A record that was deleted and is wanted again is the same record: its links hold.
fn wished(ports: &Ports, wish: &Wish, before: Option<Record>) -> Record {
    let mut record = Record::new(
        wish.id.clone(),
        wish.fields.clone(),
        ports.now(),
        Origin::Platform,
    );
    if let Some(before) = before {
        (record.links, record.handed_to) = (before.links, before.handed_to);
    }
    record
}

fn references(wish: &Wish) -> impl Iterator<Item = (&'static str, Kind, RecordId)> {
    texts(wish).filter_map(|(field, kind, text)| Some((field, kind, text.parse().ok()?)))
}

fn malformed_references(wish: &Wish) -> impl Iterator<Item = FieldError> {
    texts(wish).filter_map(|(field, _, text)| {
        let error = text.parse::<RecordId>().err()?;
        Some(FieldError::new(field, format!("is malformed: a {error}")))
    })
}

fn texts(wish: &Wish) -> impl Iterator<Item = (&'static str, Kind, &str)> {
    wish.fields
        .iter()
        .filter_map(|(_, field, value)| match (field.holds, value) {
            (FieldType::Reference(kind), Some(Value::Text(text))) => Some((field.name, kind, &**text)),
            _ => None,
        })
}
