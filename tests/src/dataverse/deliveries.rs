//! Webhooks, and how they are sent.
//!
//! One more attempt is made, and only after 502, 503 or 504. Any other answer that is not a success, and no answer within
//! the timeout, ends it for good; so does everything that keeps a request from being answered.
//!
//! Source: Microsoft Learn, "Use webhooks to create external handlers for server events", read 2026-11-22.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::context;
use super::events::{Event, Receiver};
use super::journal::Recorder;
use super::registration::{HTTP_HEADER, HTTP_QUERY_STRING, WEBHOOK_KEY};
use super::server::Dataverse;
use super::settings;

/// So many webhooks are under way at once.
const AT_ONCE: usize = 16;

/// A webhook that is to be sent.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where to, with the secret where it stands in the query.
    pub url: Url,
    /// Its headers, the one with the secret among them.
    pub headers: HeaderMap,
    /// A `RemoteExecutionContext` as JSON.
    pub body: String,
}

/// What became of webhooks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// How many were accepted.
    pub accepted: u64,
    /// How many were given up.
    pub failed: u64,
    /// How often one was sent.
    pub attempts: u64,
}

/// Sends webhooks.
#[derive(Debug)]
pub(crate) struct Courier {
    timeout: Duration,
    http: OnceLock<reqwest::Client>,
    room: Semaphore,
    recorder: Arc<Recorder>,
}

impl Dataverse {
    /// Takes what was not sent yet, in the order in which it happened.
    pub(crate) fn take_deliveries(&self) -> Vec<Webhook> {
        let events = self.store_mut().take_events();
        let webhook = |event: &Event| self.webhook(event);
        events.iter().filter_map(webhook).collect()
    }

    /// Sends what was not sent yet.
    pub(crate) async fn deliver(&self) -> Delivered {
        let webhooks = self.take_deliveries();
        let ends = join_all(webhooks.iter().map(|webhook| self.courier.send(webhook))).await;
        ends.into_iter().fold(Delivered::default(), |sum, end| Delivered {
            accepted: sum.accepted + end.accepted,
            failed: sum.failed + end.failed,
            attempts: sum.attempts + end.attempts,
        })
    }

    /// Begins to send what was not sent yet, and waits for nobody.
    pub(crate) fn begin_to_deliver(&self) {
        for webhook in self.take_deliveries() {
            let courier = Arc::clone(&self.courier);
            tokio::spawn(async move { courier.send(&webhook).await });
        }
    }

    fn webhook(&self, event: &Event) -> Option<Webhook> {
        let host = Url::parse(&self.base_url).ok()?.host_str()?.to_owned();
        let name = host.split('.').next().unwrap_or_default();
        let body = context::body(event, self.organization, name);
        let (url, mut headers) = address(&event.receiver)?;
        let correlation = event.correlation.to_string();
        let own = [
            ("content-type", "application/json; charset=utf-8"),
            ("x-ms-dynamics-organization", &host),
            ("x-ms-dynamics-entity-name", &event.table.logical_name),
            ("x-ms-dynamics-request-name", event.message),
            ("x-ms-correlation-request-id", &correlation),
        ];
        let exceeded = body
            .exceeded
            .then_some(("x-ms-dynamics-msg-size-exceeded", "true"));
        for (name, value) in own.into_iter().chain(exceeded) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
        }
        Some(Webhook {
            url,
            headers,
            body: body.text,
        })
    }
}

/// Says where to, and shows the secret as the endpoint says.
fn address(receiver: &Receiver) -> Option<(Url, HeaderMap)> {
    let mut url = Url::parse(&receiver.url).ok()?;
    let mut headers = HeaderMap::new();
    match receiver.proof? {
        WEBHOOK_KEY => drop(url.query_pairs_mut().append_pair("code", &receiver.value)),
        HTTP_QUERY_STRING => drop(
            url.query_pairs_mut()
                .extend_pairs(settings::read(&receiver.value)?),
        ),
        HTTP_HEADER => {
            for (name, value) in settings::read(&receiver.value)? {
                headers.append(name.parse::<HeaderName>().ok()?, value.parse().ok()?);
            }
        }
        _ => return None,
    }
    Some((url, headers))
}

impl Courier {
    pub(crate) fn new(timeout: Duration, recorder: Arc<Recorder>) -> Self {
        Self {
            timeout,
            http: OnceLock::new(),
            room: Semaphore::new(AT_ONCE),
            recorder,
        }
    }

    /// Sends one webhook, and a second time where that may help.
    async fn send(&self, webhook: &Webhook) -> Delivered {
        let _room = self.room.acquire().await;
        let mut attempts = 1;
        let mut status = self.post(webhook).await;
        if matches!(status, Some(502..=504)) {
            attempts += 1;
            status = self.post(webhook).await;
        }
        let accepted = u64::from(matches!(status, Some(200..=299)));
        let failed = 1 - accepted;
        self.recorder.count(|counters| {
            counters.webhooks_delivered += accepted;
            counters.webhooks_failed += failed;
            counters.webhook_attempts += attempts;
        });
        Delivered {
            accepted,
            failed,
            attempts,
        }
    }

    /// Returns the status of the answer, and nothing where none came in time: no other part of it is looked at.
    async fn post(&self, webhook: &Webhook) -> Option<u16> {
        let request = self
            .http
            .get_or_init(http)
            .post(webhook.url.clone())
            .headers(webhook.headers.clone())
            .timeout(self.timeout)
            .body(webhook.body.clone());
        let answer = request.send().await.ok()?;
        Some(answer.status().as_u16())
    }
}

/// Makes a client that follows nothing.
///
/// Whoever builds the workspace as a whole builds it with TLS, which wants to know whose ciphers to use.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulation's own way out, with the platform's rules"
)]
fn http() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("the client has nothing to be refused for")
}
