//! Transcript loads: what a human does with a file in Edge Import.
//!
//! A load is for one type of training. Its columns have any names: the organization says once which column is which field. Rows
//! that are wrong are left out and told of; a file that is wrong as a whole changes nothing.
//!
//! Documented are the keys, the statuses that each type takes, that nobody is registered in the future, and how large a file may
//! be. Inferred are that a completed training without a date was completed now, and that a file must be UTF-8, with a byte order
//! mark or without. A time without an offset is UTC, a due date without a time is the last minute of its day.
//!
//! Source: help.csod.com, "Edge Import - Transcript Loads and Feeds", read 2026-11-22.

mod row;

use std::collections::{BTreeMap, HashMap};

use csv::{ReaderBuilder, StringRecord};
use jiff::Timestamp;

use self::row::Row;
use super::record::Registration;
use super::server::{Cornerstone, lock};
use super::status::TrainingType;
use super::store::{Author, Store};

/// The most columns of a file that is fetched by itself, and of one that a human brings.
const MOST_COLUMNS: [usize; 2] = [150, 300];

/// The most rows below the header.
const MOST_ROWS: usize = 1_000_000;

/// Says how a file is read.
#[derive(Debug, Clone)]
pub struct TranscriptLoad {
    /// What it is for.
    pub training_type: TrainingType,
    /// What names a registration.
    pub key: LoadKey,
    /// The column of each field that there is.
    pub columns: BTreeMap<Field, String>,
    /// What separates cells.
    pub delimiter: u8,
    /// How a date is written, in the letters of `strftime`; a time `HH:MM` or `HH:MM:SS` may follow, then an offset `+HH:MM`.
    pub date_format: String,
    /// Whether a human brings it, and it may have more columns.
    pub manual: bool,
}

/// Says what names the registration that a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadKey {
    /// User and learning object: the latest registration, or a new one.
    Latest,
    /// User, learning object, and registration date: that registration, or a new one where the learning object recurs.
    RegistrationDate,
    /// User, learning object, and registration number: that registration; there is never a new one.
    RegistrationNumber,
}

/// Names what a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The user, by `external_id`.
    UserId,
    /// The learning object, by id, or by reference, which is the locator of a session.
    LearningObjectId,
    /// The number of the registration.
    RegistrationNumber,
    /// The status, in the words of the portal.
    Status,
    /// When the user was registered.
    RegistrationDate,
    /// When the user was done.
    CompletionDate,
    /// When the user should be done.
    DueDate,
    /// The result, in per cent.
    Score,
    /// Any text.
    Comment,
    /// `true` or `false`.
    Archived,
}

/// Says what a load did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The registrations that are new.
    pub created: usize,
    /// The registrations that were changed.
    pub updated: usize,
    /// The rows that said nothing new.
    pub unchanged: usize,
    /// The rows that were left out.
    pub errors: Vec<RowError>,
}

/// Says why a row was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row, counted from 1 below the header.
    pub row: usize,
    /// What is wrong.
    pub field: Field,
    /// Why.
    pub why: String,
}

impl TranscriptLoad {
    /// Returns a load of files with commas, dates such as `2026-03-01`, and these columns.
    pub fn new<'a>(
        training_type: TrainingType,
        key: LoadKey,
        columns: impl IntoIterator<Item = (Field, &'a str)>,
    ) -> Self {
        let columns = columns.into_iter().map(|(field, name)| (field, name.to_owned()));
        Self {
            training_type,
            key,
            columns: columns.collect(),
            delimiter: b',',
            date_format: "%Y-%m-%d".to_owned(),
            manual: false,
        }
    }

    /// Returns the place of each field's column.
    fn places(&self, header: &StringRecord) -> Result<HashMap<Field, usize>, String> {
        let most = MOST_COLUMNS[usize::from(self.manual)];
        if header.len() > most {
            return Err(format!(
                "the file has {} columns, and at most {most} can be mapped",
                header.len()
            ));
        }
        let mut needed = vec![Field::UserId, Field::LearningObjectId, Field::Status];
        match self.key {
            LoadKey::Latest => {}
            LoadKey::RegistrationDate => needed.push(Field::RegistrationDate),
            LoadKey::RegistrationNumber => needed.push(Field::RegistrationNumber),
        }
        if let Some(missing) = needed.iter().find(|field| !self.columns.contains_key(field)) {
            return Err(format!("no column is mapped to {missing:?}"));
        }
        let place = |(field, name): (&Field, &String)| {
            let place = header.iter().position(|column| column == name);
            place
                .map(|place| (*field, place))
                .ok_or_else(|| format!("the file has no column {name}"))
        };
        self.columns.iter().map(place).collect()
    }
}

impl Cornerstone {
    /// Loads a file as a human does in Edge Import, and says what came of its rows.
    ///
    /// # Errors
    ///
    /// Fails when the file is wrong as a whole; nothing is changed then.
    pub fn load_transcripts(&self, load: &TranscriptLoad, file: &[u8]) -> Result<LoadReport, String> {
        self.settle();
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let mut reader = ReaderBuilder::new().delimiter(load.delimiter).from_reader(file);
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let places = load.places(&header)?;
        let rows: Result<Vec<StringRecord>, csv::Error> = reader.records().take(MOST_ROWS + 1).collect();
        let rows = rows.map_err(|error| error.to_string())?;
        if rows.len() > MOST_ROWS {
            return Err(format!("the file has more than {MOST_ROWS} rows"));
        }
        let (mut store, now) = (lock(&self.store), self.now());
        let mut report = LoadReport::default();
        for (index, cells) in rows.iter().enumerate() {
            let row = Row {
                load,
                places: &places,
                cells,
            };
            match store.load(&row, now) {
                Ok(Applied::Created) => report.created += 1,
                Ok(Applied::Updated) => report.updated += 1,
                Ok(Applied::Unchanged) => report.unchanged += 1,
                Err((field, why)) => report.errors.push(RowError {
                    row: index + 1,
                    field,
                    why,
                }),
            }
        }
        Ok(report)
    }
}

enum Applied {
    Created,
    Updated,
    Unchanged,
}

type Fault = (Field, String);

impl Store {
    fn load(&mut self, row: &Row<'_>, now: Timestamp) -> Result<Applied, Fault> {
        let (user, object) = row.subject(self)?;
        let before = self.addressed(row, user, object, now)?;
        let mut next = match &before {
            Some(before) => before.clone(),
            None => self.next_registration(user, object, now),
        };
        row.apply(&mut next, now)?;
        if before.as_ref() == Some(&next) {
            return Ok(Applied::Unchanged);
        }
        self.put(next, "load", Author::Load, now);
        Ok(match before {
            Some(_) => Applied::Updated,
            None => Applied::Created,
        })
    }

    /// Returns the registration that a row is about; none where it is a new one.
    fn addressed(
        &self,
        row: &Row<'_>,
        user: i64,
        object: uuid::Uuid,
        now: Timestamp,
    ) -> Result<Option<Registration>, Fault> {
        let mut own = self
            .transcript(user)
            .filter(|line| line.learning_object == object && !line.removed);
        match row.load.key {
            LoadKey::Latest => Ok(self.latest(user, object).cloned()),
            LoadKey::RegistrationNumber => {
                let number = row.number(Field::RegistrationNumber)?;
                let found = own.find(|line| Some(line.number) == number);
                let found = found.ok_or((Field::RegistrationNumber, "is not a registration".to_owned()))?;
                Ok(Some(found.clone()))
            }
            LoadKey::RegistrationDate => {
                let at = row.registered_at(now)?;
                let at = at.ok_or((Field::RegistrationDate, "is missing".to_owned()))?;
                if let Some(found) = own.find(|line| line.registered_at == Some(at)) {
                    return Ok(Some(found.clone()));
                }
                let recurs = self.object(object).is_some_and(|object| object.recurs);
                match self.latest(user, object).is_some() && !recurs {
                    true => Err((
                        Field::RegistrationDate,
                        "is another one, and the training does not recur".to_owned(),
                    )),
                    false => Ok(None),
                }
            }
        }
    }
}
