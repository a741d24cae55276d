//! Creating, updating, and deleting rows under the platform's rules.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::address::Target;
use super::columns::{self, Writing, narrow};
use super::error::{Outcome, Refusal};
use super::events::{self, Happening};
use super::registration;
use super::row::{Cell, Row, fold};
use super::schema::Table;
use super::stamp::{check_open, check_status, default_status, defaults, stamp};
use super::store::{Rows, Store};

/// Says who writes, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author<'a> {
    pub(crate) user: Uuid,
    /// Whole seconds since the Unix epoch.
    pub(crate) at: i64,
    /// What the request was marked with.
    pub(crate) tag: Option<&'a str>,
    /// Tells one request from another.
    pub(crate) correlation: Uuid,
}

/// Holds what a write depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// `If-Match: *` or an etag.
    pub(crate) exists: Option<String>,
    /// `If-None-Match: *`.
    pub(crate) absent: bool,
    /// `MSCRM.SuppressDuplicateDetection: false`.
    pub(crate) unlike_others: bool,
}

/// Says what a write did.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Created(Arc<Row>),
    Updated(Arc<Row>),
}

impl Conditions {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::trim)
        };
        Self {
            exists: text("if-match").map(str::to_owned),
            absent: text("if-none-match") == Some("*"),
            unlike_others: text("mscrm.suppressduplicatedetection")
                .is_some_and(|value| value.eq_ignore_ascii_case("false")),
        }
    }

    fn check(&self, table: &Table, row: Option<&Row>, id: Uuid) -> Outcome<()> {
        match (&self.exists, row) {
            (Some(_), None) => {
                let message = format!("{} With Id = {id} Does Not Exist", table.logical_name);
                Err(Refusal::new(StatusCode::NOT_FOUND, "", message))
            }
            (Some(etag), Some(row)) if etag != "*" && *etag != row.etag() => Err(Refusal::precondition(
                "The version of the existing record doesn't match the RowVersion property provided.",
            )),
            (_, Some(_)) if self.absent => Err(Refusal::precondition(
                "A record with matching key values already exists.",
            )),
            _ => Ok(()),
        }
    }
}

impl Written {
    pub(crate) fn row(&self) -> &Arc<Row> {
        match self {
            Self::Created(row) | Self::Updated(row) => row,
        }
    }

    pub(crate) fn is_new(&self) -> bool {
        matches!(self, Self::Created(_))
    }
}

/// Updates the row at `target`, or creates it there.
pub(crate) fn upsert(
    store: &mut Store,
    table: usize,
    target: &Target,
    body: &Map<String, Value>,
    conditions: &Conditions,
    author: Author<'_>,
) -> Outcome<Written> {
    let rows = store.rows(table);
    let existing = find(rows, target).cloned();
    let id = existing.as_ref().map_or_else(|| new_id(target), |row| row.id);
    conditions.check(&rows.table, existing.as_deref(), id)?;
    match existing {
        Some(row) => update(
            store,
            table,
            &row,
            &without_key(rows_table(store, table), target, body),
            conditions,
            author,
        ),
        None => {
            let mut body = body.clone();
            fill_key(&rows_table(store, table), target, &mut body);
            create(store, table, Some(id), &body, conditions, author)
        }
    }
}

fn rows_table(store: &Store, table: usize) -> Arc<Table> {
    Arc::clone(&store.rows(table).table)
}

fn new_id(target: &Target) -> Uuid {
    match target {
        Target::Id(id) => *id,
        Target::Key(..) => Uuid::new_v4(),
    }
}

/// Returns the row at a target.
pub(crate) fn find<'a>(rows: &'a Rows, target: &Target) -> Option<&'a Arc<Row>> {
    match target {
        Target::Id(id) => rows.get(*id),
        Target::Key(key, cells) => {
            let values: Vec<Cell> = cells.iter().map(|(_, cell)| cell.clone()).collect();
            rows.find(*key, &values).and_then(|id| rows.get(id))
        }
    }
}

/// Returns the row at a target, or the refusal for its absence.
pub(crate) fn must_find<'a>(rows: &'a Rows, target: &Target) -> Outcome<&'a Arc<Row>> {
    find(rows, target).ok_or_else(|| match target {
        Target::Id(id) => Refusal::no_such_row(&rows.table.logical_name, *id),
        Target::Key(..) => Refusal::no_such_key_values(&rows.table.logical_name),
    })
}

/// Drops the key's columns, which an update through that key ignores.
fn without_key(table: Arc<Table>, target: &Target, body: &Map<String, Value>) -> Map<String, Value> {
    let mut body = body.clone();
    if let Target::Key(_, cells) = target {
        cells
            .iter()
            .for_each(|(column, _)| drop(body.remove(&table.columns[*column].property)));
    }
    body
}

/// Copies the key's values into a body that lacks them; a body that has them wins, even when it differs.
fn fill_key(table: &Table, target: &Target, body: &mut Map<String, Value>) {
    if let Target::Key(_, cells) = target {
        for (column, cell) in cells {
            body.entry(table.columns[*column].property.clone())
                .or_insert_with(|| cell.to_value());
        }
    }
}

/// Creates a row, under `id` where it is given.
pub(crate) fn create(
    store: &mut Store,
    table: usize,
    id: Option<Uuid>,
    body: &Map<String, Value>,
    conditions: &Conditions,
    author: Author<'_>,
) -> Outcome<Written> {
    let definition = rows_table(store, table);
    let changes = columns::read(store, &definition, body, Writing::Create)?;
    let id = id.map_or_else(|| own_id(&definition, body), Ok)?;
    if store.rows(table).get(id).is_some() {
        let message = "Cannot insert duplicate key.";
        return Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80040237",
            message,
        ));
    }
    let empty = Row {
        id,
        version: 0,
        cells: Box::new([]),
    };
    let row = stamp(
        &definition,
        empty.changed(defaults(&definition)).changed(changes),
        author,
        true,
    );
    check_status(&definition, &row)?;
    let row = finish(store, table, row, conditions)?;
    events::raise(store, &definition, &row, Happening::Created, author);
    Ok(Written::Created(row))
}

fn own_id(table: &Table, body: &Map<String, Value>) -> Outcome<Uuid> {
    match body.get(&table.primary_id) {
        None | Some(Value::Null) => Ok(Uuid::new_v4()),
        Some(value) => value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Refusal::payload(
                &table.entity_set,
                format!("Cannot convert the literal '{value}' to 'Edm.Guid'."),
            )
        }),
    }
}

fn update(
    store: &mut Store,
    table: usize,
    row: &Row,
    body: &Map<String, Value>,
    conditions: &Conditions,
    author: Author<'_>,
) -> Outcome<Written> {
    let definition = rows_table(store, table);
    let mut changes = columns::read(store, &definition, body, Writing::Update)?;
    check_open(&definition, row, &changes)?;
    changes.extend(default_status(&definition, &changes));
    let changed: Vec<u16> = changes.iter().map(|(column, _)| *column).collect();
    let row = stamp(&definition, row.changed(changes), author, false);
    check_status(&definition, &row)?;
    let row = finish(store, table, row, conditions)?;
    events::raise(store, &definition, &row, Happening::Updated(&changed), author);
    Ok(Written::Updated(row))
}

/// Deletes the row at `target` and empties the lookups that pointed to it.
pub(crate) fn delete(
    store: &mut Store,
    table: usize,
    target: &Target,
    conditions: &Conditions,
    author: Author<'_>,
) -> Outcome<Uuid> {
    let rows = store.rows(table);
    let row = Arc::clone(must_find(rows, target)?);
    let definition = Arc::clone(&rows.table);
    conditions.check(&definition, Some(&row), row.id)?;
    registration::check_unused(store, &definition, row.id)?;
    let id = row.id;
    events::raise(store, &definition, &row, Happening::Deleted, author);
    store.delete(table, id);
    release(store, id);
    Ok(id)
}

fn release(store: &mut Store, id: Uuid) {
    let mut released = Vec::new();
    for (table, rows) in store.tables().enumerate() {
        for (row, columns) in rows.pointing_to(id) {
            let emptied = columns.into_iter().map(|column| (narrow(column), None)).collect();
            released.push((table, row.changed(emptied)));
        }
    }
    for (table, row) in released {
        store.put(table, row);
    }
}

/// Turns a contact into another's duplicate, as a human's merge does.
pub(crate) fn merge(
    store: &mut Store,
    table: usize,
    loser: Uuid,
    master: Uuid,
    author: Author<'_>,
) -> Outcome<()> {
    let definition = rows_table(store, table);
    let row = Arc::clone(must_find(store.rows(table), &Target::Id(loser))?);
    must_find(store.rows(table), &Target::Id(master))?;
    let body =
        serde_json::json!({ "merged": true, "statecode": 1, "statuscode": 2, "_masterid_value": master });
    let body = body.as_object().expect("the literal is an object").clone();
    let changes = columns::read(store, &definition, &body, Writing::System)?;
    let changed: Vec<u16> = changes.iter().map(|(column, _)| *column).collect();
    let row = store.put(table, stamp(&definition, row.changed(changes), author, false));
    events::raise(store, &definition, &row, Happening::Updated(&changed), author);
    Ok(())
}

fn finish(store: &mut Store, table: usize, row: Row, conditions: &Conditions) -> Outcome<Arc<Row>> {
    registration::check(store, &store.rows(table).table, &row)?;
    let rows = store.rows(table);
    if let Some(key) = rows.collision(&row) {
        return Err(taken(&rows.table, key));
    }
    if conditions.unlike_others && has_double(rows, &row) {
        let message =
            "A record was not created or updated because a duplicate of the current record already exists.";
        return Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80040333",
            message,
        ));
    }
    Ok(store.put(table, row))
}

fn taken(table: &Table, key: usize) -> Refusal {
    let key = &table.keys[key];
    let message = format!(
        "Entity Key {} violated. A record with the same value for {} already exists. A duplicate record cannot be \
         created. Select one or more unique values and try again.",
        key.name,
        key.columns.join(", ")
    );
    Refusal::new(StatusCode::PRECONDITION_FAILED, "0x80060892", message)
}

/// Applies the duplicate rule that organizations come with: the same e-mail address.
fn has_double(rows: &Rows, row: &Row) -> bool {
    let Some(column) = rows.table.index("emailaddress1") else {
        return false;
    };
    let address = |row: &Row| match row.get(column) {
        Some(Cell::Text(text)) => Some(fold(text)),
        _ => None,
    };
    let Some(own) = address(row) else { return false };
    rows.after(None)
        .any(|other| other.id != row.id && address(other).as_deref() == Some(&*own))
}
