//! The steps put together: what each function does, without Lambda and without AWS.

mod ports;
mod status;
mod trigger;

pub use ports::Ports;
pub use status::{Health, Level, Standing, standing};
pub use trigger::{Attempt, TriggerError, sync_membership_data, trigger, stop};
