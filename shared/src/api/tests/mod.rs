//! What the API promises, sentence by sentence.

mod authorizing;
mod book;
mod breaking;
mod bulk;
mod connecting;
mod disconnecting;
mod document;
mod expiring;
mod exporting;
mod files;
mod graphql;
mod graphql_limits;
mod idempotency;
mod inputs;
mod matrix;
mod records;
mod scheduling;
mod syncing;
mod tokens;
mod waiting;
mod webhooks;
mod world;
