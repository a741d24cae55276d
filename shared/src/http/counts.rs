//! What calls cost.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What was sent and received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HttpCounts {
    /// Requests that were begun, those of a token included.
    pub requests: u64,
    /// Bytes of the bodies that were sent.
    pub sent_bytes: u64,
    /// Bytes of the bodies that were received, as they came over the wire: compressed where they were.
    pub received_bytes: u64,
    /// Bytes of the bodies that were received, after decompression.
    pub decoded_bytes: u64,
}

/// Counts while calls are made; shared by all who make them.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    decoded: AtomicU64,
}

impl Counters {
    /// Returns what was counted so far.
    #[must_use]
    pub fn read(&self) -> HttpCounts {
        HttpCounts {
            requests: self.requests.load(Relaxed),
            sent_bytes: self.sent.load(Relaxed),
            received_bytes: self.received.load(Relaxed),
            decoded_bytes: self.decoded.load(Relaxed),
        }
    }

    pub(super) fn request(&self, body: usize) {
        self.requests.fetch_add(1, Relaxed);
        self.sent.fetch_add(body as u64, Relaxed);
    }

    pub(super) fn received(&self, wire: u64, decoded: usize) {
        self.received.fetch_add(wire, Relaxed);
        self.decoded.fetch_add(decoded as u64, Relaxed);
    }
}
