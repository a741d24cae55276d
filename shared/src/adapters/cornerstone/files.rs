//! The files of a portal: transcript loads out, whatever report a human exports in.
//!
//! # In
//!
//! An upload is announced for `course-enrollments`, and has a column for each field that it tells of, `memberId` and `courseId`
//! among them. Statuses and types of training are read as the settings have them, so that what the portal writes in a report can
//! be uploaded as it is. It says nothing of registrations that were taken off a transcript, unless it is a complete listing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::config::{Fallback, Settings};
use super::key::Key;
use super::words::Words;
use super::{columns, load, map};
use crate::adapter::{Change, Error, ErrorKind, Item, KindCapability, References};
use crate::adapters::files::{Columns, Layout, Row, faulty_row};
use crate::csv::{Audience, Profile};
use crate::model::{FieldDefinition, FieldError, FieldType, FilePurpose, Group, Kind};
use crate::settings::{Faults, Section};
use crate::transfer::{FileRow, Holds, Table, Tables};

const KIND: Kind = Kind::CourseEnrollment;

/// What the files of one portal say.
#[derive(Debug, Clone)]
pub(super) struct TranscriptFiles {
    columns: Columns,
    statuses: Words,
    training_types: Words,
    /// What columns of loads are called, where that is not the usual.
    headers: BTreeMap<String, String>,
    /// Whether the API is asked, too.
    has_api: bool,
}

impl TranscriptFiles {
    /// Reads what of the settings files have to do with, wherever the portal is.
    pub(super) fn read(settings: &Json, excluded: &[Group]) -> Option<Self> {
        let faults = Faults::default();
        let section = Section::open("settings", settings, &faults)?;
        let headers = Fallback::read(section.section("files"))?.headers;
        let enrollments = section.section(KIND.plural())?;
        Some(Self {
            columns: Columns {
                kind: KIND,
                mapped: columns::Columns::read(&enrollments, excluded)?.mapped,
            },
            statuses: Words::statuses(&enrollments)?,
            training_types: Words::training_types(&enrollments)?,
            headers,
            has_api: Settings::has_api(settings),
        })
    }

    /// Returns what renders the load for each type of training.
    pub(super) fn tables(&self) -> Tables {
        let holds = Holds {
            kind: KIND,
            has_api: self.has_api,
        };
        let table = |training_type: &&str| {
            let profile = load::profile(training_type, &self.headers).ok()?;
            let feed = format!("transcripts-{}", training_type.replace('_', "-"));
            let table = Table::new(profile, feed.parse().ok()?, Some(holds));
            Some((purpose(training_type).ok()?, table))
        };
        Tables(load::training_types().iter().filter_map(table).collect())
    }

    /// Puts what the portal says of a field into the platform's words.
    fn in_words(&self, field: &FieldDefinition, told: &Json) -> Result<Json, String> {
        let words = match field.name {
            "status" => &self.statuses,
            "trainingType" => &self.training_types,
            _ => return Ok(told.clone()),
        };
        let Some(theirs) = map::text(told).filter(|text| !text.is_empty()) else {
            return Ok(Json::Null);
        };
        let known = |word: &str| matches!(field.holds, FieldType::Choice(words) if words.contains(&word));
        match words.ours(&theirs) {
            Some(ours) => Ok(json!(ours)),
            None if known(&theirs) => Ok(json!(theirs)),
            None => Err("is a word that the settings do not have: add it to `course-enrollments`".to_owned()),
        }
    }
}

fn purpose(training_type: &str) -> Result<FilePurpose, Error> {
    let unnamed = |_| Error::new(ErrorKind::Rejected, "has no load").at_field("trainingType");
    format!("transcripts:{training_type}").parse().map_err(unnamed)
}

impl Layout for TranscriptFiles {
    fn kinds(&self) -> Vec<KindCapability> {
        vec![KindCapability {
            kind: KIND,
            mapped: self.columns.mapped,
            tracks_changes: true,
            pushes: true,
            references: References::ByKey,
            lag: Duration::ZERO,
        }]
    }

    fn leaves_blanks(&self) -> bool {
        true
    }

    /// Who and in what is the name of an enrolment.
    fn makes_twice(&self) -> bool {
        false
    }

    fn purposes(&self, _: Kind) -> Vec<FilePurpose> {
        let types = load::training_types().iter();
        types
            .filter_map(|training_type| purpose(training_type).ok())
            .collect()
    }

    fn row(&self, _: Kind, change: &Change, today: Date) -> Result<Row, Error> {
        let (training_type, value) = load::row(change, self.columns.mapped, today)?;
        Ok(Row {
            purpose: purpose(training_type)?,
            value,
        })
    }

    fn item(&self, _: Kind, row: &FileRow) -> Item {
        let told = |name: &str| row.value.get(name).and_then(map::text).unwrap_or_default();
        let Some(key) = Key::new(&told("memberId"), &told("courseId")) else {
            let message = "must be the learning object's id, a GUID, beside the member's id";
            return faulty_row(row, "courseId", message);
        };
        match self
            .columns
            .read(&row.value, |field, told| self.in_words(field, told))
        {
            Ok(fields) => Item::Row(self.columns.record(&key.id(), None, &row.value, fields)),
            Err(fault) => Item::Faulty {
                id: key.id(),
                field: fault.field,
                message: fault.reason,
            },
        }
    }

    fn key<'r>(&self, _: Kind, _: &'r FileRow) -> Option<&'r str> {
        None
    }

    fn profile(&self, _: Kind) -> Option<Json> {
        let columns: Vec<Json> = self.columns.columns().collect();
        Some(json!({ "dialect": { "audience": Audience::People }, "columns": columns }))
    }

    fn check(&self, _: Kind, profile: &Profile) -> Vec<FieldError> {
        let mut faults = self.columns.check(profile, &[]);
        let missing = ["memberId", "courseId"]
            .into_iter()
            .filter(|name| profile.position(name).is_none());
        faults.extend(
            missing.map(|name| FieldError::new("profile.columns", format!("must have a column {name}"))),
        );
        faults
    }
}
