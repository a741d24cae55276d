//! What goes wrong with a row, and with a file.

use std::fmt;
use std::io;

use crate::model::FieldError;

/// A row that was refused; the ones after it are not touched by that.
///
/// It names columns as the file's header does, and holds nothing of their content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The number of the row; the first one after the header is 1.
    pub row: u64,
    /// The line that a read row begins on; lines are counted by their LF, the first is 1.
    pub line: Option<u64>,
    /// Every fault, by column; what is wrong with the row as a whole is told of `row`.
    pub faults: Vec<FieldError>,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        for (place, fault) in self.faults.iter().enumerate() {
            f.write_str(if place == 0 { ": " } else { "; " })?;
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for RowError {}

/// A file that cannot be read, or not to its end; what was read of it must not be taken for the whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Reading has failed.
    #[error("the file could not be read")]
    Io(#[from] io::Error),
    /// There is not even a header.
    #[error("the file is empty: it must have at least a header")]
    Empty,
    /// The header does not fit the profile.
    #[error("the header does not fit: {}", listed(.0))]
    Header(Vec<FieldError>),
    /// A row is larger than the limits have it: most likely a quote was never closed.
    #[error(
        "row {row} (line {line}) is too large: it must have at most {bytes} bytes and {cells} cells; look for a quote that is not closed"
    )]
    TooLarge {
        /// The number of the row; 0 is the header.
        row: u64,
        /// The line that it begins on.
        line: u64,
        /// The most bytes.
        bytes: usize,
        /// The most cells.
        cells: usize,
    },
    /// The file ends inside a quoted cell.
    #[error(
        "the file ends inside a quoted cell of row {row} (line {line}): it was cut short, or a quote is missing"
    )]
    Unclosed {
        /// The number of the row; 0 is the header.
        row: u64,
        /// The line that it begins on.
        line: u64,
    },
    /// The sum of a column has more digits than are counted.
    #[error("the sum of {column} has too many digits")]
    Sum {
        /// The column's header.
        column: String,
    },
    /// The file was not read to its end, or cannot be read any further.
    #[error("the file was not read to its end")]
    Unfinished,
}

/// What kept a row from being written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The row cannot be carried; nothing of it was written, and the next one can be.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Writing has failed; the file is not whole.
    #[error("the file could not be written")]
    Io(#[from] io::Error),
    /// The sum of a column has more digits than are counted.
    #[error("the sum of {column} has too many digits")]
    Sum {
        /// The column's header.
        column: String,
    },
    /// Writing has failed before.
    #[error("the file was given up when writing failed")]
    Broken,
}

fn listed(faults: &[FieldError]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}
