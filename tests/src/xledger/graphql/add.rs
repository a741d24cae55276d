//! Lines as mutations send them: what a node means, and whether it may be sent.

use std::collections::BTreeMap;

use async_graphql::dynamic::{InputObject, InputValue, TypeRef};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::id;
use super::error::Refusal;
use super::kind::Kind;
use super::nodes::SENT;
use crate::xledger::ledger::Ledger;
use crate::xledger::ledger::line::{Line, money, render};
use crate::xledger::ledger::register::{REFERENCES, Reference, Wanted};

/// The most alternatives that an error offers.
const ALTERNATIVES: usize = 25;

/// Returns where a field of a line points.
pub(super) fn reference(field: &str) -> Option<&'static Reference> {
    REFERENCES.iter().find(|reference| reference.field == field)
}

/// Returns the inputs of the mutations for lines.
pub(super) fn inputs() -> Vec<InputObject> {
    let id = |name: &str| Kind::Id.input(name);
    let text = |name: &str| Kind::Text.input(name);
    let alternatives = || InputValue::new("showAlternatives", TypeRef::named("ShowAlternatives"));
    let plain = |name: &str| {
        let input = InputObject::new(name).field(id("dbId")).field(text("code"));
        input.field(text("description")).field(alternatives())
    };
    let node = |name: &str| {
        let input = SENT.iter().fold(InputObject::new(name), |input, (column, kind)| {
            input.field(kind.input(*column))
        });
        REFERENCES.iter().fold(input, |input, reference| {
            let kind = match reference {
                Reference { field: "owner", .. } => "OwnerInput",
                Reference { sub: true, .. } => "LevelInput",
                _ => "ReferenceInput",
            };
            input.field(InputValue::new(reference.field, TypeRef::named(kind)))
        })
    };
    let wrapped = |name: &str, node: &str| {
        let input = InputObject::new(name).field(text("clientId"));
        input.field(InputValue::new("node", TypeRef::named_nn(node)))
    };
    vec![
        plain("ReferenceInput"),
        plain("LevelInput").field(id("dbSubId")),
        plain("OwnerInput").field(text("ownerCode")),
        node("GLImportItemInput"),
        node("GLImportItemChange").field(InputValue::new("dbId", TypeRef::named_nn("Int64String"))),
        wrapped("AddGLImportItemsInput", "GLImportItemInput"),
        wrapped("UpdateGLImportItemsInput", "GLImportItemChange"),
    ]
}

/// Returns the node of an input, which validation lets be anything.
pub(super) fn node(input: &Value, path: &str) -> Result<Map<String, Value>, Refusal> {
    let node = input["node"].as_object().cloned();
    node.ok_or_else(|| Refusal::wrong_type(path, "It is no object."))
}

/// Reads a node as a line that is not in the queue yet.
pub(super) fn line(
    ledger: &Ledger,
    root: &str,
    node: &Map<String, Value>,
    path: &str,
) -> Result<Line, Refusal> {
    let mut line = Line {
        db_id: 0,
        entity: root.to_owned(),
        tr_reg_number: None,
        ext_identifier: None,
        amount: None,
        created_at: Timestamp::UNIX_EPOCH,
        modified_at: Timestamp::UNIX_EPOCH,
        fields: Map::new(),
        references: BTreeMap::new(),
        visible_at: Timestamp::UNIX_EPOCH,
    };
    apply(ledger, root, &mut line, node, path)?;
    Ok(line)
}

/// Lays the fields of a node over a line.
pub(super) fn apply(
    ledger: &Ledger,
    root: &str,
    line: &mut Line,
    node: &Map<String, Value>,
    path: &str,
) -> Result<(), Refusal> {
    for (field, value) in node {
        let path = format!("{path}.{field}");
        if let Some(reference) = reference(field) {
            refer(ledger, root, line, reference, value, &path)?;
        } else if let Some((_, kind)) = SENT.iter().find(|(column, _)| column == field) {
            set(line, field, *kind, value, &path)?;
        }
    }
    if line.amount.is_none()
        && line
            .code("currency")
            .is_none_or(|code| code == Wanted::code("NOK"))
    {
        let amount = line.fields.get("invoiceAmount").and_then(Value::as_str);
        line.amount = amount.and_then(money);
    }
    Ok(())
}

fn set(line: &mut Line, field: &str, kind: Kind, value: &Value, path: &str) -> Result<(), Refusal> {
    let value = match (kind, value) {
        (_, Value::Null) => Value::Null,
        (Kind::Int, value) if value.as_i64().is_none_or(|number| i32::try_from(number).is_err()) => {
            return Err(Refusal::wrong_type(path, "It is no integer of 32 bits."));
        }
        (Kind::Money, value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let amount = money(&text).ok_or_else(|| Refusal::wrong_type(path, "It is no money."))?;
            json!(render(amount))
        }
        (_, value) => value.clone(),
    };
    match field {
        "trRegNumber" => line.tr_reg_number = value.as_i64(),
        "extIdentifier" => line.ext_identifier = value.as_str().map(str::to_owned),
        "amount" => line.amount = value.as_str().and_then(money),
        _ => drop(line.fields.insert(field.to_owned(), value)),
    }
    Ok(())
}

fn refer(
    ledger: &Ledger,
    root: &str,
    line: &mut Line,
    reference: &Reference,
    value: &Value,
    path: &str,
) -> Result<(), Refusal> {
    if value.is_null() {
        line.references.remove(reference.field);
        return Ok(());
    }
    if !value.is_object() {
        return Err(Refusal::wrong_type(path, "It is no object."));
    }
    let shows = value.get("showAlternatives").and_then(Value::as_str) == Some("YES");
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let wanted = Wanted {
        db_id: value.get("dbId").and_then(id),
        db_sub_id: value.get("dbSubId").and_then(id),
        code: text("code").or_else(|| text("ownerCode")),
        description: text("description"),
    };
    let found = ledger.registers.resolve(reference, &wanted);
    let is_owner = reference.field == "owner";
    let found = found.filter(|item| !is_owner || ledger.registers.is_within(&item.code, root));
    let Some(item) = found else {
        let refusal = Refusal::invalid_value(path, "It refers to nothing that can be used here.");
        return Err(if shows {
            refusal.extended("exampleValidInputs", alternatives(ledger, root, reference))
        } else {
            refusal
        });
    };
    if is_owner {
        line.entity.clone_from(&item.code);
    } else {
        line.references
            .insert(reference.field.to_owned(), item.code.clone());
    }
    Ok(())
}

fn alternatives(ledger: &Ledger, root: &str, reference: &Reference) -> Value {
    let owner = ledger.owner(root);
    let choices = ledger.registers.choices(reference).take(ALTERNATIVES);
    choices.map(|item| item.to_alternative(owner)).collect()
}
