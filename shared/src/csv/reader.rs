//! Reads a file row by row.

use std::fmt;
use std::io::Read;

use super::cell::{self, Cell};
use super::encoding::Encoding;
use super::error::{ReadError, RowError};
use super::header::Header;
use super::limits::Limits;
use super::profile::{Column, Profile};
use super::record::Records;
use super::row::Row;
use super::source::Source;
use super::totals::{Tally, Totals};
use crate::model::FieldError;

/// Reads a file row by row; one row and one piece of the file are in memory at a time.
#[derive(Debug)]
pub struct Reader<R> {
    profile: Profile,
    limits: Limits,
    records: Records<R>,
    header: Header,
    tally: Tally,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Failed,
}

/// Something in a file that does no harm, and that its sender might not have meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A column that the profile does not know; it is passed over.
    ExtraColumn {
        /// Its place; the first is 1.
        place: usize,
    },
    /// The byte order mark says another encoding than the profile, and is believed.
    Encoding {
        /// What the profile says.
        declared: Encoding,
        /// What the mark says.
        marked: Encoding,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExtraColumn { place } => {
                write!(f, "column {place} is not in the profile and was passed over")
            }
            Self::Encoding { declared, marked } => {
                write!(f, "the file is marked as {marked} and was declared as {declared}")
            }
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header with the usual limits.
    ///
    /// # Errors
    ///
    /// As [`Reader::with_limits`].
    pub fn new(profile: &Profile, read: R) -> Result<Self, ReadError> {
        Self::with_limits(profile, Limits::default(), read)
    }

    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] where a header should be and nothing is; a file with nothing but a header has no rows. Without a
    /// header in its profile, an empty file has none either. [`ReadError::Header`] names everything that does not fit.
    pub fn with_limits(profile: &Profile, limits: Limits, read: R) -> Result<Self, ReadError> {
        let source = Source::open(read, profile.dialect.encoding)?;
        let mut records = Records::new(source, &profile.dialect, limits);
        let header = match profile.dialect.header {
            true => read_header(profile, &mut records)?,
            false => Header::absent(profile),
        };
        let tally = Tally::new(&profile.columns);
        let profile = profile.clone();
        Ok(Self {
            profile,
            limits,
            records,
            header,
            tally,
            state: State::Reading,
        })
    }

    /// Reads the next row; none is the end.
    ///
    /// A row that is refused does not keep the next one from being read.
    ///
    /// # Errors
    ///
    /// The file cannot be read any further; what was read of it must not be taken for the whole.
    pub fn read(&mut self) -> Result<Option<Result<Row<'_>, RowError>>, ReadError> {
        if self.state == State::Failed {
            return Err(ReadError::Unfinished);
        }
        self.state = State::Failed;
        self.records.row = self.tally.rows + 1;
        if !self.records.next()? {
            self.state = State::Ended;
            return Ok(None);
        }
        let (number, line) = (self.records.row, self.records.line);
        let read = read_cells(&self.profile, &self.header, &self.records, self.limits);
        let row = match read {
            Ok(cells) => {
                let summed = self.tally.add(&self.profile.columns, &cells);
                summed.map_err(|column| ReadError::Sum {
                    column: column.header.clone(),
                })?;
                Ok(Row {
                    profile: &self.profile,
                    cells,
                    number,
                    line,
                })
            }
            Err(faults) => {
                self.tally.rows += 1;
                self.tally.refused += 1;
                Err(RowError {
                    row: number,
                    line: Some(line),
                    faults,
                })
            }
        };
        self.state = State::Reading;
        Ok(Some(row))
    }

    /// Returns what is worth a look in the header and the mark.
    pub fn warnings(&self) -> impl Iterator<Item = Warning> {
        let (declared, marked) = (self.profile.dialect.encoding, self.records.source.encoding);
        let encoding = (declared != marked).then_some(Warning::Encoding { declared, marked });
        let extra = self
            .header
            .extra
            .iter()
            .map(|place| Warning::ExtraColumn { place: place + 1 });
        encoding.into_iter().chain(extra)
    }

    /// Returns the columns that the file does not have, which may be none that each row must fill in.
    pub fn absent(&self) -> impl Iterator<Item = &Column> {
        let columns = self.profile.columns.iter().zip(&self.header.places);
        columns.filter_map(|(column, place)| place.is_none().then_some(column))
    }

    /// Returns what the file came to.
    ///
    /// # Errors
    ///
    /// It was not read to its end.
    pub fn finish(self) -> Result<Totals, ReadError> {
        match self.state {
            State::Ended => Ok(self.tally.totals(&self.profile, self.records.source.passed)),
            State::Reading | State::Failed => Err(ReadError::Unfinished),
        }
    }

    /// Returns how much memory is held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.records.held()
    }
}

fn read_header<R: Read>(profile: &Profile, records: &mut Records<R>) -> Result<Header, ReadError> {
    if !records.next()? {
        return Err(ReadError::Empty);
    }
    let Some(text) = records.letters() else {
        return Err(ReadError::Header(not_letters(records, |place| {
            format!("column {}", place + 1)
        })));
    };
    let cells = (0..records.count()).map(|place| text.get(records.range(place)).unwrap_or_default());
    let cells: Vec<&str> = cells.collect();
    Header::find(profile, &cells).map_err(ReadError::Header)
}

fn read_cells<'a, R>(
    profile: &'a Profile,
    header: &Header,
    records: &'a Records<R>,
    limits: Limits,
) -> Result<Vec<Cell<'a>>, Vec<FieldError>> {
    let count = records.count();
    let more = (header.width..count).any(|place| !records.range(place).is_empty());
    if more || count < header.width {
        let reason = format!("has {count} cells and should have {}", header.width);
        return Err(vec![FieldError::new("row", reason)]);
    }
    let Some(text) = records.letters() else {
        return Err(not_letters(records, |place| name(profile, header, place)));
    };
    let mut faults = Vec::new();
    let mut cells = Vec::with_capacity(profile.columns.len());
    for (column, place) in profile.columns.iter().zip(&header.places) {
        let text = place
            .and_then(|place| text.get(records.range(place)))
            .unwrap_or_default();
        let cell = match text.len() > limits.cell_bytes {
            true => Err(format!("is longer than {} bytes", limits.cell_bytes)),
            false => cell::read(column, text, &profile.dialect),
        };
        match cell {
            Ok(cell) => cells.push(cell),
            Err(reason) => faults.push(FieldError::new(&column.header, reason)),
        }
    }
    if faults.is_empty() { Ok(cells) } else { Err(faults) }
}

/// Names the cells that hold bytes that are no letters.
fn not_letters<R>(records: &Records<R>, name: impl Fn(usize) -> String) -> Vec<FieldError> {
    let encoding = records.source.encoding;
    let invalid = |place: &usize| std::str::from_utf8(records.bytes(*place)).is_err();
    let places = (0..records.count()).filter(invalid);
    places
        .map(|place| FieldError::new(name(place), format!("holds bytes that are not {encoding}")))
        .collect()
}

fn name(profile: &Profile, header: &Header, place: usize) -> String {
    let column = header.places.iter().position(|known| *known == Some(place));
    let column = column.and_then(|column| profile.columns.get(column));
    column.map_or_else(|| format!("column {}", place + 1), |column| column.header.clone())
}
