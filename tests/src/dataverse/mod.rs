//! The Web API of Dataverse.
//!
//! A request passes `server` (who asks, and may they), then `read` or `modify`, which meet the rows in `store`.
//! `batch` sends its parts the same way. Everything that is documented is enforced; what is not documented is
//! decided in favour of the stricter reading, so that an adapter that works here does not rely on leniency.
//!
//! What is written passes `events`, which finds the steps that tell of it; `deliveries` makes webhooks of that and sends
//! them.
//!
//! Not simulated: `$expand`, `$apply`, `FetchXML`, the `$metadata` document, plug-ins, and synchronous webhooks.

mod access;
mod address;
mod batch;
mod bulk;
mod call;
mod columns;
mod context;
pub mod control;
mod deliveries;
mod edits;
mod error;
mod events;
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
mod registration;
mod render;
mod row;
pub mod schema;
mod seed;
pub(crate) mod server;
mod settings;
mod stamp;
mod store;
mod tracking;
mod write;

pub(crate) use access::ApplicationUser;
pub use access::Privilege;
pub use deliveries::{Delivered, Webhook};
pub use edits::EditSummary;
