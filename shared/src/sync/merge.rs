//! What becomes of a record when both sides are laid beside what they last agreed on. Pure.
//!
//! For each group of fields, of which both sides may have changed some since they last agreed:
//!
//! | the system | the platform | then |
//! | --- | --- | --- |
//! | equal | equal | agreed |
//! | changed | as agreed | the platform takes it |
//! | as agreed | changed | it is sent |
//! | changed | changed | the group's rule decides; what we wrote ourselves, or put into a file, is no change |
//!
//! A field that the row does not tell of is no field that is empty: it is left as it is on both sides.
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
    /// The groups that a human decides from now on, where these are others than before; none takes the review back.
    pub review: Option<BTreeSet<Group>>,
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
        let base = Base::of(&external.fields, self.mapped & external.told);
        let link = self.link(id, external, base);
        Merged {
            record: Some(record),
            link: Some(link),
            send: false,
            review: None,
        }
    }

    fn compare(&self, record: &Record, before: Option<&Link>, external: &ExternalRecord) -> Merged {
        let mapped = self.mapped & external.told;
        let theirs = Base::of(&external.fields, mapped);
        let ours = Base::of(&record.fields, mapped);
        let agreed = before.map_or_else(Base::default, |link| link.base.clone());
        let mut now = self.link(&record.id, external, agreed.clone());
        let mut merged = Merged {
            record: None,
            link: None,
            send: false,
            review: None,
        };
        let mut fields = record.fields.clone();
        let known = agreed.known(self.kind);
        let handed = before.map_or(&[][..], |link| &link.handed);
        now.handed = self.still_out(handed, &theirs, known, external.told);
        if !now.handed.is_empty() {
            now.mapping = Link::UNCOMPARED;
        }
        // Fields that never met are laid beside each other apart from those of their group that did.
        let parts = self.kind.groups().iter().flat_map(|&group| {
            let among = self.kind.positions(group) & mapped;
            [(group, among & known), (group, among & !known)]
        });
        for (group, among) in parts.filter(|(_, among)| *among != 0) {
            let differs = |one: &Base, other: &Base| one.differs(other, self.kind, among) != 0;
            let sides = Sides {
                group,
                fields: among,
                record,
                external,
                they_changed: differs(&theirs, &agreed) && handed.iter().all(|said| differs(&theirs, said)),
                we_changed: differs(&ours, &agreed),
                differ: differs(&theirs, &ours),
                known: among & known != 0,
                held: before.is_some_and(|link| link.held.contains(&group)),
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
                Verdict::Hold => drop(now.held.insert(group)),
                Verdict::Keep => {}
            }
        }
        if before.map_or(&BTreeSet::new(), |link| &link.held) != &now.held {
            merged.review = Some(now.held.clone());
        }
        merged.record = self.changed(record, fields, external);
        merged.link = (before != Some(&now)).then_some(now);
        merged
    }

    /// Returns what was put into files and may still come to the system: what came after the row that the system has. A row
    /// that does not tell of all that was agreed on says nothing of that.
    fn still_out(&self, handed: &[Base], theirs: &Base, known: u64, told: u64) -> Vec<Base> {
        if known & self.mapped & !told != 0 {
            return handed.to_vec();
        }
        let is_theirs = |said: &Base| theirs.differs(said, self.kind, self.mapped & told) == 0;
        let told_back = handed.iter().rposition(is_theirs).map_or(0, |place| place + 1);
        handed.iter().skip(told_back).cloned().collect()
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

    pub(super) fn link(&self, record: &RecordId, external: &ExternalRecord, base: Base) -> Link {
        let told_all = self.mapped & !external.told == 0;
        Link {
            record: record.clone(),
            etag: external.etag.clone(),
            mapping: if told_all {
                self.integration.mapping_version
            } else {
                Link::UNCOMPARED
            },
            base,
            held: BTreeSet::new(),
            settled: BTreeSet::new(),
            active: external.active,
            hinted_at: None,
            handed: Vec::new(),
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
            // The later of the two: other groups may hold something newer of the platform's.
            changed.modified_at = external.modified_at.unwrap_or(self.now).max(record.modified_at);
            changed.modified_by = Origin::System(system);
        }
        changed.links.insert(system, external.id.clone());
        changed.handed_to.remove(&system);
        Some(changed)
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
