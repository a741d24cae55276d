//! What the adapter of Cornerstone does beyond what every adapter promises, against the simulated portal over HTTP; for
//! that, see `behaviour`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "the rest is for the tests of others")]
#[path = "../common/asking.rs"]
mod asking;
#[path = "../common/captured.rs"]
mod captured;
mod limits;
#[path = "../common/pair.rs"]
mod pair;
mod probing;
mod reading;
mod secrecy;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod syncing;
mod tokens;
mod world;
mod writing;
