//! What every adapter promises, of every system that the registry lists and every kind of record that its adapter admits.
//!
//! Each test is one promise, and goes through all of [`subject::every_case`]. What is chosen is chosen by what an adapter
//! says that it can do, and that is held against a table: what can be done and is not tried fails, and is never skipped.
//! What only one system does is in the tests named after it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/asking.rs"]
mod asking;
#[path = "../common/captured.rs"]
mod captured;
mod failing;
#[expect(dead_code, reason = "the rest is for the tests of others")]
#[path = "../common/pair.rs"]
mod pair;
mod promising;
mod reading;
mod running;
#[path = "../common/simulation_clock.rs"]
mod simulation_clock;
mod subject;
mod systems;
mod writing;
