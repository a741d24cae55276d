//! Reading a file that was accepted, page by page, as an adapter reads an API.

use std::fmt;
use std::io::Cursor;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::TransferError;
use super::accept::{fetch, profile};
use super::file::{File, FileState};
use super::list::demand;
use crate::csv::{Profile, ReadError, Reader};
use crate::model::{FileId, IntegrationId};
use crate::objects::Objects;
use crate::store::Store;

/// A row of a file.
#[derive(Clone, PartialEq)]
pub struct FileRow {
    /// Its number; the first after the header is 1.
    pub number: u64,
    /// What it holds, by the names of the profile's columns; an empty cell is null. See [`crate::csv::Column::cell`].
    pub value: Map<String, Value>,
}

/// Hides what the row holds, which may be personal data.
impl fmt::Debug for FileRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRow")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Some rows of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePage {
    /// The rows that have no fault.
    pub rows: Vec<FileRow>,
    /// The number to go on after; none at the end.
    pub next: Option<u64>,
}

/// A file that is read: its bytes, and one row at a time.
pub struct Pages {
    /// The file.
    pub file: File,
    profile: Profile,
    bytes: Bytes,
    reader: Option<(Reader<Cursor<Bytes>>, u64)>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("file", &self.file.id)
            .finish_non_exhaustive()
    }
}

/// Opens a file that was accepted, or taken.
///
/// # Errors
///
/// `Missing`; `Unfit` where it is neither; `NotUploaded` and `Differs` where what lies there is not
/// what was accepted; `Store`, `Objects`.
pub async fn pages(
    store: &dyn Store,
    objects: &dyn Objects,
    integration: &IntegrationId,
    id: &FileId,
) -> Result<Pages, TransferError> {
    let (file, _) = demand(store, integration, id).await?;
    let profile = match file.state {
        FileState::Accepted | FileState::Done => {
            profile(&file).map_err(|_| TransferError::Unfit(file.state))?
        }
        state => return Err(TransferError::Unfit(state)),
    };
    let bytes = fetch(objects, &file).await?;
    Ok(Pages {
        file,
        profile,
        bytes,
        reader: None,
    })
}

/// Returns some rows of a file that was accepted, after a number; for many pages of one file, see [`pages`].
///
/// # Errors
///
/// Those of [`pages`] and [`Pages::page`].
pub async fn read_page(
    store: &dyn Store,
    objects: &dyn Objects,
    integration: &IntegrationId,
    id: &FileId,
    after: u64,
    limit: usize,
) -> Result<FilePage, TransferError> {
    let mut pages = pages(store, objects, integration, id).await?;
    pages
        .page(after, limit)
        .map_err(|_| TransferError::Unfit(pages.file.state))
}

impl Pages {
    /// Returns rows after a number, `limit` of them at the most; rows with faults are left out, and count.
    ///
    /// Going on where the last page ended costs what the page does; anything else reads the file from its beginning.
    ///
    /// # Errors
    ///
    /// The file cannot be read, which was found when it was accepted.
    pub fn page(&mut self, after: u64, limit: usize) -> Result<FilePage, ReadError> {
        let (mut reader, mut at) = match self.reader.take() {
            Some((reader, at)) if at == after => (reader, at),
            _ => (Reader::new(&self.profile, Cursor::new(self.bytes.clone()))?, 0),
        };
        let (mut rows, until) = (Vec::new(), after.saturating_add(limit.max(1) as u64));
        while at < until {
            let Some(row) = reader.read()? else {
                return Ok(FilePage { rows, next: None });
            };
            at += 1;
            if let (Ok(row), true) = (row, at > after) {
                let columns = self.profile.columns().iter().zip(row.cells());
                let members = columns.map(|(column, cell)| (column.name().to_owned(), cell.to_json()));
                rows.push(FileRow {
                    number: row.number(),
                    value: members.collect(),
                });
            }
        }
        self.reader = Some((reader, at));
        Ok(FilePage { rows, next: Some(at) })
    }
}
