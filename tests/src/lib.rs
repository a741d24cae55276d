//! The simulated systems, and the tests that see more than one crate.
//!
//! A simulated system speaks the wire protocol of the real one over HTTP: it refuses what the real one refuses,
//! limits what it limits, and misbehaves on demand. Adapters are tested against it unchanged, and the
//! `simulated_systems` binary serves it to demonstrations and to programs in other languages.
//!
//! Start with [`Simulation`]: one HTTP server with Entra ID, Dataverse, Xledger, Cornerstone, a register with a REST
//! API, and a control API on one address.

pub mod clock;
mod control;
pub mod cornerstone;
pub mod dataverse;
mod entra;
mod random;
pub mod rest;
pub mod sign_in;
pub mod simulation;
mod systems;
pub mod wire;
pub mod xledger;

pub use simulation::{Simulation, SimulationConfig};
