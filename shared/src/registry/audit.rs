//! Who did what to a system and its credentials, and who saw a secret: a row for each, without any value.

use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use uuid::Uuid;

use super::{Registry, key};
use crate::store::{Content, Expect, MAX_WRITES, StoreError, Write};

/// How long it is kept.
const KEPT_DAYS: i64 = 400;

/// What somebody did.
///
/// # Shape
///
/// `{"by":"administrator","did":"issue_credential","system":"0f9b…","credentials":["5c1e…"],"at":"…"}`
#[derive(Debug, Serialize)]
struct Entry<'a> {
    by: &'a str,
    did: &'a str,
    system: Uuid,
    #[serde(skip_serializing_if = "<[Uuid]>::is_empty")]
    credentials: &'a [Uuid],
    at: Timestamp,
}

/// Returns the write that keeps what somebody did; part of the transaction in which it is done.
pub(super) fn write(system: Uuid, by: &str, did: &str, credentials: &[Uuid], at: Timestamp) -> Write {
    let entry = Entry {
        by,
        did,
        system,
        credentials,
        at,
    };
    let place = key(format!("audit#{system}"), format!("{at:.3}#{}", Uuid::new_v4()));
    let expires_at = at.checked_add((KEPT_DAYS * 24).hours()).unwrap_or(at);
    Write::put(place, Expect::Absent, Content::of(&entry).expires_at(expires_at))
}

/// Keeps that somebody is shown the secrets of some credentials, by the system that they belong to.
///
/// # Errors
///
/// Those of the store; then no secret may be shown.
pub async fn note_reading(
    registry: &Registry,
    shown: &[(Uuid, Vec<Uuid>)],
    by: &str,
) -> Result<(), StoreError> {
    let at = registry.now();
    let shown = shown.iter().filter(|(_, credentials)| !credentials.is_empty());
    let entries: Vec<Write> = shown
        .map(|(system, credentials)| write(*system, by, "read_secrets", credentials, at))
        .collect();
    for entries in entries.chunks(MAX_WRITES) {
        registry.store.write(entries.to_vec()).await?;
    }
    Ok(())
}
