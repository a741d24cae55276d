//! Gates: a system that wants to be left alone is left alone by everyone here at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// The gates of this process, by what they stand in front of.
#[derive(Debug, Default)]
pub struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

impl Gates {
    /// Returns the gate in front of one allowance, such as one user of one environment.
    #[must_use]
    pub fn at(&self, allowance: &str) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(allowance.to_owned()).or_default())
    }
}

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
        let gate = Gates::default().at("hlf");
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

    #[test]
    fn one_allowance_has_one_gate() {
        let gates = Gates::default();
        assert!(Arc::ptr_eq(&gates.at("a"), &gates.at("a")));
        assert!(!Arc::ptr_eq(&gates.at("a"), &gates.at("b")));
    }
}
