//! Reading rows by their ids.

use http::Method;

use super::adapter::Dynamics365;
use super::batch::{Operation, Unit};
use super::error::{self, Effect, Refused, is_no_such_row};
use super::map;
use super::reply::{self, Part, Reply};
use super::rows::Rows;
use super::table::Table;
use super::wire;
use crate::adapter::{Error, ErrorKind, Found, Item, Result};

impl Dynamics365 {
    pub(super) async fn find_rows(&self, table: &Table, ids: &[Box<str>]) -> Result<Vec<Found>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let user = self.client.user().await?;
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(super::FIND_BATCH) {
            found.extend(self.find_some(table, user, ids).await?);
        }
        Ok(found)
    }

    async fn find_some(&self, table: &Table, user: &str, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let units = ids
            .iter()
            .map(|id| self.get_row(table, id))
            .collect::<Result<Vec<_>>>()?;
        let units: Vec<&Unit> = units.iter().collect();
        let answer = self.client.post_batch(&units, Effect::Reads).await?;
        let replies = reply::read(reply::content_type(&answer), &answer.body);
        if replies.len() != ids.len() {
            let message = "the answer to a batch has not as many parts as the batch";
            let kind = if answer.cut.is_some() {
                ErrorKind::Unavailable
            } else {
                ErrorKind::Malformed
            };
            return Err(Error::new(kind, message));
        }
        let mut rows = Rows::new(table, Some(user));
        let mut found = Vec::with_capacity(ids.len());
        let mut hidden = None;
        for (reply, id) in replies.iter().zip(ids) {
            found.push(match self.found(reply, id, &mut rows) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    hidden = Some(error);
                    Found::Hidden
                }
                answer => answer?,
            });
        }
        // Single rows are hidden by who owns them; where none may be seen, the table as such is closed.
        let closed = found.iter().all(|found| matches!(found, Found::Hidden));
        hidden.filter(|_| closed).map_or(Ok(found), Err)
    }

    fn get_row(&self, table: &Table, id: &str) -> Result<Unit> {
        let id =
            map::guid(id).ok_or_else(|| Error::new(ErrorKind::Rejected, "an id is not the id of a row"))?;
        let resource = format!("{}({id})?$select={}", table.entity_set, table.select());
        Ok(Unit::One(Operation {
            method: Method::GET,
            path: self.client.path(&resource),
            headers: Vec::new(),
            body: None,
        }))
    }

    fn found(&self, reply: &Reply<'_>, id: &str, rows: &mut Rows<'_>) -> Result<Found> {
        let Reply::One(part) = reply else {
            return Err(Error::new(
                ErrorKind::Malformed,
                "a single row was answered with a change set",
            ));
        };
        if !part.status.is_success() {
            let error = self.part_error(part, Effect::Reads, None);
            return if is_no_such_row(&error) {
                Ok(Found::Nothing)
            } else {
                Err(error)
            };
        }
        let item = wire::row(part.body, rows).map_err(error::misread)?;
        match item_id(&item).eq_ignore_ascii_case(id) {
            true => Ok(Found::Here(item)),
            false => Err(Error::new(
                ErrorKind::Malformed,
                "the parts of an answer are not in the order of the batch",
            )),
        }
    }

    /// Says what a part of a batch that is not a success means.
    pub(super) fn part_error(&self, part: &Part<'_>, effect: Effect, table: Option<&Table>) -> Error {
        let refused = Refused {
            status: part.status,
            headers: &part.headers,
            body: part.body,
            effect,
            now: self.client.clock.now(),
        };
        self.client.shutting(refused.told(table))
    }
}

fn item_id(item: &Item) -> &str {
    match item {
        Item::Row(row) => &row.id,
        Item::Deleted { id, .. } | Item::Faulty { id, .. } => id,
    }
}
