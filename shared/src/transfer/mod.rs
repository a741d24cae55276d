//! The files of an integration, in and out: what is done where a system has no API, or its API is down.
//!
//! Out, rows are collected into a file, and a human downloads it, imports it into the system, and says so. In, a human
//! exports a file from the system and uploads it, and the next run takes it as it would take pages of an API.
//!
//! | row | place in the organization's partition | content | goes |
//! | --- | --- | --- | --- |
//! | file | `file#{system}#{file}` | [`File`] | 400 days after it is settled |
//! | open | `file-open#{system}#{purpose}` | the file that collects | stays: one for each purpose |
//! | item | `file-row#{system}#{file}#{key}` | a row, with what the system is to get | 30 days after its file is settled |
//! | filed | `filed#{system}#{purpose}#{key}` | by which file a row went out last, and a fingerprint of what it said | 400 days after its file is settled |
//! | waiting | `file-waiting#{system}#{file}` | that the file waits for a human, while it does | – |
//! | accepted | `file-accepted#{system}#{purpose}#{file}` | that the file waits for a run, while it does | – |
//!
//! # Out
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 collect | 40 rows in a transaction: items, filed, file (`collecting`, due) on its version; the first one opens the file, and moves `open` | some of the rows | the caller collects again: what is in is not put in twice |
//! | 2 close | file (`closing`, due) on its version: from here on no row comes in | a file that nobody renders | it is due, and closed |
//! | 3 render | the object, under a key with its checksum | an object that no file names | step 2: the same rows give the same object |
//! | 4 ready | file (`ready`, or `failed`), `waiting`, and the event in the outbox, on the version, in one transaction | an event that was not published | `reconcile` publishes what is due |
//! | 5 decide | file (`imported` or `discarded`, due), `waiting` gone, event and audit row, on the version, in one transaction | rows that nobody has told when to go | it is due, and they are told |
//! | 6 retire | items and filed, each on its version, 30 at a time, and the marks by which records are sent again (of a discarded file, and of an imported one beside an API); then the file, with how far that came | rows that were not told yet | it is due |
//!
//! - **A row is in one file that can be imported.** A key whose file is closed is not taken again before that file is
//!   discarded ([`Repeat::Never`]), or only when it says something else ([`Repeat::Changed`]), or also when it says the same
//!   and that file was imported ([`Repeat::Again`]).
//! - **What a human got does not change.** A closed file takes no row: every collector insists on its version.
//! - **Nobody is told by a name.** Keys, names and events hold ids of the platform; what a row says is in its item and its
//!   object alone.
//!
//! # In
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 announce | file (`announced`) and audit row, in one transaction | a file that nobody uploads | it goes after a week |
//! | 2 put | the object, by a link that takes nothing but what was announced | an object that nobody has accepted | whoever has put it accepts it; the bucket drops it after 90 days |
//! | 3 accept | file (`accepted` or `refused`, with what is wrong with it), `accepted`, and audit row, on the version, in one transaction | – | – |
//! | 4 take | what the run writes, page by page | a run that took some of it | the next slice, from its checkpoint |
//! | 5 done | file (`done`), `accepted` gone, on the version | – | – |
//!
//! - **What is read is what was announced.** Length and SHA-256 are part of the link, looked at when it is accepted, and
//!   again whenever it is read.
//! - **Nothing is half taken.** A file is read to its end before any of it is; a complete listing with a fault is refused,
//!   since what is missing from it would be taken for gone.
//!
//! # Limits
//!
//! A file has at most [`MAX_ROWS`] rows; what comes after goes into another. It is closed [`QUIET`] after its last row, and
//! [`LONGEST`] after its first at the latest. A file of which nobody says what became of it keeps its rows; its object
//! is gone after 90 days all the same: discard it then, and its rows are collected again.
//!
//! Where an integration is disconnected its items go; the files, and by which file a row went out, stay: a human may have
//! imported it.

mod accept;
mod announce;
mod close;
mod collect;
mod decide;
mod error;
mod file;
mod list;
mod mend;
mod pages;
mod render;
mod rows;
#[cfg(test)]
mod tests;

pub use accept::{accept, done};
pub use announce::{Announcement, announce, download, faults};
pub use close::close;
pub use collect::{LONGEST, MAX_ROW_BYTES, MAX_ROWS, Placed, QUIET, Repeat, collect};
pub use decide::{FileDecision, FileVerdict, decide, put_away};
pub use error::TransferError;
pub use file::{Announced, Decided, File, FileDirection, FileState, RowFault, WaitingFile, file_key};
pub(crate) use file::{PREFIX, files_prefix};
pub use list::{list_accepted_files, list_files, list_since_complete, list_waiting_files, read_file};
pub(crate) use mend::of;
pub use mend::{Mend, abandon, mend};
pub use pages::{FilePage, FileRow, Pages, pages, read_page};
pub use render::{Head, Holds, Render, Rendered, Rendering, Table, Tables, Unrenderable};
pub use rows::{RowStanding, standing, standings, used};
