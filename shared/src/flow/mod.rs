//! The steps put together: what each function does, without Lambda and without AWS.

mod ports;
pub mod reconcile;
pub mod work;

pub use ports::Ports;
