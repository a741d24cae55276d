//! The export of reimbursements into a ledger: what is booked is booked once.
//!
//! # The export protocol
//!
//! TABLE

#![deny(clippy::float_arithmetic, clippy::disallowed_types)]

mod decide;
mod engine;
#[cfg(test)]
mod engine_tests;
#[cfg(test)]
mod exploration;
mod fault;
mod intend;
mod intent;
mod ledger;
mod mapping;
mod preflight;
#[cfg(test)]
mod preflight_tests;
mod reason;
mod reconciliation;
mod reference;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod simulation;
mod step;
mod template;
mod voucher;
#[cfg(test)]
mod voucher_tests;

pub use decide::{DecideError, QUIET_HOURS, Verdict, decide};
pub use engine::{Exporter, WorkError, Worked};
pub use fault::{Fault, FaultCode};
pub use intend::{Corrected, IntendError, Intended, Request, correct, force, intend, reroute};
pub use intent::{
    Booked, Intent, Purpose, ReviewRow, booked, intent_key, list_intents, list_reviews, read_intents, read_voucher,
};
pub use ledger::{Dedup, Entry, FindError, Ledger, Route, Sent, Standing};
pub use mapping::{Dimension, ExpenseType, LineField, Mapping, Source, Tax};
pub use preflight::{AccountState, Batch, Candidate, LedgerFacts, Preflight, Ready, Refused, check};
pub use reason::{NoReason, Reason};
pub use reconciliation::{Difference, Row, reconcile};
pub use reference::{MAX_REVISION, Malformed, Reference, Revision, VoucherNumber};
pub use step::{Answer, Decision, Input, Look, Progress, State, Then, Transition, Why, step};
pub use template::Template;
pub use voucher::{Line, MAX_LINES, Voucher, VoucherError};
