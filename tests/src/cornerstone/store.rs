//! The users, learning objects and registrations of one portal, as they are and as the warehouse has them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::history::History;
use super::record::{Key, LearningObject, Registration, User};
use super::reporting::Cursors;
use super::settings::Settings;
use super::status::Status;
use super::webhook::Event;

/// Keeps everything.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) settings: Settings,
    pub(super) users: BTreeMap<i64, History<User>>,
    pub(super) objects: BTreeMap<Uuid, History<LearningObject>>,
    pub(super) registrations: BTreeMap<Key, History<Registration>>,
    pub(super) writes: Vec<Write>,
    pub(super) cursors: Cursors,
    /// What webhooks have yet to tell.
    pub(super) events: VecDeque<Event>,
    by_external_id: HashMap<String, i64>,
}

/// One change of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// When.
    pub at: Timestamp,
    /// Who made it.
    pub by: Author,
    /// What was done, such as `assign`.
    pub action: &'static str,
    /// The user.
    pub external_id: String,
    /// The learning object.
    pub learning_object: Uuid,
    /// The registration.
    pub number: i64,
    /// How far the user is now.
    pub status: Status,
}

/// Says who changed a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Author {
    /// A caller of the API.
    Api,
    /// A human at the portal.
    Human,
    /// A transcript load.
    Load,
}

impl Store {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            users: BTreeMap::new(),
            objects: BTreeMap::new(),
            registrations: BTreeMap::new(),
            writes: Vec::new(),
            cursors: Cursors::default(),
            events: VecDeque::new(),
            by_external_id: HashMap::new(),
        }
    }

    pub(super) fn user(&self, external_id: &str) -> Option<&User> {
        let id = self.by_external_id.get(external_id)?;
        self.users.get(id).map(History::current)
    }

    pub(super) fn object(&self, id: Uuid) -> Option<&LearningObject> {
        self.objects.get(&id).map(History::current)
    }

    /// Returns all registrations of a user as they are, in the order of their keys.
    pub(super) fn transcript(&self, user: i64) -> impl Iterator<Item = &Registration> {
        let first = (user, Uuid::nil(), i64::MIN);
        let all = self.registrations.range(first..);
        let own = all.take_while(move |(key, _)| key.0 == user);
        own.map(|(_, history)| history.current())
    }

    /// Returns the latest registration of a user for a learning object that was not taken off the transcript.
    pub(super) fn latest(&self, user: i64, object: Uuid) -> Option<&Registration> {
        let all = self
            .registrations
            .range((user, object, i64::MIN)..=(user, object, i64::MAX));
        let mut current = all.rev().map(|(_, history)| history.current());
        current.find(|registration| !registration.removed)
    }

    /// Returns a registration that is not kept yet, with the next number.
    pub(super) fn next_registration(&self, user: i64, object: Uuid, now: Timestamp) -> Registration {
        let all = self
            .registrations
            .range((user, object, i64::MIN)..=(user, object, i64::MAX));
        let last = all.last().map_or(0, |((.., number), _)| *number);
        Registration::new(user, object, last + 1, now)
    }

    pub(super) fn put_user(&mut self, mut user: User, now: Timestamp) {
        let visible_at = now + self.settings.warehouse_lag;
        user.modified_at = now;
        self.by_external_id.insert(user.external_id.clone(), user.id);
        match self.users.get_mut(&user.id) {
            Some(history) => {
                let before = &history.current().external_id;
                if *before != user.external_id {
                    self.by_external_id.remove(before);
                }
                history.put(user, visible_at, now);
            }
            None => _ = self.users.insert(user.id, History::new(user, visible_at)),
        }
    }

    pub(super) fn put_object(&mut self, mut object: LearningObject, now: Timestamp) {
        let visible_at = now + self.settings.warehouse_lag;
        object.modified_at = now;
        match self.objects.get_mut(&object.id) {
            Some(history) => history.put(object, visible_at, now),
            None => _ = self.objects.insert(object.id, History::new(object, visible_at)),
        }
    }

    /// Keeps a registration, notes who changed it, and has webhooks tell of it.
    pub(super) fn put(
        &mut self,
        mut registration: Registration,
        action: &'static str,
        by: Author,
        now: Timestamp,
    ) {
        registration.modified_at = now;
        self.note(&registration, action, by, now);
        let visible_at = now + self.settings.warehouse_lag;
        match self.registrations.get_mut(&registration.key()) {
            Some(history) => history.put(registration, visible_at, now),
            None => {
                let key = registration.key();
                self.registrations
                    .insert(key, History::new(registration, visible_at));
            }
        }
    }

    fn note(&mut self, registration: &Registration, action: &'static str, by: Author, now: Timestamp) {
        let user = self.users.get(&registration.user).map(History::current);
        let external_id = user.map(|user| user.external_id.clone()).unwrap_or_default();
        let known = self.registrations.get(&registration.key()).map(History::current);
        let before = known.map(|known| known.status);
        if let Some(event) = Event::of(registration, before, &external_id, now) {
            self.events.push_back(event);
        }
        self.writes.push(Write {
            at: now,
            by,
            action,
            external_id,
            learning_object: registration.learning_object,
            number: registration.number,
            status: registration.status,
        });
    }
}
