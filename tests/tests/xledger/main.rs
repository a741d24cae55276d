//! The adapter of Xledger keeps its contract, against the simulated Xledger over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/captured.rs"]
mod captured;
mod doubting;
mod exporting;
mod finding;
mod limits;
mod listing;
mod negotiating;
mod probing;
mod secrecy;
mod sending;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod subscribing;
mod world;
