//! `CreateMultiple`, `UpdateMultiple`, and `UpsertMultiple`: all rows or none.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::Privilege;
use super::address::{Locator, Target, split};
use super::call::Call;
use super::error::{Outcome, Refusal};
use super::modify::{author, body};
use super::server::Dataverse;
use super::store::{Rows, Store};
use super::write::{self, Conditions};
use crate::wire::Answer;

impl Dataverse {
    pub(super) fn act(&self, store: &mut Store, call: &Call<'_>, set: &str, action: &str) -> Outcome<Answer> {
        let step = match action {
            "CreateMultiple" => create,
            "UpdateMultiple" => update,
            "UpsertMultiple" => upsert,
            _ => {
                return Err(Refusal::unknown_segment(&format!(
                    "Microsoft.Dynamics.CRM.{action}"
                )));
            }
        };
        self.permitted(store, call, set, Privilege::Create)?;
        let table = self.permitted(store, call, set, Privilege::Write)?;
        let targets = targets(call, store.rows(table))?;
        store.begin();
        let ids = targets
            .iter()
            .map(|target| step(store, table, target, call))
            .collect::<Outcome<Vec<Uuid>>>();
        if ids.is_err() {
            store.roll_back();
        }
        store.commit();
        Ok(answer(call, action, &ids?))
    }
}

fn answer(call: &Call<'_>, action: &str, ids: &[Uuid]) -> Answer {
    if action != "CreateMultiple" {
        return Answer::empty(StatusCode::NO_CONTENT);
    }
    let context = format!(
        "{}/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse",
        call.root
    );
    Answer::json(StatusCode::OK, &json!({ "@odata.context": context, "Ids": ids }))
}

fn targets(call: &Call<'_>, rows: &Rows) -> Outcome<Vec<Map<String, Value>>> {
    let malformed = || Refusal::payload(&rows.table.entity_set, "The parameter 'Targets' is not valid.");
    let expected = format!("Microsoft.Dynamics.CRM.{}", rows.table.logical_name);
    let mut body = body(call)?;
    let Some(Value::Array(targets)) = body.remove("Targets") else {
        return Err(malformed());
    };
    let mut read = Vec::new();
    for target in targets {
        let Value::Object(target) = target else {
            return Err(malformed());
        };
        let kind = target
            .get("@odata.type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if kind.trim_start_matches('#') != expected {
            return Err(malformed());
        }
        read.push(target);
    }
    Ok(read)
}

fn create(store: &mut Store, table: usize, target: &Map<String, Value>, call: &Call<'_>) -> Outcome<Uuid> {
    let written = write::create(store, table, None, target, &Conditions::default(), author(call))?;
    Ok(written.row().id)
}

fn update(store: &mut Store, table: usize, target: &Map<String, Value>, call: &Call<'_>) -> Outcome<Uuid> {
    let found = locate(store.rows(table), target)?;
    let conditions = Conditions {
        exists: Some("*".to_owned()),
        ..Conditions::default()
    };
    Ok(
        write::upsert(store, table, &found, target, &conditions, author(call))?
            .row()
            .id,
    )
}

fn upsert(store: &mut Store, table: usize, target: &Map<String, Value>, call: &Call<'_>) -> Outcome<Uuid> {
    let rows = store.rows(table);
    let found = locate(rows, target)?;
    let named_twice = match &found {
        Target::Key(_, cells) => cells
            .iter()
            .any(|(column, _)| target.contains_key(&rows.table.columns[*column].property)),
        Target::Id(_) => false,
    };
    if named_twice && write::find(rows, &found).is_none() && target.contains_key("@odata.id") {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "0x80040216",
            "An unexpected error occurred.",
        ));
    }
    Ok(
        write::upsert(store, table, &found, target, &Conditions::default(), author(call))?
            .row()
            .id,
    )
}

/// Finds the row that a target means: by `@odata.id`, by its id, or by an alternate key among its columns.
fn locate(rows: &Rows, target: &Map<String, Value>) -> Outcome<Target> {
    if let Some(reference) = target.get("@odata.id").and_then(Value::as_str) {
        let segment = reference.rsplit("/api/data/").next().unwrap_or_default();
        return Locator::parse(split(segment)?.1)?.resolve(rows);
    }
    if let Some(id) = target.get(&rows.table.primary_id).and_then(Value::as_str) {
        return Locator::parse(id)?.resolve(rows);
    }
    let key = rows
        .table
        .keys
        .iter()
        .find(|key| key.columns.iter().all(|column| target.contains_key(column)));
    let key =
        key.ok_or_else(|| Refusal::payload(&rows.table.entity_set, "A target has neither an id nor a key."))?;
    let text = |column: &String| match &target[column] {
        Value::String(text) => format!("{column}='{}'", text.replace('\'', "''")),
        other => format!("{column}={other}"),
    };
    Locator::parse(&key.columns.iter().map(text).collect::<Vec<_>>().join(","))?.resolve(rows)
}
