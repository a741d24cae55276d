//! Works out what a system has to be told of a record.

use super::engine::{Engine, Stop};
use crate::adapter::{Change, ChangeAction, Error, ErrorKind, KindCapability, References, Target};
use crate::model::{Base, FieldType, Fields, Kind, Link, Record, RecordId, Value};
use crate::records;
use crate::store::{Key, Row};

/// A record whose change is to be sent.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: RecordId,
    /// The row that says so.
    pub(super) mark: Row,
    pub(super) record: Option<Record>,
    pub(super) link: Option<Link>,
}

impl Engine<'_> {
    /// Reads the records, and what is known of their rows in the system.
    pub(super) async fn load(&self, kind: Kind, marks: Vec<Row>) -> Result<Vec<Pending>, Stop> {
        let id = &self.integration.id;
        let named = marks
            .into_iter()
            .filter_map(|mark| Some((id_of(&mark, kind)?, mark)));
        let named: Vec<(RecordId, Row)> = named.collect();
        let keys: Vec<Key> = named
            .iter()
            .map(|(record, _)| records::record_key(&id.organization, kind, record))
            .collect();
        let rows = self.read(&keys).await?;
        let mut loaded = Vec::with_capacity(named.len());
        for ((record_id, mark), row) in named.into_iter().zip(rows) {
            let record = row.map(|row| Record::from_row(kind, &row)).transpose()?;
            loaded.push(Pending {
                id: record_id,
                mark,
                record,
                link: None,
            });
        }
        self.load_links(kind, &mut loaded).await?;
        Ok(loaded)
    }

    async fn load_links(&self, kind: Kind, loaded: &mut [Pending]) -> Result<(), Stop> {
        let id = &self.integration.id;
        let mut linked: Vec<(&mut Pending, Key)> = loaded
            .iter_mut()
            .filter_map(|pending| {
                let external = pending.record.as_ref()?.links.get(&id.system)?;
                let key = records::link_key(id, kind, external);
                Some((pending, key))
            })
            .collect();
        let keys: Vec<Key> = linked.iter().map(|(_, key)| key.clone()).collect();
        for ((pending, _), row) in linked.iter_mut().zip(self.read(&keys).await?) {
            pending.link = row.as_ref().map(Row::decode).transpose()?;
        }
        Ok(())
    }

    /// Says what to send; nothing where the system knows it all, an error where it cannot be sent.
    pub(super) async fn change(
        &self,
        pending: &Pending,
        capability: &KindCapability,
    ) -> Result<Result<Option<Change>, Error>, Stop> {
        let Some(record) = &pending.record else {
            return Ok(Ok(None));
        };
        let target = pending.link.as_ref().and_then(|link| {
            let id = record.links.get(&self.integration.id.system)?.clone();
            Some(Target {
                id,
                etag: link.etag.clone(),
                active: link.active,
                tellable: tellable(link, capability),
            })
        });
        let key = pending.id.clone();
        if !record.is_live() {
            let action = ChangeAction::Remove;
            return Ok(Ok(target.map(|target| Change {
                key,
                target: Some(target),
                action,
            })));
        }
        let changed = changed(record, pending.link.as_ref(), capability);
        if changed == 0 && target.is_some() {
            return Ok(Ok(None));
        }
        Ok(
            match self
                .outward(&record.fields, changed, capability.references)
                .await?
            {
                Ok(fields) => Ok(Some(Change {
                    key,
                    target,
                    action: ChangeAction::Write { fields, changed },
                })),
                Err(error) => Err(error),
            },
        )
    }

    /// Puts the system's ids in the place of the platform's, where it has its own.
    async fn outward(
        &self,
        fields: &Fields,
        changed: u64,
        references: References,
    ) -> Result<Result<Fields, Error>, Stop> {
        let mut outward = fields.clone();
        for (position, field) in fields.kind().fields().iter().enumerate() {
            let FieldType::Reference(to) = field.holds else {
                continue;
            };
            let Some(Value::Text(id)) = fields.at(position).filter(|_| changed >> position & 1 == 1) else {
                continue;
            };
            match self.external_of(to, id, references).await? {
                Some(external) => outward.set(position, Some(Value::Text(external))),
                None => {
                    let message =
                        "refers to a record that the system does not have: it is sent after that one";
                    return Ok(Err(Error::new(ErrorKind::NotFound, message).at_field(field.name)));
                }
            }
        }
        Ok(Ok(outward))
    }

    async fn external_of(
        &self,
        kind: Kind,
        text: &str,
        references: References,
    ) -> Result<Option<Box<str>>, Stop> {
        let id = &self.integration.id;
        let Ok(record) = text.parse() else { return Ok(None) };
        let key = records::record_key(&id.organization, kind, &record);
        let Some(row) = self.read(&[key]).await?.pop().flatten() else {
            return Ok(None);
        };
        let record = Record::from_row(kind, &row)?;
        Ok(match references {
            References::ByLink => record.links.get(&id.system).cloned(),
            References::ByKey | References::ByEither => record.is_live().then(|| text.into()),
        })
    }
}

/// Returns the id of the record that a mark is about.
pub(super) fn id_of(mark: &Row, kind: Kind) -> Option<RecordId> {
    mark.key
        .sort
        .strip_prefix(kind.as_str())?
        .strip_prefix('#')?
        .parse()
        .ok()
}

/// Returns the fields that are ours to send: not what a human is deciding or has decided, and not what was never compared,
/// which may say more there.
fn tellable(link: &Link, capability: &KindCapability) -> u64 {
    let kind = capability.kind;
    let decided = link.held.union(&link.settled);
    let decided = decided.fold(0, |bits, group| bits | kind.positions(*group));
    capability.mapped & !decided & link.base.known(kind)
}

/// Returns the fields that the system does not have as the platform has them.
fn changed(record: &Record, link: Option<&Link>, capability: &KindCapability) -> u64 {
    let kind = capability.kind;
    let ours = Base::of(&record.fields, capability.mapped);
    let Some(link) = link else {
        return capability.mapped;
    };
    let among = tellable(link, capability);
    // It may be in use what is on its way: what is taken back here has to be taken back there.
    let on_its_way = link.handed.iter().chain([&link.base]);
    on_its_way.fold(0, |bits, said| bits | said.differs(&ours, kind, among))
}
