//! The registry: from an integration's configuration to its adapter.
//!
//! Adapters do not know each other, and nobody outside knows more of them than the trait.
//!
//! # Wrappers
//!
//! `Log(Retry(Deadline(adapter)))`, from the outside in. The deadline is innermost, so that every attempt is cut
//! off in time and a retry sees the cut as an error like any other; were it outermost, a retry could not tell how
//! much time an attempt may take. The log is outermost, so that one call is one line, however many attempts it took.

mod consio;
mod cornerstone;
mod definition;
mod dynamics365;
mod effect;
mod files;
mod registry;
mod session;
pub mod xledger;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::adapter::{Adapter, Deadline, Log, ReadWebhook, Retry};
use crate::clock::Clock;
use crate::export::Books;
use crate::flow::refresh::Registration;
use crate::http::{Exceptions, Http};
use crate::integration::Integration;
use crate::model::{FieldError, FilePurpose, Kind, System};
use crate::oauth::{
    Application, Grant, Outbound, SharedTokens, TokenCache, TokenEndpoint, TokenKey, TokenSource,
};
use crate::secrets::Secret;
use crate::transfer::Render;
use definition::Definition;
use session::Sessions;

pub use definition::{Registers, WebhookSupport};
pub use files::FileStores;
pub use registry::{Registry, secret_name};

/// What adapters share: made once in the life of a process, so that a warm one keeps its connections and tokens.
#[derive(Clone)]
pub struct Connections {
    http: Http,
    clock: Arc<dyn Clock>,
    tokens: Arc<TokenCache>,
    shared: Option<SharedTokens>,
    sessions: Arc<Sessions>,
    files: Option<FileStores>,
}

impl Connections {
    /// Makes connections that keep to the rules of [`crate::http`], but for these exceptions.
    #[must_use]
    pub fn new(exceptions: Exceptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            http: Http::new(exceptions),
            clock,
            tokens: Arc::default(),
            shared: None,
            sessions: Arc::default(),
            files: None,
        }
    }

    /// Shares tokens with other processes; without, this one keeps its own.
    #[must_use]
    pub fn sharing(self, tokens: SharedTokens) -> Self {
        Self {
            shared: Some(tokens),
            ..self
        }
    }

    /// Lets records travel by files; without, integrations that need that cannot be set up.
    #[must_use]
    pub fn filing(self, files: FileStores) -> Self {
        Self {
            files: Some(files),
            ..self
        }
    }

    /// The same way out, with tokens that nobody else sees: where credentials are only tried.
    fn alone(&self) -> Self {
        Self {
            tokens: Arc::default(),
            shared: None,
            ..self.clone()
        }
    }

    fn source(&self, key: TokenKey, grant: Grant, application: Application, http: &Http) -> TokenSource {
        let endpoint = Outbound {
            application,
            http: http.clone(),
            clock: Arc::clone(&self.clock),
        };
        self.source_from(key, grant, Arc::new(endpoint))
    }

    fn source_from(&self, key: TokenKey, grant: Grant, endpoint: Arc<dyn TokenEndpoint>) -> TokenSource {
        TokenSource {
            key,
            grant,
            endpoint,
            clock: Arc::clone(&self.clock),
            cache: Arc::clone(&self.tokens),
            shared: self.shared.clone(),
        }
    }

    /// Returns the origins outside the rules.
    #[must_use]
    pub fn exceptions(&self) -> &Exceptions {
        self.http.exceptions()
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

/// Makes the adapter of an integration; nothing is sent. Every call ends before `deadline`.
///
/// # Errors
///
/// Every fault of the settings and credentials, by path and without what they hold.
pub fn connect(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
    deadline: Timestamp,
) -> Result<Arc<dyn Adapter>, Vec<FieldError>> {
    definition(integration.id.system).connect(integration, secret, connections, deadline)
}

/// Makes the way into the books of an integration, none where its system keeps none; nothing is sent.
///
/// # Errors
///
/// As for [`connect`].
pub fn books(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
) -> Result<Option<Arc<dyn Books>>, Vec<FieldError>> {
    definition(integration.id.system).books(integration, secret, connections)
}

/// Returns how an integration signs in, none where its credentials are shown as they are; nothing is sent.
///
/// # Errors
///
/// As for [`connect`].
pub fn registration(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
) -> Result<Option<Registration>, Vec<FieldError>> {
    definition(integration.id.system).registration(integration, secret, connections)
}

fn wrap(adapter: impl Adapter, clock: &Arc<dyn Clock>, deadline: Timestamp) -> Arc<dyn Adapter> {
    let adapter = Deadline::new(adapter, Arc::clone(clock), deadline);
    let adapter = Retry::new(adapter, Arc::clone(clock), deadline);
    Arc::new(Log::new(adapter, Arc::clone(clock)))
}

/// Returns what reads the webhooks that the system of an integration sends by itself; none where it sends none that are
/// known, and the endpoint says where in them rows are named.
///
/// # Errors
///
/// Every fault of the settings.
pub fn webhooks(
    integration: &Integration,
    exceptions: &Exceptions,
) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>> {
    definition(integration.id.system).webhooks(integration, exceptions)
}

/// Says whether an integration with these settings needs credentials.
#[must_use]
pub fn needs_credentials(system: System, settings: &Value) -> bool {
    definition(system).needs_credentials(settings)
}

/// Returns the profile by which an upload is read: the one that it is announced with, or the usual one.
///
/// # Errors
///
/// Every fault: nobody takes uploads for this purpose, or could read the rows of this profile.
pub fn upload_profile(
    integration: &Integration,
    purpose: &FilePurpose,
    announced: Option<&Value>,
) -> Result<Value, Vec<FieldError>> {
    definition(integration.id.system).upload_profile(integration, purpose, announced)
}

/// Returns what renders the files that go out to an integration; none where its system takes none.
#[must_use]
pub fn renderer(integration: &Integration) -> Option<Box<dyn Render>> {
    definition(integration.id.system).renderer(integration)
}

/// Says what can be done about the webhooks of a system.
#[must_use]
pub fn webhook_support(system: System) -> WebhookSupport {
    definition(system).webhook_support()
}

/// Says which kinds of record the settings of an integration name; asking costs no I/O.
#[must_use]
pub fn kinds(system: System, settings: &Value) -> Vec<Kind> {
    definition(system).kinds(settings)
}

/// Checks the settings that an integration is to have.
///
/// # Errors
///
/// Every fault at once, each under the path where it stands, such as `settings.members.fields.firstNam`.
pub fn check_settings(
    system: System,
    settings: &Value,
    exceptions: &Exceptions,
) -> Result<(), Vec<FieldError>> {
    definition(system).check_settings(settings, exceptions)
}

/// Checks that changed settings lead to where the old ones led: links hold the ids of one place.
///
/// # Errors
///
/// Every setting that leads elsewhere, by its path.
pub fn check_move(system: System, before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
    definition(system).check_move(before, after)
}

/// Checks the credentials that an integration is to have.
///
/// # Errors
///
/// Every fault at once, by path and without what they hold.
pub fn check_credentials(system: System, credentials: &SecretString) -> Result<(), Vec<FieldError>> {
    definition(system).check_credentials(credentials)
}

/// Says when credentials stop working, where that is known.
#[must_use]
pub fn credentials_expire_at(system: System, credentials: &SecretString) -> Option<Timestamp> {
    definition(system).credentials_expire_at(credentials)
}

/// The one place that lists the adapters.
fn definition(system: System) -> &'static dyn Definition {
    match system {
        System::Dynamics365 => &dynamics365::Definition,
        System::Xledger => &xledger::Definition,
        System::Cornerstone => &cornerstone::Definition,
        System::Consio => &consio::CONSIO,
        System::Rest => &consio::REST,
    }
}
