//! Whose a registration is, and what it is for: the views of users and of trainings, joined to that of transcripts here.
//!
//! What was asked for once is kept for the life of the adapter, which is that of a slice. A few names are asked for one by
//! one, many by reading the view as a whole.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::adapter::Cornerstone;
use super::columns::{TRAINING_ID, USER_ID, USER_REF, View};
use super::key::course_id;
use super::map;
use super::rows::Registration;
use super::wire::Row;
use crate::adapter::{Error, ErrorKind, Result};
use crate::http::Limits;

/// How many ids one filter holds: an address has room for some thousand letters.
const IDS: usize = 40;
/// From how many filters on a view is read as a whole.
const MOST_FILTERS: usize = 20;
/// The most pages of such a reading.
const MOST_PAGES: usize = 1_000;

/// What is known by now.
#[derive(Default)]
pub(super) struct Names {
    users: HashMap<String, Option<Box<str>>>,
    trainings: HashMap<Box<str>, Option<Row>>,
}

/// Shows how many there are, not who.
impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("users", &self.users.len())
            .field("trainings", &self.trainings.len())
            .finish()
    }
}

impl Names {
    pub(super) fn user(&self, id: &str) -> Option<&str> {
        self.users.get(id)?.as_deref()
    }

    /// Forgets a user, who is then asked for again.
    pub(super) fn forget_user(&mut self, id: &str) {
        self.users.remove(id);
    }

    pub(super) fn training(&self, id: &str) -> Option<&Row> {
        self.trainings.get(id)?.as_ref()
    }

    fn keep(&mut self, view: View, row: Row) {
        match view {
            View::User => {
                let id = row.get(USER_ID).and_then(map::text);
                let name = row.get(USER_REF).and_then(map::text);
                let name = name.filter(|name| !name.is_empty()).map(Into::into);
                if let Some(id) = id {
                    self.users.insert(id, name);
                }
            }
            View::Training => {
                let id = row.get(TRAINING_ID).and_then(|id| course_id(id.as_str()?));
                if let Some(id) = id {
                    self.trainings.insert(id, Some(row));
                }
            }
            View::Transcript => {}
        }
    }

    /// Takes note that there is no such row, so that it is not asked for again.
    fn note_absent(&mut self, view: View, ids: &[String]) {
        for id in ids {
            match view {
                View::User => drop(self.users.entry(id.clone()).or_default()),
                View::Training => drop(self.trainings.entry(id.as_str().into()).or_default()),
                View::Transcript => {}
            }
        }
    }
}

impl Cornerstone {
    /// Asks for the names that registrations need and that are not known.
    pub(super) async fn learn_names(&self, registrations: &[Registration]) -> Result<()> {
        let mut names = self.names.lock().await;
        let users: HashSet<&String> = registrations.iter().map(|one| &one.user).collect();
        let users = users.into_iter().filter(|id| !names.users.contains_key(*id));
        let users: Vec<String> = users.cloned().collect();
        self.learn(&mut names, View::User, users).await?;
        if self.settings.columns.of(View::Training).next().is_none() {
            return Ok(());
        }
        let trainings: HashSet<&str> = registrations.iter().map(|one| &*one.course).collect();
        let trainings = trainings
            .into_iter()
            .filter(|id| !names.trainings.contains_key(*id));
        let trainings: Vec<String> = trainings.map(str::to_owned).collect();
        self.learn(&mut names, View::Training, trainings).await
    }

    async fn learn(&self, names: &mut Names, view: View, mut ids: Vec<String>) -> Result<()> {
        ids.sort_unstable();
        let key = match view {
            View::User => USER_ID,
            View::Training => TRAINING_ID,
            View::Transcript => return Ok(()),
        };
        if ids.len() > IDS * MOST_FILTERS {
            self.read_view(names, view, None).await?;
        } else {
            for some in ids.chunks(IDS) {
                let each: Vec<String> = some.iter().map(|id| format!("{key} eq {id}")).collect();
                self.read_view(names, view, Some(&each.join(" or "))).await?;
            }
        }
        names.note_absent(view, &ids);
        Ok(())
    }

    async fn read_view(&self, names: &mut Names, view: View, filter: Option<&str>) -> Result<()> {
        let select = self.settings.columns.select(view);
        let mut url = self.client.view(view, &select, filter)?;
        for _ in 0..MOST_PAGES {
            let size = self.settings.page_size;
            let (page, _) = self.client.get_page(url.clone(), size, Limits::PAGE).await?;
            let Some(rows) = page.value else {
                return Err(Error::new(ErrorKind::Malformed, "the page has no member `value`"));
            };
            for row in rows {
                names.keep(view, row);
            }
            match page.next {
                None => return Ok(()),
                Some(link) => url = self.client.next(&url, &link)?,
            }
        }
        Err(Error::new(ErrorKind::Malformed, "the pages of a view do not end"))
    }
}

#[cfg(test)]
impl Names {
    /// Knows these users, and these trainings with title and type.
    pub(super) fn known<const U: usize, const T: usize>(
        users: [(&str, &str); U],
        trainings: [(&str, &str, &str); T],
    ) -> Self {
        let mut names = Self::default();
        for (id, name) in users {
            names.users.insert(id.to_owned(), Some(name.into()));
        }
        for (id, title, kind) in trainings {
            let row = serde_json::json!({ "object_id": id, "lo_title": title, "lo_type": kind });
            names.keep(View::Training, row.as_object().unwrap().clone());
        }
        names
    }
}
