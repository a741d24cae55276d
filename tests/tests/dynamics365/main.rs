//! What the adapter of Dynamics 365 does beyond what every adapter promises, against the simulated Dataverse and Entra ID
//! over HTTP; for that, see `behaviour`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/asking.rs"]
mod asking;
#[path = "../common/captured.rs"]
mod captured;
mod drift;
mod limits;
mod network;
#[path = "../common/pair.rs"]
mod pair;
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
