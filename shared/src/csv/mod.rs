//! Tables as text, in and out, as a [`Profile`] has them: written and read row by row in little memory, and exact.
//!
//! # Shape
//!
//! A profile is data: a dialect (delimiter, decimal mark, dates, mark, line end, header, quotes, encoding, and who opens the
//! file) and columns, each of one type. Two dialects are built in, and each fills in what a profile leaves out:
//!
//! | audience | as | what cannot be carried |
//! | --- | --- | --- |
//! | `people` | Excel with Norwegian settings: UTF-8 with mark, `;`, decimal comma, `dd.MM.yyyy`, CRLF | is refused, but for a text that a spreadsheet would take for a formula: it gets an `'`, which the reader takes off |
//! | `machine` | RFC 4180: UTF-8, `,`, decimal point, `yyyy-MM-dd`, CRLF | is refused |
//!
//! Only texts are guarded: a negative number is a number. Amounts are whole numbers of the smallest unit that the column has,
//! and neither rounded nor given to floating point on any way.
//!
//! # Errors
//!
//! A row that does not fit is refused by itself, with its number, its line, and each column and reason; nothing of what it
//! holds is told. What ends the reading of a file is a [`ReadError`]. Only [`Reader::finish`] says that all of it was read, and
//! [`Totals::check`] that it is the file that was sent.
//!
//! A file that was cut where a row ends cannot be told from a whole one by itself: without expected totals it is taken for
//! whole.
//!
//! # Example
//!
//! ```
//! use serde_json::json;
//! use shared::csv::{Cell, ExpectedTotals, Profile, Reader, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let profile = Profile::check(&json!({
//!     "dialect": { "audience": "people" },
//!     "columns": [
//!         { "name": "text", "header": "Tekst", "type": "text" },
//!         { "name": "amount", "header": "Beløp", "type": "decimal", "scale": 2, "required": true }
//!     ]
//! }))
//! .expect("it fits");
//! let mut writer = Writer::new(&profile, Vec::new())?;
//! writer.write(&[Cell::Text("=1+1"), Cell::Decimal("-1234.5".parse()?)])?;
//! let (file, written) = writer.finish()?;
//! assert_eq!(std::str::from_utf8(&file)?, "\u{feff}Tekst;Beløp\r\n'=1+1;-1234,50\r\n");
//!
//! let mut reader = Reader::new(&profile, file.as_slice())?;
//! while let Some(row) = reader.read()? {
//!     assert_eq!(row?.get("text"), Some(Cell::Text("=1+1")));
//! }
//! let read = reader.finish()?;
//! assert!(read.check(&ExpectedTotals::from(&written)).is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! Source: RFC 4180; OWASP, "CSV Injection".

#![deny(clippy::float_arithmetic, reason = "amounts are exact")]

mod cell;
mod checked;
mod date;
mod dialect;
mod encoding;
mod error;
mod file_name;
mod guard;
mod header;
#[cfg(test)]
mod header_tests;
mod json;
mod limits;
#[cfg(test)]
mod noise_tests;
mod number;
mod profile;
#[cfg(test)]
mod profile_tests;
#[cfg(test)]
mod property_tests;
mod reader;
#[cfg(test)]
mod reader_tests;
mod record;
mod row;
#[cfg(test)]
mod samples;
mod source;
#[cfg(test)]
mod stream_tests;
mod totals;
#[cfg(test)]
mod totals_tests;
mod words;
mod writer;
#[cfg(test)]
mod writer_tests;

pub use cell::Cell;
pub use checked::Number;
pub use dialect::{Audience, DateForm, DecimalMark, Delimiter, Dialect, LineEnd, Quoting};
pub use encoding::Encoding;
pub use error::{ReadError, RowError, WriteError};
pub use file_name::{Feed, file_name};
pub use limits::Limits;
pub use profile::{Column, Profile};
pub use reader::{Reader, Warning};
pub use row::Row;
pub use totals::{ExpectedTotals, Totals};
pub use writer::Writer;
