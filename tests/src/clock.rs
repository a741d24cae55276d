//! The time that the simulated systems live in.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the real time plus an offset that tests move.
#[derive(Debug, Default)]
pub struct SimulatedClock {
    offset_milliseconds: AtomicI64,
}

impl SimulatedClock {
    /// Returns the simulated time.
    #[expect(clippy::disallowed_methods, reason = "the simulation's own door to the time")]
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_millis(self.offset_milliseconds.load(Ordering::SeqCst))
    }

    /// Moves the clock, backwards when `by` is negative.
    pub fn advance(&self, by: SignedDuration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }
}
