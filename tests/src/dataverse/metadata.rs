//! `EntityDefinitions`: what clients can learn about tables.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::error::{Outcome, Refusal};
use super::filter::{Filter, Properties};
use super::row::Cell;
use super::schema::{Column, Key, Kind, Required, Table};
use super::server::Dataverse;
use crate::wire::Answer;

/// Lists the properties that definitions are filtered and selected by.
struct Shape<'a> {
    name: &'a str,
    properties: &'a [(&'a str, Kind)],
}

impl Properties for Shape<'_> {
    fn find(&self, name: &str) -> Option<(usize, Kind)> {
        let index = self.properties.iter().position(|(known, _)| *known == name)?;
        Some((index, self.properties[index].1.clone()))
    }

    fn type_name(&self) -> &str {
        self.name
    }
}

impl Dataverse {
    pub(super) fn service_document(&self, call: &Call<'_>) -> Answer {
        let store = self.store();
        let sets = store.tables().map(|rows| rows.table.entity_set.clone());
        let value: Vec<Value> = sets
            .map(|set| json!({ "name": set, "kind": "EntitySet", "url": set }))
            .collect();
        let context = format!("{}/$metadata", call.root);
        Answer::json(
            StatusCode::OK,
            &json!({ "@odata.context": context, "value": value }),
        )
    }

    pub(super) fn definitions(
        &self,
        call: &Call<'_>,
        table: Option<&str>,
        rest: &[String],
    ) -> Outcome<Answer> {
        let store = self.store();
        let Some(name) = table else {
            let tables: Vec<Value> = store.tables().map(|rows| definition(&rows.table)).collect();
            return listing(call, "EntityDefinitions", &entity_shape(), tables);
        };
        let rows = store.by_logical_name(name).ok_or_else(|| missing(name))?;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        details(call, &rows.table, &rest)
    }
}

fn details(call: &Call<'_>, table: &Table, rest: &[&str]) -> Outcome<Answer> {
    let of = |part: &str| format!("EntityDefinitions('{}')/{part}", table.logical_name);
    match rest {
        [] => {
            let context = format!("{}/$metadata#EntityDefinitions/$entity", call.root);
            let mut body = Map::new();
            body.insert("@odata.context".to_owned(), context.into());
            body.extend(choose(call, &entity_shape(), definition(table))?);
            Ok(Answer::json(StatusCode::OK, &Value::Object(body)))
        }
        ["Keys"] => listing(
            call,
            &of("Keys"),
            &key_shape(),
            table.keys.iter().map(key).collect(),
        ),
        ["Attributes"] => {
            let attributes = table.columns.iter().map(attribute).collect();
            listing(
                call,
                &of("Attributes"),
                &attribute_shape("AttributeMetadata", false),
                attributes,
            )
        }
        ["Attributes", cast] => {
            let name = cast.trim_start_matches("Microsoft.Dynamics.CRM.");
            let alike = table
                .columns
                .iter()
                .filter(|column| format!("{}AttributeMetadata", kind(column).0) == name);
            let shape = attribute_shape(name, name == "StringAttributeMetadata");
            listing(
                call,
                &of(&format!("Attributes/{cast}")),
                &shape,
                alike.map(attribute).collect(),
            )
        }
        [other, ..] => Err(Refusal::unknown_segment(other)),
    }
}

fn missing(name: &str) -> Refusal {
    let message = format!("Could not find an entity with name {name}.");
    Refusal::new(StatusCode::NOT_FOUND, "0x80060888", message)
}

fn listing(call: &Call<'_>, what: &str, shape: &Shape<'_>, items: Vec<Value>) -> Outcome<Answer> {
    let filter = call
        .options
        .get("$filter")
        .map(|text| Filter::parse(text, shape))
        .transpose()?;
    let read = |item: &Value, index: usize| {
        Cell::from_value(&shape.properties[index].1, &item[shape.properties[index].0])
    };
    let kept = items.into_iter().filter(|item| {
        filter
            .as_ref()
            .is_none_or(|filter| filter.matches(&|at| read(item, at)))
    });
    let value = kept
        .map(|item| choose(call, shape, item))
        .collect::<Outcome<Vec<_>>>()?;
    let context = format!("{}/$metadata#{what}", call.root);
    Ok(Answer::json(
        StatusCode::OK,
        &json!({ "@odata.context": context, "value": value }),
    ))
}

/// Applies `$select`; the id stays.
fn choose(call: &Call<'_>, shape: &Shape<'_>, item: Value) -> Outcome<Map<String, Value>> {
    let Value::Object(mut item) = item else {
        unreachable!("definitions are objects")
    };
    let Some(select) = call.options.get("$select") else {
        return Ok(item);
    };
    let names: Vec<&str> = select.split(',').map(str::trim).collect();
    if let Some(unknown) = names.iter().find(|name| shape.find(name).is_none()) {
        return Err(Refusal::unknown_property(unknown, shape.name));
    }
    item.retain(|name, _| name == "MetadataId" || name.starts_with('@') || names.contains(&name.as_str()));
    Ok(item)
}

fn entity_shape() -> Shape<'static> {
    const PROPERTIES: &[(&str, Kind)] = &[
        ("MetadataId", Kind::PrimaryId),
        ("LogicalName", Kind::Text(64)),
        ("SchemaName", Kind::Text(64)),
        ("EntitySetName", Kind::Text(64)),
        ("PrimaryIdAttribute", Kind::Text(64)),
        ("ChangeTrackingEnabled", Kind::Flag("", "")),
        ("IsOptimisticConcurrencyEnabled", Kind::Flag("", "")),
        ("IsCustomEntity", Kind::Flag("", "")),
    ];
    Shape {
        name: "EntityMetadata",
        properties: PROPERTIES,
    }
}

fn attribute_shape(name: &str, with_length: bool) -> Shape<'_> {
    const PROPERTIES: &[(&str, Kind)] = &[
        ("MetadataId", Kind::PrimaryId),
        ("LogicalName", Kind::Text(64)),
        ("SchemaName", Kind::Text(64)),
        ("AttributeType", Kind::Text(64)),
        ("RequiredLevel", Kind::Text(64)),
        ("IsValidForCreate", Kind::Flag("", "")),
        ("IsValidForUpdate", Kind::Flag("", "")),
        ("IsValidForRead", Kind::Flag("", "")),
        ("IsCustomAttribute", Kind::Flag("", "")),
        ("MaxLength", Kind::Whole),
    ];
    let visible = PROPERTIES.len() - usize::from(!with_length);
    Shape {
        name,
        properties: &PROPERTIES[..visible],
    }
}

fn key_shape() -> Shape<'static> {
    const PROPERTIES: &[(&str, Kind)] = &[
        ("MetadataId", Kind::PrimaryId),
        ("LogicalName", Kind::Text(64)),
        ("SchemaName", Kind::Text(64)),
        ("KeyAttributes", Kind::Text(64)),
        ("EntityKeyIndexStatus", Kind::Text(64)),
    ];
    Shape {
        name: "EntityKeyMetadata",
        properties: PROPERTIES,
    }
}

fn definition(table: &Table) -> Value {
    json!({
        "MetadataId": id(&table.logical_name), "LogicalName": table.logical_name, "SchemaName": table.logical_name,
        "EntitySetName": table.entity_set, "PrimaryIdAttribute": table.primary_id,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsOptimisticConcurrencyEnabled": table.optimistic_concurrency, "IsCustomEntity": table.is_custom(),
    })
}

fn attribute(column: &Column) -> Value {
    let (kind, name) = kind(column);
    let required = match column.required {
        Required::None => "None",
        Required::Application => "ApplicationRequired",
        Required::System => "SystemRequired",
    };
    let mut value = json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
        "MetadataId": id(&column.logical_name), "LogicalName": column.logical_name, "SchemaName": column.logical_name,
        "AttributeType": name,
        "RequiredLevel": { "Value": required, "CanBeChanged": true },
        "IsValidForCreate": column.on_create, "IsValidForUpdate": column.on_update, "IsValidForRead": column.on_read,
        "IsCustomAttribute": column.logical_name.contains("hlf_"),
    });
    if let Kind::Text(max) = column.kind {
        value["MaxLength"] = max.into();
    }
    value
}

/// Returns the metadata type's prefix and the attribute type.
fn kind(column: &Column) -> (&'static str, &'static str) {
    match (&column.kind, column.logical_name.as_str()) {
        (Kind::Choice(_), "statecode") => ("State", "State"),
        (Kind::Choice(_), "statuscode") => ("Status", "Status"),
        (Kind::PrimaryId, _) => ("UniqueIdentifier", "Uniqueidentifier"),
        (Kind::Text(_), _) => ("String", "String"),
        (Kind::Whole, _) => ("Integer", "Integer"),
        (Kind::Version, _) => ("BigInt", "BigInt"),
        (Kind::Flag(..), _) => ("Boolean", "Boolean"),
        (Kind::Choice(_), _) => ("Picklist", "Picklist"),
        (Kind::Moment | Kind::Day, _) => ("DateTime", "DateTime"),
        (Kind::Lookup(_), _) => ("Lookup", "Lookup"),
    }
}

fn key(key: &Key) -> Value {
    json!({
        "MetadataId": id(&key.name), "LogicalName": key.name, "SchemaName": key.name,
        "KeyAttributes": key.columns, "EntityKeyIndexStatus": "Active",
    })
}

/// Returns an id that is the same for the same name.
fn id(name: &str) -> Uuid {
    let mut random = crate::random::Random::new(name.bytes().fold(7_u64, |seed, byte| {
        u64::wrapping_mul(seed, 31).wrapping_add(u64::from(byte))
    }));
    random.id()
}
