//! The simulated Cornerstone OnDemand keeps what is known of the protocol.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and talks to the simulation with a client of its own"
)]

mod access;
mod client;
mod reporting;
mod transcripts;
