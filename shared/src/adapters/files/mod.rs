//! Records that travel by files: what is done where a system has no API, or while its API is down.
//!
//! Out, each change becomes a row of the file that collects for its purpose (see [`crate::transfer`]): it is *handed over*, and
//! what the system made of it the next reading tells. In, uploads that were accepted are read as pages of an API would be.
//!
//! # What is in a file
//!
//! Which columns there are says the system's [`Layout`]. A row says all that the platform knows of a record, and not only what
//! has changed.
//!
//! # What is known of a row that was handed over
//!
//! Nothing is agreed on by that: what both sides had agreed on before stays. An upload that was exported before the import says
//! what was agreed on, and so takes nothing back; one from after it says what was sent, and both sides are equal. What went out
//! is kept with the link until then: a row that says it is no change of theirs, and what is taken back here is taken back
//! there. Where the file was imported and an upload still says otherwise, the row goes out again; so it does where the file
//! was discarded.
//!
//! # What is not handed over
//!
//! A new record, before a complete upload has said what the system has: what it has already would be made twice. A row with
//! fields that no upload has told, or about which a human decides, where an empty cell would empty them. Both wait.
//!
//! # What is gone
//!
//! What a row says is deleted, and what is missing from an upload that was announced as complete; both are asked for once
//! more, which here means: looked up in that upload and in those since. Where there is no complete upload, a row that no upload
//! names is hidden, and not gone.
//!
//! # Crashes
//!
//! An upload that was read stays accepted until its rows are kept and the engine has said so; after a crash in between, the
//! next reading hears from its cursor which ones those were. Collecting the same change again writes nothing.

mod adapter;
mod breaker;
mod cursor;
mod fallback;
mod pull;
mod push;
mod table;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::adapter::{Change, Error, ErrorKind, Item, KindCapability};
use crate::clock::Clock;
use crate::csv::Profile;
use crate::integration::Integration;
use crate::model::{FieldError, FilePurpose, FileRowKey, IntegrationId, Kind};
use crate::objects::Objects;
use crate::store::Store;
use crate::transfer::{File, FileRow, Pages, TransferError};

pub(super) use fallback::Fallback;
pub(super) use table::{Columns, faulty_row};

/// Where the rows and the bytes of files are kept.
#[derive(Debug, Clone)]
pub struct FileStores {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The objects.
    pub objects: Arc<dyn Objects>,
}

/// A row that tells a system of a change.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) purpose: FilePurpose,
    pub(super) value: Value,
}

/// What the files of a system say.
pub(super) trait Layout: Debug + Send + Sync + 'static {
    /// Returns the kinds of record that travel by them; uploads of a kind have its plural as their purpose.
    fn kinds(&self) -> Vec<KindCapability>;

    /// Says whether an empty cell leaves what the system has as it is.
    fn leaves_blanks(&self) -> bool;

    /// Says whether a row that the system has already, under an id that nobody here knows, would be made twice.
    fn makes_twice(&self) -> bool;

    /// Returns what files with records of a kind are for, all of them.
    fn purposes(&self, kind: Kind) -> Vec<FilePurpose>;

    /// Returns the row that tells of a change, on this day in UTC.
    ///
    /// # Errors
    ///
    /// No file can carry it: `Rejected`, with the field, or `Unsupported`.
    fn row(&self, kind: Kind, change: &Change, today: Date) -> Result<Row, Error>;

    /// Reads a row of an upload.
    fn item(&self, kind: Kind, row: &FileRow) -> Item;

    /// Returns the platform's id in a row of an upload, where that is not what the row is called by anyway.
    fn key<'r>(&self, kind: Kind, row: &'r FileRow) -> Option<&'r str>;

    /// Returns the profile by which uploads of a kind are read unless they are announced with another.
    fn profile(&self, kind: Kind) -> Option<Value>;

    /// Checks that rows of a profile can be read.
    fn check(&self, kind: Kind, profile: &Profile) -> Vec<FieldError>;
}

/// One organization's system, by files.
#[derive(Debug)]
pub(super) struct Files<L> {
    integration: IntegrationId,
    layout: L,
    stores: FileStores,
    clock: Arc<dyn Clock>,
    /// The upload that was read last, so that going on costs what a page does.
    open: Mutex<Option<Pages>>,
    /// The last complete listing of each kind.
    listed: Mutex<BTreeMap<Kind, Option<File>>>,
    /// Which purposes there has ever been a file for.
    used: Mutex<BTreeMap<Kind, Vec<FilePurpose>>>,
}

impl<L: Layout> Files<L> {
    /// Makes the way by files.
    ///
    /// # Errors
    ///
    /// Nothing here keeps files.
    pub(super) fn new(
        integration: &Integration,
        layout: L,
        stores: Option<&FileStores>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Vec<FieldError>> {
        let nowhere = || {
            vec![FieldError::new(
                "settings",
                "let records travel by files, which are not kept here",
            )]
        };
        Ok(Self {
            integration: integration.id.clone(),
            layout,
            stores: stores.ok_or_else(nowhere)?.clone(),
            clock: Arc::clone(clock),
            open: Mutex::default(),
            listed: Mutex::default(),
            used: Mutex::default(),
        })
    }
}

impl<L: Layout> Files<L> {
    fn row(&self, kind: Kind, change: &Change) -> Result<Row, Error> {
        let today = self.clock.now().to_zoned(TimeZone::UTC).date();
        self.layout.row(kind, change, today)
    }
}

/// Returns the key of the row that tells of a record.
fn key(change: &Change) -> FileRowKey {
    change.key.as_str().parse().expect("the id of a record is a key")
}

/// Returns what uploads of a kind are announced for.
fn upload_purpose(kind: Kind) -> FilePurpose {
    kind.plural()
        .parse()
        .expect("the name of a collection is a purpose")
}

/// Returns the profile by which an upload is read: the one that it is announced with, or the usual one.
///
/// # Errors
///
/// No run takes uploads for this purpose, or could read the rows of this profile.
pub(super) fn upload_profile(
    layout: &dyn Layout,
    purpose: &FilePurpose,
    announced: Option<&Value>,
) -> Result<Value, Vec<FieldError>> {
    let kinds = layout.kinds();
    let Some(known) = kinds.iter().find(|known| known.kind.plural() == purpose.as_str()) else {
        let names: Vec<&str> = kinds.iter().map(|known| known.kind.plural()).collect();
        return Err(vec![FieldError::new(
            "purpose",
            format!("must be one of {}", names.join(", ")),
        )]);
    };
    let profile = announced
        .cloned()
        .or_else(|| layout.profile(known.kind))
        .unwrap_or_default();
    let faults = layout.check(known.kind, &Profile::check(&profile)?);
    if faults.is_empty() {
        Ok(profile)
    } else {
        Err(faults)
    }
}

/// What is wrong with the files themselves; a file that was discarded while it was read has the reading begin anew.
fn failed(error: TransferError) -> Error {
    let kind = match &error {
        TransferError::Missing | TransferError::Unfit(_) => ErrorKind::CursorExpired,
        TransferError::NotUploaded | TransferError::Differs(_) | TransferError::Announcement(_) => {
            ErrorKind::Malformed
        }
        TransferError::TooLarge { .. } => ErrorKind::Rejected,
        TransferError::Store(_) | TransferError::Objects(_) => ErrorKind::Unavailable,
    };
    Error::new(kind, error.to_string()).caused_by(error)
}
