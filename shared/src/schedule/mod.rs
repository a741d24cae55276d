//! Schedules: when an integration is synced by itself, and what became of it.
//!
//! A schedule is a row beside its integration; whoever calls by the clock is told of it, and may be late, call twice or
//! not at all. So [a call is only a reason to look](crate::decisions::a_call_is_a_reason_to_look): what counts is the last
//! fire that the row knows of.
//!
//! # Changing a schedule
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 row | schedule (not told) and audit row, in one transaction | a schedule that nobody calls for | `reconcile`, within a minute; it also starts what was missed |
//! | 2 told | the scheduler takes the order, or deletes it | as 1 | as 1 |
//! | 3 row | schedule (told); one that was cancelled is removed | – | – |
//!
//! What the scheduler calls for without any row, after a table was restored, is void, and ended within an hour.
//!
//! # A tick
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 fire | schedule (with the fire), run and lease, in one transaction | a run that nobody works on | `reconcile`, when the lease is due |
//! | 2 enqueue | the first slice's message | – | the queue delivers |

mod expression;
mod row;

pub use expression::{Expression, Fire};
pub use row::{Disabled, Overlap, Schedule, Stored, Wish, read, schedule_key};
pub(crate) use row::{GIVEN_UP, ORDERS, PREFIX, order_name};
