//! From an integration to its adapter, with the credentials that are kept for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Connections, books, connect, needs_credentials, registration};
use crate::adapter::{self, Adapter, ErrorKind, Finding, Unusable};
use crate::export::Books;
use crate::flow::refresh::{Registration, Registrations};
use crate::flow::work::Connect;
use crate::integration::{Integration, Prove};
use crate::model::{FieldError, IntegrationId};
use crate::oauth::{TokenError, TokenErrorKind};
use crate::secrets::{Secret, SecretError, Secrets};

/// Sets up adapters.
#[derive(Debug, Clone)]
pub struct Registry {
    /// What adapters share.
    pub connections: Connections,
    /// Where credentials are kept.
    pub secrets: Arc<dyn Secrets>,
    /// What the names of secrets begin with, such as `members/production/`.
    pub secret_prefix: String,
    /// How long an adapter may take for everything that it is asked, from when it was set up.
    pub time_limit: Duration,
}

/// Returns the name of an integration's secret: `{prefix}{organizationId}/{integrationType}`.
#[must_use]
pub fn secret_name(prefix: &str, integration: &IntegrationId) -> String {
    format!("{prefix}{}/{}", integration.organization, integration.system)
}

#[async_trait]
impl Registrations for Registry {
    async fn registration(&self, integration: &Integration) -> Result<Registration, TokenError> {
        let secret = self.secret(integration).await.map_err(without_token)?;
        let registered = registration(integration, &secret, &self.connections);
        let registered = registered.map_err(|faults| without_token(faulty(&faults)))?;
        registered.ok_or_else(|| {
            let why = "the system is shown the credentials themselves: there is no token to renew";
            TokenError::new(TokenErrorKind::Malformed, "configuration", why)
        })
    }
}

#[async_trait]
impl Prove for Registry {
    /// A person's sign-in is renewed with them; an application signs in anew, and is seen to do all that a sync needs.
    async fn prove(&self, integration: &Integration, secret: &Secret) -> Vec<Finding> {
        let failed = |question: &str, answer: String| {
            vec![Finding {
                question: question.to_owned(),
                works: false,
                cause: None,
                answer,
            }]
        };
        let registration = match registration(integration, secret, &self.connections) {
            Ok(registration) => registration,
            Err(faults) => return failed("configuration", faulty(&faults).1),
        };
        if let Some(registration) = registration.filter(|registration| registration.sign_in.is_some()) {
            return match registration.tokens.prove().await {
                Ok(_) => Vec::new(),
                // It says nothing against the application's own credentials, with which the person signs in anew.
                Err(error) if error.has_ended() => Vec::new(),
                Err(error) => failed("sign in", error.to_string()),
            };
        }
        match connect(integration, secret, &self.connections.alone(), self.deadline()) {
            Ok(adapter) => adapter
                .probe()
                .await
                .into_iter()
                .filter(|finding| !finding.works)
                .collect(),
            Err(faults) => failed("configuration", faulty(&faults).1),
        }
    }
}

#[async_trait]
impl Connect for Registry {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        let unusable =
            |(kind, why)| Arc::new(Unusable::new(integration.id.system, kind, why)) as Arc<dyn Adapter>;
        self.set_up(integration).await.unwrap_or_else(unusable)
    }

    async fn books(&self, integration: &Integration) -> adapter::Result<Arc<dyn Books>> {
        let unusable = |(kind, why): (ErrorKind, String)| adapter::Error::new(kind, why);
        let secret = self.secret(integration).await.map_err(unusable)?;
        let books = books(integration, &secret, &self.connections);
        books.map_err(|faults| unusable(faulty(&faults)))?.ok_or_else(|| {
            unusable((
                ErrorKind::Unsupported,
                format!("{} keeps no books", integration.id.system),
            ))
        })
    }
}

impl Registry {
    async fn set_up(&self, integration: &Integration) -> Result<Arc<dyn Adapter>, (ErrorKind, String)> {
        let secret = self.secret(integration).await?;
        connect(integration, &secret, &self.connections, self.deadline()).map_err(|faults| faulty(&faults))
    }

    async fn secret(&self, integration: &Integration) -> Result<Secret, (ErrorKind, String)> {
        if !needs_credentials(integration.id.system, &integration.settings) {
            return Ok(Secret {
                value: "{}".to_owned().into(),
                version: String::new(),
            });
        }
        let name = secret_name(&self.secret_prefix, &integration.id);
        let secret = self.secrets.get(&name).await;
        secret.map_err(|error| without_secret(&error))
    }

    fn deadline(&self) -> Timestamp {
        self.connections
            .clock
            .now()
            .checked_add(self.time_limit)
            .unwrap_or(Timestamp::MAX)
    }
}

fn without_secret(error: &SecretError) -> (ErrorKind, String) {
    let kind = match error {
        SecretError::Missing { .. } => ErrorKind::Unauthenticated,
        // A matter between us and AWS: nobody gives the system other rights for it.
        SecretError::Denied { .. } | SecretError::Invalid(_) => {
            tracing::error!(%error, "the credentials cannot be read");
            ErrorKind::Unavailable
        }
        SecretError::Full { .. } | SecretError::Unavailable(_) => ErrorKind::Unavailable,
    };
    let told = match error {
        SecretError::Missing { .. } => "there are no credentials: put the integration with some".to_owned(),
        SecretError::Denied { .. } => "the credentials may not be read".to_owned(),
        other => other.to_string(),
    };
    (kind, told)
}

/// A human gives other credentials, or looks at what is configured.
fn without_token((kind, why): (ErrorKind, String)) -> TokenError {
    match kind {
        ErrorKind::Unauthenticated => TokenError::new(TokenErrorKind::Refused, "key", why),
        ErrorKind::Unavailable => TokenError::new(TokenErrorKind::Unavailable, "secrets", why),
        _ => TokenError::new(TokenErrorKind::Malformed, "configuration", why),
    }
}

/// Faults of credentials are mended by other credentials, those of settings by other settings.
fn faulty(faults: &[FieldError]) -> (ErrorKind, String) {
    let credentials = faults.iter().any(|fault| fault.field.starts_with("credentials"));
    let kind = if credentials {
        ErrorKind::Unauthenticated
    } else {
        ErrorKind::Unsupported
    };
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    (kind, all.join("; "))
}
