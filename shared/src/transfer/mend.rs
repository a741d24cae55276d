//! Files of which something is due.

use jiff::{SignedDuration, Timestamp};

use super::TransferError;
use super::close::close;
use super::collect;
use super::decide::retire;
use super::file::{File, FileState, PREFIX, file_key};
use super::list::find;
use super::render::Render;
use crate::model::{FileId, IntegrationId};
use crate::objects::Objects;
use crate::store::{Expect, Key, Store, StoreError, Write};

/// When a file is looked at again that nobody can render.
const LATER: SignedDuration = SignedDuration::from_hours(1);

/// What mends a file.
#[derive(Debug)]
pub struct Mend<'a> {
    /// The tables.
    pub store: &'a dyn Store,
    /// The objects.
    pub objects: &'a dyn Objects,
    /// What renders the files of the integration; none where nobody can.
    pub render: Option<&'a dyn Render>,
    /// The time.
    pub now: Timestamp,
}

/// Returns which file a row is about.
#[must_use]
pub(crate) fn of(key: &Key) -> Option<(IntegrationId, FileId)> {
    let (system, id) = key.sort.strip_prefix(PREFIX)?.split_once('#')?;
    let organization = key.partition.parse().ok()?;
    let integration = IntegrationId::new(organization, system.parse().ok()?);
    Some((integration, id.parse().ok()?))
}

/// Does what is due of a file: closes it, or tells its rows when to go; says whether there was anything to do.
///
/// # Errors
///
/// `Store`, `Objects`; it stays due.
pub async fn mend(mend: &Mend<'_>, integration: &IntegrationId, id: &FileId) -> Result<bool, TransferError> {
    let Some((file, version)) = find(mend.store, integration, id).await? else {
        return Ok(false);
    };
    match (file.state, mend.render) {
        (FileState::Collecting, _) if collect::due(&file) > mend.now => Ok(false),
        (FileState::Collecting | FileState::Closing, Some(render)) => {
            close(mend.store, mend.objects, integration, id, render, mend.now)
                .await
                .map(|_| true)
        }
        (FileState::Collecting | FileState::Closing, None) => {
            tracing::warn!(%integration, file = %id, "nothing renders the files of this integration");
            postpone(mend, integration, &file, version).await.map(|()| false)
        }
        (FileState::Imported | FileState::Discarded, render) => {
            retire(mend.store, integration, id, render, mend.now)
                .await
                .map(|_| true)
        }
        _ => Ok(false),
    }
}

/// Removes a file that has not left, where its integration is gone; its rows went with that.
///
/// # Errors
///
/// `Store`; it stays due.
pub async fn abandon(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &FileId,
) -> Result<(), TransferError> {
    let Some((file, version)) = find(store, integration, id).await? else {
        return Ok(());
    };
    if !matches!(file.state, FileState::Collecting | FileState::Closing) {
        return Ok(());
    }
    let write = Write::delete(file_key(integration, id), Expect::Version(version));
    match store.write(vec![write]).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn postpone(
    mend: &Mend<'_>,
    integration: &IntegrationId,
    file: &File,
    version: u64,
) -> Result<(), TransferError> {
    let later = mend.now.checked_add(LATER).unwrap_or(mend.now);
    let writes = file.writes(integration, Some((file.state, version)), Some(later));
    match mend.store.write(writes).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
