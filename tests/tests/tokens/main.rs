//! The life of tokens: adapters, flows and routes together, against the simulated sign-in servers over HTTP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod by_itself;
mod by_person;
#[path = "../common/captured.rs"]
mod captured;
mod cornerstone;
mod secrecy;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod world;
