//! `POST`, `PATCH`, and `DELETE` of single rows.

use http::{Method, StatusCode};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::access::Privilege;
use super::address::{Locator, Resource};
use super::call::Call;
use super::error::{Outcome, Refusal};
use super::read::entity;
use super::row::Row;
use super::server::Dataverse;
use super::store::Store;
use super::write::{self, Author, Conditions, Written};
use crate::wire::Answer;

impl Dataverse {
    /// Performs a write under a lock that the caller holds, for the sake of change sets.
    pub(super) fn modify(&self, store: &mut Store, call: &Call<'_>, resource: &Resource) -> Outcome<Answer> {
        match (&call.request.method, resource) {
            (&Method::POST, Resource::Collection(set)) => self.post(store, call, set),
            (&Method::PATCH, Resource::Row(set, locator)) => self.patch(store, call, set, locator),
            (&Method::DELETE, Resource::Row(set, locator)) => self.delete(store, call, set, locator),
            (method, _) => Err(Refusal::method_not_allowed(method)),
        }
    }

    fn post(&self, store: &mut Store, call: &Call<'_>, set: &str) -> Outcome<Answer> {
        let table = self.permitted(store, call, set, Privilege::Create)?;
        let body = body(call)?;
        let written = write::create(
            store,
            table,
            None,
            &body,
            &Conditions::read(&call.request.headers),
            author(call),
        )?;
        let row = written.row().id.to_string();
        self.written(store, call, table, &row, &written)
    }

    fn patch(&self, store: &mut Store, call: &Call<'_>, set: &str, locator: &Locator) -> Outcome<Answer> {
        let table = self.permitted(store, call, set, Privilege::Write)?;
        let target = locator.resolve(store.rows(table))?;
        if write::find(store.rows(table), &target).is_none() {
            self.permitted(store, call, set, Privilege::Create)?;
        }
        let conditions = Conditions::read(&call.request.headers);
        let written = write::upsert(store, table, &target, &body(call)?, &conditions, author(call))?;
        self.written(store, call, table, &locator.text, &written)
    }

    fn delete(&self, store: &mut Store, call: &Call<'_>, set: &str, locator: &Locator) -> Outcome<Answer> {
        let table = self.permitted(store, call, set, Privilege::Delete)?;
        let target = locator.resolve(store.rows(table))?;
        let conditions = Conditions::read(&call.request.headers);
        write::delete(store, table, &target, &conditions, author(call))?;
        self.recorder.count(|counters| counters.deleted += 1);
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) fn permitted(
        &self,
        store: &Store,
        call: &Call<'_>,
        set: &str,
        privilege: Privilege,
    ) -> Outcome<usize> {
        let table = store.position(set).ok_or_else(|| Refusal::unknown_segment(set))?;
        self.access()
            .check(call.user, &store.rows(table).table.logical_name, privilege)?;
        match store.rows(table).table.read_only {
            true => Err(Refusal::not_supported(
                privilege.name(),
                &store.rows(table).table.logical_name,
            )),
            false => Ok(table),
        }
    }

    fn written(
        &self,
        store: &Store,
        call: &Call<'_>,
        table: usize,
        locator: &str,
        written: &Written,
    ) -> Outcome<Answer> {
        self.recorder.count(|counters| match written {
            Written::Created(_) => counters.created += 1,
            Written::Updated(_) => counters.updated += 1,
        });
        let table = &store.rows(table).table;
        let link = format!("{}/{}({locator})", call.root, table.entity_set);
        let answer = if call.preferences.representation {
            let status = if written.is_new() {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            represented(
                status,
                Value::Object(entity(call, table, written.row())?),
                written.row(),
            )
        } else {
            Answer::empty(StatusCode::NO_CONTENT)
        };
        Ok(answer
            .with("location", &ascii(&link))
            .with("odata-entityid", &ascii(&link)))
    }
}

fn represented(status: StatusCode, body: Value, row: &Row) -> Answer {
    Answer::json(status, &body)
        .with("etag", &row.etag())
        .with("preference-applied", "return=representation")
}

/// Escapes what may not stand in a header.
fn ascii(link: &str) -> String {
    percent_encoding::utf8_percent_encode(link, percent_encoding::CONTROLS).to_string()
}

pub(super) fn author<'a>(call: &'a Call<'_>) -> Author<'a> {
    Author {
        user: call.user.user,
        at: call.now,
        tag: call.options.get("tag"),
        correlation: Uuid::new_v4(),
    }
}

/// Reads the body as a JSON object.
pub(super) fn body(call: &Call<'_>) -> Outcome<Map<String, Value>> {
    let json = call
        .request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !json {
        let message = "The request entity's media type is not supported for this resource.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "", message));
    }
    serde_json::from_slice(&call.request.body).map_err(|_| {
        let message = "An error occurred while validating input parameters: the body is not a JSON object.";
        Refusal::new(StatusCode::BAD_REQUEST, "0x80048d19", message)
    })
}
