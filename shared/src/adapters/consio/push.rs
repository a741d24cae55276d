//! Making changes one by one, and knowing of each what became of it.
//!
//! A row is looked up by the platform's id before it is made, so that one whose answer was lost is not made twice. A row is
//! compared before it is changed: by the system, where it takes `If-Match`, and else by reading it first.

use http::header::LOCATION;
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::adapter::Rest;
use super::answers::{Effect, Said, is_no_such_row};
use super::client::Ask;
use super::map;
use super::pointer::{Pointer, overlay};
use super::profile::{Body, Create, Remove, Resource, Told, Update, Version, Writes};
use super::template::Fill;
use crate::adapter::{Change, ChangeAction, Error, ErrorKind, Item, Made, Result, Target};
use crate::model::Fields;

/// How long one push goes on: what it has done by then is kept, and the rest is pushed again.
const PUSH_TIME: SignedDuration = SignedDuration::from_secs(25);

impl Rest {
    pub(super) async fn push_changes(
        &self,
        resource: &Resource,
        changes: &[Change],
    ) -> Result<Vec<Result<Made>>> {
        let Some(writes) = &resource.write else {
            let message = "the profile writes nothing of this kind: add `write`";
            return Err(Error::new(ErrorKind::Unsupported, message).with("kind", resource.kind));
        };
        let begun = self.client.clock.now();
        let mut outcomes: Vec<Result<Made>> = Vec::with_capacity(changes.len());
        let mut stop: Option<Error> = None;
        for change in changes {
            if !outcomes.is_empty() && self.client.clock.now().duration_since(begun) > PUSH_TIME {
                let message = "the system is slow: there was no time left for the change";
                stop.get_or_insert_with(|| Error::new(ErrorKind::Unavailable, message));
            }
            if let Some(error) = &stop {
                outcomes.push(Err(unsent(error)));
                continue;
            }
            let outcome = self.push_one(resource, writes, change).await;
            stop = outcome
                .as_ref()
                .err()
                .filter(|error| concerns_all(error))
                .map(unsent);
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    async fn push_one(&self, resource: &Resource, writes: &Writes, change: &Change) -> Result<Made> {
        match (&change.action, &change.target) {
            (ChangeAction::Write { fields, changed }, None) => {
                let create = writes.create.as_ref();
                let create = create.ok_or_else(|| lacks("the profile makes no rows: add `write.create`"))?;
                self.create(resource, create, change.key.as_str(), fields, *changed)
                    .await
            }
            (ChangeAction::Write { fields, changed }, Some(target)) => {
                let update = writes.update.as_ref();
                let update =
                    update.ok_or_else(|| lacks("the profile changes no rows: add `write.update`"))?;
                match wanted(resource, fields, *changed) {
                    0 => Ok(as_it_was(target)),
                    changed => self.update(resource, update, target, fields, changed).await,
                }
            }
            (ChangeAction::Remove, Some(target)) => match &writes.remove {
                None => Ok(as_it_was(target)),
                Some(remove) => self.remove(resource, remove, target).await,
            },
            (ChangeAction::Remove, None) => Err(Error::new(
                ErrorKind::NotFound,
                "a record without a row cannot be taken out of use",
            )),
        }
    }

    async fn create(
        &self,
        resource: &Resource,
        create: &Create,
        key: &str,
        fields: &Fields,
        changed: u64,
    ) -> Result<Made> {
        if let Some(row) = self.look_up(resource, key).await? {
            return Err(rival(resource, &row));
        }
        // What has no value is left to the system, which may have a default for it.
        let there = (0..resource.kind.fields().len()).filter(|position| fields.at(*position).is_some());
        let there = there.fold(0, |bits, position| bits | 1 << position);
        let mut row = body_of(resource, fields, changed & there)?;
        if let Some(place) = &create.key {
            let value = if place.as_number {
                map::number(key)
            } else {
                Ok(key.into())
            };
            let value = value.map_err(|reason| Error::new(ErrorKind::Rejected, reason).at_field("id"))?;
            place.pointer.put(&mut row, value);
        }
        let fill = Fill {
            id: None,
            key: Some(key),
        };
        let ask = Ask {
            method: create.method.clone(),
            url: create.address.url(&self.client.base_url, fill)?,
            body: Some(wrapped(&create.body, row)),
            if_match: None,
            effect: Effect::Writes,
        };
        let said = match self.client.send(&ask).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                return Err(self.met(resource, key, error).await);
            }
            said => said?,
        };
        match made(resource, create, &said) {
            Some(pushed) => Ok(pushed),
            // The row is there by now: where it cannot be found, the next push finds it.
            None => match self.look_up(resource, key).await {
                Ok(Some(row)) => shown(resource, &row).ok_or_else(unknown),
                _ => Err(unknown()),
            },
        }
    }

    /// Says which row stands in the way of one that was to be made.
    async fn met(&self, resource: &Resource, key: &str, error: Error) -> Error {
        match self.look_up(resource, key).await {
            Ok(Some(row)) => rival(resource, &row),
            Ok(None) => {
                let message = "another row is in the way of the new one: give one of them another value";
                Error::new(ErrorKind::Rejected, message)
            }
            Err(_) => error,
        }
    }

    async fn update(
        &self,
        resource: &Resource,
        update: &Update,
        target: &Target,
        fields: &Fields,
        changed: u64,
    ) -> Result<Made> {
        let if_match = conditional(update.if_match.as_ref(), target);
        let before = match update.whole || (if_match.is_none() && compares(resource, target)) {
            true => Some(self.as_seen(resource, target).await?),
            false => None,
        };
        let change = body_of(resource, fields, changed)?;
        let row = match before.filter(|_| update.whole) {
            Some(mut row) => {
                put_all(resource, &mut row, fields, changed)?;
                row
            }
            None => change,
        };
        let ask = Ask {
            method: update.method.clone(),
            url: update.address.url(&self.client.base_url, by_id(target))?,
            body: Some(wrapped(&update.body, row)),
            if_match,
            effect: Effect::Writes,
        };
        let said = self.client.send(&ask).await?;
        let echo = update
            .row
            .as_ref()
            .and_then(|pointer| pointer.of(said.json.as_ref()?));
        let echo = echo
            .and_then(|row| shown(resource, row))
            .filter(|row| row.id == target.id);
        let position = resource.kind.position("active");
        let active = position.filter(|position| changed >> position & 1 == 1);
        let active = active.and_then(|position| fields.at(position));
        Ok(echo.unwrap_or_else(|| Made {
            id: target.id.clone(),
            etag: None,
            active: match active {
                Some(crate::model::Value::Bool(active)) => *active,
                _ => target.active,
            },
            gone: false,
        }))
    }

    async fn remove(&self, resource: &Resource, remove: &Remove, target: &Target) -> Result<Made> {
        let deletes = remove.method == http::Method::DELETE;
        let pushed = Made {
            id: target.id.clone(),
            etag: None,
            active: false,
            gone: deletes,
        };
        if !deletes && !target.active {
            return Ok(as_it_was(target));
        }
        let if_match = conditional(remove.if_match.as_ref(), target);
        if if_match.is_none() && compares(resource, target) {
            match self.as_seen(resource, target).await {
                Err(error) if is_no_such_row(&error) => return Ok(Made { gone: true, ..pushed }),
                seen => seen.map(drop)?,
            }
        }
        let ask = Ask {
            method: remove.method.clone(),
            url: remove.address.url(&self.client.base_url, by_id(target))?,
            body: remove.body.clone(),
            if_match,
            effect: Effect::Writes,
        };
        match self.client.send(&ask).await {
            Err(error) if is_no_such_row(&error) => Ok(Made { gone: true, ..pushed }),
            said => said.map(|_| pushed),
        }
    }

    /// Returns a row that is still as it was when it was last seen.
    ///
    /// # Errors
    ///
    /// `Conflict` where it has changed since, and `NotFound` where it is gone.
    async fn as_seen(&self, resource: &Resource, target: &Target) -> Result<Json> {
        let gone = || {
            let message = "there is no such row any more";
            Error::new(ErrorKind::NotFound, message).with(super::answers::MISSING, "row")
        };
        let row = self.find_row(resource, &target.id).await?.ok_or_else(gone)?;
        if matches!(map::row(resource, &row)?, Item::Deleted { .. }) {
            return Err(gone());
        }
        match (&target.etag, map::version(resource, &row)) {
            (Some(seen), Some(is)) if *seen != is => Err(Error::new(
                ErrorKind::Conflict,
                "the row has changed since it was read",
            )),
            _ => Ok(row),
        }
    }
}

/// Says whether a row's version is known and can be compared.
fn compares(resource: &Resource, target: &Target) -> bool {
    target.etag.is_some() && resource.read.row.version != Version::None
}

fn conditional(if_match: Option<&(String, String)>, target: &Target) -> Option<String> {
    let (before, after) = if_match?;
    Some(format!("{before}{}{after}", target.etag.as_deref()?))
}

fn by_id(target: &Target) -> Fill<'_> {
    Fill {
        id: Some(&target.id),
        key: None,
    }
}

fn body_of(resource: &Resource, fields: &Fields, changed: u64) -> Result<Json> {
    let mut row = Json::Object(serde_json::Map::new());
    put_all(resource, &mut row, fields, changed)?;
    Ok(row)
}

fn put_all(resource: &Resource, row: &mut Json, fields: &Fields, changed: u64) -> Result<()> {
    for field in resource
        .fields
        .iter()
        .filter(|field| changed >> field.position & 1 == 1)
    {
        let value = map::write(field, fields.at(field.position));
        let value =
            value.map_err(|reason| Error::new(ErrorKind::Rejected, reason).at_field(field.field.name))?;
        field.pointer.put(row, value);
    }
    Ok(())
}

/// Leaves the use of a row out of a change that says nothing of it: who does not say wants nothing of it.
fn wanted(resource: &Resource, fields: &Fields, changed: u64) -> u64 {
    let position = resource.kind.position("active");
    let unsaid = position.filter(|position| fields.at(*position).is_none());
    changed & resource.mapped() & !unsaid.map_or(0, |position| 1 << position)
}

/// Puts a row into what is sent around it.
fn wrapped(body: &Body, row: Json) -> Json {
    let mut sent = Json::Object(serde_json::Map::new());
    if body.under == Pointer::whole() {
        sent = row;
    } else {
        body.under.put(&mut sent, row);
    }
    overlay(&mut sent, &body.fixed);
    sent
}

/// Returns what the answer to a creation tells of the new row.
fn made(resource: &Resource, create: &Create, said: &Said) -> Option<Made> {
    let id = match &create.told {
        Told::Row(pointer) => return shown(resource, pointer.of(said.json.as_ref()?)?),
        Told::Id(pointer) => map::id_at(pointer, said.json.as_ref()?)?,
        Told::Location => {
            let location = said.answer.headers.get(LOCATION)?.to_str().ok()?;
            let path = location.split(['?', '#']).next()?.trim_end_matches('/');
            let id = percent_decode_str(path.rsplit('/').next()?).decode_utf8().ok()?;
            Some(id.into_owned().into_boxed_str()).filter(|id| !id.is_empty())?
        }
        Told::Nowhere => return None,
    };
    Some(Made {
        id,
        etag: None,
        active: true,
        gone: false,
    })
}

/// Returns what a row says of itself.
fn shown(resource: &Resource, row: &Json) -> Option<Made> {
    match map::row(resource, row).ok()? {
        Item::Row(row) => Some(Made {
            id: row.id,
            etag: row.etag,
            active: row.active,
            gone: false,
        }),
        // It is there, and the next reading says what is wrong with it.
        Item::Faulty { id, .. } => Some(Made {
            id,
            etag: None,
            active: true,
            gone: false,
        }),
        Item::Deleted { .. } => None,
    }
}

fn rival(resource: &Resource, row: &Json) -> Error {
    let error = Error::new(ErrorKind::Conflict, "a row has this key already");
    match map::id_at(&resource.read.row.id, row) {
        Some(id) => error.with("row", id),
        None => Error::new(
            ErrorKind::Malformed,
            "a row has no id where the profile says: check `read.id`",
        ),
    }
}

fn as_it_was(target: &Target) -> Made {
    Made {
        id: target.id.clone(),
        etag: target.etag.clone(),
        active: target.active,
        gone: false,
    }
}

fn lacks(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

fn unknown() -> Error {
    let message = "the row was made, and the answer does not say which it is";
    Error::new(ErrorKind::Unknown, message)
}

/// Says whether the next change would fare no better.
fn concerns_all(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unauthenticated
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Unavailable
            | ErrorKind::Unknown
            | ErrorKind::Malformed
    )
}

/// Says of a change that it was not sent, since one before it came to this.
fn unsent(error: &Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::Unknown => ErrorKind::Unavailable,
        kind => kind,
    };
    Error::new(kind, "the change was not sent, since one before it failed")
}
