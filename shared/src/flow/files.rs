//! Files of which something is due, with what their systems say about how they are written.

use super::Ports;
use crate::adapters;
use crate::integration::{self, Integration};
use crate::model::{FileId, IntegrationId};
use crate::objects::Objects;
use crate::store::{Key, StoreError};
use crate::transfer::{self, File, FileState, Mend, TransferError};

/// Does what is due of the file in a row; says whether there was anything to do.
pub(super) async fn mend(ports: &Ports, objects: &dyn Objects, key: &Key) -> Result<bool, TransferError> {
    let Some((id, file)) = transfer::of(key) else {
        return Ok(false);
    };
    let store = &*ports.store;
    let integration = read(ports, &id).await?;
    if integration.is_none() {
        transfer::abandon(store, &id, &file).await?;
    }
    let render = integration.as_ref().and_then(adapters::renderer);
    let mend = Mend {
        store,
        objects,
        render: render.as_deref(),
        now: ports.now(),
    };
    transfer::mend(&mend, &id, &file).await
}

/// Closes a file that collects, before it is due; one that is closed is returned as it is.
///
/// # Errors
///
/// `Unfit` where nothing renders the files of the integration, and those of [`transfer::close`].
pub async fn close(
    ports: &Ports,
    objects: &dyn Objects,
    id: &IntegrationId,
    file: &FileId,
) -> Result<File, TransferError> {
    let store = &*ports.store;
    let found = transfer::read_file(store, id, file).await?;
    if !matches!(found.state, FileState::Collecting | FileState::Closing) {
        return Ok(found);
    }
    let integration = read(ports, id).await?;
    let render = integration.as_ref().and_then(adapters::renderer);
    let render = render.ok_or(TransferError::Unfit(found.state))?;
    transfer::close(store, objects, id, file, &*render, ports.now()).await
}

async fn read(ports: &Ports, id: &IntegrationId) -> Result<Option<Integration>, StoreError> {
    let stored = integration::read(&*ports.store, id).await?;
    Ok(stored.map(|stored| stored.integration))
}
