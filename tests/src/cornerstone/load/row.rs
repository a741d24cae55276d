//! One row of a transcript load.

use std::collections::HashMap;

use csv::StringRecord;
use jiff::Timestamp;
use jiff::civil::{Date, Time, time};
use jiff::tz::{Offset, TimeZone};
use uuid::Uuid;

use super::{Fault, Field, TranscriptLoad};
use crate::cornerstone::history::History;
use crate::cornerstone::record::Registration;
use crate::cornerstone::status::{Status, TrainingType};
use crate::cornerstone::store::Store;

/// A row, and how it is read.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) load: &'a TranscriptLoad,
    pub(super) places: &'a HashMap<Field, usize>,
    pub(super) cells: &'a StringRecord,
}

impl Row<'_> {
    fn text(&self, field: Field) -> Option<&str> {
        let cell = self.cells.get(*self.places.get(&field)?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    fn needed(&self, field: Field) -> Result<&str, Fault> {
        self.text(field).ok_or((field, "is missing".to_owned()))
    }

    /// Returns whom and what the row is about.
    pub(super) fn subject(&self, store: &Store) -> Result<(i64, Uuid), Fault> {
        let asked = self.needed(Field::UserId)?;
        let user = store.user(asked);
        let user = user
            .ok_or((Field::UserId, format!("there is no user {asked}")))?
            .id;
        let asked = self.needed(Field::LearningObjectId)?;
        let mut objects = store.objects.values().map(History::current);
        let object = match asked.parse() {
            Ok(id) => store.object(id),
            Err(_) => objects.find(|object| object.reference == asked),
        };
        let found = object.ok_or((
            Field::LearningObjectId,
            format!("there is no learning object {asked}"),
        ))?;
        let wanted = self.load.training_type;
        match found.training_type == wanted {
            true => Ok((user, found.id)),
            false => Err((
                Field::LearningObjectId,
                format!("is not of the type {}", wanted.title()),
            )),
        }
    }

    pub(super) fn number(&self, field: Field) -> Result<Option<i64>, Fault> {
        let number = self.text(field).map(str::parse).transpose();
        number.map_err(|_| (field, "is not a whole number".to_owned()))
    }

    /// Returns when the user was registered.
    pub(super) fn registered_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let at = self.moment(Field::RegistrationDate, Time::midnight())?;
        match at.is_some_and(|at| at > now) {
            true => Err((Field::RegistrationDate, "is in the future".to_owned())),
            false => Ok(at),
        }
    }

    /// Changes a registration to what the row says.
    pub(super) fn apply(&self, next: &mut Registration, now: Timestamp) -> Result<(), Fault> {
        let status = self.status()?;
        next.registered_at = self.registered_at(now)?.or(next.registered_at);
        next.completed_at = self
            .moment(Field::CompletionDate, Time::midnight())?
            .or(next.completed_at);
        next.due_at = self.moment(Field::DueDate, time(23, 59, 0, 0))?.or(next.due_at);
        next.score = self.number(Field::Score)?.or(next.score);
        if next.score.is_some_and(|score| !(0..=100).contains(&score)) {
            return Err((Field::Score, "is not from 0 to 100".to_owned()));
        }
        if let Some(comment) = self.text(Field::Comment) {
            next.comment = Some(comment.to_owned());
        }
        if let Some(archived) = self.text(Field::Archived) {
            let archived = archived.to_ascii_lowercase().parse();
            next.archived =
                archived.map_err(|_| (Field::Archived, "is neither true nor false".to_owned()))?;
        }
        if next.status != status {
            next.reach(status, now);
        }
        Ok(())
    }

    fn status(&self) -> Result<Status, Fault> {
        let text = self.needed(Field::Status)?;
        let training_type: TrainingType = self.load.training_type;
        let status = Status::of_title(text).filter(|status| training_type.loads(*status));
        status.ok_or((
            Field::Status,
            format!("{text} is not a status of {}", training_type.title()),
        ))
    }

    fn moment(&self, field: Field, otherwise: Time) -> Result<Option<Timestamp>, Fault> {
        let Some(text) = self.text(field) else {
            return Ok(None);
        };
        let read = self.read_moment(text, otherwise);
        read.map(Some).ok_or((field, format!("{text} is not a date")))
    }

    fn read_moment(&self, text: &str, otherwise: Time) -> Option<Timestamp> {
        let mut words = text.split_whitespace();
        let date = Date::strptime(&self.load.date_format, words.next()?).ok()?;
        let time = match words.next() {
            None => otherwise,
            Some(word) => word.parse().ok()?,
        };
        let zone = match words.next() {
            None => TimeZone::UTC,
            Some(word) => offset(word)?,
        };
        let zoned = date.to_datetime(time).to_zoned(zone).ok()?;
        words.next().is_none().then(|| zoned.timestamp())
    }
}

/// Reads an offset such as `+02:00`.
fn offset(text: &str) -> Option<TimeZone> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    Some(offset.to_time_zone())
}
