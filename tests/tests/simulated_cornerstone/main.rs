//! The simulated Cornerstone keeps what is known of the protocol.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and talks to the simulation with a client of its own"
)]

mod access;
mod client;
mod controls;
mod faults;
mod limits;
mod loads;
mod reporting;
mod transcripts;
mod users;
mod webhooks;
