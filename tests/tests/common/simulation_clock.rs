//! The clock of whoever lives in the time of a simulation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use tests::Simulation;

/// Shows the simulation's time; to sleep is to move it.
pub(crate) struct SimulationClock(pub(crate) Arc<Simulation>);

/// Leaves the simulation out: it knows every secret.
impl fmt::Debug for SimulationClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulationClock")
    }
}

#[async_trait]
impl Clock for SimulationClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.advance(SignedDuration::try_from(duration).unwrap());
    }
}
