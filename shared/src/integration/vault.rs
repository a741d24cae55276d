//! Where the credentials of integrations are put; nothing here reads them.

use std::sync::Arc;

use secrecy::SecretString;

use crate::adapters::secret_name;
use crate::model::IntegrationId;
use crate::secrets::{SecretError, Secrets};

/// Takes the credentials of integrations.
#[derive(Debug, Clone)]
pub struct Vault {
    secrets: Arc<dyn Secrets>,
    prefix: Arc<str>,
}

impl Vault {
    /// Keeps credentials in `secrets`, under names that begin with `prefix`.
    pub fn new(secrets: Arc<dyn Secrets>, prefix: impl Into<Arc<str>>) -> Self {
        let prefix = prefix.into();
        Self { secrets, prefix }
    }

    pub(super) async fn put(
        &self,
        id: &IntegrationId,
        credentials: &SecretString,
    ) -> Result<(), SecretError> {
        let token = uuid::Uuid::new_v4().to_string();
        let name = secret_name(&self.prefix, id);
        self.secrets.put(&name, credentials, &token).await.map(drop)
    }

    pub(super) async fn delete(&self, id: &IntegrationId) -> Result<(), SecretError> {
        self.secrets.delete(&secret_name(&self.prefix, id)).await
    }
}
