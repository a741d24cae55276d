//! What travels through the service: identifiers, kinds of record and the fields a record has, money and what is paid back.

mod base;
mod field;
mod fields;
mod ids;
mod money;
mod record;
mod reimbursement;

pub use base::Base;
pub use field::{FieldDefinition, FieldType, Group, Kind};
pub use fields::{FieldError, Fields, Value};
pub use ids::{
    EventId, FileId, FilePurpose, FileRowKey, IdError, IntegrationId, OrganizationId, RecordId, RunId, System,
};
pub use money::{Currency, Money, MoneyError, Rate};
pub use record::{Link, Origin, Record};
pub use reimbursement::{Approval, Claimant, ClaimantKind, ExpenseLine, Reimbursement};
