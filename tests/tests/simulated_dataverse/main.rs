//! The simulated Dataverse and Entra ID keep the documented protocol.

mod access;
mod batches;
mod client;
mod controls;
mod faults;
mod reading;
mod tracking;
mod writing;
