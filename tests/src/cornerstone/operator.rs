//! What tests do at the portal's end: as its administrator, or as a human at its screen.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::history::History;
use super::record::{LearningObject, Registration, User};
use super::server::{Cornerstone, Outage, lock};
use super::settings::Settings;
use super::status::{Status, TrainingType};
use super::store::{Author, Store, Write};
use crate::random::Random;
use crate::sign_in::SignIn;

impl Cornerstone {
    /// Returns the sign-in server.
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Returns how the portal behaves.
    pub fn settings(&self) -> Settings {
        lock(&self.store).settings.clone()
    }

    /// Changes how the portal behaves from now on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.settle();
        change(&mut lock(&self.store).settings);
    }

    /// Takes the portal or a part of it down, or brings it back.
    pub fn set_outage(&self, outage: Outage) {
        *lock(&self.outage) = outage;
    }

    /// Makes every next link invalid.
    pub fn expire_next_links(&self) {
        lock(&self.store).cursors.expire();
    }

    /// Adds an active user whose "User ID" this is.
    ///
    /// # Panics
    ///
    /// Panics when there is such a user.
    #[track_caller]
    pub fn add_user(&self, external_id: &str, first_name: &str, last_name: &str) -> User {
        self.settle();
        let mut store = lock(&self.store);
        assert!(store.user(external_id).is_none(), "there is a user {external_id}");
        store.add_user(external_id, first_name, last_name, self.now())
    }

    /// Changes a user, and returns the user as it is then.
    ///
    /// # Panics
    ///
    /// Panics when there is no such user.
    #[track_caller]
    pub fn change_user(&self, external_id: &str, change: impl FnOnce(&mut User)) -> User {
        self.settle();
        let mut store = lock(&self.store);
        let mut user = store.user(external_id).expect("there is such a user").clone();
        change(&mut user);
        store.put_user(user.clone(), self.now());
        user
    }

    /// Returns a user.
    pub fn user(&self, external_id: &str) -> Option<User> {
        lock(&self.store).user(external_id).cloned()
    }

    /// Returns all users, by number.
    pub fn users(&self) -> Vec<User> {
        lock(&self.store)
            .users
            .values()
            .map(History::current)
            .cloned()
            .collect()
    }

    /// Adds an active learning object.
    pub fn add_learning_object(&self, title: &str, training_type: TrainingType) -> LearningObject {
        self.settle();
        let mut store = lock(&self.store);
        store.add_object(Uuid::new_v4(), title, training_type, self.now())
    }

    /// Changes a learning object, and returns it as it is then.
    ///
    /// # Panics
    ///
    /// Panics when there is no such learning object.
    #[track_caller]
    pub fn change_learning_object(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut LearningObject),
    ) -> LearningObject {
        self.settle();
        let mut store = lock(&self.store);
        let mut object = store.object(id).expect("there is such a learning object").clone();
        change(&mut object);
        store.put_object(object.clone(), self.now());
        object
    }

    /// Returns all learning objects, by id.
    pub fn learning_objects(&self) -> Vec<LearningObject> {
        lock(&self.store)
            .objects
            .values()
            .map(History::current)
            .cloned()
            .collect()
    }

    /// Puts a learning object on a user's transcript once more, as a human does, whatever is there already.
    ///
    /// # Panics
    ///
    /// Panics when there is no such user or no such learning object.
    #[track_caller]
    pub fn enrol(&self, external_id: &str, learning_object: Uuid, status: Status) -> Registration {
        self.settle();
        let (mut store, now) = (lock(&self.store), self.now());
        let user = store.user(external_id).expect("there is such a user").id;
        store
            .object(learning_object)
            .expect("there is such a learning object");
        store.enrol(user, learning_object, status, now)
    }

    /// Changes a user's latest registration for a learning object as a human does, and returns it as it is then.
    ///
    /// # Panics
    ///
    /// Panics when there is none.
    #[track_caller]
    pub fn change_registration(
        &self,
        external_id: &str,
        learning_object: Uuid,
        change: impl FnOnce(&mut Registration),
    ) -> Registration {
        self.settle();
        let (mut store, now) = (lock(&self.store), self.now());
        let user = store.user(external_id).expect("there is such a user").id;
        let latest = store.latest(user, learning_object);
        let mut registration = latest.expect("there is such a registration").clone();
        change(&mut registration);
        registration.modified_at = now;
        store.put(registration.clone(), "change", Author::Human, now);
        registration
    }

    /// Lets a human move a user's latest registration for a learning object to a status, dated now.
    ///
    /// # Panics
    ///
    /// Panics when there is none.
    #[track_caller]
    pub fn advance(&self, external_id: &str, learning_object: Uuid, status: Status) -> Registration {
        let now = self.now();
        self.change_registration(external_id, learning_object, |registration| {
            registration.reach(status, now)
        })
    }

    /// Removes all registrations of a user for a learning object without a trace; returns how many there were.
    pub fn purge(&self, external_id: &str, learning_object: Uuid) -> usize {
        self.settle();
        let mut store = lock(&self.store);
        let Some(user) = store.user(external_id).map(|user| user.id) else {
            return 0;
        };
        let before = store.registrations.len();
        store
            .registrations
            .retain(|key, _| (key.0, key.1) != (user, learning_object));
        before - store.registrations.len()
    }

    /// Returns a user's latest registration for a learning object, unless it was removed.
    pub fn registration(&self, external_id: &str, learning_object: Uuid) -> Option<Registration> {
        self.settle();
        let store = lock(&self.store);
        let user = store.user(external_id)?.id;
        store.latest(user, learning_object).cloned()
    }

    /// Returns all registrations, by user and learning object.
    pub fn registrations(&self) -> Vec<Registration> {
        self.settle();
        let store = lock(&self.store);
        store
            .registrations
            .values()
            .map(History::current)
            .cloned()
            .collect()
    }

    /// Returns every change of a transcript so far, in order.
    pub fn writes(&self) -> Vec<Write> {
        self.settle();
        lock(&self.store).writes.clone()
    }

    /// Returns the number of changes that callers of the API made.
    pub fn api_writes(&self) -> usize {
        let writes = self.writes();
        writes.iter().filter(|write| write.by == Author::Api).count()
    }

    /// Makes up users, learning objects, and registrations in every status, the same for the same seed; ids of users begin with
    /// `prefix`. The warehouse has them at once.
    pub fn seed(&self, prefix: &str, users: usize, learning_objects: usize, registrations: usize, seed: u64) {
        self.settle();
        let (mut store, now) = (lock(&self.store), self.now());
        let lag = std::mem::replace(&mut store.settings.warehouse_lag, SignedDuration::ZERO);
        store.seed(prefix, [users, learning_objects, registrations], seed, now);
        store.settings.warehouse_lag = lag;
    }
}

impl Store {
    fn add_user(&mut self, external_id: &str, first_name: &str, last_name: &str, now: Timestamp) -> User {
        let user = User {
            id: self.users.last_key_value().map_or(1, |(id, _)| id + 1),
            guid: Uuid::new_v4(),
            external_id: external_id.to_owned(),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: format!("{external_id}@forbundet.example"),
            active: true,
            created_at: now,
            modified_at: now,
        };
        self.put_user(user.clone(), now);
        user
    }

    fn add_object(
        &mut self,
        id: Uuid,
        title: &str,
        training_type: TrainingType,
        now: Timestamp,
    ) -> LearningObject {
        let object = LearningObject {
            id,
            reference: format!("LO-{}", self.objects.len() + 1),
            title: title.to_owned(),
            training_type,
            provider: "Forbundet".to_owned(),
            hours: 2,
            active: true,
            recurs: false,
            version: 1,
            created_at: now,
            modified_at: now,
        };
        self.put_object(object.clone(), now);
        object
    }

    fn enrol(&mut self, user: i64, object: Uuid, status: Status, now: Timestamp) -> Registration {
        let mut registration = self.next_registration(user, object, now);
        registration.assigned_at = Some(now);
        registration.reach(status, now);
        self.put(registration.clone(), "enrol", Author::Human, now);
        registration
    }

    fn seed(&mut self, prefix: &str, [users, objects, registrations]: [usize; 3], seed: u64, now: Timestamp) {
        let mut random = Random::new(seed);
        let users: Vec<i64> = (1..=users)
            .map(|number| {
                self.add_user(
                    &format!("{prefix}{number}"),
                    "Kari",
                    &format!("Nordmann {number}"),
                    now,
                )
                .id
            })
            .collect();
        let objects: Vec<Uuid> = (0..objects)
            .map(|number| {
                let training_type = TrainingType::ALL[number % TrainingType::ALL.len()];
                let title = format!("{} {}", training_type.title(), number + 1);
                self.add_object(random.id(), &title, training_type, now).id
            })
            .collect();
        if users.is_empty() || objects.is_empty() {
            return;
        }
        let statuses = [
            Status::Approved,
            Status::Registered,
            Status::InProgress,
            Status::Completed,
        ];
        for number in 0..registrations {
            // Every pair once before any pair twice.
            let (user, object) = (
                users[number % users.len()],
                objects[number / users.len() % objects.len()],
            );
            self.enrol(user, object, statuses[random.below(statuses.len())], now);
        }
    }
}
