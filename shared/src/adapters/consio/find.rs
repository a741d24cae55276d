//! Reading rows one by one: by their ids, and by the platform's.

use serde_json::Value;

use super::adapter::Rest;
use super::answers::is_no_such_row;
use super::client::Ask;
use super::map;
use super::profile::{Question, Resource, Shown};
use super::template::Fill;
use crate::adapter::{Error, ErrorKind, Found, Item, Result};

impl Rest {
    pub(super) async fn find_rows(&self, resource: &Resource, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let mut found = Vec::with_capacity(ids.len());
        let mut hidden = None;
        for id in ids {
            found.push(match self.find_row(resource, id).await {
                Ok(Some(row)) => Found::Here(map::row(resource, &row)?),
                Ok(None) => Found::Nothing,
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    hidden = Some(error);
                    Found::Hidden
                }
                Err(error) => return Err(error),
            });
        }
        // Single rows are hidden by who owns them; where none may be seen, the resource as such is closed.
        let closed = found.iter().all(|found| matches!(found, Found::Hidden));
        hidden.filter(|_| closed).map_or(Ok(found), Err)
    }

    /// Returns the row of an id; none where the system says that there is none.
    pub(super) async fn find_row(&self, resource: &Resource, id: &str) -> Result<Option<Value>> {
        let fill = Fill {
            id: Some(id),
            key: None,
        };
        let rows = self.ask(&resource.get, fill).await?;
        match rows.into_iter().next() {
            None => Ok(None),
            Some(row) if map::id_at(&resource.read.row.id, &row).as_deref() == Some(id) => Ok(Some(row)),
            Some(_) => Err(Error::new(
                ErrorKind::Malformed,
                "the system was asked for one row and answered with another: check `get`",
            )),
        }
    }

    /// Returns the row that has the platform's id; none where the system says that there is none.
    ///
    /// # Errors
    ///
    /// `Rejected` where several rows have it; `Malformed` where rows are answered that have others, since one of them may
    /// be hidden behind those.
    pub(super) async fn look_up(&self, resource: &Resource, key: &str) -> Result<Option<Value>> {
        let (Some(question), Some(place)) = (&resource.lookup, &resource.read.row.key) else {
            let message = "new rows are made by the platform's id only: add `lookup`";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let fill = Fill {
            id: None,
            key: Some(key),
        };
        let rows = self.ask(question, fill).await?;
        let is_gone = |row: &Value| matches!(map::row(resource, row), Ok(Item::Deleted { .. }));
        let (named, others): (Vec<Value>, Vec<Value>) = rows
            .into_iter()
            .partition(|row| map::id_at(place, row).as_deref() == Some(key));
        let mut rows: Vec<Value> = named.into_iter().filter(|row| !is_gone(row)).collect();
        match (rows.pop(), rows.is_empty(), others.is_empty()) {
            (Some(row), true, _) => Ok(Some(row)),
            (None, _, true) => Ok(None),
            (None, _, false) => {
                let message = "the system was asked for one key and answered with others: check `lookup` and `read.key`";
                Err(Error::new(ErrorKind::Malformed, message))
            }
            (Some(_), false, _) => {
                let message = "several rows have this key there: remove all but one";
                Err(Error::new(ErrorKind::Rejected, message))
            }
        }
    }

    async fn ask(&self, question: &Question, fill: Fill<'_>) -> Result<Vec<Value>> {
        let url = question.url(&self.client.base_url, fill)?;
        let json = match self.client.read(&Ask::get(url)).await {
            Ok((_, json)) => json,
            Err(error) if is_no_such_row(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let lacking = || {
            let message = "there is no row where the profile says: check `row` or `list`";
            Error::new(ErrorKind::Malformed, message)
        };
        match &question.answer {
            Shown::Row(pointer) => {
                let row = pointer.of(&json).filter(|row| row.is_object());
                Ok(vec![row.cloned().ok_or_else(lacking)?])
            }
            Shown::Among(pointer) => {
                let rows = pointer.of(&json).and_then(Value::as_array);
                rows.cloned().ok_or_else(lacking)
            }
        }
    }
}
