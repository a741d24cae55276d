//! Reading the transcript of one user, as it is now.
//!
//! `GET overview` and `GET details`, keyed by `externalId`. The members of a line are those of a public client; how times are
//! written is inferred. `custom-fields` and `curriculum-child-lo-data` are absent but for the former.
//!
//! Source: csod.dev, "Transcript API - Examples", read 2026-11-21.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Outcome, Refusal, success};
use super::record::{LearningObject, Registration, User};
use super::server::parameters;
use super::store::Store;
use super::time::plain;
use crate::sign_in::Form;
use crate::wire::Request;

/// Answers `GET /services/api/v1/transcripts/{name}`.
pub(super) fn answer(store: &Store, name: &str, request: &Request) -> Outcome<Value> {
    let form = parameters(request)?;
    let read: fn(&Store, &Form) -> Outcome<Value> = match name {
        "overview" => overview,
        "details" => details,
        "custom-fields" => custom_fields,
        _ => return Err(Refusal::not_found()),
    };
    Ok(success(&read(store, &form)?))
}

fn overview(store: &Store, form: &Form) -> Outcome<Value> {
    let user = user(store, form)?;
    let wanted = |parameter: &str, value: &str| {
        let listed = form.get(parameter);
        listed.is_none_or(|listed| {
            listed
                .split(',')
                .any(|one| one.trim().eq_ignore_ascii_case(value))
        })
    };
    let archived = form.get("includeArchived") == Some("true");
    let lines = store.transcript(user.id).filter_map(|line| {
        let object = store.object(line.learning_object)?;
        let shown = !line.removed
            && (archived || !line.archived)
            && wanted("statusGroups", line.status.group())
            && wanted("status", line.status.name())
            && wanted("trainingType", object.training_type.name());
        shown.then(|| render(store, user, object, line))
    });
    Ok(lines.collect())
}

fn details(store: &Store, form: &Form) -> Outcome<Value> {
    let (user, object, line) = find(store, form)?;
    let mut rendered = render(store, user, object, line);
    if let Value::Object(members) = &mut rendered {
        members.insert("comment".to_owned(), json!(line.comment));
    }
    Ok(match store.settings.lists_of_one {
        true => json!([rendered]),
        false => rendered,
    })
}

fn custom_fields(store: &Store, form: &Form) -> Outcome<Value> {
    let (.., line) = find(store, form)?;
    let fields = line.custom_fields.iter();
    Ok(fields
        .map(|(name, values)| json!({ "name": name, "values": values }))
        .collect())
}

fn find<'a>(store: &'a Store, form: &Form) -> Outcome<(&'a User, &'a LearningObject, &'a Registration)> {
    let user = user(store, form)?;
    let asked = form.get("learningObjectId");
    let asked = asked.ok_or_else(|| Refusal::bad("learningObjectId is required"))?;
    let id: Uuid = asked
        .parse()
        .map_err(|_| Refusal::bad("learningObjectId is not valid"))?;
    let found = store.object(id).zip(store.latest(user.id, id));
    let (object, line) = found.ok_or_else(Refusal::not_found)?;
    Ok((user, object, line))
}

fn user<'a>(store: &'a Store, form: &Form) -> Outcome<&'a User> {
    let external_id = form.get("externalId");
    let external_id = external_id.ok_or_else(|| Refusal::bad("externalId is required"))?;
    store.user(external_id).ok_or_else(Refusal::not_found)
}

/// Returns a line of a transcript as `overview` and `details` have it.
fn render(store: &Store, user: &User, object: &LearningObject, line: &Registration) -> Value {
    let latest = store.latest(user.id, object.id);
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
    set("userId", json!(user.id.to_string()));
    set("externalId", json!(user.external_id));
    set("userGuid", json!(user.guid));
    set("learningObjectId", json!(object.id));
    set("learningTitle", json!(object.title));
    set("trainingType", json!(object.training_type.name()));
    set("trainingVersion", json!(object.version));
    set("providerName", json!(object.provider));
    set("trainingHours", json!(object.hours.to_string()));
    set("registrationNumber", json!(line.number));
    set(
        "isGreatestRegistrationNumber",
        json!(latest.is_some_and(|latest| latest.number == line.number)),
    );
    set("status", json!(line.status.name()));
    set("statusGroup", json!(line.status.group()));
    set("score", json!(line.score));
    set("passed", json!(line.passed));
    set("isRequired", json!(line.required));
    set("isSuggested", json!(false));
    set("isStandalone", json!(true));
    set("isArchived", json!(line.archived));
    set("isRemoved", json!(line.removed));
    for (name, at) in [
        ("statusChangeDate", Some(line.modified_at)),
        ("assignedDate", line.assigned_at),
        ("registrationDate", line.registered_at),
        ("dueDate", line.due_at),
        ("completedDate", line.completed_at),
        ("lastModifiedDate", Some(line.modified_at)),
    ] {
        set(name, json!(at.map(plain)));
    }
    Value::Object(members)
}
