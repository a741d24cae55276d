//! Decides what becomes of one row of a system, and which writes that takes.

use super::apply::Pair;
use super::engine::Engine;
use super::merge::{Merged, Rules};
use super::quarantine::{self, Quarantined, Side};
use super::review::{self, Review, Subject};
use super::totals::Totals;
use super::writer::Writer;
use crate::adapter::ExternalRecord;
use crate::model::{Base, Fields, Kind, Link, Origin, Record, RecordId};
use crate::records;
use crate::store::{Content, Write};

/// What is to be done about one row.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) external: ExternalRecord,
    pub(super) writes: Vec<Write>,
    pub(super) effect: Effect,
    pub(super) linked: bool,
    /// Whether a webhook should have told of it, and did not.
    pub(super) missed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Created,
    Updated,
    Unchanged,
    Reviewed,
    Quarantined,
}

/// Why a row cannot be taken over: the field, and what to do.
pub(super) struct Refusal {
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl Engine<'_> {
    /// Decides what becomes of a row.
    pub(super) fn plan(&self, writer: &Writer<'_>, kind: Kind, pair: Pair) -> Plan {
        let system = self.integration.id.system;
        let live = pair
            .record
            .as_ref()
            .map(|(_, record)| record)
            .filter(|record| record.is_live());
        // A record and its link come into being together: a link whose record is no longer there outlived it. One that was
        // handed over may be deleted before the system tells of its row.
        let gone = |record: Option<&Record>| {
            record.is_none_or(|record| !record.is_live() && record.modified_by == Origin::Platform)
        };
        let record = pair.record.as_ref().map(|(_, record)| record);
        let handed_over = record.is_some_and(|record| record.handed_to.contains(&system));
        if (pair.link.is_some() || handed_over) && gone(record) {
            return self.keep_deleted(writer, kind, pair);
        }
        if let Some(refusal) = self.objection(kind, &pair) {
            return self.refuse(writer, kind, pair.external, &refusal);
        }
        let rules = self.rules(kind);
        let link = pair.link.as_ref().map(|(_, link)| link);
        let merged = rules.merge(&pair.id, live, link, &pair.external);
        let effect = effect(live, &merged);
        tracing::trace!(%kind, %system, ?effect, "merged");
        let linked = pair.link.is_none();
        let missed =
            matches!(effect, Effect::Created | Effect::Updated) && writer.should_know(&pair.external);
        let writes = self.writes(writer, kind, &pair, merged);
        Plan {
            external: pair.external,
            writes,
            effect,
            linked,
            missed,
        }
    }

    /// The platform deleted the record, and will say so to this version of the row; once more, where it was handed over that
    /// the record is there, or gone, and the row is there all the same.
    fn keep_deleted(&self, writer: &Writer<'_>, kind: Kind, pair: Pair) -> Plan {
        let Pair {
            external,
            link,
            id,
            record,
        } = pair;
        let (organization, right) = (&self.integration.id.organization, writer.right);
        let linked = link.is_none();
        let (version, before) = match link {
            Some((version, link)) => (Some(version), link),
            None => (None, self.first_link(kind, &id, &external)),
        };
        let again = linked || !before.handed.is_empty();
        let now = Link {
            etag: external.etag.clone(),
            mapping: if again {
                Link::UNCOMPARED
            } else {
                self.integration.mapping_version
            },
            active: external.active,
            ..before.clone()
        };
        let key = records::link_key(&self.integration.id, kind, &external.id);
        let now = writer.mark(now, self.clock.now(), self.lag(kind));
        let mut writes = Vec::new();
        if linked || now != before {
            writes.push(Write::put(
                key,
                right.expect(version),
                right.sign(Content::of(&now)),
            ));
        }
        if let Some((version, mut record)) = record.filter(|_| linked) {
            record
                .links
                .insert(self.integration.id.system, external.id.clone());
            record.handed_to.remove(&self.integration.id.system);
            let key = records::record_key(organization, kind, &id);
            writes.push(Write::put(
                key,
                right.expect(Some(version)),
                right.sign(record.content()),
            ));
        }
        if again {
            writes.push(records::pend(&self.integration.id, kind, &id));
        }
        if writer.waits(kind, Side::Pull, &external.id) {
            writes.push(quarantine::release(
                &self.integration.id,
                kind,
                Side::Pull,
                &external.id,
            ));
        }
        Plan {
            external,
            writes,
            effect: Effect::Unchanged,
            linked,
            missed: false,
        }
    }

    fn first_link(&self, kind: Kind, id: &RecordId, external: &ExternalRecord) -> Link {
        let rules = self.rules(kind);
        rules.link(
            id,
            external,
            Base::of(&external.fields, rules.mapped & external.told),
        )
    }

    fn rules(&self, kind: Kind) -> Rules<'_> {
        let capability = self.adapter.capability();
        Rules {
            integration: self.integration,
            kind,
            mapped: capability.of(kind).map_or(0, |capability| capability.mapped),
            now: self.clock.now(),
        }
    }

    /// Says why a row cannot become this record.
    fn objection(&self, kind: Kind, pair: &Pair) -> Option<Refusal> {
        let elsewhere = pair.record.as_ref().and_then(|(_, record)| {
            let other = record.links.get(&self.integration.id.system)?;
            (record.is_live() && *other != pair.external.id).then_some(())
        });
        if elsewhere.is_some() {
            let message =
                format!("another row of the system is this {kind} already: give one of them another key");
            return Some(Refusal {
                field: "key",
                message,
            });
        }
        let mapped = *self.adapter.capability().of(kind)?;
        // What the row does not tell of, a record that is there has already.
        let is_there = pair.record.as_ref().is_some_and(|(_, record)| record.is_live());
        let told = |position: usize| !is_there || pair.external.told >> position & 1 == 1;
        let missing = pair.external.fields.missing().find(|name| {
            kind.position(name)
                .is_some_and(|position| mapped.maps(position) && told(position))
        })?;
        let message = "has no value in the system, and a record needs one: fill it in there".to_owned();
        Some(Refusal {
            field: missing,
            message,
        })
    }

    fn writes(&self, writer: &Writer<'_>, kind: Kind, pair: &Pair, merged: Merged) -> Vec<Write> {
        let id = &self.integration.id;
        let right = writer.right;
        let mut writes = Vec::with_capacity(4);
        if let Some(record) = merged.record {
            let key = records::record_key(&id.organization, kind, &record.id);
            let version = pair.record.as_ref().map(|(version, _)| *version);
            writes.push(Write::put(
                key,
                right.expect(version),
                right.sign(record.content()),
            ));
        }
        if let Some(link) = merged.link {
            let key = records::link_key(id, kind, &pair.external.id);
            let version = pair.link.as_ref().map(|(version, _)| *version);
            writes.push(Write::put(
                key,
                right.expect(version),
                right.sign(Content::of(&writer.mark(link, self.clock.now(), self.lag(kind)))),
            ));
        }
        if merged.send {
            writes.push(records::pend(id, kind, &pair.id));
        }
        match merged.review {
            None => {}
            Some(held) if held.is_empty() => writes.push(review::remove(id, kind, &pair.id)),
            Some(held) => {
                let subject = Subject::Conflict {
                    kind,
                    record: pair.id.clone(),
                    external: pair.external.id.clone(),
                    groups: held.into_iter().collect(),
                };
                let opened_at = self.clock.now();
                writes.push(review::write(id, &Review { subject, opened_at }));
            }
        }
        if writer.waits(kind, Side::Pull, &pair.external.id) {
            writes.push(quarantine::release(id, kind, Side::Pull, &pair.external.id));
        }
        writes
    }

    pub(super) fn refuse(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        external: ExternalRecord,
        refusal: &Refusal,
    ) -> Plan {
        let Refusal { field, message } = refusal;
        let writes = self.quarantine(writer, kind, &external.id, field, message);
        Plan {
            external,
            writes,
            effect: Effect::Quarantined,
            linked: false,
            missed: false,
        }
    }

    pub(super) fn faulty(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        id: Box<str>,
        field: String,
        message: String,
    ) -> Plan {
        let writes = self.quarantine(writer, kind, &id, &field, &message);
        let external = ExternalRecord {
            id,
            etag: None,
            key: None,
            fields: Fields::new(kind),
            told: 0,
            modified_at: None,
            ours: false,
            active: true,
        };
        Plan {
            external,
            writes,
            effect: Effect::Quarantined,
            linked: false,
            missed: false,
        }
    }

    fn quarantine(
        &self,
        writer: &Writer<'_>,
        kind: Kind,
        id: &str,
        field: &str,
        message: &str,
    ) -> Vec<Write> {
        let entry = Quarantined {
            kind,
            side: Side::Pull,
            id: id.into(),
            field: field.to_owned(),
            message: message.to_owned(),
            waits_for_another: false,
            found_by: writer.found_by.clone(),
            since: self.clock.now(),
        };
        vec![quarantine::put(&self.integration.id, &entry)]
    }
}

impl Plan {
    pub(super) fn count(&self, totals: &mut Totals) {
        totals.missed += u64::from(self.missed);
        totals.linked += u64::from(self.linked && self.effect != Effect::Quarantined);
        match self.effect {
            Effect::Created => totals.created += 1,
            Effect::Updated => totals.updated += 1,
            Effect::Unchanged => totals.unchanged += 1,
            Effect::Reviewed => totals.reviewed += 1,
            Effect::Quarantined => totals.quarantined += 1,
        }
    }
}

impl Refusal {
    pub(super) fn contended() -> Self {
        let message = "changes on the platform all the time: retry it later".to_owned();
        Self { field: "id", message }
    }
}

fn effect(before: Option<&Record>, merged: &Merged) -> Effect {
    match (before, &merged.record) {
        _ if merged.review.as_ref().is_some_and(|held| !held.is_empty()) => Effect::Reviewed,
        (None, Some(_)) => Effect::Created,
        (Some(before), Some(after)) if before.fields != after.fields => Effect::Updated,
        _ => Effect::Unchanged,
    }
}
