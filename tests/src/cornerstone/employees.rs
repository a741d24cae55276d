//! Users, at `/services/api/x/users/v2/employees`.
//!
//! One user by number in the path or by `externalId`, several by `ids`, or everybody in pages of a hundred. How a list is paged is
//! inferred. Users are not made or changed here.
//!
//! Source: csod.dev; the members of a user are those of a public client, digitregroup/cornerstone-client, read 2026-11-22.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Outcome, Refusal, json_answer};
use super::history::History;
use super::record::User;
use super::resource::EMPLOYEES;
use super::server::{only_get, parameters};
use super::store::Store;
use super::time::plain;
use crate::wire::{Answer, Request};

const PAGE: usize = 100;

pub(super) fn answer(store: &Store, request: &Request) -> Outcome<Answer> {
    only_get(request)?;
    let form = parameters(request)?;
    let id = request.path.trim_start_matches(EMPLOYEES).trim_start_matches('/');
    let body = match (id, form.get("externalId")) {
        ("", Some(external_id)) => one(store, store.user(external_id))?,
        ("", None) => {
            let page = form.get("page").map_or(Ok(1), str::parse);
            let page: usize = page.map_err(|_| Refusal::bad("page is not a number"))?;
            list(store, form.get("ids"), page.max(1))
        }
        (id, _) => {
            let id: i64 = id.parse().map_err(|_| Refusal::bad("The id is not a number."))?;
            one(store, store.users.get(&id).map(History::current))?
        }
    };
    Ok(json_answer(StatusCode::OK, &body))
}

fn one(store: &Store, user: Option<&User>) -> Outcome<Value> {
    let user = render(user.ok_or_else(Refusal::not_found)?);
    Ok(match store.settings.lists_of_one {
        true => json!({ "data": [user] }),
        false => json!({ "data": user }),
    })
}

fn list(store: &Store, ids: Option<&str>, page: usize) -> Value {
    let wanted = |user: &User| {
        let id = user.id.to_string();
        ids.is_none_or(|ids| ids.split(',').any(|one| one.trim() == id))
    };
    let users: Vec<&User> = store
        .users
        .values()
        .map(History::current)
        .filter(|user| wanted(user))
        .collect();
    let shown = users.iter().skip((page - 1) * PAGE).take(PAGE);
    json!({ "data": shown.map(|user| render(user)).collect::<Vec<_>>(), "totalRecords": users.len() })
}

fn render(user: &User) -> Value {
    json!({
        "id": user.id, "guid": user.guid, "externalId": user.external_id, "userId": user.external_id,
        "userName": user.external_id, "firstName": user.first_name, "lastName": user.last_name,
        "primaryEmail": user.email, "workerStatus": { "active": user.active }, "ous": [],
        "employeeMetaData": { "createdDate": plain(user.created_at), "modifiedDate": plain(user.modified_at) },
    })
}
