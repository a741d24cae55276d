//! What becomes of a record when both sides are laid beside what they last agreed on. Pure.
//!
//! For each group of fields, of which both sides may have changed some since they last agreed:
//!
//! | the system | the platform | then |
//! | --- | --- | --- |
//! | equal | equal | agreed |
//! | changed | as agreed | the platform takes it |
//! | as agreed | changed | it is sent |
//! | changed | changed | the group's rule decides; what we wrote ourselves is no change |
//!
//! Where the platform's side is to be sent, what the system has becomes the base, so that exactly what differs is sent.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::adapter::ExternalRecord;
use crate::integration::{ConflictRule, Direction, Integration};
use crate::model::{Base, Group, Kind, Link, Origin, Record, RecordId};

/// What the comparison needs to know of the integration.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Its configuration.
    pub integration: &'a Integration,
    /// The kind of record.
    pub kind: Kind,
    /// The mapped fields, as bits.
    pub mapped: u64,
    /// The time at which the comparison is made.
    pub now: Timestamp,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The record as it should be; `None` where it is as it should be.
    pub record: Option<Record>,
    /// What both sides now agree on; `None` where that is what they agreed on before.
    pub link: Option<Link>,
    /// Whether the system must be told of something.
    pub send: bool,
    /// Groups that a human decides, and that were not waiting for it before.
    pub review: BTreeSet<Group>,
}

/// What is done with one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Both say the same.
    Agreed,
    /// The platform takes what the system says.
    Take,
    /// The system is told what the platform says.
    Send,
    /// A human decides.
    Hold,
    /// Both keep what they have.
    Keep,
}

/// One group of fields, on both sides.
struct Sides<'a> {
    group: Group,
    /// The group's mapped fields, as bits.
    fields: u64,
    record: &'a Record,
    external: &'a ExternalRecord,
    /// Whether the system's fields differ from what was agreed.
    they_changed: bool,
    /// Whether the platform's do.
    we_changed: bool,
    differ: bool,
    known: bool,
    held: bool,
    settled: bool,
}

impl Rules<'_> {
    /// Lays a row of the system beside the platform's record.
    ///
    /// `platform` is live, or absent; what a deleted record means is the caller's to judge.
    #[must_use]
    pub fn merge(
        &self,
        id: &RecordId,
        platform: Option<&Record>,
        link: Option<&Link>,
        external: &ExternalRecord,
    ) -> Merged {
        platform.map_or_else(
            || self.adopt(id, external),
            |record| self.compare(record, link, external),
        )
    }

    /// Makes a record of a row that the platform does not have.
    fn adopt(&self, id: &RecordId, external: &ExternalRecord) -> Merged {
        let origin = Origin::System(self.integration.id.system);
        let modified_at = external.modified_at.unwrap_or(self.now);
        let mut record = Record::new(id.clone(), external.fields.clone(), modified_at, origin);
        record
            .links
            .insert(self.integration.id.system, external.id.clone());
        let base = Base::of(&external.fields, self.mapped);
        let link = link(id, external, base, BTreeSet::new());
        Merged {
            record: Some(record),
            link: Some(link),
            send: false,
            review: BTreeSet::new(),
        }
    }

    fn compare(&self, record: &Record, before: Option<&Link>, external: &ExternalRecord) -> Merged {
        let theirs = Base::of(&external.fields, self.mapped);
        let ours = Base::of(&record.fields, self.mapped);
        let agreed = before.map_or_else(Base::default, |link| link.base.clone());
        let mut now = link(&record.id, external, agreed.clone(), BTreeSet::new());
        let mut merged = Merged {
            record: None,
            link: None,
            send: false,
            review: BTreeSet::new(),
        };
        let mut fields = record.fields.clone();
        for &group in self.kind.groups() {
            let among = self.kind.positions(group) & self.mapped;
            let differs = |one: &Base, other: &Base| one.differs(other, self.kind, among) != 0;
            let held = before.is_some_and(|link| link.held.contains(&group));
            let sides = Sides {
                group,
                fields: among,
                record,
                external,
                they_changed: differs(&theirs, &agreed),
                we_changed: differs(&ours, &agreed),
                differ: differs(&theirs, &ours),
                known: agreed.knows(self.kind, among),
                held,
                settled: before.is_some_and(|link| link.settled.contains(&group)),
            };
            match self.judge(&sides) {
                Verdict::Agreed => now.base = now.base.with(&theirs, self.kind, among),
                Verdict::Take => {
                    now.base = now.base.with(&theirs, self.kind, among);
                    fields.take(&external.fields, among);
                }
                Verdict::Send => {
                    now.base = now.base.with(&theirs, self.kind, among);
                    merged.send = true;
                }
                Verdict::Hold => {
                    now.held.insert(group);
                    merged.review.extend((!held).then_some(group));
                }
                Verdict::Keep => {}
            }
        }
        merged.record = self.changed(record, fields, external);
        merged.link = (before != Some(&now)).then_some(now);
        merged
    }

    fn judge(&self, sides: &Sides<'_>) -> Verdict {
        let sends = self.integration.direction == Direction::Both;
        match (sides.differ, sides.they_changed, sides.we_changed) {
            (false, ..) => Verdict::Agreed,
            (true, ..) if sides.settled => Verdict::Take,
            (true, true, true) if !sides.known => self.first_meeting(sides),
            (true, true, true) if sides.held => Verdict::Hold,
            (true, true, true) if sides.external.ours && sends => Verdict::Send,
            (true, true, true) => self.conflict(sides),
            (true, true, false) => Verdict::Take,
            (true, false, _) if sides.held => Verdict::Hold,
            (true, false, _) if sends => Verdict::Send,
            (true, false, _) => Verdict::Keep,
        }
    }

    /// Decides about two records that never met: a side that says nothing has no say.
    fn first_meeting(&self, sides: &Sides<'_>) -> Verdict {
        if sides.record.fields.is_empty(sides.fields) {
            Verdict::Take
        } else if sides.external.fields.is_empty(sides.fields) {
            self.send_or_keep()
        } else {
            self.conflict(sides)
        }
    }

    fn conflict(&self, sides: &Sides<'_>) -> Verdict {
        let platform_is_newer = || {
            sides
                .external
                .modified_at
                .is_some_and(|external| sides.record.modified_at > external)
        };
        match self.integration.rule(sides.group) {
            ConflictRule::Review => Verdict::Hold,
            ConflictRule::PlatformWins => self.send_or_keep(),
            ConflictRule::NewestWins if platform_is_newer() => self.send_or_keep(),
            ConflictRule::NewestWins | ConflictRule::ExternalWins => Verdict::Take,
        }
    }

    fn send_or_keep(&self) -> Verdict {
        match self.integration.direction {
            Direction::Both => Verdict::Send,
            Direction::Pull => Verdict::Keep,
        }
    }

    /// Returns the record with what it takes over; nothing where it stays as it is.
    fn changed(
        &self,
        record: &Record,
        fields: crate::model::Fields,
        external: &ExternalRecord,
    ) -> Option<Record> {
        let system = self.integration.id.system;
        let linked = record.links.get(&system) == Some(&external.id);
        if fields == record.fields && linked {
            return None;
        }
        let mut changed = record.clone();
        if fields != record.fields {
            changed.fields = fields;
            changed.modified_at = external.modified_at.unwrap_or(self.now);
            changed.modified_by = Origin::System(system);
        }
        changed.links.insert(system, external.id.clone());
        Some(changed)
    }
}

fn link(record: &RecordId, external: &ExternalRecord, base: Base, held: BTreeSet<Group>) -> Link {
    let settled = BTreeSet::new();
    Link {
        record: record.clone(),
        etag: external.etag.clone(),
        base,
        held,
        settled,
        active: external.active,
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
