//! The bus on EventBridge.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};

use super::entry::{Entry, MAX_BYTES, SOURCE};
use super::{Publish, PublishError, ResultEvent};

/// The most entries of one call.
const MAX_ENTRIES: usize = 10;

/// Publishes on a bus of EventBridge.
///
/// The client repeats a call whose answer was lost, and the bus then has its events twice, under the same ids.
#[derive(Clone)]
pub struct EventBridge {
    client: Client,
    bus: String,
}

/// Events that go out in one call: their places among all, and what they are on the bus.
#[derive(Default)]
struct Batch {
    places: Vec<usize>,
    entries: Vec<PutEventsRequestEntry>,
    size: usize,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Call(Arc<str>),
    #[error("the bus refuses the event: {code}: {message}")]
    Entry { code: String, message: String },
    #[error("the bus does not answer for the event")]
    NoAnswer,
}

impl EventBridge {
    /// Publishes through `client` on the bus of that name.
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        let bus = bus.into();
        Self { client, bus }
    }

    fn entry(&self, event: &ResultEvent, detail: String) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(&event.detail_type)
            .time(DateTime::from_millis(event.time.as_millisecond()))
            .detail(detail)
            .build()
    }

    /// Sends one call, and returns an answer for each of its entries.
    async fn put(&self, entries: Vec<PutEventsRequestEntry>) -> Vec<Result<(), Failure>> {
        let count = entries.len();
        let request = self.client.put_events().set_entries(Some(entries));
        match request.send().await {
            Ok(answer) => {
                let mut answers = answer.entries.unwrap_or_default().into_iter();
                (0..count).map(|_| outcome(answers.next())).collect()
            }
            Err(error) => {
                let why: Arc<str> = DisplayErrorContext(&error).to_string().into();
                (0..count).map(|_| Err(Failure::Call(Arc::clone(&why)))).collect()
            }
        }
    }
}

impl fmt::Debug for EventBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBridge")
            .field("bus", &self.bus)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Publish for EventBridge {
    async fn publish(&self, events: &[ResultEvent]) -> Vec<Result<(), PublishError>> {
        let mut outcomes = Vec::with_capacity(events.len());
        let mut batches = vec![Batch::default()];
        for (place, event) in events.iter().enumerate() {
            outcomes.push(Entry::of(event).map(|entry| {
                let size = entry.size;
                let entry = self.entry(event, entry.detail);
                batch_for(&mut batches, size).push(place, entry, size);
            }));
        }
        for batch in batches.into_iter().filter(|batch| !batch.places.is_empty()) {
            let answers = self.put(batch.entries).await;
            for (place, answer) in batch.places.into_iter().zip(answers) {
                outcomes[place] = answer.map_err(|failure| PublishError(Box::new(failure)));
            }
        }
        outcomes
    }
}

impl Batch {
    const fn fits(&self, size: usize) -> bool {
        self.places.len() < MAX_ENTRIES && self.size + size <= MAX_BYTES
    }

    fn push(&mut self, place: usize, entry: PutEventsRequestEntry, size: usize) {
        self.places.push(place);
        self.entries.push(entry);
        self.size += size;
    }
}

/// Returns the batch that takes an event of `size`: the last one, so that events go out in their order, or a new one.
fn batch_for(batches: &mut Vec<Batch>, size: usize) -> &mut Batch {
    let full = batches.last().is_none_or(|last| !last.fits(size));
    if full {
        batches.push(Batch::default());
    }
    batches.last_mut().expect("there is one")
}

fn outcome(answer: Option<PutEventsResultEntry>) -> Result<(), Failure> {
    let answer = answer.ok_or(Failure::NoAnswer)?;
    match answer.error_code {
        None if answer.event_id.is_some() => Ok(()),
        None => Err(Failure::NoAnswer),
        Some(code) => Err(Failure::Entry {
            code,
            message: answer.error_message.unwrap_or_default(),
        }),
    }
}
