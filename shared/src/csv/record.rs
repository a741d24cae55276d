//! Cells as text, one row at a time: the grammar of RFC 4180, bounded.
//!
//! `csv_core` is the parser that the `csv` crate has inside. It is used as it is because it writes into a room that it is
//! given and stops when that is full: the crate's own reader lets a row grow as long as a quote stays open.

use std::io::Read;
use std::ops::Range;

use csv_core::ReadRecordResult;

use super::dialect::{Dialect, Quoting};
use super::error::ReadError;
use super::limits::Limits;
use super::source::Source;

/// How much room a row gets at first.
const ROOM: usize = 8 << 10;

/// The cells of one row, and where in the file they stand.
#[derive(Debug)]
pub(super) struct Records<R> {
    pub(super) source: Source<R>,
    core: csv_core::Reader,
    limits: Limits,
    /// The number of the row; the header's is 0.
    pub(super) row: u64,
    /// The line that the row begins on.
    pub(super) line: u64,
    next_line: u64,
    text: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    count: usize,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: Source<R>, dialect: &Dialect, limits: Limits) -> Self {
        let mut builder = csv_core::ReaderBuilder::new();
        builder.delimiter(dialect.delimiter.byte());
        let mut core = builder.quoting(dialect.quoting != Quoting::Never).build();
        // It takes a mark off what it is first shown. The file's own is gone by now: another is a letter of the first cell.
        core.read_record(b"\n", &mut [], &mut [0]);
        Self {
            source,
            core,
            limits,
            row: 0,
            line: 1,
            next_line: 1,
            text: vec![0; ROOM.min(limits.row_bytes.saturating_add(1))],
            length: 0,
            ends: vec![0; limits.columns.saturating_add(1)],
            count: 0,
        }
    }

    /// Reads the next row; false is the end. Empty lines are no rows.
    pub(super) fn next(&mut self) -> Result<bool, ReadError> {
        self.skip_line_ends()?;
        self.line = self.next_line;
        (self.length, self.count) = (0, 0);
        loop {
            let piece = self.source.fill()?;
            let ended = piece.is_empty();
            // At the end, a line end ends the last row, unless it falls inside a quoted cell.
            let piece = if ended { b"\n" } else { piece };
            let text = self.text.get_mut(self.length..).unwrap_or_default();
            let ends = self.ends.get_mut(self.count..).unwrap_or_default();
            let (result, read, written, cells) = self.core.read_record(piece, text, ends);
            if !ended {
                let read_piece = piece.get(..read).unwrap_or_default();
                self.next_line += line_ends(read_piece);
                self.source.consume(read);
            }
            self.length += written;
            self.count += cells;
            match result {
                ReadRecordResult::InputEmpty if !ended => {}
                ReadRecordResult::InputEmpty if self.length == 0 && self.count == 0 => return Ok(false),
                ReadRecordResult::InputEmpty => return Err(self.unclosed()),
                ReadRecordResult::OutputFull if self.grow() => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(self.too_large());
                }
                ReadRecordResult::Record if self.is_too_large() => return Err(self.too_large()),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Passes what ends the row before, which the parser has only seen half of, and empty lines.
    fn skip_line_ends(&mut self) -> Result<(), ReadError> {
        loop {
            let piece = self.source.fill()?;
            let length = piece
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            if length == 0 {
                return Ok(());
            }
            self.next_line += line_ends(piece.get(..length).unwrap_or_default());
            self.source.consume(length);
        }
    }

    fn grow(&mut self) -> bool {
        let size = self
            .text
            .len()
            .saturating_mul(2)
            .min(self.limits.row_bytes.saturating_add(1));
        let grows = size > self.text.len();
        // As much as that, and not twice of it.
        self.text.reserve_exact(size - self.text.len());
        self.text.resize(size, 0);
        grows
    }

    /// The room is one larger than the limits: a full one cannot be told from one that was too small.
    const fn is_too_large(&self) -> bool {
        self.length > self.limits.row_bytes || self.count > self.limits.columns
    }

    const fn too_large(&self) -> ReadError {
        let Limits {
            row_bytes, columns, ..
        } = self.limits;
        ReadError::TooLarge {
            row: self.row,
            line: self.line,
            bytes: row_bytes,
            cells: columns,
        }
    }

    const fn unclosed(&self) -> ReadError {
        ReadError::Unclosed {
            row: self.row,
            line: self.line,
        }
    }
}

impl<R> Records<R> {
    /// Returns how many cells the row has.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Returns the row's text, if all of it is letters.
    pub(super) fn letters(&self) -> Option<&str> {
        let text = self.text.get(..self.length)?;
        let text = std::str::from_utf8(text).ok()?;
        // What is letters only across the border of two cells is none.
        let ends = self.ends.get(..self.count)?;
        ends.iter().all(|end| text.is_char_boundary(*end)).then_some(text)
    }

    /// Returns where in the row's text a cell stands; nowhere, and empty, if it has none at the place.
    pub(super) fn range(&self, place: usize) -> Range<usize> {
        let end = |place: usize| self.ends.get(place).copied().filter(|_| place < self.count);
        match (place.checked_sub(1).map_or(Some(0), end), end(place)) {
            (Some(from), Some(to)) => from..to,
            _ => 0..0,
        }
    }

    /// Returns the bytes of a cell.
    pub(super) fn bytes(&self, place: usize) -> &[u8] {
        self.text.get(self.range(place)).unwrap_or_default()
    }
}

#[cfg(test)]
impl<R: Read> Records<R> {
    /// Returns how much memory is held.
    pub(super) fn held(&self) -> usize {
        self.source.held() + self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
