//! Every port under its behaviour, in every implementation.
//!
//! Each sentence of a trait's `# Behaviour` is a test of that name. DynamoDB is an embedded emulator that isolates
//! transactions; where none can be embedded, the wire is scripted: what AWS is asked, and what its answers become.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dynamo;
mod keys;
mod publish;
mod queue;
mod registry;
mod scheduler;
mod secrets;
mod store;
mod wire;
