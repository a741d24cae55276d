//! GraphQL: `POST /graphql`.
//!
//! Documents are parsed and validated against a schema; nothing is recognised by its text. The names of fields, arguments,
//! scalars and of the inputs of mutations are Xledger's. The names of other types are made up, so that a document that
//! names one of them, such as the type of a filter, says nothing about the real one.

mod add;
mod call;
mod connection;
mod error;
mod filter;
mod kind;
mod listing;
mod mutation;
mod nodes;
mod schema;
mod subscription;
mod webhooks;

pub(super) use call::Call;
pub(super) use error::{Refusal, render};
pub(super) use schema::build;
pub(super) use subscription::render_change;
