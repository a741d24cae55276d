//! Takes webhooks in: verifies them, and keeps them on the queue of their system.
//!
//! What is refused is refused alike: whoever asks learns neither whether an endpoint is there nor what was wrong, and the
//! same is read and computed for each, but for the first time that a process meets an endpoint, when it opens its secret.
//! An endpoint that is known is not read again for a minute, as long as what is sent to it verifies; so a secret that was
//! taken away counts for a minute longer in a process that knew it.
//!
//! The steps, and what a crash after each leaves, are those of [`crate::inbox`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::Ports;
use crate::adapter::ReadWebhook;
use crate::adapters;
use crate::http::Exceptions;
use crate::inbox::{Delivery, Endpoint, EndpointId, Say, StoredEndpoint, endpoint_key};
use crate::integration::{Integration, Stored, integration_key};
use crate::keys::{KeyError, Keys};
use crate::model::{FieldError, IntegrationId, System};
use crate::queue::QueueError;
use crate::store::{Row, StoreError};
use crate::webhook::{RawWebhook, Reason, Refused, VerifiedWebhook, Verifier};

/// How long an endpoint is known without being read again.
const KNOWN: Duration = Duration::from_secs(60);

/// How many endpoints are known at once.
const MOST: usize = 1_000;

/// The most bytes of a body.
pub const MAX_WEBHOOK: usize = 1 << 20;

/// Takes webhooks in; made once in the life of a process.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The tables, the queues and the time.
    pub ports: Ports,
    keys: Arc<dyn Keys>,
    exceptions: Exceptions,
    known: Arc<Mutex<HashMap<EndpointId, Arc<Known>>>>,
}

/// What is known of an endpoint.
#[derive(Debug)]
struct Known {
    endpoint: Endpoint,
    /// The versions of the rows that it was learned from.
    versions: [u64; 2],
    verifier: Arc<Verifier>,
    reader: Result<Arc<dyn ReadWebhook>, FieldError>,
    until: Timestamp,
}

/// What came of a webhook.
#[derive(Debug)]
pub enum Received {
    /// It is kept.
    Kept(Delivery),
    /// It is refused.
    Refused(Refused),
}

/// A webhook could be neither kept nor refused: its sender is to send it again.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys did not answer.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The queue did not take it.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The secret of the endpoint cannot be one.
    #[error("the secret of the endpoint cannot be used")]
    Unusable,
}

impl Receiver {
    /// Opens secrets with `keys`; `exceptions` are those of the integrations' settings.
    #[must_use]
    pub fn new(ports: Ports, keys: Arc<dyn Keys>, exceptions: Exceptions) -> Self {
        Self {
            ports,
            keys,
            exceptions,
            known: Arc::default(),
        }
    }

    /// The same receiver, with other keys.
    #[cfg(test)]
    pub(crate) fn with_keys(self, keys: Arc<dyn Keys>) -> Self {
        Self { keys, ..self }
    }

    /// Verifies and keeps a webhook that was sent to an endpoint of a system.
    ///
    /// # Errors
    ///
    /// Where nothing is kept, and nothing refused.
    pub async fn receive(
        &self,
        source: &str,
        endpoint: &str,
        raw: RawWebhook,
    ) -> Result<Received, ReceiveError> {
        let now = self.ports.now();
        let place = place(source, endpoint);
        let known = place.as_ref();
        let known = known.and_then(|(integration, id)| self.known(integration, id, now));
        // As much is computed for who is not known as for who is.
        let first = match &known {
            Some(known) => raw.clone().verify(&known.verifier, now),
            None => Err(raw.clone().refuse()),
        };
        if let (Ok(webhook), Some(known)) = (first, known) {
            return self.keep(&known, &webhook, now).await;
        }
        let known = self.look(place, now).await?;
        match known {
            None => Ok(refused(endpoint, raw.refuse())),
            Some(known) => match raw.verify(&known.verifier, now) {
                Ok(webhook) => self.keep(&known, &webhook, now).await,
                Err(refusal) => Ok(refused(endpoint, refusal)),
            },
        }
    }

    /// Signs a test delivery as its sender would, and takes it in; `None` where there is no such endpoint.
    ///
    /// # Errors
    ///
    /// As [`Receiver::receive`]; a fault where only the sender can sign.
    pub async fn test(
        &self,
        integration: &IntegrationId,
        id: &EndpointId,
    ) -> Result<Option<Result<Received, FieldError>>, ReceiveError> {
        let stored = crate::inbox::read_endpoint(&*self.ports.store, integration, id).await?;
        let Some(StoredEndpoint { endpoint, .. }) = stored else {
            return Ok(None);
        };
        let now = self.ports.now();
        let secret: SecretString = endpoint.open_secret(&*self.keys).await?;
        let body = format!("{{\"{}\":\"{now}\"}}", crate::inbox::TEST);
        let name = format!("test_{}", now.as_millisecond());
        let Ok(raw) = endpoint.scheme.sign(&secret, &name, body.into(), now) else {
            let reason = "is a public key: only its sender can sign a test";
            return Ok(Some(Err(FieldError::new("secret", reason))));
        };
        self.forget(id);
        let received = self
            .receive(integration.system.as_str(), &id.to_string(), raw)
            .await?;
        Ok(Some(Ok(received)))
    }

    /// Returns an endpoint that was looked up of late; under another system's address there is none.
    fn known(&self, integration: &IntegrationId, id: &EndpointId, now: Timestamp) -> Option<Arc<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(id).filter(|known| now < known.until);
        known
            .filter(|known| known.endpoint.integration == *integration)
            .cloned()
    }

    /// Returns what verifies for an endpoint, where its rows are as they were: a refusal opens no secret.
    fn verifier(&self, id: &EndpointId, versions: [u64; 2]) -> Option<Arc<Verifier>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(id).filter(|known| known.versions == versions);
        known.map(|known| Arc::clone(&known.verifier))
    }

    fn forget(&self, id: &EndpointId) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Reads an endpoint and its integration; for one that cannot be, as much is read.
    async fn look(
        &self,
        place: Option<(IntegrationId, EndpointId)>,
        now: Timestamp,
    ) -> Result<Option<Arc<Known>>, ReceiveError> {
        let (integration, id) = match place {
            Some(place) => place,
            None => nowhere()?,
        };
        let keys = [endpoint_key(&integration, &id), integration_key(&integration)];
        let rows = self.ports.store.get(&keys).await?;
        let [Some(endpoint), Some(integration)] = rows.as_slice() else {
            self.forget(&id);
            return Ok(None);
        };
        let Some(known) = self.learn(endpoint, integration.clone(), now).await? else {
            self.forget(&id);
            return Ok(None);
        };
        let known = Arc::new(known);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(id, Arc::clone(&known));
        Ok(Some(known))
    }

    async fn learn(
        &self,
        endpoint: &Row,
        integration: Row,
        now: Timestamp,
    ) -> Result<Option<Known>, ReceiveError> {
        let versions = [endpoint.version, integration.version];
        let StoredEndpoint { endpoint, .. } = StoredEndpoint::of(endpoint)?;
        if endpoint.closing {
            return Ok(None);
        }
        let Stored { integration, .. } = Stored::try_from(integration)?;
        let verifier = match self.verifier(&endpoint.id, versions) {
            Some(verifier) => verifier,
            None => {
                let secrets = endpoint.secrets(&*self.keys, now).await?;
                let verifier = Verifier::new(&endpoint.scheme, &secrets);
                Arc::new(verifier.map_err(|_| ReceiveError::Unusable)?)
            }
        };
        Ok(Some(Known {
            reader: self.reader(&endpoint, &integration),
            endpoint,
            versions,
            verifier,
            until: now + KNOWN,
        }))
    }

    fn reader(
        &self,
        endpoint: &Endpoint,
        integration: &Integration,
    ) -> Result<Arc<dyn ReadWebhook>, FieldError> {
        reader(endpoint, integration, &self.exceptions)
    }

    async fn keep(
        &self,
        known: &Known,
        webhook: &VerifiedWebhook,
        now: Timestamp,
    ) -> Result<Received, ReceiveError> {
        let say = Say::read(&known.reader, webhook.body());
        let delivery = Delivery::new(&known.endpoint, webhook, say, now);
        self.ports.queue.send(delivery.message()).await?;
        Ok(Received::Kept(delivery))
    }
}

/// Returns what reads the webhooks of an endpoint: the rules that it was given, or the adapter.
pub(super) fn reader(
    endpoint: &Endpoint,
    integration: &Integration,
    exceptions: &Exceptions,
) -> Result<Arc<dyn ReadWebhook>, FieldError> {
    if let Some(records) = &endpoint.records {
        return Ok(Arc::new(records.clone()));
    }
    let first = |faults: Vec<FieldError>| faults.into_iter().next();
    let read = adapters::webhooks(integration, exceptions);
    let read = read
        .map_err(|faults| first(faults).unwrap_or_else(|| FieldError::new("settings", "cannot be read")))?;
    read.ok_or_else(|| FieldError::new("records", "is required: says where in a body the rows are named"))
}

fn place(source: &str, endpoint: &str) -> Option<(IntegrationId, EndpointId)> {
    let system: System = source.parse().ok()?;
    let id: EndpointId = endpoint.parse().ok()?;
    Some((IntegrationId::new(id.organization.clone(), system), id))
}

/// Returns the place of an endpoint that nobody has.
fn nowhere() -> Result<(IntegrationId, EndpointId), ReceiveError> {
    let wrong = |error: &dyn std::fmt::Display| StoreError::Invalid(error.to_string().into());
    let organization = "nowhere".parse().map_err(|error| wrong(&error))?;
    let id = EndpointId::new(organization).map_err(|error| wrong(&error))?;
    let system = System::ALL
        .first()
        .copied()
        .ok_or_else(|| wrong(&"there is no system"))?;
    Ok((IntegrationId::new(id.organization.clone(), system), id))
}

/// Takes note of a refusal: nothing that was sent stands in the line, but for the id of an endpoint that could be one.
fn refused(endpoint: &str, refusal: Refused) -> Received {
    let reason = refusal.reason();
    let endpoint: Option<EndpointId> = endpoint.parse().ok();
    let endpoint = endpoint
        .filter(|_| reason != Reason::Endpoint)
        .map(|id| id.to_string());
    tracing::warn!(
        refused = true,
        reason = reason.as_str(),
        endpoint.id = endpoint,
        "refused a webhook"
    );
    Received::Refused(refusal)
}
