//! A simulated system as a human there sees it, and the adapter in front of it.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{Adapter, Change, ExternalRecord, Found, From, Item, KindCapability, Target};
use shared::model::{Kind, System};
use tests::dataverse::faults::{Fault, FaultRule};

use crate::asking::{pull_all, rows, write};
use crate::pair::Side;
use crate::systems;

/// A system that syncs records: every page of its listings is small, and nobody is there but the people whom its other
/// rows are about.
pub(crate) trait Subject: Side {
    /// Sets up the adapter in a process that lives on.
    fn adapter(&self) -> Arc<dyn Adapter>;

    /// Makes a row there, as a human does, with the first value of [`tried`].
    fn add(&self, kind: Kind);

    /// Gives the field that is tried another value, as a human does.
    fn edit(&self, kind: Kind, id: &str, value: &str);

    /// Deletes a row, as a human does.
    fn delete(&self, kind: Kind, id: &str);

    /// Returns what is there: each row's id, and the fields of [`compared`] in the platform's words.
    fn rows(&self, kind: Kind) -> Vec<(String, Value)>;

    /// Returns what the system calls the people whom new rows may be about.
    fn people(&self) -> Vec<String>;

    /// Returns the id and the fields of a new record, with the first value of [`tried`].
    fn wish(&self, kind: Kind, nth: usize, person: &str) -> (String, Value) {
        let value = tried(kind).1[0];
        match kind {
            Kind::Member => (
                format!("90000{nth}"),
                json!({ "firstName": "Kari", "lastName": value }),
            ),
            Kind::Membership => (
                format!("M-{nth}"),
                json!({ "memberId": person, "type": "Hovedmedlem", "status": value }),
            ),
            Kind::CourseEnrollment => (
                format!("E-{nth}"),
                json!({ "memberId": person, "courseId": "K-1", "status": value }),
            ),
        }
    }

    /// Has the integration show credentials that open nothing.
    fn show_wrong_credentials(&mut self);

    /// Returns what nobody may be told.
    fn secrets(&self) -> Vec<String>;
}

/// Sets up a system; none where it keeps books and syncs no records, which its adapter says itself.
pub(crate) async fn subject(system: System) -> Option<Box<dyn Subject>> {
    match system {
        System::Dynamics365 => Some(Box::new(systems::dynamics365::begin().await)),
        System::Cornerstone => Some(Box::new(systems::cornerstone::begin().await)),
        System::Consio => Some(Box::new(systems::register::consio().await)),
        System::Rest => Some(Box::new(systems::register::rest().await)),
        System::Xledger => None,
        other => panic!("{other} is not tried: set it up in `systems`"),
    }
}

/// Returns the field of a kind that tests write, and values of it in an order in which they may follow each other.
pub(crate) const fn tried(kind: Kind) -> (&'static str, [&'static str; 3]) {
    match kind {
        Kind::Member => ("lastName", ["Nordmann", "Hansen", "Berg"]),
        Kind::Membership => ("status", ["Aktiv", "Hvilende", "Utmeldt"]),
        Kind::CourseEnrollment => ("status", ["registered", "in_progress", "completed"]),
    }
}

/// Returns the fields in which both sides are held against each other.
pub(crate) const fn compared(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Member => &["firstName", "lastName", "email"],
        Kind::Membership => &["type", "status"],
        Kind::CourseEnrollment => &["status"],
    }
}

/// One kind of record of one system.
pub(crate) struct Case {
    pub(crate) subject: Arc<dyn Subject>,
    pub(crate) system: System,
    pub(crate) kind: Kind,
    pub(crate) can: KindCapability,
}

/// Returns a case, each with a system of its own, for every kind of every system.
pub(crate) async fn every_case() -> Vec<Case> {
    let mut cases = Vec::new();
    for system in System::ALL {
        let Some(first) = subject(*system).await else {
            continue;
        };
        for can in first.adapter().capability().kinds {
            let subject = subject(*system).await.unwrap();
            cases.push(Case {
                subject: subject.into(),
                system: *system,
                kind: can.kind,
                can,
            });
        }
    }
    cases
}

/// Returns the cases of what can be written.
pub(crate) async fn every_written_case() -> Vec<Case> {
    let mut cases = every_case().await;
    cases.retain(|case| case.can.pushes);
    cases
}

/// Returns a fault that answers with a status and nothing else.
pub(crate) fn status(status: u16) -> Fault {
    Fault::Status {
        status,
        body: None,
        retry_after: None,
    }
}

impl Case {
    /// Sets the same up once more, as it was in the beginning.
    pub(crate) async fn anew(&self) -> Self {
        Self {
            subject: subject(self.system).await.unwrap().into(),
            system: self.system,
            kind: self.kind,
            can: self.can,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.system, self.kind)
    }

    pub(crate) fn show_wrong_credentials(&mut self) {
        let subject = Arc::get_mut(&mut self.subject);
        subject.expect("nobody else has it").show_wrong_credentials();
    }

    pub(crate) fn requests(&self) -> u64 {
        self.subject.simulation().counters().requests
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        self.subject.simulation().inject(rule);
    }

    pub(crate) fn clear_faults(&self) {
        self.subject.simulation().clear_faults();
    }

    /// Waits until listings tell what has happened.
    pub(crate) fn settle(&self) {
        let lag = SignedDuration::try_from(self.can.lag).unwrap();
        self.subject
            .simulation()
            .advance(lag + SignedDuration::from_mins(1));
    }

    /// Makes rows there, which every listing tells.
    pub(crate) fn seed(&self, count: usize) {
        for _ in 0..count {
            self.subject.add(self.kind);
        }
        self.settle();
    }

    /// Returns what is there: each row's id and the value of the field that is tried.
    pub(crate) fn there(&self) -> Vec<(String, Value)> {
        let (field, _) = tried(self.kind);
        let rows = self.subject.rows(self.kind).into_iter();
        let mut rows: Vec<_> = rows.map(|(id, row)| (id, row[field].clone())).collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows
    }

    /// Returns the ids of what is there.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.there().into_iter().map(|(id, _)| id).collect()
    }

    pub(crate) async fn pull(&self, from: From) -> (Vec<Item>, From) {
        pull_all(&*self.subject.adapter(), self.kind, from).await
    }

    /// Asks for a row that is there.
    pub(crate) async fn found(&self, id: &str) -> ExternalRecord {
        let found = self.subject.adapter().find(self.kind, &[id.into()]).await;
        match found.unwrap().remove(0) {
            Found::Here(Item::Row(row)) => row,
            other => panic!("{}: {other:?}", self.name()),
        }
    }

    /// Reads the rows that are told since a listing; where changes are not told, all of them.
    pub(crate) async fn told_since(&self, since: From) -> Vec<Item> {
        let from = if self.can.tracks_changes {
            since
        } else {
            From::Start
        };
        self.pull(from).await.0
    }

    /// Returns a row of these, as it was read.
    pub(crate) fn row_of<'i>(&self, items: &'i [Item], id: &str) -> &'i ExternalRecord {
        let row = rows(items).into_iter().find(|row| *row.id == *id);
        row.unwrap_or_else(|| panic!("{}: {id} is not told", self.name()))
    }

    /// Returns a change that makes a row.
    pub(crate) fn new_row(&self, nth: usize) -> Change {
        let people = self.subject.people();
        let (key, fields) = self.subject.wish(self.kind, nth, &people[nth]);
        write(self.kind, &key, None, fields)
    }

    /// Returns a change that gives a row another value.
    pub(crate) fn change_of(&self, target: Target, value: &str) -> Change {
        let (field, _) = tried(self.kind);
        write(self.kind, "any", Some(target), json!({ field: value }))
    }
}

/// Returns the value of the field that is tried.
pub(crate) fn value_of(row: &ExternalRecord) -> Value {
    json!(row.fields)[tried(row.fields.kind()).0].clone()
}
