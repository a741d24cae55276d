//! Finishes what a crash left half way: clients that belong to no credential, and credentials that have ended.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::system::RegistryError;
use super::{Registry, credential, key};
use crate::store::{Content, Expect, Key, Query, Row, Table, Write};

/// The partition of what is under way.
const UNFINISHED: &str = "unfinished";

/// How long whoever began it is taken to be at work: several times what a function lives.
const ALIVE: Duration = Duration::from_secs(180);

/// How many are looked at in one go.
const AT_ONCE: usize = 100;

/// What is under way with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    /// It is being issued; the row has the id that its client carries.
    Issue,
    /// It is being deleted; the row has its own id.
    Delete,
}

#[derive(Debug, Serialize, Deserialize)]
struct Unfinished {
    task: Task,
    began_at: Timestamp,
}

fn unfinished_key(id: Uuid) -> Key {
    key(UNFINISHED.to_owned(), id.to_string())
}

fn begin(id: Uuid, task: Task, now: Timestamp) -> Write {
    let began_at = now;
    Write::put(
        unfinished_key(id),
        Expect::Anything,
        Content::of(&Unfinished { task, began_at }),
    )
}

/// Returns the write with which an issuing begins.
pub(super) fn issuing(intent: Uuid, now: Timestamp) -> Write {
    begin(intent, Task::Issue, now)
}

/// Returns the write with which a deletion begins.
pub(super) fn deleting(credential: Uuid, now: Timestamp) -> Write {
    begin(credential, Task::Delete, now)
}

/// Returns the write that ends an issuing, and that is refused where it was mended meanwhile.
pub(super) fn issued(intent: Uuid) -> Write {
    Write::delete(unfinished_key(intent), Expect::Version(1))
}

/// Returns the write that ends what was begun, by whomever.
pub(super) fn ended(id: Uuid) -> Write {
    Write::delete(unfinished_key(id), Expect::Anything)
}

/// Finishes what nobody is at work on any more; says how many there were. One that fails keeps no other waiting.
///
/// # Errors
///
/// Those of the issuer and the store; what was not finished is found again.
pub async fn mend(registry: &Registry) -> Result<usize, RegistryError> {
    let (mut mended, mut failed, mut after) = (0, None, None);
    loop {
        let query = Query::new(Table::Registry, UNFINISHED, "", AT_ONCE).after(after);
        let page = registry.store.query(&query).await?;
        for row in page.rows {
            match mend_one(registry, &row).await {
                Ok(done) => mended += usize::from(done),
                Err(error) => {
                    tracing::error!(
                        unfinished.id = row.key.sort,
                        ?error,
                        "could not finish what was left half way"
                    );
                    failed = Some(error);
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return failed.map_or(Ok(mended), Err);
        }
    }
}

/// Says whether there was anything to finish.
async fn mend_one(registry: &Registry, row: &Row) -> Result<bool, RegistryError> {
    let unfinished: Unfinished = row.decode()?;
    let alive = registry.now().duration_since(unfinished.began_at).unsigned_abs() < ALIVE;
    let Some(id) = row.key.sort.parse().ok().filter(|_| !alive) else {
        return Ok(false);
    };
    match unfinished.task {
        Task::Issue => withdraw(registry, id).await?,
        Task::Delete => credential::finish(registry, id).await?,
    }
    tracing::warn!(unfinished.id = %id, task = ?unfinished.task, "finished what was left half way");
    Ok(true)
}

/// Deletes whatever client an issuing has made, and forgets the issuing.
pub(super) async fn withdraw(registry: &Registry, intent: Uuid) -> Result<(), RegistryError> {
    for client in registry.issuer.made_for(intent).await? {
        registry.issuer.delete(client).await?;
    }
    Ok(registry.store.write(vec![ended(intent)]).await?)
}
