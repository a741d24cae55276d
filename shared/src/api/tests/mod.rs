//! What the API promises, sentence by sentence.

mod breaking;
mod bulk;
mod connecting;
mod disconnecting;
mod document;
mod idempotency;
mod inputs;
mod matrix;
mod records;
mod syncing;
mod waiting;
mod world;
