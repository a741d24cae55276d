//! What tests do at the register's end: as its administrator, or as a human at its screen.

use serde_json::Value;

use super::server::{Rest, SECRET, USER};
use super::settings::Settings;
use super::store::{Collection, Writes};
use super::write::merge;
use crate::sign_in::{Credentials, SignIn};

impl Rest {
    /// Returns the key, which is the token and the password too.
    pub fn secret(&self) -> &'static str {
        SECRET
    }

    /// Returns who has the password.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// Returns the client of the sign-in.
    pub fn client(&self) -> &Credentials {
        &self.client
    }

    /// Returns what a token must be asked for.
    pub fn scope(&self) -> &'static str {
        super::token::SCOPE
    }

    /// Returns the sign-in.
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Changes how the register behaves from now on.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Makes a row as a human does, and returns its id.
    ///
    /// # Panics
    ///
    /// Panics when the row has a member that rows have not.
    #[track_caller]
    pub fn create_as_human(&self, collection: Collection, row: &Value) -> u64 {
        let mut content = collection.template();
        merge(&mut content, row, "").expect("rows have these members");
        let now = self.clock.now();
        self.state().store.add(collection, content, now)
    }

    /// Changes a row as a human does.
    ///
    /// # Panics
    ///
    /// Panics when there is no such row, or no such member.
    #[track_caller]
    pub fn edit_as_human(&self, collection: Collection, id: u64, changes: &Value) {
        let now = self.clock.now();
        let mut state = self.state();
        let row = state.store.live(collection, id).expect("there is such a row");
        let mut content = row.content.clone();
        merge(&mut content, changes, "").expect("rows have these members");
        state.store.put(collection, id, content, now);
    }

    /// Deletes a row as a human does.
    pub fn delete_as_human(&self, collection: Collection, id: u64) {
        let now = self.clock.now();
        let mut state = self.state();
        let keeps = state.settings.keeps_deleted;
        state.store.delete(collection, id, keeps, now);
    }

    /// Returns a row that was not deleted, as it is shown.
    pub fn row(&self, collection: Collection, id: u64) -> Option<Value> {
        let state = self.state();
        state.store.live(collection, id).map(|row| row.shown(id))
    }

    /// Returns the rows that were not deleted, as they are shown.
    pub fn rows(&self, collection: Collection) -> Vec<Value> {
        let state = self.state();
        let live = state.store.all(collection).filter(|(_, row)| !row.deleted);
        live.map(|(id, row)| row.shown(id)).collect()
    }

    /// Returns what was written through the API.
    pub fn writes(&self) -> Writes {
        self.state().store.writes
    }

    /// Returns how often somebody asked who had been told to wait.
    pub fn offences(&self) -> u64 {
        self.state().offences
    }
}
