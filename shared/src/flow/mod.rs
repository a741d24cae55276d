//! The steps put together: what each function does, without Lambda and without AWS.

mod book;
mod compare;
mod export;
#[cfg(test)]
pub(crate) mod export_tests;
pub mod files;
mod orphans;
mod ports;
pub mod process;
pub mod receive;
pub mod reconcile;
pub mod refresh;
pub mod schedule;
pub mod sign_in;
mod status;
mod trigger;
pub mod watch;
pub mod work;

pub use book::{NoticeJob, VoucherJob};
pub use compare::{CompareJob, Comparison, ask as compare_books, last as last_comparison};
pub use export::{ExportError, ExportRequest, Exported, export};
pub use ports::Ports;
pub use status::{Health, Level, Standing, standing};
pub use trigger::{Attempt, TriggerError, active, hand_over, opened_before, stop, sync_all, trigger};
