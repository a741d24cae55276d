//! The body of a webhook: a `RemoteExecutionContext`, as `DataContractJsonSerializer` writes it.
//!
//! Source: Microsoft Learn, "Use webhooks to create external handlers for server events", read 2026-11-22; that the `Target`
//! of a deletion is a reference, and that an offset of a date is for show, from knowledge.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::Event;
use super::row::Cell;
use super::schema::{Kind, Table};

const CONTRACTS: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// Above this many bytes the larger part of a body is left out.
const LARGEST: usize = 256 * 1024;

/// The body of a webhook, and whether something was left out.
pub(super) struct Body {
    pub(super) text: String,
    pub(super) exceeded: bool,
}

/// Writes what happened in an organization.
pub(super) fn body(event: &Event, organization: Uuid, name: &str) -> Body {
    let mut context = context(event, organization, name);
    let whole = write(&context);
    if whole.len() <= LARGEST {
        return Body {
            text: whole,
            exceeded: false,
        };
    }
    if let Value::Object(members) = &mut context {
        for member in [
            "ParentContext",
            "InputParameters",
            "PreEntityImages",
            "PostEntityImages",
        ] {
            members.remove(member);
        }
    }
    Body {
        text: write(&context),
        exceeded: true,
    }
}

/// Every slash is escaped, which no other writer does.
fn write(context: &Value) -> String {
    context.to_string().replace('/', "\\/")
}

fn context(event: &Event, organization: Uuid, name: &str) -> Value {
    let created = event.message == "Create";
    let outputs = created.then(|| json!({ "key": "id", "value": event.row.id }));
    let shared = event
        .tag
        .as_ref()
        .map(|tag| json!({ "key": "tag", "value": tag }));
    json!({
        "BusinessUnitId": organization,
        "CorrelationId": event.correlation,
        "Depth": 1,
        "InitiatingUserId": event.user,
        "InputParameters": [{ "key": "Target", "value": target(event) }],
        "IsExecutingOffline": false,
        "IsInTransaction": false,
        "IsOfflinePlayback": false,
        "IsolationMode": 1,
        "MessageName": event.message,
        "Mode": 1,
        "OperationCreatedOn": format!("/Date({}000+0000)/", event.at),
        "OperationId": event.operation,
        "OrganizationId": organization,
        "OrganizationName": name,
        "OutputParameters": Vec::from_iter(outputs),
        "OwningExtension": bare("sdkmessageprocessingstep", event.step),
        "ParentContext": null,
        "PostEntityImages": images(event),
        "PreEntityImages": [],
        "PrimaryEntityId": event.row.id,
        "PrimaryEntityName": event.table.logical_name,
        "RequestId": event.correlation,
        "SecondaryEntityName": "none",
        "SharedVariables": Vec::from_iter(shared),
        "Stage": 40,
        "UserId": event.user,
    })
}

fn target(event: &Event) -> Value {
    if event.message == "Delete" {
        return reference(&event.table.logical_name, event.row.id);
    }
    let mut attributes: Vec<Value> = event
        .changed
        .iter()
        .map(|column| attribute(event, usize::from(*column)))
        .collect();
    if event.message == "Update" {
        let stamps = ["modifiedon", "_modifiedby_value"];
        attributes.extend(
            stamps
                .iter()
                .filter_map(|name| Some(attribute(event, event.table.index(name)?))),
        );
        attributes.push(json!({ "key": "modifiedonbehalfby", "value": null }));
    }
    attributes.push(json!({ "key": event.table.primary_id, "value": event.row.id }));
    entity(event, attributes)
}

fn entity(event: &Event, attributes: Vec<Value>) -> Value {
    json!({
        "__type": format!("Entity:{CONTRACTS}"), "Attributes": attributes, "EntityState": null, "FormattedValues": [],
        "Id": event.row.id, "KeyAttributes": [], "LogicalName": event.table.logical_name, "RelatedEntities": [],
        "RowVersion": null,
    })
}

/// The name of the row, for the name of the system job.
fn images(event: &Event) -> Vec<Value> {
    let name = ["fullname", "name"]
        .iter()
        .find_map(|name| event.table.index(name));
    let Some(name) = name.filter(|_| event.message != "Delete") else {
        return Vec::new();
    };
    let attributes = vec![
        attribute(event, name),
        json!({ "key": event.table.primary_id, "value": event.row.id }),
    ];
    let image = entity(event, attributes);
    vec![json!({ "key": "AsynchronousStepPrimaryName", "value": image })]
}

fn attribute(event: &Event, column: usize) -> Value {
    let name = &event.table.columns[column].logical_name;
    let cell = event.row.value(&event.table, column);
    json!({ "key": name, "value": cell.map_or(Value::Null, |cell| value(&event.table, column, &cell)) })
}

fn value(table: &Table, column: usize, cell: &Cell) -> Value {
    match (&table.columns[column].kind, cell) {
        (Kind::Choice(_), Cell::Whole(number)) => {
            json!({ "__type": format!("OptionSetValue:{CONTRACTS}"), "Value": number })
        }
        (Kind::Lookup(lookup), Cell::Id(id)) => reference(&lookup.target, *id),
        (_, Cell::Moment(seconds)) => json!(format!("/Date({seconds}000)/")),
        (_, Cell::Day(day)) => json!(format!("/Date({}000)/", midnight(*day))),
        (_, cell) => cell.to_value(),
    }
}

fn midnight(day: Date) -> i64 {
    let instant = day.to_zoned(TimeZone::UTC);
    instant.map_or(0, |instant| instant.timestamp().as_second())
}

fn reference(logical_name: &str, id: Uuid) -> Value {
    let mut reference = bare(logical_name, id);
    reference["__type"] = json!(format!("EntityReference:{CONTRACTS}"));
    reference
}

fn bare(logical_name: &str, id: Uuid) -> Value {
    json!({ "Id": id, "KeyAttributes": [], "LogicalName": logical_name, "Name": null, "RowVersion": null })
}
