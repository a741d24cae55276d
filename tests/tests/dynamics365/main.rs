//! The adapter of Dynamics 365 keeps its contract, against the simulated Dataverse and Entra ID over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/captured.rs"]
mod captured;
mod contract;
mod drift;
mod limits;
mod network;
mod probing;
mod reading;
mod secrecy;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod subscribing;
mod syncing;
mod tokens;
mod world;
mod writing;
