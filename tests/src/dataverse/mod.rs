//! The Web API of Dataverse.
//!
//! A request passes `server` (who asks, and may they), then `read` or `modify`, which meet the rows in `store`.
//! `batch` sends its parts the same way. Everything that is documented is enforced; what is not documented is
//! decided in favour of the stricter reading, so that an adapter that works here does not rely on leniency.
//!
//! Not simulated: `$expand`, `$apply`, `FetchXML`, the `$metadata` document, plug-ins, and webhooks.

mod access;
mod address;
mod batch;
mod bulk;
mod call;
mod columns;
pub mod control;
mod edits;
mod error;
pub mod faults;
mod filter;
pub mod journal;
pub mod limits;
mod link;
mod literal;
mod metadata;
mod modify;
mod operator;
mod options;
mod preferences;
mod query;
mod read;
mod render;
mod row;
pub mod schema;
mod seed;
pub(crate) mod server;
mod stamp;
mod store;
mod tracking;
mod write;

pub(crate) use access::ApplicationUser;
pub use access::Privilege;
pub use edits::EditSummary;
