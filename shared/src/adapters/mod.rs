//! The registry: from an integration's configuration to its adapter.
//!
//! Adapters do not know each other, and nobody outside knows more of them than the trait.
//!
//! # Wrappers
//!
//! `Log(Retry(Deadline(adapter)))`, from the outside in. The deadline is innermost, so that every attempt is cut
//! off in time and a retry sees the cut as an error like any other; were it outermost, a retry could not tell how
//! much time an attempt may take. The log is outermost, so that one call is one line, however many attempts it took.

mod dynamics365;
mod registry;
mod session;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::adapter::{Adapter, Deadline, Log, ReadWebhook, Retry};
use crate::clock::Clock;
use crate::flow::refresh::Registration;
use crate::http::{Exceptions, Http};
use crate::integration::Integration;
use crate::model::{FieldError, System};
use crate::oauth::{Application, Grant, Outbound, SharedTokens, TokenCache, TokenKey, TokenSource};
use crate::secrets::Secret;
use session::Sessions;

pub use registry::{Registry, secret_name};

/// What adapters share: made once in the life of a process, so that a warm one keeps its connections and tokens.
#[derive(Clone)]
pub struct Connections {
    http: Http,
    clock: Arc<dyn Clock>,
    tokens: Arc<TokenCache>,
    shared: Option<SharedTokens>,
    sessions: Arc<Sessions>,
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
        TokenSource {
            key,
            grant,
            endpoint: Arc::new(endpoint),
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
    match integration.id.system {
        System::Dynamics365 => {
            let adapter = dynamics365::connect(integration, secret, connections)?;
            Ok(wrap(adapter, &connections.clock, deadline))
        }
    }
}

/// Returns how an integration signs in; nothing is sent.
///
/// # Errors
///
/// As for [`connect`].
pub fn registration(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
) -> Result<Registration, Vec<FieldError>> {
    match integration.id.system {
        System::Dynamics365 => dynamics365::registration(integration, secret, connections),
    }
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
    match integration.id.system {
        System::Dynamics365 => dynamics365::webhooks(integration, exceptions).map(Some),
    }
}

/// What can be done about the webhooks of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookSupport {
    /// Its own webhooks can be read.
    pub reads: bool,
    /// They can be registered.
    pub registers: bool,
}

/// Says what can be done about the webhooks of a system.
#[must_use]
pub const fn webhook_support(system: System) -> WebhookSupport {
    match system {
        System::Dynamics365 => WebhookSupport {
            reads: true,
            registers: true,
        },
    }
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
    match system {
        System::Dynamics365 => dynamics365::check_settings(settings, exceptions),
    }
}

/// Checks that changed settings lead to where the old ones led: links hold the ids of one place.
///
/// # Errors
///
/// Every setting that leads elsewhere, by its path.
pub fn check_move(system: System, before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
    match system {
        System::Dynamics365 => dynamics365::check_move(before, after),
    }
}

/// Checks the credentials that an integration is to have.
///
/// # Errors
///
/// Every fault at once, by path and without what they hold.
pub fn check_credentials(system: System, credentials: &SecretString) -> Result<(), Vec<FieldError>> {
    match system {
        System::Dynamics365 => dynamics365::check_credentials(credentials),
    }
}

/// Says when credentials stop working, where that is known.
#[must_use]
pub fn credentials_expire_at(system: System, credentials: &SecretString) -> Option<Timestamp> {
    match system {
        System::Dynamics365 => dynamics365::credentials_expire_at(credentials),
    }
}
