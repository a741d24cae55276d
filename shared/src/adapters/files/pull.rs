//! Reading uploads: in the order in which they were announced, from the last complete listing on.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::cursor::Bookmark;
use super::table::{is_nameless, is_number};
use super::{Files, Layout, failed, upload_purpose};
use crate::adapter::{Cursor, Error, ErrorKind, Found, From, Item, Next, Pulled, Result};
use crate::model::{FileId, Kind, Link, Record, RecordId};
use crate::records;
use crate::store::{Key, Row};
use crate::transfer::{self, File, FilePage, FileState, TransferError};

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

    /// Says which uploads are to be read, and in which order: those since the last complete listing, whoever has taken it.
    async fn plan(&self, kind: Kind) -> Result<Bookmark> {
        let accepted = self.accepted(kind).await?;
        let taken = self
            .last_complete(kind)
            .await?
            .filter(|file| file.state == FileState::Done);
        let (moot, accepted): (Vec<File>, Vec<File>) = accepted
            .into_iter()
            .partition(|file| taken.as_ref().is_some_and(|taken| file.id < taken.id));
        let complete = accepted.iter().rposition(File::is_complete);
        let mut ids = accepted.into_iter().map(|file| file.id);
        Ok(Bookmark {
            taken: moot
                .into_iter()
                .map(|file| file.id)
                .chain(ids.by_ref().take(complete.unwrap_or(0)))
                .collect(),
            files: ids.take(MOST_FILES).collect(),
            after: 0,
            complete: complete.is_some(),
        })
    }

    /// Returns the same, as it was when it was first asked for.
    pub(super) async fn listed(&self, kind: Kind) -> Result<Option<File>> {
        let mut listed = self.listed.lock().await;
        if let Some(known) = listed.get(&kind) {
            return Ok(known.clone());
        }
        let last = self.last_complete(kind).await?;
        Ok(listed.entry(kind).or_insert(last).clone())
    }

    /// Returns the last complete listing that was accepted, or taken.
    async fn last_complete(&self, kind: Kind) -> Result<Option<File>> {
        let (store, purpose) = (&*self.stores.store, upload_purpose(kind));
        let uploads = transfer::list_since_complete(store, &self.integration, &purpose, usize::MAX).await;
        let uploads = uploads.map_err(|error| failed(error.into()))?;
        Ok(uploads.into_iter().next().filter(File::is_complete))
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
            items = self.items(kind, &page, uploaded_at, None).await?;
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

    /// Says what the uploads say last of each id, from the last complete listing on.
    ///
    /// Of what none of them says anything, only a complete listing says that it is not there. The bucket drops uploads after
    /// a while, and a human may discard them: what they said is not known any more.
    pub(super) async fn look_up(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let (store, purpose) = (&*self.stores.store, upload_purpose(kind));
        let uploads = transfer::list_since_complete(store, &self.integration, &purpose, MOST_FILES).await;
        let uploads = uploads.map_err(|error| failed(error.into()))?;
        let mut complete = uploads.first().is_some_and(File::is_complete);
        let records = self.linked_with(kind, ids).await?;
        let mut last: HashMap<&str, Option<Item>> = ids.iter().map(|id| (&**id, None)).collect();
        for file in &uploads {
            let mut after = Some(0);
            while let Some(at) = after {
                let (page, uploaded_at) = match self.rows(&file.id, at).await {
                    Ok(page) => page,
                    Err(error) if !error.kind().is_temporary() => {
                        complete = false;
                        break;
                    }
                    Err(error) => return Err(error),
                };
                let items = self.items(kind, &page, uploaded_at, Some(&records)).await?;
                complete &= !items.iter().any(is_nameless);
                // A number means something in the newest upload alone.
                let is_newest = uploads.last().is_some_and(|last| last.id == file.id);
                for item in items.into_iter().filter(|item| is_newest || !is_nameless(item)) {
                    if let Some(known) = last.get_mut(id(&item)) {
                        *known = Some(item);
                    }
                }
                after = page.next;
            }
        }
        let found = ids.iter().map(|id| match last.remove(&**id).flatten() {
            Some(Item::Deleted { .. }) => Found::Nothing,
            Some(item) => Found::Here(item),
            None if complete || is_number(id) => Found::Nothing,
            None => Found::Hidden,
        });
        Ok(found.collect())
    }

    /// Returns the records that rows with these ids are linked with.
    async fn linked_with(&self, kind: Kind, ids: &[Box<str>]) -> Result<HashSet<RecordId>> {
        let places = ids
            .iter()
            .map(|id| records::link_key(&self.integration, kind, id));
        let places: Vec<Key> = places.collect();
        let rows = self
            .stores
            .store
            .get(&places)
            .await
            .map_err(|error| failed(error.into()))?;
        let record = |row: &Row| row.decode::<Link>().map(|link| link.record);
        let linked: std::result::Result<_, _> = rows.iter().flatten().map(record).collect();
        linked.map_err(|error| failed(error.into()))
    }

    /// Reads rows as what they say. One that names a record by its key alone is the row that the record is linked with; and
    /// where that is linked under its key, since no upload has told another name so far, that is the name of the row.
    ///
    /// Where only rows of some records are of interest, the others are left as they are.
    async fn items(
        &self,
        kind: Kind,
        page: &FilePage,
        uploaded_at: Timestamp,
        only: Option<&HashSet<RecordId>>,
    ) -> Result<Vec<Item>> {
        let mut items: Vec<Item> = page.rows.iter().map(|row| self.layout.item(kind, row)).collect();
        let (organization, system) = (&self.integration.organization, self.integration.system);
        let keyed = page.rows.iter().map(|row| self.layout.key(kind, row));
        let keyed: Vec<(usize, RecordId)> = keyed
            .enumerate()
            .filter_map(|(place, key)| Some((place, key?.parse().ok()?)))
            .filter(|(_, key)| only.is_none_or(|only| only.contains(key)))
            .collect();
        let places: Vec<Key> = keyed
            .iter()
            .map(|(_, record)| records::record_key(organization, kind, record))
            .collect();
        let rows = match places.is_empty() {
            true => Vec::new(),
            false => self
                .stores
                .store
                .get(&places)
                .await
                .map_err(|error| failed(error.into()))?,
        };
        for ((place, key), row) in keyed.iter().zip(rows) {
            let record = row.map(|row| Record::from_row(kind, &row)).transpose();
            let record = record.map_err(|error| failed(error.into()))?;
            let linked = record.and_then(|record| record.links.get(&system).cloned());
            if let (Some(linked), Some(item)) = (linked, items.get_mut(*place)) {
                let by_key = |name: &str| name == key.as_str();
                if by_key(id(item)) || by_key(&linked) {
                    *id_mut(item) = linked;
                }
            }
        }
        Ok(items.into_iter().map(|item| dated(item, uploaded_at)).collect())
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

const fn id_mut(item: &mut Item) -> &mut Box<str> {
    match item {
        Item::Row(row) => &mut row.id,
        Item::Deleted { id, .. } | Item::Faulty { id, .. } => id,
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
