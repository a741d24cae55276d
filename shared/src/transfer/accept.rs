//! Accepting a file that was uploaded: it is the one that was announced, and can be read to its end.

use bytes::Bytes;
use jiff::Timestamp;

use super::TransferError;
use super::close::MOST_FAULTS;
use super::file::{File, FileState, RowFault};
use super::list::demand;
use crate::csv::{Column, Profile, ReadError, Reader, RowError, Totals};
use crate::integration::audit;
use crate::model::{FieldError, FileId, IntegrationId};
use crate::objects::{self, ObjectError, Objects};
use crate::store::{Store, StoreError};

/// Accepts a file that was uploaded, and returns it; one that was accepted or refused already is returned as it is.
///
/// It is read to its end by the profile that was announced. Where the header does not fit, or it cannot be read, it is
/// [`FileState::Refused`], and nothing of it is taken. Rows with faults are told of, and left out: of a complete listing that
/// would look as if they were gone, so that it is refused as well.
///
/// # Errors
///
/// `Missing`; `Unfit` for one that goes out or is settled; `NotUploaded` and `Differs`, after which it can be put again;
/// `Store`, `Objects`.
pub async fn accept(
    store: &dyn Store,
    objects: &dyn Objects,
    integration: &IntegrationId,
    id: &FileId,
    by: &str,
    now: Timestamp,
) -> Result<File, TransferError> {
    loop {
        let (mut file, version) = demand(store, integration, id).await?;
        match file.state {
            FileState::Announced => {}
            FileState::Accepted | FileState::Refused | FileState::Done => return Ok(file),
            state => return Err(TransferError::Unfit(state)),
        }
        let before = (file.state, version);
        compare(objects, &file).await?;
        let bytes = fetch(objects, &file).await?;
        examine(&mut file, &bytes);
        file.changed_at = now;
        let mut writes = file.writes(integration, Some(before), None);
        let parts = [file.id.as_str(), file.state.as_str()];
        writes.push(audit::write(integration, by, "accept_file", &parts, now));
        match store.write(writes).await {
            Ok(()) => return Ok(file),
            Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Settles a file that a run has taken to its end; one that is settled so stays as it is.
///
/// # Errors
///
/// `Missing`, `Unfit`, `Store`.
pub async fn done(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
    now: Timestamp,
) -> Result<File, TransferError> {
    loop {
        let (mut file, version) = demand(store, integration, id).await?;
        match file.state {
            FileState::Accepted => {}
            FileState::Done => return Ok(file),
            state => return Err(TransferError::Unfit(state)),
        }
        let before = (file.state, version);
        file.state = FileState::Done;
        file.changed_at = now;
        match store.write(file.writes(integration, Some(before), None)).await {
            Ok(()) => return Ok(file),
            Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn differs(field: &str) -> TransferError {
    let reason = "is another than was announced: the file was not uploaded as a whole, or is another one";
    TransferError::Differs(vec![FieldError::new(field, reason)])
}

/// Looks before it reads: what is too large, or another, is not read at all.
async fn compare(objects: &dyn Objects, file: &File) -> Result<(), TransferError> {
    let key = file.object.as_deref().unwrap_or_default();
    let head = match objects.head(key).await {
        Err(ObjectError::Missing { .. }) => return Err(TransferError::NotUploaded),
        head => head?,
    };
    if head.bytes != file.bytes {
        return Err(differs("bytes"));
    }
    match head.sha256 {
        Some(sha256) if Some(&sha256) != file.sha256.as_ref() => Err(differs("sha256")),
        _ => Ok(()),
    }
}

/// Reads the object of a file, and insists that it is the one that was announced.
pub(super) async fn fetch(objects: &dyn Objects, file: &File) -> Result<Bytes, TransferError> {
    let key = file.object.as_deref().unwrap_or_default();
    let bytes = match objects.get(key).await {
        Err(ObjectError::Missing { .. }) => return Err(TransferError::NotUploaded),
        bytes => bytes?,
    };
    if Some(objects::sha256(&bytes)) == file.sha256 {
        Ok(bytes)
    } else {
        Err(differs("sha256"))
    }
}

/// Reads the file to its end, and keeps in it what that came to.
fn examine(file: &mut File, bytes: &[u8]) {
    let mut faults = Vec::new();
    let read = profile(file).and_then(|profile| {
        scan(&profile, bytes, |error| {
            if faults.len() < MOST_FAULTS {
                faults.extend(of_row(error));
            }
        })
    });
    faults.truncate(MOST_FAULTS);
    file.state = FileState::Accepted;
    let complete = file.is_complete();
    let mut refuse = |reason: Vec<RowFault>| {
        file.state = FileState::Refused;
        faults.splice(0..0, reason);
    };
    match &read {
        Err(reason) => refuse(reason.clone()),
        Ok(totals) if totals.refused > 0 && complete => refuse(whole(
            "has rows with faults, and is a complete listing: mend them, or what is not in it would be taken for gone",
        )),
        Ok(totals) if totals.refused > 0 && totals.refused == totals.rows => {
            refuse(whole("has no row without faults"));
        }
        Ok(_) => {}
    }
    file.faults = faults;
    if let Ok(Totals {
        rows, refused, sums, ..
    }) = read
    {
        file.rows = rows - refused;
        let sums = sums.into_iter().map(|(name, sum)| (name, sum.to_string()));
        file.totals = sums.collect();
        if let Some(announced) = &mut file.announced {
            announced.refused_rows = refused;
        }
    }
}

/// Returns the profile that was announced.
pub(super) fn profile(file: &File) -> Result<Profile, Vec<RowFault>> {
    let announced = file.announced.as_ref().map(|announced| &announced.profile);
    let profile = Profile::check(announced.unwrap_or(&serde_json::Value::Null));
    profile.map_err(|faults| faults.into_iter().map(|fault| RowFault::new(0, fault)).collect())
}

fn scan(profile: &Profile, bytes: &[u8], mut refused: impl FnMut(RowError)) -> Result<Totals, Vec<RowFault>> {
    let mut reader = Reader::new(profile, bytes).map_err(of_file)?;
    let absent: Vec<_> = reader.absent().map(absent).collect();
    if !absent.is_empty() {
        return Err(absent);
    }
    while let Some(row) = reader.read().map_err(of_file)? {
        if let Err(error) = row {
            refused(error);
        }
    }
    reader.finish().map_err(of_file)
}

/// What was announced and is not there would be read as empty in every row.
fn absent(column: &Column) -> RowFault {
    RowFault::new(0, FieldError::new(column.header(), "is missing from the header"))
}

fn of_row(error: RowError) -> impl Iterator<Item = RowFault> {
    let RowError { row, line, faults } = error;
    faults.into_iter().map(move |fault| RowFault {
        line,
        ..RowFault::new(row, fault)
    })
}

fn of_file(error: ReadError) -> Vec<RowFault> {
    match error {
        ReadError::Header(faults) => faults.into_iter().map(|fault| RowFault::new(0, fault)).collect(),
        error => whole(&error.to_string()),
    }
}

fn whole(reason: &str) -> Vec<RowFault> {
    vec![RowFault::new(0, FieldError::new("file", reason))]
}
