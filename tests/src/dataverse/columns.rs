//! Bodies of writes, checked against the table.

use http::StatusCode;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::address::{Locator, Target, split};
use super::error::{Outcome, Refusal};
use super::literal::edm_type;
use super::row::Cell;
use super::schema::{Column, Kind, Lookup, Table};
use super::store::Store;

/// Holds the cells to set and to empty, by column.
pub(crate) type Changes = Vec<(u16, Option<Cell>)>;

/// Says which rule for writable columns applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    Create,
    Update,
    /// The system itself, which may write everything.
    System,
}

/// Reads a body as changes to a row of `table`.
pub(crate) fn read(
    store: &Store,
    table: &Table,
    body: &Map<String, Value>,
    writing: Writing,
) -> Outcome<Changes> {
    let mut changes = Changes::new();
    for (name, value) in body {
        let change = match name.split_once('@') {
            Some((navigation, "odata.bind")) => Some(bind(store, table, navigation, value, writing)?),
            Some(_) => None,
            None => set(table, name, value, writing)?,
        };
        changes.extend(change);
    }
    Ok(changes)
}

fn set(table: &Table, name: &str, value: &Value, writing: Writing) -> Outcome<Option<(u16, Option<Cell>)>> {
    let index = table.index(name).ok_or_else(|| unknown(table, name))?;
    let column = &table.columns[index];
    if column.kind == Kind::PrimaryId {
        return Ok(None);
    }
    check_writable(table, column, writing)?;
    if matches!(column.kind, Kind::Lookup(_)) && writing != Writing::System {
        return Err(read_only(table, name));
    }
    Ok(Some((narrow(index), cell(table, column, value)?)))
}

fn check_writable(table: &Table, column: &Column, writing: Writing) -> Outcome<()> {
    let allowed = match writing {
        Writing::Create => column.on_create,
        Writing::Update => column.on_update,
        Writing::System => true,
    };
    if allowed {
        Ok(())
    } else {
        Err(read_only(table, &column.property))
    }
}

fn cell(table: &Table, column: &Column, value: &Value) -> Outcome<Option<Cell>> {
    if value.is_null() {
        return Ok(None);
    }
    let cell = Cell::from_value(&column.kind, value).ok_or_else(|| mismatch(table, column, value))?;
    check_range(table, column, &cell)?;
    // An empty text is stored as no text.
    Ok(Some(cell).filter(|cell| *cell != Cell::Text("".into())))
}

fn check_range(table: &Table, column: &Column, cell: &Cell) -> Outcome<()> {
    match (&column.kind, cell) {
        (Kind::Text(max), Cell::Text(text)) if text.encode_utf16().count() > *max => {
            Err(too_long(table, column, *max))
        }
        (Kind::Choice(choices), Cell::Whole(number)) if !choices.iter().any(|(value, _)| value == number) => {
            Err(outside(table, column, *number, choices))
        }
        _ => Ok(()),
    }
}

fn bind(
    store: &Store,
    table: &Table,
    navigation: &str,
    value: &Value,
    writing: Writing,
) -> Outcome<(u16, Option<Cell>)> {
    let (index, lookup) =
        navigation_column(table, navigation).ok_or_else(|| undeclared(table, navigation))?;
    check_writable(table, &table.columns[index], writing)?;
    let target = match value {
        Value::Null => None,
        Value::String(reference) => Some(Cell::Id(follow(store, lookup, reference)?)),
        _ => return Err(undeclared(table, navigation)),
    };
    Ok((narrow(index), target))
}

fn navigation_column<'a>(table: &'a Table, navigation: &str) -> Option<(usize, &'a Lookup)> {
    table
        .columns
        .iter()
        .enumerate()
        .find_map(|(index, column)| match &column.kind {
            Kind::Lookup(lookup) if lookup.navigation == navigation => Some((index, lookup)),
            _ => None,
        })
}

/// Finds the row that `contacts(…)`, relative or absolute, refers to.
fn follow(store: &Store, lookup: &Lookup, reference: &str) -> Outcome<Uuid> {
    let segment = reference
        .rfind("/api/data/")
        .map_or(reference, |at| reference.get(at..).unwrap_or_default());
    let start = segment
        .find('(')
        .and_then(|open| segment.get(..open)?.rfind('/'))
        .map_or(0, |slash| slash + 1);
    let (set, locator) = split(segment.get(start..).unwrap_or_default())?;
    let rows = store
        .position(set)
        .map(|table| store.rows(table))
        .ok_or_else(|| Refusal::unknown_segment(set))?;
    let name = &rows.table.logical_name;
    if *name != lookup.target {
        let message = format!(
            "The entity '{name}' is not a valid target of '{}'.",
            lookup.navigation
        );
        return Err(Refusal::payload(set, message));
    }
    match Locator::parse(locator)?.resolve(rows)? {
        Target::Id(id) if rows.get(id).is_some() => Ok(id),
        Target::Id(id) => Err(Refusal::no_such_row(name, id)),
        Target::Key(key, cells) => {
            let values: Vec<Cell> = cells.into_iter().map(|(_, cell)| cell).collect();
            rows.find(key, &values)
                .ok_or_else(|| Refusal::no_such_key_values(name))
        }
    }
}

/// Returns a column's index as rows store it.
pub(crate) fn narrow(index: usize) -> u16 {
    u16::try_from(index).expect("tables have fewer than 65,536 columns")
}

fn unknown(table: &Table, name: &str) -> Refusal {
    let message = format!(
        "Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{}'.",
        table.logical_name
    );
    Refusal::payload(&table.entity_set, message)
}

fn undeclared(table: &Table, name: &str) -> Refusal {
    let message = format!(
        "Microsoft.OData.ODataException: An undeclared property '{name}' which only has property annotations in the \
         payload but no property value was found in the payload."
    );
    Refusal::payload(&table.entity_set, message)
}

fn read_only(table: &Table, name: &str) -> Refusal {
    let message = format!(
        "The property '{name}' of entity '{}' cannot be written.",
        table.logical_name
    );
    Refusal::payload(&table.entity_set, message)
}

fn mismatch(table: &Table, column: &Column, value: &Value) -> Refusal {
    let (name, expected) = (&column.property, edm_type(&column.kind));
    let message = format!(
        "Microsoft.OData.ODataException: Cannot convert the literal '{value}' of '{name}' to the expected type \
         '{expected}'."
    );
    Refusal::payload(&table.entity_set, message)
}

fn too_long(table: &Table, column: &Column, max: usize) -> Refusal {
    let message = format!(
        "A validation error occurred.  The length of the '{}' attribute of the '{}' entity exceeded the maximum \
         allowed length of '{max}'.",
        column.logical_name, table.logical_name
    );
    Refusal::new(StatusCode::BAD_REQUEST, "0x80044331", message)
}

fn outside(table: &Table, column: &Column, number: i64, choices: &[(i64, &str)]) -> Refusal {
    let accepted: Vec<String> = choices.iter().map(|(value, _)| value.to_string()).collect();
    let message = format!(
        "A validation error occurred.  The value {number} of '{}' on record of type '{}' is outside the valid range. \
         Accepted Values: {}",
        column.logical_name,
        table.logical_name,
        accepted.join(",")
    );
    Refusal::new(StatusCode::BAD_REQUEST, "0x8004431a", message)
}
