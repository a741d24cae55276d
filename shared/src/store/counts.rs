//! What the use of the tables comes to, so that a test can bound it and a report can price it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked of the tables since the store was made.
///
/// Units are as AWS bills them: a read unit is 4 KiB read strongly, a write unit 1 KiB written; a part of a
/// transaction counts twice.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Requests that read.
    pub read_requests: u64,
    /// Rows that were read.
    pub rows_read: u64,
    /// Requests that write.
    pub write_requests: u64,
    /// Rows that were written, deleted or checked.
    pub rows_written: u64,
    /// Read units consumed.
    pub read_units: f64,
    /// Write units consumed.
    pub write_units: f64,
}

/// Adds up, from many tasks at once.
#[derive(Debug, Default)]
pub(super) struct Counter {
    read_requests: AtomicU64,
    rows_read: AtomicU64,
    write_requests: AtomicU64,
    rows_written: AtomicU64,
    half_read_units: AtomicU64,
    half_write_units: AtomicU64,
}

impl Counter {
    pub(super) fn read(&self, rows: usize, units: f64) {
        self.read_requests.fetch_add(1, Ordering::Relaxed);
        self.rows_read.fetch_add(rows as u64, Ordering::Relaxed);
        self.half_read_units.fetch_add(halves(units), Ordering::Relaxed);
    }

    pub(super) fn write(&self, rows: usize, units: f64) {
        self.write_requests.fetch_add(1, Ordering::Relaxed);
        self.rows_written.fetch_add(rows as u64, Ordering::Relaxed);
        self.half_write_units.fetch_add(halves(units), Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let units = |halves: &AtomicU64| halves.load(Ordering::Relaxed) as f64 / 2.0;
        Counts {
            read_requests: self.read_requests.load(Ordering::Relaxed),
            rows_read: self.rows_read.load(Ordering::Relaxed),
            write_requests: self.write_requests.load(Ordering::Relaxed),
            rows_written: self.rows_written.load(Ordering::Relaxed),
            read_units: units(&self.half_read_units),
            write_units: units(&self.half_write_units),
        }
    }
}

/// Counts in halves, the smallest part of a unit that AWS bills.
fn halves(units: f64) -> u64 {
    (units * 2.0).round() as u64
}
