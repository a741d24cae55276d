//! What the platform itself writes into rows, and the states that rows may be in.

use http::StatusCode;

use super::columns::{Changes, narrow};
use super::error::{Outcome, Refusal};
use super::row::{Cell, Row};
use super::schema::{Kind, Table};
use super::write::Author;

const ACTIVE: i64 = 0;

/// Returns what a new row holds before its body is applied.
pub(super) fn defaults(table: &Table) -> Changes {
    let mut changes = whole(table, "statecode", ACTIVE);
    changes.extend(whole(table, "statuscode", 1));
    for (index, column) in table.columns.iter().enumerate() {
        if matches!(column.kind, Kind::Flag(..)) {
            changes.push((narrow(index), Some(Cell::Flag(false))));
        }
    }
    changes
}

fn whole(table: &Table, property: &str, number: i64) -> Changes {
    let column = table.index(property);
    column
        .map(|index| (narrow(index), Some(Cell::Whole(number))))
        .into_iter()
        .collect()
}

fn number(table: &Table, row: &Row, property: &str) -> Option<i64> {
    match row.get(table.index(property)?)? {
        Cell::Whole(number) => Some(*number),
        _ => None,
    }
}

/// Refuses a change to an inactive row that does not also reactivate it.
pub(super) fn check_open(table: &Table, row: &Row, changes: &Changes) -> Outcome<()> {
    let state = table.index("statecode").map(narrow);
    let reopened = changes
        .iter()
        .any(|(column, cell)| Some(*column) == state && *cell == Some(Cell::Whole(ACTIVE)));
    if reopened || number(table, row, "statecode").is_none_or(|state| state == ACTIVE) {
        return Ok(());
    }
    let message = "The object cannot be updated because it is read-only.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, "0x8004022e", message))
}

/// Returns the default status of a state that is set without one.
pub(super) fn default_status(table: &Table, changes: &Changes) -> Changes {
    let set = |property: &str| {
        let index = table.index(property).map(narrow)?;
        changes
            .iter()
            .find(|(column, _)| *column == index)
            .and_then(|(_, cell)| cell.clone())
    };
    match (set("statecode"), set("statuscode")) {
        (Some(Cell::Whole(state)), None) => whole(table, "statuscode", state + 1),
        _ => Changes::new(),
    }
}

pub(super) fn check_status(table: &Table, row: &Row) -> Outcome<()> {
    let (state, status) = (number(table, row, "statecode"), number(table, row, "statuscode"));
    let (Some(state), Some(status)) = (state, status) else {
        return Ok(());
    };
    if status == state + 1 {
        return Ok(());
    }
    let (name, id) = (&table.logical_name, row.id);
    let message =
        format!("{status} is not a valid status code for state code {state} on {name} with Id {id}.");
    Err(Refusal::new(StatusCode::BAD_REQUEST, "0x80048408", message))
}

/// Sets what the platform itself writes.
pub(super) fn stamp(table: &Table, row: Row, author: Author<'_>, created: bool) -> Row {
    let mut changes = Changes::new();
    let mut set = |property: &str, cell: Option<Cell>| {
        changes.extend(table.index(property).map(|index| (narrow(index), cell)));
    };
    for (at, by, applies) in [
        ("createdon", "_createdby_value", created),
        ("modifiedon", "_modifiedby_value", true),
    ] {
        if applies {
            set(at, Some(Cell::Moment(author.at)));
            set(by, Some(Cell::Id(author.user)));
        }
    }
    set(
        "fullname",
        joined(table, &row, &["firstname", "middlename", "lastname"], " "),
    );
    let lines = [
        "address1_line1",
        "address1_line2",
        "address1_line3",
        "address1_city",
        "address1_country",
    ];
    set("address1_composite", joined(table, &row, &lines, "\r\n"));
    row.changed(changes)
}

fn joined(table: &Table, row: &Row, properties: &[&str], separator: &str) -> Option<Cell> {
    let texts = properties
        .iter()
        .filter_map(|property| match row.get(table.index(property)?)? {
            Cell::Text(text) => Some(&**text),
            _ => None,
        });
    let texts: Vec<&str> = texts.collect();
    (!texts.is_empty()).then(|| Cell::Text(texts.join(separator).into()))
}
