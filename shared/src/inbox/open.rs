//! Opens endpoints, gives them other secrets, and closes them.
//!
//! A secret is made here, or brought by the caller where the other system makes it; it is sealed before it is written, in one
//! row with all that belongs to it, and shown once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::endpoint::{
    Endpoint, EndpointId, Previous, Registration, StoredEndpoint, context, list_endpoints, read_endpoint,
};
use super::records::Records;
use crate::adapters::WebhookSupport;
use crate::flow::Ports;
use crate::flow::watch::Watch;
use crate::integration::{self, State, audit, integration_key};
use crate::keys::{KeyError, Keys, Sealed};
use crate::model::{FieldError, IntegrationId};
use crate::queue::Message;
use crate::settings::{Faults, Section};
use crate::store::{Content, Expect, Key, Store, StoreError, Write};
use crate::webhook::{NoRandomness, Scheme, Secrets, Verifier, profile};

/// The most endpoints that an integration has.
const MOST: usize = 10;

/// How often a registration is looked at.
const WATCHED: Duration = Duration::from_secs(60 * 60);

/// How soon one is looked at again that is not known to be as it should be.
const SOON: Duration = Duration::from_secs(10 * 60);

/// The longest name.
const LONGEST_NAME: usize = 100;

/// How long a secret may go on counting beside the one that takes its place.
pub(super) const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What an endpoint is to be.
#[derive(Debug)]
pub struct WantedEndpoint {
    name: String,
    scheme: Scheme,
    records: Option<Records>,
    registers: bool,
    secret: Option<SecretString>,
}

/// An endpoint, and its secret where it is to be shown.
#[derive(Debug)]
pub struct Opened {
    /// The endpoint.
    pub stored: StoredEndpoint,
    /// Its secret, where it was just made or brought; an attempt that was made before has shown it already.
    pub secret: Option<SecretString>,
}

/// Why an endpoint was not opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenEndpointError {
    /// The organization has not connected the system.
    #[error("{0} is not connected")]
    Unknown(IntegrationId),
    /// There is no such endpoint.
    #[error("there is no such endpoint")]
    UnknownEndpoint,
    /// The integration is being disconnected.
    #[error("the integration is being disconnected")]
    Disconnecting,
    /// What is wanted is wrong: everything that is, at once.
    #[error("what is wanted is not valid")]
    Invalid(Vec<FieldError>),
    /// Somebody else is changing it.
    #[error("somebody else is changing it")]
    Contended,
    /// The keys did not answer.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The machine gives no random bits.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<getrandom::Error> for OpenEndpointError {
    fn from(_: getrandom::Error) -> Self {
        Self::Randomness(NoRandomness)
    }
}

impl WantedEndpoint {
    /// Reads what is wanted of a system whose webhooks are supported so far.
    ///
    /// # Errors
    ///
    /// Every fault at once, by its path, and nothing of what a secret holds.
    pub fn read(body: &Map<String, Value>, support: WebhookSupport) -> Result<Self, Vec<FieldError>> {
        let (faults, value) = (Faults::default(), Value::Object(body.clone()));
        let wanted = Section::open("", &value, &faults).and_then(|section| {
            let name = section.required("name", name);
            let scheme = section.required_value("scheme", profile::check);
            let records = section.value("records", Records::check);
            let registers = section.flag("registers").unwrap_or(false);
            let secret = section.text("secret", |text| Ok(SecretString::from(text)));
            section.finish();
            if records.is_none() && section.get("records").is_none() && !support.reads {
                section.fault("records", "is required: says where in a body the rows are named");
            }
            let scheme = scheme?;
            if registers && !support.registers.fits(&scheme) {
                section.fault(
                    "registers",
                    "is only possible where the system lets us register webhooks of this scheme",
                );
            }
            if secret.is_none() && !scheme.makes_secrets() {
                section.fault("secret", "is required: the other system makes it");
            }
            Some(Self {
                name: name?,
                scheme,
                records,
                registers,
                secret,
            })
        });
        faults.or(wanted)
    }
}

fn name(text: &str) -> Result<String, String> {
    let plain = text.trim() == text && !text.contains(char::is_control);
    match (1..=LONGEST_NAME).contains(&text.chars().count()) && plain {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "must be 1 to {LONGEST_NAME} characters, with no space around them"
        )),
    }
}

/// Opens an endpoint; an attempt that was made since `resumes` and died gets the one that it opened then, without its secret.
///
/// # Errors
///
/// As [`OpenEndpointError`] says.
pub async fn open(
    ports: &Ports,
    keys: &dyn Keys,
    integration: &IntegrationId,
    wanted: WantedEndpoint,
    by: &str,
    resumes: Option<Timestamp>,
) -> Result<Opened, OpenEndpointError> {
    let guard = open_integration(ports, integration).await?;
    let endpoints = list_endpoints(&*ports.store, integration).await?;
    let taken = endpoints
        .iter()
        .find(|stored| stored.endpoint.name == wanted.name);
    if let Some(stored) = taken {
        if resumes.is_some_and(|since| stored.endpoint.created_at >= since) {
            let stored = stored.clone();
            return Ok(Opened { stored, secret: None });
        }
        return Err(invalid("name", "is that of another endpoint"));
    }
    if endpoints.len() >= MOST {
        return Err(invalid(
            "name",
            format!("would be that of one endpoint more than the {MOST} that there may be"),
        ));
    }
    let id = EndpointId::new(integration.organization.clone())?;
    let (secret, sealed) = seal(keys, integration, &id, &wanted.scheme, wanted.secret).await?;
    let digest = digest(&id, &secret);
    let now = ports.now();
    let endpoint = Endpoint {
        id,
        integration: integration.clone(),
        name: wanted.name,
        scheme: wanted.scheme,
        records: wanted.records,
        registers: wanted.registers,
        registration: None,
        closing: false,
        secret: sealed,
        digest,
        previous: None,
        created_at: now,
        rotated_at: None,
    };
    let writes = vec![
        Write::put(endpoint.key(), Expect::Absent, endpoint.content(now)),
        guard,
        audit::write(
            integration,
            by,
            "open_webhook_endpoint",
            &[endpoint.id.token()],
            now,
        ),
    ];
    write(ports, writes).await?;
    let stored = StoredEndpoint { endpoint, version: 1 };
    Ok(Opened {
        stored,
        secret: Some(secret),
    })
}

/// Gives an endpoint another secret; the one that it had counts for `overlap` longer.
///
/// The one that it has already changes nothing. An attempt that was made since `resumes` and died has shown its secret to nobody: the one before that goes on
/// counting.
///
/// # Errors
///
/// As [`OpenEndpointError`] says.
pub async fn rotate(
    ports: &Ports,
    keys: &dyn Keys,
    (integration, id): (&IntegrationId, &EndpointId),
    brought: Option<SecretString>,
    overlap: Duration,
    by: &str,
    resumes: Option<Timestamp>,
) -> Result<Opened, OpenEndpointError> {
    if overlap > LONGEST_OVERLAP {
        let most = LONGEST_OVERLAP.as_secs();
        return Err(invalid(
            "overlapSeconds",
            format!("must be a whole number from 0 to {most}"),
        ));
    }
    let StoredEndpoint { endpoint, version } = read_endpoint(&*ports.store, integration, id)
        .await?
        .ok_or(OpenEndpointError::UnknownEndpoint)?;
    if brought.is_none() && !endpoint.scheme.makes_secrets() {
        return Err(invalid("secret", "is required: the other system makes it"));
    }
    let (secret, sealed) = seal(keys, integration, id, &endpoint.scheme, brought).await?;
    let now = ports.now();
    let digest = digest(id, &secret);
    if digest == endpoint.digest {
        let stored = StoredEndpoint { endpoint, version };
        return Ok(Opened { stored, secret: None });
    }
    let died = resumes.is_some_and(|since| endpoint.rotated_at.is_some_and(|at| at >= since));
    let known = endpoint
        .previous
        .as_ref()
        .filter(|_| died)
        .map(|before| &before.secret);
    let previous = Previous {
        secret: known.unwrap_or(&endpoint.secret).clone(),
        until: now + overlap,
    };
    let endpoint = Endpoint {
        secret: sealed,
        digest,
        previous: (!overlap.is_zero()).then_some(previous),
        rotated_at: Some(now),
        ..endpoint
    };
    let writes = vec![
        Write::put(endpoint.key(), Expect::Version(version), endpoint.content(now)),
        audit::write(integration, by, "rotate_webhook_secret", &[id.token()], now),
    ];
    write(ports, writes).await?;
    let stored = StoredEndpoint {
        endpoint,
        version: version + 1,
    };
    Ok(Opened {
        stored,
        secret: Some(secret),
    })
}

/// Closes an endpoint: what is sent to it from now on is refused. Says whether there was one.
///
/// # Errors
///
/// Those of the store.
pub async fn close(
    ports: &Ports,
    integration: &IntegrationId,
    id: &EndpointId,
    by: &str,
) -> Result<bool, OpenEndpointError> {
    let Some(StoredEndpoint {
        mut endpoint,
        version,
    }) = read_endpoint(&*ports.store, integration, id).await?
    else {
        return Ok(false);
    };
    let now = ports.now();
    endpoint.closing = true;
    let gone = match endpoint.registers {
        // Whoever ends the registration removes it then.
        true => Write::put(endpoint.key(), Expect::Version(version), endpoint.content(now)),
        false => Write::delete(endpoint.key(), Expect::Version(version)),
    };
    let writes = vec![
        gone,
        audit::write(integration, by, "close_webhook_endpoint", &[id.token()], now),
    ];
    write(ports, writes).await?;
    Ok(true)
}

/// Takes note of how a registration stands, and has it looked at again in a while; `None` where the endpoint was changed.
///
/// # Errors
///
/// Those of the store.
pub async fn note_registration(
    store: &dyn Store,
    stored: StoredEndpoint,
    registration: Registration,
    now: Timestamp,
) -> Result<Option<StoredEndpoint>, StoreError> {
    let endpoint = Endpoint {
        registration: Some(registration),
        ..stored.endpoint
    };
    let failed = endpoint
        .registration
        .as_ref()
        .is_some_and(|known| known.failure.is_some());
    let content = endpoint.content(now + if failed { SOON } else { WATCHED });
    let write = Write::put(endpoint.key(), Expect::Version(stored.version), content);
    match store.write(vec![write]).await {
        Ok(()) => Ok(Some(StoredEndpoint {
            endpoint,
            version: stored.version + 1,
        })),
        // It is due for what was changed.
        Err(StoreError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes an endpoint whose registration has ended.
///
/// # Errors
///
/// Those of the store.
pub async fn remove(store: &dyn Store, stored: &StoredEndpoint) -> Result<(), StoreError> {
    let write = Write::delete(stored.endpoint.key(), Expect::Version(stored.version));
    match store.write(vec![write]).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the message that has a registration looked at, where one that is due is still kept, and when to look again.
///
/// # Errors
///
/// Those of the store.
pub async fn watch_due(store: &dyn Store, key: &Key, now: Timestamp) -> Result<Option<Message>, StoreError> {
    let Some(row) = store.get(std::slice::from_ref(key)).await?.pop().flatten() else {
        return Ok(None);
    };
    let endpoint: Endpoint = row.decode()?;
    if !endpoint.registers {
        return Ok(None);
    }
    let write = Write::put(
        row.key,
        Expect::Version(row.version),
        endpoint.content(now + SOON),
    );
    match store.write(vec![write]).await {
        Ok(()) => Ok(Some(Message {
            system: endpoint.integration.system,
            group: format!("{}#watch", endpoint.integration),
            deduplication: format!("{}-{}", endpoint.id.token(), row.version),
            body: Content::of(&Watch {
                watch: endpoint.id,
                integration: endpoint.integration,
            })
            .body,
        })),
        Err(StoreError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Insists on an integration that is not being disconnected.
async fn open_integration(ports: &Ports, id: &IntegrationId) -> Result<Write, OpenEndpointError> {
    let stored = integration::read(&*ports.store, id).await?;
    let stored = stored.ok_or_else(|| OpenEndpointError::Unknown(id.clone()))?;
    match stored.integration.state {
        State::Disconnecting => Err(OpenEndpointError::Disconnecting),
        State::Active | State::Paused | State::NeedsReauthorization => {
            Ok(Write::check(integration_key(id), Expect::Version(stored.version)))
        }
    }
}

/// Makes a secret, or takes the one that was brought, if it is one that nobody guesses.
async fn seal(
    keys: &dyn Keys,
    integration: &IntegrationId,
    id: &EndpointId,
    scheme: &Scheme,
    brought: Option<SecretString>,
) -> Result<(SecretString, Sealed), OpenEndpointError> {
    let secret = match brought {
        Some(secret) => secret,
        None => scheme.new_secret()?,
    };
    Verifier::new(scheme, &Secrets::of(secret.clone())).map_err(|faults| {
        let reasons = faults
            .into_iter()
            .map(|fault| FieldError::new("secret", fault.reason));
        OpenEndpointError::Invalid(reasons.collect())
    })?;
    let sealed = keys.seal(&context(integration, id), &secret).await?;
    Ok((secret, sealed))
}

/// Returns what a secret is known by: it has too many random bits for anybody to find it by that.
fn digest(id: &EndpointId, secret: &SecretString) -> String {
    let mut digest = Sha256::new();
    digest.update(id.token());
    digest.update(secret.expose_secret());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

async fn write(ports: &Ports, writes: Vec<Write>) -> Result<(), OpenEndpointError> {
    match ports.store.write(writes).await {
        Err(StoreError::Refused { .. }) => Err(OpenEndpointError::Contended),
        answer => Ok(answer?),
    }
}

fn invalid(field: &str, reason: impl Into<String>) -> OpenEndpointError {
    OpenEndpointError::Invalid(vec![FieldError::new(field, reason)])
}

impl Endpoint {
    /// Returns the content of its row: one that this service registers is due, so that the registration is looked at.
    pub(crate) fn content(&self, due: Timestamp) -> Content {
        let content = Content::of(self);
        match self.registers {
            true => content.due_at(due),
            false => content,
        }
    }
}
