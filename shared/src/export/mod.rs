//! The export of reimbursements into a ledger: what is booked is booked once.
//!
//! A reimbursement becomes a [`Voucher`], a set of ledger lines that add up to zero, by the organization's [`Mapping`].
//! [`check`] says of a whole batch what can be exported, and of the rest every reason why not. [`intend()`] keeps that a
//! voucher is to be booked, for ever; an [`Exporter`] carries it to the ledger by the protocol below; [`decide()`] is for
//! what only a human can say, [`correct()`] for what was changed or deleted afterwards, and [`reconcile`] compares what we
//! say with what the ledger has. Nothing here knows a particular ledger: see [`Ledger`].
//!
//! # The export protocol
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 check | – | – | – |
//! | 2 intend | intent (`intended`, due), voucher, number and a notice in one transaction, the first three each on its absence | a voucher that nobody works on | it is due, and taken up |
//! | 3 claim, where the ledger can be asked | intent: held, on its version, which with this write is the fence | a claim that nobody works under | it is due when the claim has run out |
//! | 4 look, where it can be asked | – | as 3 | as 3: nothing has left |
//! | 5 mark | intent (`sending`), on the fence; without 3 and 4 this is the claim | a mark, and nobody can say whether the voucher left | `UniqueKey`: it is sent again · `Queryable`: it is looked for · `None`: review |
//! | 6 send | – | a voucher in the ledger of which we do not know | as 5 |
//! | 7 keep | intent (`accepted`, `posted`, `refused`, `doubtful` or `review`), the event in the outbox and the place among the reviews, on the fence, in one transaction | an event that was not published | `reconcile` publishes what is due |
//! | 8 poll | intent, as 7, until the ledger has posted it, and not only accepted | as 3 | as 3 |
//! | 9 decide | intent, audit row, event, on the version, in one transaction | – | – |
//!
//! Steps 3 to 8 are one pure function, [`step()`]: what is kept and what has happened give what is kept next, and what is
//! done then. The exploration (`exploration`) visits every state of it with every ledger, the simulation
//! (`simulation`) runs the engine around it, and `engine_tests` kills it at every call.
//!
//! - **Never sent again blindly.** What may have left is sent again only to a ledger that takes a reference once. "We
//!   looked and nothing was there" is no reason: a request may arrive after the look. Only what had not left by any doubt
//!   ([`Sent::NotSent`]) is sent again by itself.
//! - **One way.** The intent says by which [`Route`] it goes, and an exporter of another refuses it, so that nothing goes
//!   out by API and by file; see [`reroute`].
//! - **Fenced.** Every write of a worker is on the version and the fence of its own claim: whoever wakes up late writes
//!   nothing. It may still send, which is why a human who says "it is not there" is believed after
//!   [`QUIET_HOURS`] only.
//! - **Refused is not rejected.** A ledger that refuses at the door kept nothing (`refused`: correct it, export it
//!   again, under the same reference). One that took it and refuses to post it may have something in its queue yet
//!   (`rejected`: remove it there, and cancel).
//! - **Corrected by reversal.** What is in the books is undone by a voucher of its own; what takes its place leaves once
//!   that is in the books too.

#![deny(clippy::float_arithmetic, clippy::disallowed_types)]

mod booking;
mod budget;
mod by_file;
mod correct;
mod decide;
mod engine;
#[cfg(test)]
pub(crate) mod engine_tests;
#[cfg(test)]
mod exploration;
mod fault;
mod intend;
mod intent;
mod ledger;
mod look_again;
mod mapping;
pub mod notice;
mod preflight;
#[cfg(test)]
mod preflight_tests;
mod reason;
mod reconciliation;
mod reference;
mod review;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod simulation;
mod step;
mod template;
mod voucher;
#[cfg(test)]
mod voucher_tests;

pub use budget::{Budget, Month, next_month, spend, this_month};
pub use by_file::{FileLedger, VOUCHERS};
pub use correct::{Corrected, correct};
pub use decide::{DecideError, QUIET_HOURS, Verdict, decide};
pub use engine::{Exporter, WorkError, Worked};
pub use fault::{Fault, FaultCode};
pub use intend::{IntendError, Intended, Request, force, intend, reroute};
pub use intent::{
    Booked, INTENTS, Intent, Purpose, booked, intent_key, intent_place, intents_prefix, known, list_intents,
    postpone, read_intents, read_voucher, review_prefix, stands_twice,
};
pub use ledger::{Books, Dedup, Entries, Entry, FindError, Ledger, Needs, Route, Sent, Standing};
pub use look_again::{Looked, look_again};
pub use mapping::{Dimension, ExpenseType, LineField, Mapping, Source, Tax};
pub use preflight::{AccountState, Batch, Candidate, LedgerFacts, Preflight, Ready, Refused, check};
pub use reason::{NoReason, Reason};
pub use reconciliation::{Difference, Row, reconcile};
pub use reference::{MAX_REVISION, Malformed, Reference, Revision, VoucherNumber};
pub use review::{ReviewRow, Unsettled, list_reviews, read_review};
pub use step::{Answer, Decision, Input, Look, Progress, State, Then, Transition, Why, step};
pub use template::Template;
pub use voucher::{Line, MAX_LINES, Voucher, VoucherError};
