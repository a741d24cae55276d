//! The adapter of Cornerstone keeps its contract, against the simulated portal over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/captured.rs"]
mod captured;
mod limits;
mod probing;
mod reading;
mod secrecy;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod syncing;
mod tokens;
mod world;
mod writing;
