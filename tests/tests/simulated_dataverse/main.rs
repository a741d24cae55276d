//! The simulated Dataverse and Entra ID keep the documented protocol.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and talks to the simulation with a client of its own"
)]

mod access;
mod batches;
mod client;
mod controls;
mod faults;
mod reading;
mod tracking;
mod webhooks;
mod writing;
