//! Webhooks: who is told of trainings that were assigned or completed, and what is sent.
//!
//! The envelope (`subscriptionId`, `sessionId`, `attemptNumber`, `records`), an empty list of records as a heartbeat, and gzip are
//! published; so is that up to four headers of the organization's choosing and an `x-api-key` come along, and that what is
//! answered with 408, 500, 502, 503 or 504 is sent again. What a record holds is invented.
//!
//! Source: csod.dev, "Webhooks: FAQ", and the vendor's help pages on endpoints and webhooks, read 2026-11-22.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::record::Registration;
use super::server::{Cornerstone, lock};
use super::status::Status;
use super::time::plain;

/// The most headers of the organization's choosing.
const MOST_HEADERS: usize = 4;

/// The most records of one message.
const MOST_RECORDS: usize = 100;

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The id.
    pub id: Uuid,
    /// Where it is told.
    pub url: String,
    /// Headers that come along, such as one that holds a secret.
    pub headers: Vec<(String, String)>,
    /// Whether bodies are compressed.
    pub gzip: bool,
}

/// Something that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `Training Assigned` or `Training Completed`.
    pub kind: &'static str,
    /// The user.
    pub external_id: String,
    /// The learning object.
    pub learning_object: Uuid,
    /// The registration.
    pub number: i64,
    /// When it happened.
    pub at: Timestamp,
}

/// One attempt to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The subscription.
    pub subscription: Uuid,
    /// The status that the listener answered with; none where it did not answer.
    pub status: Option<u16>,
    /// What was sent, before compression.
    pub body: String,
}

impl Event {
    /// Returns what a change is worth telling of, if it is.
    pub(super) fn of(
        registration: &Registration,
        before: Option<Status>,
        external_id: &str,
        at: Timestamp,
    ) -> Option<Self> {
        let completed = registration.status == Status::Completed && before != Some(Status::Completed);
        let kind = match (before, completed) {
            (_, true) => "Training Completed",
            (None, false) => "Training Assigned",
            (Some(_), false) => return None,
        };
        Some(Self {
            kind,
            external_id: external_id.to_owned(),
            learning_object: registration.learning_object,
            number: registration.number,
            at,
        })
    }

    fn to_record(&self) -> Value {
        json!({
            "eventType": self.kind, "externalId": self.external_id, "learningObjectId": self.learning_object,
            "registrationNumber": self.number, "eventDate": plain(self.at),
        })
    }
}

impl Subscription {
    /// Returns a subscription of an address, told in gzip as the real system has it.
    pub fn new(url: &str) -> Self {
        Self {
            id: Uuid::new_v4(),
            url: url.to_owned(),
            headers: Vec::new(),
            gzip: true,
        }
    }

    /// Returns the subscription with one more header.
    ///
    /// # Panics
    ///
    /// Panics when there are four already.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        assert!(
            self.headers.len() < MOST_HEADERS,
            "there are at most four headers"
        );
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn render(&self, records: &[Value], attempt: u32) -> String {
        let body = json!({
            "subscriptionId": self.id, "sessionId": Uuid::new_v4(), "attemptNumber": attempt, "records": records,
        });
        body.to_string()
    }

    async fn send(&self, http: &reqwest::Client, text: &str) -> Option<u16> {
        let request = http.post(&self.url).header("content-type", "application/json");
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        let request = if self.gzip {
            request.header("content-encoding", "gzip").body(compress(text))
        } else {
            request.body(text.to_owned())
        };
        request.send().await.ok().map(|answer| answer.status().as_u16())
    }
}

impl Cornerstone {
    /// Adds somebody who is told.
    pub fn subscribe(&self, subscription: Subscription) {
        lock(&self.subscriptions).push(subscription);
    }

    /// Takes what was not told yet, and tells nobody.
    pub fn take_events(&self) -> Vec<Event> {
        self.settle();
        lock(&self.store).events.drain(..).collect()
    }

    /// Tells every subscription what was not told yet, or an empty heartbeat; what fails stays to be told, to all.
    pub async fn deliver_webhooks(&self) -> Vec<Delivered> {
        self.settle();
        let subscriptions = lock(&self.subscriptions).clone();
        let events: Vec<Event> = lock(&self.store)
            .events
            .iter()
            .take(MOST_RECORDS)
            .cloned()
            .collect();
        let records: Vec<Value> = events.iter().map(Event::to_record).collect();
        let http = client();
        let mut delivered = Vec::new();
        for subscription in subscriptions {
            let body = subscription.render(&records, 1);
            let status = subscription.send(&http, &body).await;
            delivered.push(Delivered {
                subscription: subscription.id,
                status,
                body,
            });
        }
        let again =
            |status: &Option<u16>| status.is_none_or(|status| matches!(status, 408 | 500 | 502..=504));
        if !delivered.iter().any(|one| again(&one.status)) {
            lock(&self.store).events.drain(..events.len());
        }
        delivered
    }
}

fn compress(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(text.as_bytes())
        .expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulation is outside of what has one door to HTTP"
)]
fn client() -> reqwest::Client {
    // Whoever builds the workspace as a whole builds it with TLS, which wants to know whose ciphers to use.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5));
    client.build().expect("the client has nothing that can be wrong")
}
