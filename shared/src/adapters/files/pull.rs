//! Reading uploads: in the order in which they were announced, from the last complete listing on.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::cursor::Bookmark;
use super::table::{is_nameless, is_number};
use super::{Files, Layout, failed, upload_purpose};
use crate::adapter::{Cursor, Error, ErrorKind, Found, From, Item, Next, Pulled, Result};
use crate::model::{FileId, Kind};
use crate::transfer::{self, File, FilePage, TransferError};

/// How many rows a page has.
const PAGE: usize = 1_000;
/// How many uploads one reading takes; the next one goes on with the others.
const MOST_FILES: usize = 50;

impl<L: Layout> Files<L> {
    /// Reads a page.
    pub(super) async fn read(&self, kind: Kind, from: &From) -> Result<Pulled> {
        let bookmark = match from {
            From::Page(cursor) => Bookmark::read(cursor)?,
            From::Start => self.plan(kind).await?,
            From::Since(cursor) => {
                // What a crash kept from being settled.
                self.settle(cursor).await?;
                let plan = self.plan(kind).await?;
                if plan.complete {
                    let message = "a complete listing was uploaded";
                    return Err(Error::new(ErrorKind::CursorExpired, message));
                }
                plan
            }
        };
        self.page(kind, bookmark).await
    }

    /// Says which uploads are to be read, and in which order.
    async fn plan(&self, kind: Kind) -> Result<Bookmark> {
        let accepted = self.accepted(kind).await?;
        let complete = accepted.iter().rposition(File::is_complete);
        let mut ids = accepted.into_iter().map(|file| file.id);
        Ok(Bookmark {
            taken: ids.by_ref().take(complete.unwrap_or(0)).collect(),
            files: ids.take(MOST_FILES).collect(),
            after: 0,
            complete: complete.is_some(),
        })
    }

    pub(super) async fn accepted(&self, kind: Kind) -> Result<Vec<File>> {
        let (store, purpose) = (&*self.stores.store, upload_purpose(kind));
        let accepted =
            transfer::list_accepted_files(store, &self.integration, &purpose, 10 * MOST_FILES).await;
        accepted.map_err(|error| failed(error.into()))
    }

    async fn page(&self, kind: Kind, mut bookmark: Bookmark) -> Result<Pulled> {
        let (mut items, mut warnings) = (Vec::new(), Vec::new());
        if let Some(file) = bookmark.files.first().cloned() {
            let (page, uploaded_at) = self.rows(&file, bookmark.after).await?;
            items.extend(
                page.rows
                    .iter()
                    .map(|row| dated(self.layout.item(kind, row), uploaded_at)),
            );
            if bookmark.complete && items.iter().any(is_nameless) {
                bookmark.complete = false;
                warnings.push(format!(
                    "the upload {file} has rows that name no record: what is not in it is not taken for gone"
                ));
            }
            bookmark.after = page.next.unwrap_or(0);
            if page.next.is_none() {
                bookmark.files.remove(0);
                bookmark.taken.push(file);
            }
        }
        let next = match (bookmark.files.is_empty(), bookmark.complete) {
            (false, _) => Next::Page(bookmark.cursor()),
            (true, true) => Next::End(bookmark.end()),
            (true, false) => Next::Enough(bookmark.end()),
        };
        Ok(Pulled {
            items,
            next,
            warnings,
        })
    }

    /// Reads rows of an upload after a number; says when it was announced.
    async fn rows(&self, file: &FileId, after: u64) -> Result<(FilePage, Timestamp)> {
        let mut open = self.open.lock().await;
        if open.as_ref().is_none_or(|pages| pages.file.id != *file) {
            let (store, objects) = (&*self.stores.store, &*self.stores.objects);
            let pages = transfer::pages(store, objects, &self.integration, file).await;
            *open = Some(pages.map_err(failed)?);
        }
        let pages = open.as_mut().ok_or_else(unreadable)?;
        let page = pages.page(after, PAGE).map_err(|_| unreadable())?;
        Ok((page, pages.file.opened_at))
    }

    /// Settles the uploads that a cursor says are kept; one that a human has discarded meanwhile stays so.
    pub(super) async fn settle(&self, since: &Cursor) -> Result<()> {
        for file in Bookmark::read(since)?.taken {
            let now = self.clock.now();
            match transfer::done(&*self.stores.store, &self.integration, &file, now).await {
                Ok(_) | Err(TransferError::Missing | TransferError::Unfit(_)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Says what the uploads say last of each id, back to the last complete listing; what they said stays known once they
    /// were taken. A row without a name is told by its number, which means something in the newest upload alone.
    pub(super) async fn look_up(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let (store, purpose) = (&*self.stores.store, upload_purpose(kind));
        let listed = transfer::list_back_to_complete(store, &self.integration, &purpose).await;
        let (files, mut complete) = listed.map_err(|error| failed(error.into()))?;
        let mut left: HashSet<&str> = ids.iter().map(|id| &**id).collect();
        let mut last = HashMap::new();
        for file in &files {
            if left.is_empty() {
                break;
            }
            match self.said(kind, &file.id, &left).await {
                Ok(said) => last.extend(said),
                // The bucket has dropped it, or a human has discarded it: nothing is known of what it said, nor before.
                Err(error) if !error.kind().is_temporary() => {
                    complete = false;
                    break;
                }
                Err(error) => return Err(error),
            }
            left.retain(|id| !last.contains_key(*id) && !is_number(id));
        }
        let found = ids.iter().map(|id| match last.get(id) {
            Some(Item::Deleted { .. }) => Found::Nothing,
            Some(item) => Found::Here(item.clone()),
            None if complete || is_number(id) => Found::Nothing,
            None => Found::Hidden,
        });
        Ok(found.collect())
    }

    /// Returns what an upload says last of each of these ids.
    async fn said(&self, kind: Kind, file: &FileId, ids: &HashSet<&str>) -> Result<HashMap<Box<str>, Item>> {
        let (mut said, mut after) = (HashMap::new(), Some(0));
        while let Some(at) = after {
            let (page, uploaded_at) = self.rows(file, at).await?;
            for item in page.rows.iter().map(|row| self.layout.item(kind, row)) {
                if ids.contains(id(&item)) {
                    said.insert(id(&item).into(), dated(item, uploaded_at));
                }
            }
            after = page.next;
        }
        Ok(said)
    }
}

impl Bookmark {
    fn end(self) -> Cursor {
        let end = Self {
            taken: self.taken,
            ..Self::default()
        };
        end.cursor()
    }
}

/// A row was last changed when it was uploaded, at the latest.
fn dated(item: Item, uploaded_at: Timestamp) -> Item {
    match item {
        Item::Row(mut row) => {
            row.modified_at = row.modified_at.or(Some(uploaded_at));
            Item::Row(row)
        }
        other => other,
    }
}

fn id(item: &Item) -> &str {
    match item {
        Item::Row(row) => &row.id,
        Item::Deleted { id, .. } | Item::Faulty { id, .. } => id,
    }
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::Malformed,
        "the upload can no longer be read: upload it anew",
    )
}
