//! From an integration to its adapter, with the credentials that are kept for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Connections, connect};
use crate::adapter::{Adapter, ErrorKind, Unusable};
use crate::flow::work::Connect;
use crate::integration::Integration;
use crate::model::{FieldError, IntegrationId};
use crate::secrets::{SecretError, Secrets};

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
impl Connect for Registry {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        let unusable =
            |(kind, why)| Arc::new(Unusable::new(integration.id.system, kind, why)) as Arc<dyn Adapter>;
        self.set_up(integration).await.unwrap_or_else(unusable)
    }
}

impl Registry {
    async fn set_up(&self, integration: &Integration) -> Result<Arc<dyn Adapter>, (ErrorKind, String)> {
        let name = secret_name(&self.secret_prefix, &integration.id);
        let secret = self
            .secrets
            .get(&name)
            .await
            .map_err(|error| without_secret(&error))?;
        connect(integration, &secret, &self.connections, self.deadline()).map_err(|faults| faulty(&faults))
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
    (kind, error.to_string())
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
