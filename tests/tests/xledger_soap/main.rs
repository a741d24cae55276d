//! Xledger's SOAP services and files, against the simulated Xledger.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod doubts;
mod files;
mod secrets;
mod setup;
mod uploads;
