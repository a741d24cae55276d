//! The platform's records, as the API shows them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::model::{FieldDefinition, FieldType, Fields, Kind, Origin, RecordId, System};
use crate::records::{RecordPage, StoredRecord};

/// A record.
///
/// # Shape
///
/// `{"id":"100234","lastName":"Ek","modifiedAt":"2026-01-31T10:00:00Z","modifiedBy":"platform","links":{"dynamics365":"…"}}`
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Record)]
pub(in crate::api) struct RecordView {
    /// The platform's name of it.
    #[schema(value_type = String)]
    id: RecordId,
    /// Its fields, beside the others.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    fields: Fields,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    modified_at: Timestamp,
    /// Which side changed it last: `platform`, or the system.
    #[schema(value_type = String)]
    modified_by: Origin,
    /// The id that each system knows it by.
    #[schema(value_type = Object)]
    links: BTreeMap<System, Box<str>>,
}

/// Some records, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RecordList {
    /// The records; a page may be short before the end.
    pub(in crate::api) items: Vec<RecordView>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

impl From<StoredRecord> for RecordView {
    fn from(StoredRecord { record, .. }: StoredRecord) -> Self {
        Self {
            id: record.id,
            fields: record.fields,
            modified_at: record.modified_at,
            modified_by: record.modified_by,
            links: record.links,
        }
    }
}

impl From<RecordPage> for RecordList {
    fn from(page: RecordPage) -> Self {
        let next = crate::api::query::next(page.next, "");
        Self {
            items: page.records.into_iter().map(RecordView::from).collect(),
            next,
        }
    }
}

/// The fields of a member, as they are put.
#[derive(Debug)]
pub(in crate::api) struct MemberBody;

/// The fields of a membership, as they are put.
#[derive(Debug)]
pub(in crate::api) struct MembershipBody;

/// The fields of a course enrollment, as they are put.
#[derive(Debug)]
pub(in crate::api) struct CourseEnrollmentBody;

impl PartialSchema for MemberBody {
    fn schema() -> RefOr<Schema> {
        schema(Kind::Member)
    }
}

impl ToSchema for MemberBody {
    fn name() -> Cow<'static, str> {
        "Member".into()
    }
}

impl PartialSchema for MembershipBody {
    fn schema() -> RefOr<Schema> {
        schema(Kind::Membership)
    }
}

impl ToSchema for MembershipBody {
    fn name() -> Cow<'static, str> {
        "Membership".into()
    }
}

impl PartialSchema for CourseEnrollmentBody {
    fn schema() -> RefOr<Schema> {
        schema(Kind::CourseEnrollment)
    }
}

impl ToSchema for CourseEnrollmentBody {
    fn name() -> Cow<'static, str> {
        "CourseEnrollment".into()
    }
}

/// Says of each field what the definition says, so that the two never differ.
fn schema(kind: Kind) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object));
    for field in kind.fields() {
        object = object.property(field.name, property(field));
        if field.required {
            object = object.required(field.name);
        }
    }
    Schema::Object(
        object
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build(),
    )
    .into()
}

fn property(field: &FieldDefinition) -> Object {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    match field.holds {
        FieldType::Text(longest) => text.max_length(Some(longest)),
        FieldType::Date => text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        FieldType::Choice(words) => text.enum_values(Some(words.iter().copied())),
        FieldType::Reference(kind) => text.description(Some(format!("The id of a {kind}."))),
        FieldType::Bool => ObjectBuilder::new().schema_type(SchemaType::Type(Type::Boolean)),
    }
    .build()
}
