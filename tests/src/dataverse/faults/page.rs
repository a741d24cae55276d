//! Faults in the JSON of pages and rows.

use serde_json::{Map, Value};

use super::{Fault, Faults};
use crate::wire::{Answer, Body};

/// Spoils a JSON answer; any other is left alone.
pub(super) fn spoil(fault: &Fault, faults: &Faults, mut answer: Answer) -> Answer {
    if !touches_json(fault) {
        return answer;
    }
    let Some(Value::Object(mut body)) = answer.to_json() else {
        return answer;
    };
    spoil_links(fault, &mut body);
    match body.get_mut("value").and_then(Value::as_array_mut) {
        Some(rows) => spoil_rows(fault, faults, rows),
        None => spoil_row(fault, &mut body),
    }
    answer.body = Body::Bytes(Value::Object(body).to_string().into());
    answer
}

fn touches_json(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::EmptyPage
            | Fault::NoLinks
            | Fault::ForeignNextLink { .. }
            | Fault::DropRows { .. }
            | Fault::DuplicateRows { .. }
            | Fault::RepeatRows { .. }
            | Fault::AddColumn { .. }
            | Fault::RemoveColumn { .. }
            | Fault::RetypeColumn { .. }
            | Fault::NullColumn { .. }
    )
}

fn spoil_links(fault: &Fault, body: &mut Map<String, Value>) {
    match fault {
        Fault::NoLinks => body.retain(|name, _| name != "@odata.nextLink" && name != "@odata.deltaLink"),
        Fault::ForeignNextLink { origin } => {
            if let Some(link) = body.get_mut("@odata.nextLink") {
                let text = link.as_str().unwrap_or_default();
                let path = text.splitn(4, '/').nth(3).unwrap_or_default();
                *link = format!("{origin}/{path}").into();
            }
        }
        _ => {}
    }
}

fn spoil_rows(fault: &Fault, faults: &Faults, rows: &mut Vec<Value>) {
    match fault {
        Fault::EmptyPage => rows.clear(),
        Fault::DropRows { count } => drop(rows.drain(..(*count).min(rows.len()))),
        Fault::DuplicateRows { count } => {
            let repeated = rows[rows.len().saturating_sub(*count)..].to_vec();
            rows.splice(0..0, faults.swap_carried(repeated));
        }
        Fault::RepeatRows { count } => rows.extend_from_within(..(*count).min(rows.len())),
        _ => rows
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(|row| spoil_row(fault, row)),
    }
}

fn spoil_row(fault: &Fault, row: &mut Map<String, Value>) {
    match fault {
        Fault::AddColumn { name, value } => drop(row.insert(name.clone(), value.clone())),
        Fault::RemoveColumn { name } => drop(row.remove(name)),
        Fault::NullColumn { name } => row
            .get_mut(name)
            .into_iter()
            .for_each(|value| *value = Value::Null),
        Fault::RetypeColumn { name } => row.get_mut(name).into_iter().for_each(retype),
        _ => {}
    }
}

fn retype(value: &mut Value) {
    *value = match &*value {
        Value::String(text) => text.len().into(),
        Value::Null => Value::Null,
        other => other.to_string().into(),
    };
}
