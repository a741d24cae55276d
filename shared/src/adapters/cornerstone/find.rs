//! Reading enrolments by their ids, from the endpoint that answers with what is so right now.

use super::adapter::Cornerstone;
use super::details;
use super::key::Key;
use super::rows::Registration;
use crate::adapter::{Error, ErrorKind, Found, Item, Result};

impl Cornerstone {
    pub(super) async fn find_all(&self, ids: &[Box<str>]) -> Result<Vec<Found>> {
        let mut found = Vec::with_capacity(ids.len());
        let mut hidden = None;
        for id in ids {
            found.push(match self.find_one(id).await {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    hidden = Some(error);
                    Found::Hidden
                }
                answer => answer?,
            });
        }
        let closed = !found.is_empty() && found.iter().all(|found| matches!(found, Found::Hidden));
        hidden.filter(|_| closed).map_or(Ok(found), Err)
    }

    async fn find_one(&self, id: &str) -> Result<Found> {
        if id.starts_with('#') {
            return self.find_unnamed(id).await;
        }
        Ok(self
            .look(&self.key(id)?)
            .await?
            .map_or(Found::Nothing, Found::Here))
    }

    /// Looks for the registration of a user who had no name: where they have one by now, it is found under that.
    async fn find_unnamed(&self, id: &str) -> Result<Found> {
        let registration = Registration::unnamed(id).ok_or_else(not_an_id)?;
        let mut names = self.names.lock().await;
        names.forget_user(&registration.user);
        drop(names);
        self.learn_names(std::slice::from_ref(&registration)).await?;
        let names = self.names.lock().await;
        let key = names
            .user(&registration.user)
            .and_then(|member| Key::new(member, &registration.course));
        drop(names);
        Ok(match key {
            Some(key) => self.look(&key).await?.map_or(Found::Nothing, Found::Here),
            None => Found::Here(registration.faulty()),
        })
    }

    /// Says what the portal has under a key right now.
    pub(super) async fn look(&self, key: &Key) -> Result<Option<Item>> {
        match self.client.get_details(key).await? {
            None => Ok(None),
            Some(data) => details::read(key, &data, &self.settings.columns, &self.settings.vocabulary()),
        }
    }

    pub(super) fn key(&self, id: &str) -> Result<Key> {
        Key::parse(id).ok_or_else(not_an_id)
    }
}

fn not_an_id() -> Error {
    Error::new(ErrorKind::Rejected, "an id is not the id of an enrolment").at_field("id")
}
