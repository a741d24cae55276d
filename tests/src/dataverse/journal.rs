//! What was asked and answered, without bodies or secrets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde::Serialize;

use crate::wire::Request;

/// The number of requests that are remembered.
const LONGEST: usize = 100_000;

/// Headers that change what a request means and hold no secret.
const TELLING: [&str; 12] = [
    "accept",
    "accept-encoding",
    "content-type",
    "if-match",
    "if-none-match",
    "mscrm.bypassbusinesslogicexecution",
    "mscrm.suppresscallbackregistrationexpanderjob",
    "mscrm.suppressduplicatedetection",
    "odata-maxversion",
    "odata-version",
    "prefer",
    "x-ms-client-request-id",
];

/// Describes one request and the status that it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Counts up from 1.
    pub sequence: u64,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The status, or 0 where the connection was broken instead.
    pub status: u16,
    /// Whether this was a part of a batch.
    pub in_batch: bool,
    /// The headers that change what the request means.
    pub headers: BTreeMap<String, String>,
}

/// Counts what was asked and answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// All requests, without the parts of batches.
    pub requests: u64,
    /// Requests and parts of batches by what they asked for.
    pub by_kind: BTreeMap<String, u64>,
    /// Requests by the status that they got.
    pub by_status: BTreeMap<u16, u64>,
    /// Rows in listings and deltas.
    pub rows_served: u64,
    /// Bytes of answers before compression.
    pub bytes_uncompressed: u64,
    /// Bytes of answers as sent.
    pub bytes_sent: u64,
    /// Rows created through the Web API.
    pub created: u64,
    /// Rows updated through the Web API.
    pub updated: u64,
    /// Rows deleted through the Web API.
    pub deleted: u64,
    /// Webhooks that were accepted.
    pub webhooks_delivered: u64,
    /// Webhooks that were given up.
    pub webhooks_failed: u64,
    /// How often webhooks were sent, those included that were sent again.
    pub webhook_attempts: u64,
}

/// Keeps the journal and the counters.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    sequence: u64,
    entries: VecDeque<Entry>,
    counters: Counters,
}

impl Recorder {
    pub(crate) fn note(&self, request: &Request, status: Option<StatusCode>, in_batch: bool) {
        let mut record = self.record();
        record.sequence += 1;
        let status = status.map_or(0, |status| status.as_u16());
        let entry = Entry {
            sequence: record.sequence,
            method: request.method.to_string(),
            target: request.target(),
            status,
            in_batch,
            headers: telling(request),
        };
        if record.entries.len() == LONGEST {
            record.entries.pop_front();
        }
        record.entries.push_back(entry);
        if !in_batch {
            record.counters.requests += 1;
            *record.counters.by_status.entry(status).or_default() += 1;
        }
    }

    /// Changes the counters.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.record().counters);
    }

    pub(crate) fn count_kind(&self, kind: &str) {
        self.count(|counters| *counters.by_kind.entry(kind.to_owned()).or_default() += 1);
    }

    pub(crate) fn counters(&self) -> Counters {
        self.record().counters.clone()
    }

    pub(crate) fn reset_counters(&self) {
        self.record().counters = Counters::default();
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.record().entries.iter().cloned().collect()
    }

    pub(crate) fn clear_entries(&self) {
        self.record().entries.clear();
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn telling(request: &Request) -> BTreeMap<String, String> {
    let present = TELLING
        .iter()
        .filter_map(|&name| Some((name.to_owned(), request.header(name)?.to_owned())));
    present.collect()
}
