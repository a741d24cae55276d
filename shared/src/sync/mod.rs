//! The sync engine: runs, made of slices, that keep the records of both sides equal.
//!
//! # The run protocol
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 open | run (queued) and lease (held for the run, due) in one transaction | a run that nobody works on | `reconcile` enqueues it when the lease is due |
//! | 2 enqueue | the first slice's message | – | the queue delivers |
//! | 3 claim | lease: next version, which is the fence | a lease that nobody works under | `reconcile` enqueues it when the lease has run out |
//! | 4 page | records and links, each on its own version | half of a page | the page is read again; what is written is unchanged |
//! | 5 checkpoint | run (position, totals) on the fence; at the end of a kind its cursor too | – | the next slice goes on from it |
//! | 6 hand over | run and lease (free, due) on the fence | a run that nobody works on | as 1 |
//! | 7 finish | run, lease (no run), last run and outbox row on the fence, in one transaction | an event that was not published | `reconcile` publishes what is due |
//! | 8 publish | the event on the bus | an event that is not marked | it is published again under the same id |
//!
//! A worker that was paused past its lease finds that the lease has another version: no later checkpoint of it is
//! taken, and of its records only those that nobody has written since.

mod apply;
mod change;
mod cursor;
mod delete;
mod engine;
mod finish;
mod gather;
mod hint;
mod lease;
mod listing;
mod merge;
pub mod outbox;
mod pause;
mod plan;
mod position;
mod pull;
mod push;
mod pushed;
pub mod quarantine;
mod references;
pub mod review;
mod run;
mod standing;
mod totals;
mod transact;
mod writer;

pub use engine::Engine;
pub use finish::{Worked, failure};
pub(crate) use finish::{try_again_at, unworkable};
pub use hint::{HintError, Hinted};
pub use lease::{Claim, ClaimError, Lease, OpenError, Woken, abandon, claim, open, wake};
pub use merge::{Merged, Rules};
pub use position::Position;
pub(crate) use run::runs_prefix;
pub use run::{
    Failure, Mode, Run, RunError, RunRequest, RunState, SliceMessage, Trigger, cancel, list_runs, read_last,
    read_run,
};
pub use standing::{RunsStanding, runs_standing};
pub use totals::{Cost, Totals};
