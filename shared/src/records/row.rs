//! A record as the content of its row, and how long a deletion is remembered.

use jiff::{Timestamp, ToSpan};

use crate::model::{Fields, Origin, Record};
use crate::store::Content;

/// For how long it is remembered that a record was deleted.
const TOMBSTONE_DAYS: i64 = 30;

/// Returns the content of a record's row; that of a deleted one goes by itself when its time is up.
#[must_use]
pub fn content(record: &Record) -> Content {
    let content = record.content();
    match record.deleted_at {
        Some(at) => content.expires_at(at.checked_add((TOMBSTONE_DAYS * 24).hours()).unwrap_or(at)),
        None => content,
    }
}

/// Returns what is left of a record that the platform deletes: that it was there, and under which ids.
pub(super) fn tombstone(record: &Record, now: Timestamp) -> Record {
    Record {
        fields: Fields::new(record.fields.kind()),
        modified_at: now,
        modified_by: Origin::Platform,
        deleted_at: Some(now),
        ..record.clone()
    }
}
