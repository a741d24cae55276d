//! Edits by humans in the portal, which no limit or fault touches.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::address::Target;
use super::error::{Outcome, Refusal};
use super::preferences::Preferences;
use super::render::Renderer;
use super::row::Row;
use super::seed::{email, phone};
use super::server::Dataverse;
use super::store::{Rows, Store};
use super::write::{self, Author, Conditions};
use crate::random::Random;

/// Says what a round of random edits did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EditSummary {
    /// Contacts that were created.
    pub created: Vec<Uuid>,
    /// Contacts that were changed, and still exist.
    pub updated: Vec<Uuid>,
    /// Contacts that were deleted.
    pub deleted: Vec<Uuid>,
}

impl Dataverse {
    fn human(&self) -> Author<'static> {
        Author {
            user: self.portal_user,
            at: self.clock.now().as_second(),
            tag: None,
            correlation: Uuid::new_v4(),
        }
    }

    pub(crate) fn create_as_human(&self, set: &str, body: &Map<String, Value>) -> Outcome<Uuid> {
        let (mut store, author) = (self.store_mut(), self.human());
        let table = position(&store, set)?;
        Ok(
            write::create(&mut store, table, None, body, &Conditions::default(), author)?
                .row()
                .id,
        )
    }

    pub(crate) fn edit_as_human(&self, set: &str, id: Uuid, body: &Map<String, Value>) -> Outcome<()> {
        let (mut store, author) = (self.store_mut(), self.human());
        let table = position(&store, set)?;
        let conditions = Conditions {
            exists: Some("*".to_owned()),
            ..Conditions::default()
        };
        write::upsert(&mut store, table, &Target::Id(id), body, &conditions, author).map(drop)
    }

    pub(crate) fn delete_as_human(&self, set: &str, id: Uuid) -> Outcome<()> {
        let (mut store, author) = (self.store_mut(), self.human());
        let table = position(&store, set)?;
        write::delete(&mut store, table, &Target::Id(id), &Conditions::default(), author).map(drop)
    }

    pub(crate) fn merge_as_human(&self, loser: Uuid, master: Uuid) -> Outcome<()> {
        let (mut store, author) = (self.store_mut(), self.human());
        let table = position(&store, "contacts")?;
        write::merge(&mut store, table, loser, master, author)
    }

    pub(crate) fn row(&self, set: &str, id: Uuid) -> Option<Map<String, Value>> {
        let store = self.store();
        let rows = store.rows(store.position(set)?);
        rows.get(id).map(|row| whole(rows, row))
    }

    pub(crate) fn all_rows(&self, set: &str) -> Outcome<Vec<Map<String, Value>>> {
        let store = self.store();
        let rows = store.rows(position(&store, set)?);
        Ok(rows.after(None).map(|row| whole(rows, row)).collect())
    }

    pub(crate) fn row_count(&self, set: &str) -> usize {
        let store = self.store();
        store.position(set).map_or(0, |table| store.rows(table).len())
    }

    /// Changes, creates, and deletes random contacts: eight, one, and one in ten.
    pub(crate) fn random_edits(&self, count: usize, seed: u64) -> EditSummary {
        let (mut random, mut summary) = (Random::new(seed), EditSummary::default());
        for _ in 0..count {
            match random.below(10) {
                0 => self.random_create(&mut random, &mut summary),
                1 => self.random_delete(&mut random, &mut summary),
                _ => self.random_update(&mut random, &mut summary),
            }
        }
        summary
    }

    fn random_create(&self, random: &mut Random, summary: &mut EditSummary) {
        let body = json!({ "firstname": "Ny", "lastname": "Medlem", "emailaddress1": email(random) });
        summary
            .created
            .extend(self.create_as_human("contacts", &object(body)));
    }

    fn random_delete(&self, random: &mut Random, summary: &mut EditSummary) {
        let Some(id) = self.random_contact(random) else {
            return;
        };
        if self.delete_as_human("contacts", id).is_ok() {
            summary.created.retain(|created| *created != id);
            summary.updated.retain(|updated| *updated != id);
            summary.deleted.push(id);
        }
    }

    fn random_update(&self, random: &mut Random, summary: &mut EditSummary) {
        let Some(id) = self.random_contact(random) else {
            return;
        };
        let body = json!({ "mobilephone": phone(random), "emailaddress1": email(random) });
        let edited = self.edit_as_human("contacts", id, &object(body)).is_ok();
        if edited && !summary.created.contains(&id) && !summary.updated.contains(&id) {
            summary.updated.push(id);
        }
    }

    fn random_contact(&self, random: &mut Random) -> Option<Uuid> {
        let store = self.store();
        let rows = store.rows(store.position("contacts")?);
        let start = random.id();
        rows.after(Some(start))
            .chain(rows.after(None))
            .next()
            .map(|row| row.id)
    }
}

/// Returns the object in a literal.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn position(store: &Store, set: &str) -> Outcome<usize> {
    store.position(set).ok_or_else(|| Refusal::unknown_segment(set))
}

fn whole(rows: &Rows, row: &Row) -> Map<String, Value> {
    let columns: Vec<usize> = (0..rows.table.columns.len()).collect();
    Renderer::new(&rows.table, &columns, &Preferences::default()).object(row)
}
