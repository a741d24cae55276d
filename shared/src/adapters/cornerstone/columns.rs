//! Which columns of the reporting views hold which fields.
//!
//! Source: csod.dev, "Reporting API".

use serde_json::Value;

use crate::model::{Group, Kind};
use crate::settings::{Section, identifier};

const KIND: Kind = Kind::CourseEnrollment;

/// A view that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Transcript,
    User,
    Training,
}

/// A column that holds a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The field's position in [`Kind::fields`].
    pub(super) position: usize,
    pub(super) view: View,
    pub(super) name: String,
}

/// What is read of the views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) all: Vec<Column>,
    /// Which fields are mapped, by position; who and what always are.
    pub(super) mapped: u64,
}

/// What is usual; who and what is fixed.
const USUAL: &[(&str, View, &str)] = &[
    ("courseTitle", View::Training, "lo_title"),
    ("trainingType", View::Training, "lo_type"),
    ("status", View::Transcript, "user_lo_status_id"),
    ("registeredOn", View::Transcript, "user_lo_reg_dt"),
    ("startedOn", View::Transcript, "user_lo_start_dt"),
    ("dueOn", View::Transcript, "user_lo_min_due_date"),
    ("completedOn", View::Transcript, "user_lo_comp_dt"),
    ("score", View::Transcript, "user_lo_score"),
    ("registrationNumber", View::Transcript, NUMBER),
    ("active", View::Transcript, "archived"),
];

/// The user, by a number that only the views have.
pub(super) const USER: &str = "transc_user_id";
/// The learning object.
pub(super) const COURSE: &str = "transc_object_id";
/// Which of the user's registrations for it.
pub(super) const NUMBER: &str = "reg_num";
/// Whether that is the last one.
pub(super) const LATEST: &str = "is_latest_reg_num";
/// Whether it was taken off the transcript.
pub(super) const REMOVED: &str = "is_removed";
/// When it was changed last.
pub(super) const MODIFIED: &str = "user_lo_last_modified_dt";
/// The key of the view of users, and what it is read for.
pub(super) const USER_ID: &str = "user_id";
pub(super) const USER_REF: &str = "user_ref";
/// The key of the view of trainings.
pub(super) const TRAINING_ID: &str = "object_id";

impl View {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Transcript => "vw_rpt_transcript",
            Self::User => "vw_rpt_user",
            Self::Training => "vw_rpt_training",
        }
    }
}

impl Columns {
    /// Reads `fields`, a member of the section: a column's name in the place of the usual one, or `null` for none.
    pub(super) fn read(section: &Section<'_>, excluded: &[Group]) -> Option<Self> {
        let set = match section.get("fields") {
            Some(_) => Some(section.section("fields")?),
            None => None,
        };
        let mut all = Vec::with_capacity(USUAL.len());
        for (field, view, usual) in USUAL {
            let name = match set.as_ref().and_then(|set| named(set, field)) {
                Some(Value::Null) => continue,
                Some(value) => value.as_str().and_then(|text| identifier(text).ok()),
                None => Some((*usual).to_owned()),
            };
            match (name, KIND.position(field), &set) {
                (Some(name), Some(position), _) => all.push(Column {
                    position,
                    view: *view,
                    name,
                }),
                (None, _, Some(set)) => set.fault(field, "must be the name of a column, or null"),
                _ => {}
            }
        }
        for (name, _) in set.iter().flat_map(Section::entries) {
            if !USUAL.iter().any(|(field, ..)| *field == name) {
                section.fault(
                    &format!("fields.{name}"),
                    "is not a field whose column can be set",
                );
            }
        }
        let excluded = excluded
            .iter()
            .fold(0, |bits, group| bits | KIND.positions(*group));
        all.retain(|column| excluded >> column.position & 1 == 0);
        let mapped = all
            .iter()
            .fold(always(), |bits, column| bits | 1 << column.position);
        Some(Self {
            all,
            mapped: mapped & !excluded,
        })
    }

    pub(super) fn of(&self, view: View) -> impl Iterator<Item = &Column> {
        self.all.iter().filter(move |column| column.view == view)
    }

    /// Returns what is asked of a view, with what every row is known by.
    pub(super) fn select(&self, view: View) -> String {
        let fixed: &[&str] = match view {
            View::Transcript => &[USER, COURSE, NUMBER, LATEST, REMOVED, MODIFIED],
            View::User => &[USER_ID, USER_REF],
            View::Training => &[TRAINING_ID],
        };
        let mut names = fixed.to_vec();
        for column in self.of(view) {
            if !names.contains(&column.name.as_str()) {
                names.push(&column.name);
            }
        }
        names.join(",")
    }
}

fn named<'a>(section: &Section<'a>, field: &str) -> Option<&'a Value> {
    section
        .entries()
        .find(|(name, _)| *name == field)
        .map(|(_, value)| value)
}

/// Returns who and what, as bits.
pub(super) fn always() -> u64 {
    ["memberId", "courseId"]
        .iter()
        .filter_map(|name| KIND.position(name))
        .fold(0, |bits, position| bits | 1 << position)
}
