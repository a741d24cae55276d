//! What a portal keeps: users, learning objects, and who is registered for what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::status::{Status, TrainingType};

/// A person in the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The number that the views know the user by.
    pub id: i64,
    /// The id that some endpoints take instead of `external_id`.
    pub guid: Uuid,
    /// What the organization calls the user: the "User ID".
    pub external_id: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The address.
    pub email: String,
    /// Whether the user may sign in; nobody else is assigned anything.
    pub active: bool,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was changed last.
    pub modified_at: Timestamp,
}

/// A training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LearningObject {
    /// The id.
    pub id: Uuid,
    /// What the organization calls the training, or the locator of a session.
    pub reference: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub training_type: TrainingType,
    /// Who offers it.
    pub provider: String,
    /// How long it takes, in hours.
    pub hours: i64,
    /// Whether anybody may be assigned it.
    pub active: bool,
    /// Whether somebody who has completed it may take it again.
    pub recurs: bool,
    /// The version, which has an id of its own.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub modified_at: Timestamp,
}

/// Names a registration: the user, the learning object, and how often the user has been registered for it.
pub type Key = (i64, Uuid, i64);

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The user.
    pub user: i64,
    /// The learning object.
    pub learning_object: Uuid,
    /// Counts the registrations of one user for one learning object from 1.
    pub number: i64,
    /// How far the user got.
    pub status: Status,
    /// When it was put on the transcript.
    pub created_at: Timestamp,
    /// When somebody assigned it.
    pub assigned_at: Option<Timestamp>,
    /// When the user was registered.
    pub registered_at: Option<Timestamp>,
    /// When the user began.
    pub started_at: Option<Timestamp>,
    /// When the user was done.
    pub completed_at: Option<Timestamp>,
    /// When the user should be done.
    pub due_at: Option<Timestamp>,
    /// When the user was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// The result, in per cent.
    pub score: Option<i64>,
    /// Whether the result suffices.
    pub passed: Option<bool>,
    /// What somebody wrote about it.
    pub comment: Option<String>,
    /// The values of custom fields.
    pub custom_fields: BTreeMap<String, Vec<String>>,
    /// Whether it is out of sight.
    pub archived: bool,
    /// Whether it was taken off the transcript.
    pub removed: bool,
    /// Whether it must be done.
    pub required: bool,
    /// When it was changed last.
    pub modified_at: Timestamp,
}

impl Registration {
    pub(super) fn new(user: i64, learning_object: Uuid, number: i64, now: Timestamp) -> Self {
        Self {
            user,
            learning_object,
            number,
            status: Status::PendingApproval,
            created_at: now,
            assigned_at: None,
            registered_at: None,
            started_at: None,
            completed_at: None,
            due_at: None,
            withdrawn_at: None,
            score: None,
            passed: None,
            comment: None,
            custom_fields: BTreeMap::new(),
            archived: false,
            removed: false,
            required: false,
            modified_at: now,
        }
    }

    /// Returns what names the registration.
    pub fn key(&self) -> Key {
        (self.user, self.learning_object, self.number)
    }

    /// Moves on to a status, and dates what comes with it where it has no date.
    pub(super) fn reach(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        match status {
            Status::Registered => _ = self.registered_at.get_or_insert(at),
            Status::InProgress => _ = self.started_at.get_or_insert(at),
            Status::Completed => {
                self.registered_at.get_or_insert(at);
                self.completed_at.get_or_insert(at);
                self.passed.get_or_insert(true);
            }
            Status::Withdrawn => self.withdrawn_at = Some(at),
            _ => {}
        }
    }

    /// Returns how much is done, in per cent.
    pub(super) fn percent(&self) -> i64 {
        match self.status {
            Status::Completed => 100,
            Status::InProgress => 50,
            _ => 0,
        }
    }
}
