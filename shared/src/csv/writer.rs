//! Writes a file row by row.

use std::io::{self, Write};

use super::cell::{self, Cell};
use super::dialect::{Dialect, LineEnd, Quoting};
use super::encoding::{Encoder, Encoding};
use super::error::{RowError, WriteError};
use super::limits::Limits;
use super::profile::Profile;
use super::totals::{Passed, Tally, Totals};
use crate::model::FieldError;

/// How much is collected before it is written.
const PIECE: usize = 64 << 10;

/// Writes a file row by row; what is in memory is one row and one piece of the file.
///
/// Only what [`Writer::finish`] has returned is a whole file.
#[derive(Debug)]
pub struct Writer<W: Write> {
    profile: Profile,
    limits: Limits,
    write: ::csv::Writer<Encoder<Counted<W>>>,
    tally: Tally,
    /// The cells of one row as they stand in the file but for quotes, and where each ends.
    text: String,
    ends: Vec<usize>,
    broken: bool,
}

impl<W: Write> Writer<W> {
    /// Writes mark and header, as the dialect has them, with the usual limits.
    ///
    /// # Errors
    ///
    /// Writing has failed.
    pub fn new(profile: &Profile, write: W) -> io::Result<Self> {
        Self::with_limits(profile, Limits::default(), write)
    }

    /// Writes mark and header, as the dialect has them; the limits are those of the reader that it is for.
    ///
    /// # Errors
    ///
    /// Writing has failed.
    pub fn with_limits(profile: &Profile, limits: Limits, write: W) -> io::Result<Self> {
        let dialect = &profile.dialect;
        let mut counted = Counted {
            write,
            passed: Passed::default(),
        };
        if dialect.bom {
            counted.write_all(dialect.encoding.mark())?;
        }
        let mut write = builder(dialect).from_writer(Encoder::new(counted, dialect.encoding));
        if dialect.header {
            write
                .write_record(profile.columns.iter().map(|column| &column.header))
                .map_err(as_io)?;
        }
        Ok(Self {
            profile: profile.clone(),
            limits,
            write,
            tally: Tally::new(&profile.columns),
            text: String::new(),
            ends: Vec::with_capacity(profile.columns.len()),
            broken: false,
        })
    }

    /// Writes a row, with a cell for each column of the profile.
    ///
    /// # Errors
    ///
    /// [`WriteError::Row`] if a cell cannot be carried as it is: nothing of the row is written then. After all others, the
    /// file is not whole and cannot be gone on with.
    pub fn write(&mut self, cells: &[Cell<'_>]) -> Result<(), WriteError> {
        if self.broken {
            return Err(WriteError::Broken);
        }
        self.lay_out(cells).map_err(|faults| {
            let row = self.tally.rows + 1;
            WriteError::Row(RowError {
                row,
                line: None,
                faults,
            })
        })?;
        self.broken = true;
        let summed = self.tally.add(&self.profile.columns, cells);
        summed.map_err(|column| WriteError::Sum {
            column: column.header.clone(),
        })?;
        let mut from = 0;
        for to in &self.ends {
            let cell = self.text.get(from..*to).unwrap_or_default();
            self.write.write_field(cell).map_err(as_io)?;
            from = *to;
        }
        self.write.write_record(None::<&[u8]>).map_err(as_io)?;
        self.broken = false;
        Ok(())
    }

    /// Writes what was collected, and returns what it came to.
    ///
    /// # Errors
    ///
    /// Writing has failed, now or before.
    pub fn finish(self) -> Result<(W, Totals), WriteError> {
        if self.broken {
            return Err(WriteError::Broken);
        }
        let written = self
            .write
            .into_inner()
            .map_err(|error| io::Error::from(error.error().kind()))?;
        let mut counted = written.into_inner();
        counted.flush()?;
        Ok((counted.write, self.tally.totals(&self.profile, counted.passed)))
    }

    /// Lays out a row and looks for everything that it cannot be written for.
    fn lay_out(&mut self, cells: &[Cell<'_>]) -> Result<(), Vec<FieldError>> {
        self.text.clear();
        self.ends.clear();
        let columns = &self.profile.columns;
        if cells.len() != columns.len() {
            let reason = format!("has {} cells and should have {}", cells.len(), columns.len());
            return Err(vec![FieldError::new("row", reason)]);
        }
        let mut faults = Vec::new();
        for (column, cell) in columns.iter().zip(cells) {
            let from = self.text.len();
            let written = cell::write(column, *cell, &self.profile.dialect, &mut self.text);
            let most = self.limits.cell_bytes;
            let length = self.text.len() - from;
            let reason = match written {
                Ok(()) if length > most => Some(format!("is longer than {most} bytes")),
                written => written.err(),
            };
            faults.extend(reason.map(|reason| FieldError::new(&column.header, reason)));
            self.ends.push(self.text.len());
        }
        faults.extend(
            self.check_row()
                .err()
                .map(|reason| FieldError::new("row", reason)),
        );
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Refuses what a reader would not find as a row, or not as this one.
    fn check_row(&self) -> Result<(), String> {
        let dialect = &self.profile.dialect;
        if self.text.len() > self.limits.row_bytes {
            return Err(format!("is longer than {} bytes", self.limits.row_bytes));
        }
        if self.text.is_empty() && self.ends.len() == 1 && dialect.quoting == Quoting::Never {
            return Err("would be an empty line, as nothing is quoted".to_owned());
        }
        if self.tally.rows == 0 && !dialect.header && !dialect.bom && dialect.quoting != Quoting::Always {
            let first = self.text.get(..self.ends.first().copied().unwrap_or_default());
            let head: String = first.unwrap_or_default().chars().take(3).collect();
            if Encoding::marked(&dialect.encoding.encode(&head)).is_some() {
                return Err("begins with what would be taken for the mark of an encoding".to_owned());
            }
        }
        Ok(())
    }
}

fn builder(dialect: &Dialect) -> ::csv::WriterBuilder {
    let mut builder = ::csv::WriterBuilder::new();
    builder.delimiter(dialect.delimiter.byte());
    builder.terminator(match dialect.line_end {
        LineEnd::Crlf => ::csv::Terminator::CRLF,
        LineEnd::Lf => ::csv::Terminator::Any(b'\n'),
    });
    builder.quote_style(match dialect.quoting {
        Quoting::Necessary => ::csv::QuoteStyle::Necessary,
        Quoting::Always => ::csv::QuoteStyle::Always,
        Quoting::Never => ::csv::QuoteStyle::Never,
    });
    builder.has_headers(false).buffer_capacity(PIECE);
    builder
}

fn as_io(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        // Each row has as many cells as the first, which is all that is left to be wrong.
        _ => io::ErrorKind::InvalidInput.into(),
    }
}

/// Counts what is written.
#[derive(Debug)]
struct Counted<W> {
    write: W,
    passed: Passed,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.write.write(bytes)?;
        self.passed.add(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write.flush()
    }
}
