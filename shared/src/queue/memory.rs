//! The queues in memory, for fast tests and simulation; gone with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Message, Queue, QueueError, limits};
use crate::clock::Clock;
use crate::model::System;

/// How long a FIFO queue knows a deduplication id.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);

/// Keeps messages in memory, under the rules of a FIFO queue, by an injected clock.
#[derive(Debug)]
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    visibility: Duration,
    max_receives: u32,
    lanes: Mutex<HashMap<System, Lane>>,
}

/// A message that was received and is hidden, with its group, until it is acknowledged or its time is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What was sent.
    pub message: Message,
    /// Names this delivery; the next delivery of the same message has another.
    pub receipt: u64,
    /// How many times the message has been delivered, with this one.
    pub receives: u32,
}

/// One system's queue.
#[derive(Debug, Default)]
struct Lane {
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    remembered: HashMap<String, Timestamp>,
    dead: Vec<Message>,
}

#[derive(Debug)]
struct Waiting {
    message: Message,
    visible_at: Timestamp,
    receipt: Option<u64>,
    receives: u32,
}

impl MemoryQueue {
    /// Makes empty queues that hide a received message for twelve minutes and give up after three deliveries.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            visibility: Duration::from_secs(12 * 60),
            max_receives: 3,
            lanes: Mutex::default(),
        }
    }

    /// Changes for how long a received message is hidden.
    #[must_use]
    pub const fn visibility(mut self, visibility: Duration) -> Self {
        self.visibility = visibility;
        self
    }

    /// Changes how many times a message is delivered before it goes to the dead letters.
    #[must_use]
    pub const fn max_receives(mut self, max_receives: u32) -> Self {
        self.max_receives = max_receives;
        self
    }

    /// Returns the oldest message of a group that has none in flight.
    pub fn receive(&self, system: System) -> Option<Received> {
        let now = self.clock.now();
        let mut lanes = self.lanes();
        let lane = lanes.entry(system).or_default();
        lane.bury(now, self.max_receives);
        lane.receive(now, now + self.visibility)
    }

    /// Deletes a delivered message; `false` if the delivery's time was up.
    pub fn ack(&self, received: &Received) -> bool {
        let now = self.clock.now();
        let mut lanes = self.lanes();
        let lane = lanes.entry(received.message.system).or_default();
        let place = lane.in_flight(received.receipt, now);
        place.and_then(|place| lane.waiting.remove(&place)).is_some()
    }

    /// Makes a delivered message visible again at once; `false` if the delivery's time was up.
    pub fn fail(&self, received: &Received) -> bool {
        let now = self.clock.now();
        let mut lanes = self.lanes();
        let lane = lanes.entry(received.message.system).or_default();
        let place = lane.in_flight(received.receipt, now);
        let waiting = place.and_then(|place| lane.waiting.get_mut(&place));
        waiting.map(|waiting| waiting.visible_at = now).is_some()
    }

    /// Returns how many messages wait or are in flight.
    pub fn len(&self, system: System) -> usize {
        self.lanes().get(&system).map_or(0, |lane| lane.waiting.len())
    }

    /// Says whether no message waits or is in flight.
    pub fn is_empty(&self, system: System) -> bool {
        self.len(system) == 0
    }

    /// Returns the messages that were delivered too often, the oldest first.
    pub fn dead_letters(&self, system: System) -> Vec<Message> {
        self.lanes()
            .get(&system)
            .map_or_else(Vec::new, |lane| lane.dead.clone())
    }

    /// Returns when the next message becomes visible, if one waits.
    pub fn next_visible_at(&self, system: System) -> Option<Timestamp> {
        let lanes = self.lanes();
        let waiting = lanes.get(&system)?.waiting.values();
        waiting.map(|waiting| waiting.visible_at).min()
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<System, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, message: Message) -> Result<(), QueueError> {
        limits::check(&message)?;
        let now = self.clock.now();
        let mut lanes = self.lanes();
        lanes.entry(message.system).or_default().send(message, now);
        Ok(())
    }
}

impl Lane {
    fn send(&mut self, message: Message, now: Timestamp) {
        let sent_at = self.remembered.get(&message.deduplication);
        if sent_at.is_some_and(|sent_at| now < *sent_at + REMEMBERED_FOR) {
            return;
        }
        self.remembered.insert(message.deduplication.clone(), now);
        let waiting = Waiting {
            message,
            visible_at: now,
            receipt: None,
            receives: 0,
        };
        let place = self.number();
        self.waiting.insert(place, waiting);
    }

    fn receive(&mut self, now: Timestamp, until: Timestamp) -> Option<Received> {
        let place = self.first_free(now)?;
        let receipt = self.number();
        let waiting = self.waiting.get_mut(&place)?;
        waiting.visible_at = until;
        waiting.receipt = Some(receipt);
        waiting.receives += 1;
        Some(Received {
            message: waiting.message.clone(),
            receipt,
            receives: waiting.receives,
        })
    }

    fn first_free(&self, now: Timestamp) -> Option<u64> {
        let mut blocked = BTreeSet::new();
        let free = self.waiting.iter().find(|(_, waiting)| {
            let hidden = waiting.visible_at > now;
            if hidden {
                blocked.insert(waiting.message.group.as_str());
            }
            !hidden && !blocked.contains(waiting.message.group.as_str())
        });
        free.map(|(place, _)| *place)
    }

    /// Moves what was delivered often enough, and is visible again, to the dead letters.
    fn bury(&mut self, now: Timestamp, max_receives: u32) {
        let dead = |waiting: &Waiting| waiting.receives >= max_receives && waiting.visible_at <= now;
        let dead = self.waiting.extract_if(.., |_, waiting| dead(waiting));
        self.dead.extend(dead.map(|(_, waiting)| waiting.message));
    }

    fn in_flight(&self, receipt: u64, now: Timestamp) -> Option<u64> {
        let mut waiting = self.waiting.iter();
        let ours = |waiting: &Waiting| waiting.receipt == Some(receipt) && waiting.visible_at > now;
        waiting
            .find(|(_, waiting)| ours(waiting))
            .map(|(place, _)| *place)
    }

    const fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
