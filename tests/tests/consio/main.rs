//! The adapter of systems that a profile describes keeps its contract, against the simulated register over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answering;
#[path = "../common/captured.rs"]
mod captured;
mod contract;
mod controls;
mod examples;
mod matrix;
mod paging;
mod secrecy;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod syncing;
mod world;
mod writing;
