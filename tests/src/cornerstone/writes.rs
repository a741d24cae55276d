//! Changing the transcript of one user: assign, register, begin, complete, withdraw, update.
//!
//! | request | from | to | |
//! | --- | --- | --- | --- |
//! | `POST assign` | nothing, or something done that recurs | what `assignment` says | documented |
//! | `PATCH register` | approved | registered | documented |
//! | `PATCH in-progress` | registered | in progress | the path is inferred |
//! | `PATCH complete` | registered or in progress | completed | the path is of a public client, `score` and `completionDate` are inferred |
//! | `PATCH withdraw` | registered or waitlisted, for a session | withdrawn | the path is inferred |
//! | `PATCH update` | anything | the same, with comment, custom fields, due date | documented but for the due date |
//!
//! `assigned` waits for approval here, which is inferred too, as is everything that is refused but for what is not there: a user
//! who is not active, a training that is not, a step that does not follow from where the user is, and a number or date that is
//! none. Members that are not known are ignored. What a success holds is not documented: here it is the key, and nothing more.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Outcome, Refusal, success};
use super::record::Registration;
use super::settings::Repeated;
use super::status::{Status, TrainingType};
use super::store::{Author, Store};
use crate::wire::Request;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    user_guid: Option<Uuid>,
    learning_object_id: Uuid,
    #[serde(default)]
    assignment: Option<Assignment>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    custom_fields: Vec<CustomField>,
    #[serde(default)]
    due_date: Option<Timestamp>,
    #[serde(default)]
    completion_date: Option<Timestamp>,
    #[serde(default)]
    score: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Assignment {
    Assigned,
    Approved,
    Registered,
}

#[derive(Debug, Deserialize)]
struct CustomField {
    name: String,
    values: Vec<String>,
}

/// Answers `POST` or `PATCH /services/api/v1/transcripts/{name}`.
pub(super) fn answer(store: &mut Store, name: &str, request: &Request, now: Timestamp) -> Outcome<Value> {
    let action = known(name)?;
    let method = if action == "assign" {
        Method::POST
    } else {
        Method::PATCH
    };
    if request.method != method {
        return Err(Refusal::method());
    }
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        let message = "The media type is not supported.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let asked: Asked = serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::bad(format!("The request is not valid: {error}")))?;
    let (user, external_id) = user(store, &asked)?;
    let changed = match action {
        "assign" => assign(store, user, &asked, now)?,
        _ => step(store, user, action, &asked, now)?,
    };
    if let Some(registration) = changed {
        store.put(registration, action, Author::Api, now);
    }
    let key = json!({ "externalId": external_id, "learningObjectId": asked.learning_object_id });
    Ok(success(&key))
}

fn known(name: &str) -> Outcome<&'static str> {
    let mut known = [
        "assign",
        "register",
        "in-progress",
        "complete",
        "withdraw",
        "update",
    ]
    .into_iter();
    known.find(|known| *known == name).ok_or_else(Refusal::not_found)
}

/// Returns who it is about.
fn user(store: &Store, asked: &Asked) -> Outcome<(i64, String)> {
    let found = match (&asked.external_id, asked.user_guid) {
        (Some(external_id), _) => store.user(external_id),
        (None, Some(guid)) => {
            let mut users = store.users.values().map(super::history::History::current);
            users.find(|user| user.guid == guid)
        }
        (None, None) => return Err(Refusal::bad("externalId is required")),
    };
    let user = found.ok_or_else(Refusal::not_found)?;
    Ok((user.id, user.external_id.clone()))
}

/// Returns a new registration; none where there is one already and nothing is to become of it.
fn assign(store: &Store, user: i64, asked: &Asked, now: Timestamp) -> Outcome<Option<Registration>> {
    let object = store
        .object(asked.learning_object_id)
        .ok_or_else(Refusal::not_found)?;
    let assignment = asked
        .assignment
        .ok_or_else(|| Refusal::bad("assignment is required"))?;
    if !store.users.get(&user).is_some_and(|user| user.current().active) {
        return Err(Refusal::bad("The user is not active."));
    }
    if !object.active {
        return Err(Refusal::bad("The training is not active."));
    }
    if let Some(latest) = store.latest(user, object.id) {
        match (latest.status.is_open(), store.settings.repeated_assignment) {
            (true, Repeated::Ignored) => return Ok(None),
            (true, Repeated::Registered) => {}
            (false, _) if object.recurs || latest.status.group() == "Inactive" => {}
            _ => return Err(Refusal::bad("The training is already on the transcript.")),
        }
    }
    let mut registration = store.next_registration(user, object.id, now);
    registration.assigned_at = Some(now);
    registration.due_at = asked.due_date;
    let status = match assignment {
        Assignment::Assigned => Status::PendingApproval,
        Assignment::Approved => Status::Approved,
        Assignment::Registered => Status::Registered,
    };
    registration.reach(status, now);
    Ok(Some(registration))
}

/// Returns a registration one step on.
fn step(
    store: &Store,
    user: i64,
    action: &'static str,
    asked: &Asked,
    now: Timestamp,
) -> Outcome<Option<Registration>> {
    let object = store
        .object(asked.learning_object_id)
        .ok_or_else(Refusal::not_found)?;
    let latest = store.latest(user, object.id).ok_or_else(Refusal::not_found)?;
    let mut next = latest.clone();
    let refuse = || {
        Err(Refusal::bad(format!(
            "The training cannot be changed: it is {}.",
            latest.status.title()
        )))
    };
    match (action, latest.status) {
        ("register", Status::Approved) => next.reach(Status::Registered, now),
        ("in-progress", Status::Registered) => next.reach(Status::InProgress, now),
        ("complete", Status::Registered | Status::InProgress) => complete(&mut next, asked, now)?,
        ("withdraw", _) if object.training_type != TrainingType::Session => {
            return Err(Refusal::bad("Users are withdrawn from sessions only."));
        }
        ("withdraw", Status::Registered | Status::Waitlisted) => next.reach(Status::Withdrawn, now),
        ("update", _) => update(&mut next, asked),
        _ => return refuse(),
    }
    Ok(Some(next))
}

fn complete(next: &mut Registration, asked: &Asked, now: Timestamp) -> Outcome<()> {
    if asked.score.is_some_and(|score| !(0..=100).contains(&score)) {
        return Err(Refusal::bad("score is not a number from 0 to 100"));
    }
    if asked.completion_date.is_some_and(|at| at > now) {
        return Err(Refusal::bad("completionDate is in the future"));
    }
    next.score = asked.score.or(next.score);
    next.reach(Status::Completed, asked.completion_date.unwrap_or(now));
    Ok(())
}

fn update(next: &mut Registration, asked: &Asked) {
    if let Some(comment) = &asked.comment {
        next.comment = Some(comment.clone());
    }
    next.due_at = asked.due_date.or(next.due_at);
    for field in &asked.custom_fields {
        next.custom_fields
            .insert(field.name.clone(), field.values.clone());
    }
}
