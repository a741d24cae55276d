//! Closing a file: what it holds is fixed, rendered, and put where it can be downloaded.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::TransferError;
use super::file::{File, FileState, RowFault};
use super::list::demand;
use super::render::{Head, Render, Rendered, Unrenderable};
use super::rows::{Item, items_prefix};
use crate::model::{FieldError, FileId, IntegrationId};
use crate::norwegian;
use crate::objects::{self, MAX_BYTES, Objects};
use crate::store::{Query, Store, StoreError, Table};

/// How long whoever closes a file has for it, before `reconcile` does it again.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// How many rows are read at once.
const PAGE: usize = 500;

/// How many faults of a file are kept; the others are found when these are mended.
pub(super) const MOST_FAULTS: usize = 50;

/// What the rows of a file came to.
type Outcome = Result<Rendered, Vec<RowFault>>;

/// Closes a file, or goes on closing it, and returns it; one that is closed already is returned as it is.
///
/// The file is [`FileState::Ready`] afterwards; [`FileState::Failed`] where its rows cannot be written as the system wants
/// them: then a human discards it, and what is mended is collected again.
///
/// # Errors
///
/// `Missing`; `Unfit` for a file that comes in; `Store` and `Objects`, after which it is closed again.
pub async fn close(
    store: &dyn Store,
    objects: &dyn Objects,
    integration: &IntegrationId,
    id: &FileId,
    render: &dyn Render,
    now: Timestamp,
) -> Result<File, TransferError> {
    loop {
        let (mut file, version) = demand(store, integration, id).await?;
        let before = (file.state, version);
        let due = match file.state {
            FileState::Collecting => {
                file.state = FileState::Closing;
                file.closed_at = Some(now);
                file.changed_at = now;
                Some(now.checked_add(PATIENCE).unwrap_or(now))
            }
            FileState::Closing => {
                match run(store, integration, &file, render).await? {
                    Ok(rendered) => put(objects, integration, &mut file, rendered).await?,
                    Err(faults) => {
                        file.state = FileState::Failed;
                        file.faults = faults;
                    }
                }
                file.changed_at = now;
                None
            }
            FileState::Ready | FileState::Failed | FileState::Imported => return Ok(file),
            FileState::Discarded if file.announced.is_none() => return Ok(file),
            state => return Err(TransferError::Unfit(state)),
        };
        let writes = file.writes(integration, Some(before), due);
        match store.write(writes).await {
            Ok(()) if file.state != FileState::Closing => return Ok(file),
            // A row came in meanwhile, or somebody else has closed it.
            Ok(()) | Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Renders the rows, in the order of their keys: as they cannot change any more, they are the same every time.
async fn run(
    store: &dyn Store,
    integration: &IntegrationId,
    file: &File,
    render: &dyn Render,
) -> Result<Outcome, StoreError> {
    let head = Head {
        integration,
        file: &file.id,
        purpose: &file.purpose,
        closed_at: file.closed_at.unwrap_or(file.changed_at),
    };
    let mut rendering = match render.begin(&head) {
        Ok(rendering) => rendering,
        Err(error) => return Ok(Err(faults(0, error))),
    };
    let (mut found, mut number, mut after) = (Vec::new(), 0, None);
    loop {
        let query = Query::new(
            Table::Control,
            integration.organization.as_str(),
            items_prefix(integration, &file.id),
            PAGE,
        );
        let page = store.query(&query.after(after)).await?;
        for row in &page.rows {
            number += 1;
            let Item { key, value }: Item = row.decode()?;
            if let Err(error) = rendering.row(&key, &value) {
                found.extend(faults(number, error));
            }
        }
        after = page.next;
        if after.is_none() || found.len() >= MOST_FAULTS {
            break;
        }
    }
    if found.is_empty() {
        return Ok(rendering
            .finish()
            .map_err(|error| faults(0, error))
            .and_then(|rendered| fit(file, rendered)));
    }
    found.truncate(MOST_FAULTS);
    Ok(Err(found))
}

/// Refuses what could not be downloaded, or would tell of a person by its name.
fn fit(file: &File, rendered: Rendered) -> Outcome {
    let fault = |reason: &str| faults(0, Unrenderable(vec![FieldError::new("file", reason)]));
    // The digits of an id may look like a number of a person.
    let rest = rendered.name.replace(file.id.as_str(), "");
    if !objects::is_plain(&rendered.name) || norwegian::find(&rest).next().is_some() {
        return Err(fault("was given a name that is not plain"));
    }
    if rendered.bytes.len() as u64 > MAX_BYTES {
        return Err(fault("is too large"));
    }
    Ok(rendered)
}

fn faults(row: u64, error: Unrenderable) -> Vec<RowFault> {
    error
        .0
        .into_iter()
        .map(|fault| RowFault::new(row, fault))
        .collect()
}

/// Puts the object. Its key has the checksum in it, so that what another release renders of the same rows is another
/// object, and the file names the one that it is about.
async fn put(
    objects: &dyn Objects,
    integration: &IntegrationId,
    file: &mut File,
    rendered: Rendered,
) -> Result<(), TransferError> {
    let sha256 = objects::sha256(&rendered.bytes);
    let print = sha256.get(..16).unwrap_or_default();
    let key = format!("{}/{print}/{}", folder(integration, &file.id), rendered.name);
    file.state = FileState::Ready;
    file.bytes = rendered.bytes.len() as u64;
    objects
        .put(&key, Bytes::from(rendered.bytes), &rendered.content_type)
        .await?;
    file.object = Some(key);
    file.name = Some(rendered.name);
    file.content_type = Some(rendered.content_type);
    file.sha256 = Some(sha256);
    file.totals = rendered.totals;
    Ok(())
}

/// Returns what the keys of a file's objects begin with.
pub(super) fn folder(integration: &IntegrationId, id: &FileId) -> String {
    format!("{}/{}/{id}", integration.organization, integration.system)
}
