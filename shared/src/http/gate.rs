//! Gates: a system that wants to be left alone is left alone by everyone in the process at once.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use jiff::Timestamp;

/// Shut until an instant that the system named; later news only lengthen it.
#[derive(Debug)]
pub struct Gate(AtomicI64);

impl Default for Gate {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Gate {
    /// Returns until when the gate is shut, where it is.
    #[must_use]
    pub fn shut_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp::from_millisecond(self.0.load(Relaxed)).ok()?;
        (until > now).then_some(until)
    }

    /// Shuts the gate until `until`.
    pub fn shut(&self, until: Timestamp) {
        self.0.fetch_max(until.as_millisecond(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_opens_at_the_last_instant_that_was_named() {
        let gate = Gate::default();
        let (now, soon, later): (Timestamp, Timestamp, Timestamp) = (
            "2026-01-01T00:00:00Z".parse().unwrap(),
            "2026-01-01T00:00:10Z".parse().unwrap(),
            "2026-01-01T00:00:20Z".parse().unwrap(),
        );
        assert_eq!(gate.shut_until(now), None);
        gate.shut(later);
        gate.shut(soon);
        assert_eq!(gate.shut_until(soon), Some(later));
        assert_eq!(gate.shut_until(later), None);
    }
}
