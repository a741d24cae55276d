//! Removes what is kept about an integration besides its row; the platform's records stay.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use crate::flow::Ports;
use crate::model::{IntegrationId, Kind, Link, Record};
use crate::records::{link_partition, pending_partition, record_key};
use crate::store::{Expect, MAX_WRITES, Page, Query, Row, Store, StoreError, Table, Write};

/// How many rows are read at a time.
const PAGE: usize = 400;

/// How many transactions are under way at once.
const AT_ONCE: usize = 4;

/// Forgets everything, or as much as fits before the deadline; says whether nothing is left.
pub(super) async fn all(ports: &Ports, id: &IntegrationId, deadline: Timestamp) -> Result<bool, StoreError> {
    for kind in Kind::ALL {
        let links = Query::new(Table::Records, link_partition(id, *kind), "", PAGE);
        while let Some(rows) = page(ports, &links, deadline).await? {
            if rows.is_empty() {
                break;
            }
            unlink(&*ports.store, id, *kind, rows).await?;
        }
    }
    for query in plain(id) {
        while let Some(rows) = page(ports, &query, deadline).await? {
            if rows.is_empty() {
                break;
            }
            drop_rows(&*ports.store, rows).await?;
        }
    }
    Ok(ports.now() < deadline)
}

/// What goes without regard to anything else. The lease and the last run stay: their numbers only ever go up.
fn plain(id: &IntegrationId) -> Vec<Query> {
    let organization = id.organization.as_str();
    let control = [
        "breaker",
        "cursor",
        "pause",
        "expiry",
        "hinted",
        "quarantine",
        "review",
        "seen",
        "sign-in",
        "token",
        "deletions",
        "webhook",
        "receipt",
        "event",
        "file-row",
        "file-open",
        "file-waiting",
        "file-accepted",
    ]
    .map(|what| {
        Query::new(
            Table::Control,
            organization,
            format!("{what}#{}", id.system),
            PAGE,
        )
    });
    let pending = Query::new(Table::Records, pending_partition(id), "", PAGE);
    std::iter::once(pending).chain(control).collect()
}

/// Returns the first rows of what is left; `None` once the time is up.
async fn page(ports: &Ports, query: &Query, deadline: Timestamp) -> Result<Option<Vec<Row>>, StoreError> {
    if ports.now() >= deadline {
        return Ok(None);
    }
    let Page { rows, .. } = ports.store.query(query).await?;
    Ok(Some(rows))
}

async fn drop_rows(store: &dyn Store, rows: Vec<Row>) -> Result<(), StoreError> {
    let batches = rows.chunks(MAX_WRITES).map(|chunk| {
        let write = |row: &Row| Write::delete(row.key.clone(), Expect::Anything);
        Ok(chunk.iter().map(write).collect::<Vec<_>>())
    });
    let batches: Vec<_> = batches.collect();
    stream::iter(batches)
        .try_for_each_concurrent(AT_ONCE, |writes| store.write(writes))
        .await
}

/// Removes links, each with what its record says of it.
async fn unlink(store: &dyn Store, id: &IntegrationId, kind: Kind, rows: Vec<Row>) -> Result<(), StoreError> {
    let batches: Vec<Vec<Row>> = rows.chunks(MAX_WRITES / 2).map(<[Row]>::to_vec).collect();
    let jobs = stream::iter(batches).map(|batch| unlink_batch(store, id, kind, batch));
    jobs.buffer_unordered(AT_ONCE).try_collect().await
}

async fn unlink_batch(
    store: &dyn Store,
    id: &IntegrationId,
    kind: Kind,
    links: Vec<Row>,
) -> Result<(), StoreError> {
    loop {
        let mut writes = unlinked_records(store, id, kind, &links).await?;
        writes.extend(
            links
                .iter()
                .map(|row| Write::delete(row.key.clone(), Expect::Anything)),
        );
        match store.write(writes).await {
            // Somebody changed one of the records meanwhile.
            Err(StoreError::Refused { .. }) => {}
            answer => return answer,
        }
    }
}

async fn unlinked_records(
    store: &dyn Store,
    id: &IntegrationId,
    kind: Kind,
    links: &[Row],
) -> Result<Vec<Write>, StoreError> {
    let mut keys = Vec::with_capacity(links.len());
    for row in links {
        let link: Link = row.decode()?;
        keys.push(record_key(&id.organization, kind, &link.record));
    }
    keys.sort_unstable();
    keys.dedup();
    let mut writes = Vec::with_capacity(keys.len());
    for row in store.get(&keys).await?.into_iter().flatten() {
        let mut record = Record::from_row(kind, &row)?;
        record.handed_to.remove(&id.system);
        if record.links.remove(&id.system).is_some() {
            writes.push(Write::put(
                row.key.clone(),
                Expect::Version(row.version),
                record.content(),
            ));
        }
    }
    Ok(writes)
}
