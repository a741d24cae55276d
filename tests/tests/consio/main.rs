//! What the adapter of systems that a profile describes does beyond what every adapter promises, against the simulated
//! register over HTTP; for that, see `behaviour`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answering;
#[expect(dead_code, reason = "the rest is for the tests of others")]
#[path = "../common/asking.rs"]
mod asking;
#[path = "../common/captured.rs"]
mod captured;
mod contract;
mod controls;
mod examples;
mod matrix;
mod paging;
#[expect(dead_code, reason = "the rest is for the tests of others")]
#[path = "../common/pair.rs"]
mod pair;
mod secrecy;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod syncing;
mod world;
mod writing;
