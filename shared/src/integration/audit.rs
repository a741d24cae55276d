//! Who changed what, and when: a row for each change of an integration and each decision about its records, without
//! any value.

use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use crate::model::IntegrationId;
use crate::store::{Content, Expect, Key, Table, Write};

/// How long it is kept.
const KEPT_DAYS: i64 = 400;

/// What somebody did.
///
/// # Shape
///
/// `{"by":"administrator","did":"change","integration":"hlf:dynamics365","parts":["settings","credentials"],"at":"…"}`
#[derive(Debug, Serialize)]
struct Entry<'a> {
    by: &'a str,
    did: &'a str,
    integration: &'a IntegrationId,
    parts: &'a [&'a str],
    at: Timestamp,
}

/// Returns the write that keeps what somebody did; part of the transaction in which it is done.
pub(crate) fn write(id: &IntegrationId, by: &str, did: &str, parts: &[&str], at: Timestamp) -> Write {
    let entry = Entry {
        by,
        did,
        integration: id,
        parts,
        at,
    };
    let sort = format!("audit#{at:.3}#{}", uuid::Uuid::new_v4());
    let key = Key::new(Table::Control, id.organization.as_str(), sort);
    let expires_at = at.checked_add((KEPT_DAYS * 24).hours()).unwrap_or(at);
    Write::put(key, Expect::Absent, Content::of(&entry).expires_at(expires_at))
}
