//! Writes, and what the register insists on.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::server::Rest;
use super::settings::Settings;
use super::store::{Collection, Store};
use crate::wire::{Answer, Request};

/// The longest name that a person may have.
const LONGEST_NAME: usize = 50;

impl Rest {
    pub(super) fn create(
        &self,
        store: &mut Store,
        settings: &Settings,
        collection: Collection,
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let sent = object(request)?;
        let mut content = collection.template();
        merge(&mut content, &Value::Object(sent), "")?;
        check(store, settings, (collection, None), &content)?;
        let id = store.add(collection, content, self.clock.now());
        store.writes.created += 1;
        let location = format!("{}/rest/v1/{}/{id}", self.base_url, collection.name());
        let shown = store.get(collection, id).map(|row| row.shown(id));
        let answer = match shown.filter(|_| !settings.silent) {
            Some(row) => Answer::json(StatusCode::CREATED, &row),
            None => Answer::empty(StatusCode::CREATED),
        };
        Ok(answer.with("location", &location))
    }

    pub(super) fn change(
        &self,
        store: &mut Store,
        settings: &Settings,
        (collection, id): (Collection, u64),
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let row = store.live(collection, id).ok_or_else(Refusal::missing)?;
        check_version(settings, row.revision, request)?;
        let sent = object(request)?;
        let mut content = row.content.clone();
        if request.method == Method::PUT {
            content = whole(collection, &row.shown(id), sent)?;
        } else {
            merge(&mut content, &Value::Object(sent), "")?;
        }
        check(store, settings, (collection, Some(id)), &content)?;
        store.put(collection, id, content, self.clock.now());
        store.writes.updated += 1;
        let shown = store.get(collection, id).map(|row| row.shown(id));
        Ok(match shown.filter(|_| !settings.silent) {
            Some(row) => Answer::json(StatusCode::OK, &row),
            None => Answer::empty(StatusCode::NO_CONTENT),
        })
    }

    pub(super) fn remove(
        &self,
        store: &mut Store,
        settings: &Settings,
        (collection, id): (Collection, u64),
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let row = store.live(collection, id).ok_or_else(Refusal::missing)?;
        check_version(settings, row.revision, request)?;
        store.delete(collection, id, settings.keeps_deleted, self.clock.now());
        store.writes.deleted += 1;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }
}

/// The version is quoted, as RFC 9110 has it.
fn check_version(settings: &Settings, revision: u64, request: &Request) -> Result<(), Refusal> {
    match request.header("if-match") {
        None if settings.versions => Err(Refusal::new(
            StatusCode::PRECONDITION_REQUIRED,
            "VERSION_WANTED",
            "If-Match is required.",
        )),
        Some(version) if settings.versions && version != format!("\"{revision}\"") => Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "VERSION_MISMATCH",
            "The row has changed.",
        )),
        _ => Ok(()),
    }
}

fn object(request: &Request) -> Result<Map<String, Value>, Refusal> {
    let kind = request.header("content-type").unwrap_or_default();
    let body = serde_json::from_slice(&request.body).ok();
    body.filter(|_| kind.starts_with("application/json"))
        .ok_or_else(|| Refusal::bad("The body must be a JSON object."))
}

/// Lays what was sent over a row; members that a row does not have are refused.
pub(super) fn merge(row: &mut Value, sent: &Value, at: &str) -> Result<(), Refusal> {
    match (row, sent) {
        (Value::Object(row), Value::Object(sent)) => {
            for (name, value) in sent {
                let place = row
                    .get_mut(name)
                    .ok_or_else(|| Refusal::bad(format!("Unknown member {at}/{name}.")))?;
                merge(place, value, &format!("{at}/{name}"))?;
            }
        }
        (Value::Object(_), _) => return Err(Refusal::bad(format!("{at} must be an object."))),
        (row, sent) => *row = sent.clone(),
    }
    Ok(())
}

/// Takes a whole row in the place of another: every member must be there, and its own are left as they are.
fn whole(collection: Collection, shown: &Value, mut sent: Map<String, Value>) -> Result<Value, Refusal> {
    for own in ["id", "revision", "updatedAt", "deleted"] {
        if sent.remove(own).is_some_and(|value| value != shown[own]) {
            return Err(Refusal::bad(format!("{own} cannot be changed.")));
        }
    }
    let mut content = collection.template();
    let names = content.as_object().into_iter().flat_map(Map::keys);
    if let Some(lacking) = names.into_iter().find(|name| !sent.contains_key(*name)) {
        return Err(Refusal::bad(format!("{lacking} is missing.")));
    }
    merge(&mut content, &Value::Object(sent), "")?;
    Ok(content)
}

/// Refuses what cannot be, and repeats it.
fn check(
    store: &Store,
    settings: &Settings,
    (collection, id): (Collection, Option<u64>),
    content: &Value,
) -> Result<(), Refusal> {
    let number = content["number"].as_str().filter(|_| !settings.repeats_numbers);
    if let Some(number) = number {
        let owner = store.numbered(collection, number);
        if owner.is_some() && owner != id {
            let message = format!("The number {number} is taken.");
            return Err(Refusal::new(StatusCode::CONFLICT, "NUMBER_TAKEN", message));
        }
    }
    match collection {
        Collection::Members => check_member(content),
        Collection::Memberships | Collection::Enrollments => match content["memberId"].as_u64() {
            Some(member) if store.live(Collection::Members, member).is_some() => Ok(()),
            _ => Err(Refusal::invalid(format!(
                "There is no member {}.",
                content["memberId"]
            ))),
        },
    }
}

fn check_member(content: &Value) -> Result<(), Refusal> {
    let last = content["name"]["last"].as_str().unwrap_or_default();
    if last.is_empty() || last.chars().count() > LONGEST_NAME {
        return Err(Refusal::invalid(format!("{last} is no last name.")));
    }
    let allowed = [
        ("/sex", vec![json!(null), json!("K"), json!("M")]),
        ("/status", vec![json!("A"), json!("P")]),
    ];
    for (place, values) in allowed {
        let value = content.pointer(place).cloned().unwrap_or_default();
        if !values.contains(&value) {
            return Err(Refusal::invalid(format!("{value} cannot stand at {place}.")));
        }
    }
    let born = content["born"].as_str();
    if born.is_some_and(|born| jiff::civil::Date::strptime("%d.%m.%Y", born).is_err()) {
        return Err(Refusal::invalid(format!("{} is no date.", content["born"])));
    }
    Ok(())
}
