//! Files of which something is due, with what their systems say about how they are written.

use super::Ports;
use crate::adapters;
use crate::integration;
use crate::model::{FileId, IntegrationId};
use crate::objects::Objects;
use crate::store::Key;
use crate::transfer::{self, File, Mend, Render, TransferError};

/// Does what is due of the file in a row; says whether there was anything to do.
pub(super) async fn mend(ports: &Ports, objects: &dyn Objects, key: &Key) -> Result<bool, TransferError> {
    let Some((integration, id)) = transfer::of(key) else {
        return Ok(false);
    };
    let render = renderer(ports, &integration).await?;
    let mend = Mend {
        store: &*ports.store,
        objects,
        render: render.as_deref(),
        now: ports.now(),
    };
    transfer::mend(&mend, &integration, &id).await
}

/// Closes a file now, before it is due; none where nothing renders the files of its integration.
///
/// # Errors
///
/// Those of [`transfer::close`].
pub async fn close(
    ports: &Ports,
    objects: &dyn Objects,
    integration: &IntegrationId,
    id: &FileId,
) -> Result<Option<File>, TransferError> {
    let Some(render) = renderer(ports, integration).await? else {
        return Ok(None);
    };
    transfer::close(&*ports.store, objects, integration, id, &*render, ports.now())
        .await
        .map(Some)
}

async fn renderer(ports: &Ports, id: &IntegrationId) -> Result<Option<Box<dyn Render>>, TransferError> {
    let stored = integration::read(&*ports.store, id).await?;
    Ok(stored.and_then(|stored| adapters::renderer(&stored.integration)))
}
