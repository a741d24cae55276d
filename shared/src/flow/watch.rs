//! Keeps the webhooks registered that this service registers: looks at each once an hour, and at once where it was opened or
//! its secret changed.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 open, rotate, close | the endpoint, due | a registration that is not as it should be | `reconcile` enqueues the watch |
//! | 2 begin | the endpoint: that it is not known how it stands, due in minutes | as it says | the next watch |
//! | 3 register | in the system | a registration that nobody took note of | the next watch, which catches up since step 2 was not ended |
//! | 4 catch up | a run, where something was mended, or was not known; of books, that what is open is due | a second run | – |
//! | 5 note | the endpoint: how it stands, due in an hour | – | – |

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use super::process::start_a_run;
use super::work::Worker;
use crate::adapter::{Error, ErrorKind, Subscribed, Subscription};
use crate::export;
use crate::inbox::{self, Endpoint, EndpointId, Registration, StoredEndpoint, address};
use crate::integration::{self, Integration, State};
use crate::keys::Keys;
use crate::model::{IntegrationId, Kind};
use crate::store::StoreError;
use crate::webhook::Paste;

/// What a registration says of itself until it was seen to be as it should be.
const BEGUN: &str = "it is being looked at";

/// What webhooks are registered with.
#[derive(Debug, Clone)]
pub struct Registrar {
    /// What opens the secrets of endpoints.
    pub keys: Arc<dyn Keys>,
    /// Where the API is reached, to which webhooks are sent.
    pub api_url: Url,
}

/// The message that has a registration looked at.
///
/// # Shape
///
/// `{"watch":"hlf.q83v…","integration":"hlf:dynamics365"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The endpoint.
    pub watch: EndpointId,
    /// Whose records its webhooks are about.
    pub integration: IntegrationId,
}

/// Looks at a registration, and mends it.
///
/// # Errors
///
/// Those of the store.
pub async fn watch(worker: &Worker, watch: &Watch) -> Result<(), StoreError> {
    let store = &*worker.ports.store;
    let endpoint = inbox::read_endpoint(store, &watch.integration, &watch.watch).await?;
    let integration = integration::read(store, &watch.integration).await?;
    let (Some(stored), Some(integration)) = (endpoint, integration) else {
        return Ok(());
    };
    let integration = integration.integration;
    if integration.state != State::Active || !stored.endpoint.registers {
        return Ok(());
    }
    if stored.endpoint.closing {
        return withdraw(worker, &integration, stored).await;
    }
    let doubtful = stored
        .endpoint
        .registration
        .as_ref()
        .is_none_or(|known| known.failure.is_some());
    let Some(stored) = begin(worker, stored).await? else {
        return Ok(());
    };
    let registered = register(worker, &integration, &stored.endpoint).await;
    note(worker, &integration, stored, registered, doubtful).await
}

/// Takes note that a registration is being looked at: whoever finds that later without an end does not know what was mended.
async fn begin(worker: &Worker, stored: StoredEndpoint) -> Result<Option<StoredEndpoint>, StoreError> {
    let registration = Registration {
        failure: Some(BEGUN.to_owned()),
        ..stored.endpoint.registration.clone().unwrap_or_default()
    };
    inbox::note_registration(&*worker.ports.store, stored, registration, worker.ports.now()).await
}

async fn register(
    worker: &Worker,
    integration: &Integration,
    endpoint: &Endpoint,
) -> Result<Subscribed, Error> {
    let wrong = |message: &str| Error::new(ErrorKind::Unsupported, message.to_owned());
    let header = match endpoint.scheme.paste() {
        Paste::Header(header) => Some(header.to_owned()),
        Paste::Nothing => None,
        Paste::Secret(_) | Paste::Query(_) => {
            return Err(wrong(
                "only a secret in a header, or one of the system's own, can be registered",
            ));
        }
    };
    let secret = endpoint.open_secret(&*worker.registrar.keys).await;
    let wanted = Subscription {
        name: endpoint.id.to_string(),
        url: address(&worker.registrar.api_url, endpoint)
            .parse()
            .map_err(|_| wrong("the API has no address"))?,
        header,
        secret: secret.map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?,
    };
    worker.connect.connect(integration).await.subscribe(&wanted).await
}

/// Takes note of how a registration stands, and finds what it did not tell of.
async fn note(
    worker: &Worker,
    integration: &Integration,
    stored: StoredEndpoint,
    registered: Result<Subscribed, Error>,
    doubtful: bool,
) -> Result<(), StoreError> {
    let now = worker.ports.now();
    let known = stored.endpoint.registration.clone().unwrap_or_default();
    let (endpoint, mut catch_up) = (stored.endpoint.id.clone(), false);
    let registration = match registered {
        Ok(Subscribed::Running) if !doubtful => Registration {
            seen_at: Some(now),
            failure: None,
            ..known
        },
        Ok(Subscribed::Running) => {
            catch_up = true;
            Registration {
                seen_at: Some(now),
                failure: None,
                ..known
            }
        }
        Ok(Subscribed::Mended(mended)) => {
            catch_up = true;
            tracing::warn!(endpoint.id = %endpoint, ?mended, "registered a webhook anew");
            Registration {
                seen_at: Some(now),
                mended_at: Some(now),
                mended,
                failure: None,
            }
        }
        Ok(Subscribed::ByHand) => failed(known, "the system lets nobody register by its API: do it by hand"),
        Err(error) => {
            tracing::error!(unregistered = true, endpoint.id = %endpoint, %error, "a webhook cannot be registered");
            failed(known, &error.to_string())
        }
    };
    // Another run may be past what was missed: then it is looked at, and caught up with, once more.
    let caught_up = !catch_up || find_what_was_missed(worker, integration).await?;
    let registration = match caught_up {
        true => registration,
        false => failed(
            registration,
            "it was mended, and another run is active: one that catches up comes after it",
        ),
    };
    inbox::note_registration(&*worker.ports.store, stored, registration, now).await?;
    Ok(())
}

/// Finds what was not told: by a run, and in the books, where the system keeps nothing else. Says no where another run is
/// active.
async fn find_what_was_missed(worker: &Worker, integration: &Integration) -> Result<bool, StoreError> {
    let id = &integration.id;
    if integration.keeps(Kind::ALL) {
        return start_a_run(worker, id).await;
    }
    let looked = export::look_again(&*worker.ports.store, id, worker.ports.now()).await?;
    tracing::info!(integration = %id, ?looked, "what webhooks may not have told is looked for in the books");
    Ok(true)
}

fn failed(known: Registration, why: &str) -> Registration {
    Registration {
        failure: Some(why.to_owned()),
        ..known
    }
}

/// Ends a registration, and then the endpoint.
async fn withdraw(
    worker: &Worker,
    integration: &Integration,
    stored: StoredEndpoint,
) -> Result<(), StoreError> {
    let adapter = worker.connect.connect(integration).await;
    let name = stored.endpoint.id.to_string();
    match adapter.unsubscribe(&name).await {
        Ok(()) => inbox::remove(&*worker.ports.store, &stored).await,
        Err(error) => {
            tracing::error!(unregistered = true, endpoint.id = %name, %error, "a registration cannot be ended");
            Ok(())
        }
    }
}
