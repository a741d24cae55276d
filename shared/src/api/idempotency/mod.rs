//! `Idempotency-Key`: a request that is repeated is done once, and answered as it was.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 claim | the key's row: what was asked, and until when this attempt may take | a key that is in use for a minute | the next attempt, which goes on from there |
//! | 2 act | what the endpoint writes | work without a kept answer | the next attempt finds what was done |
//! | 3 keep | the answer, conditional on step 1's version | – | – |
//!
//! Only what succeeded is kept: what was refused or failed had no effect, and is asked anew.

mod gate;
mod row;

pub(super) use gate::{Again, Kept, gate};
