//! The simulated Xledger keeps what is known of the protocol.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and talks to the simulation with a client of its own"
)]

mod access;
mod client;
mod controls;
mod documents;
mod faults;
mod files;
mod job;
mod limits;
mod reading;
mod soap;
mod uploads;
mod webhooks;
mod writing;
