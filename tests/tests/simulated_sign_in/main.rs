//! The simulated sign-in servers of Entra ID and Cornerstone keep the documented protocols.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and talks to the simulation with a client of its own"
)]

mod app;
mod assertion;
mod assertions;
mod books;
mod codes;
mod cornerstone;
mod faults;
mod policies;
mod refreshing;
mod secrets;
mod signing_in;
