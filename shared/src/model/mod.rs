//! What travels through the service: identifiers, kinds of record, and the fields a record has.

mod base;
mod field;
mod fields;
mod ids;
mod record;

pub use base::Base;
pub use field::{FieldDefinition, FieldType, Group, Kind};
pub use fields::{FieldError, Fields, Value};
pub use ids::{IdError, IntegrationId, OrganizationId, RecordId, RunId, System};
pub use record::{Link, Origin, Record};
