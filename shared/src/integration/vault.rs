//! Where the credentials of integrations are put; nothing here reads those that are current.

use std::sync::Arc;

use secrecy::SecretString;

use crate::adapters::secret_name;
use crate::model::IntegrationId;
use crate::secrets::{Secret, SecretError, Secrets};

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

    /// Keeps credentials beside those that are current.
    pub(super) async fn put_pending(
        &self,
        id: &IntegrationId,
        credentials: &SecretString,
    ) -> Result<Secret, SecretError> {
        let token = uuid::Uuid::new_v4().to_string();
        let name = secret_name(&self.prefix, id);
        let version = self.secrets.put_pending(&name, credentials, &token).await?;
        Ok(Secret {
            value: credentials.clone(),
            version,
        })
    }

    /// Makes pending credentials the current ones.
    pub(super) async fn promote(&self, id: &IntegrationId, pending: &Secret) -> Result<(), SecretError> {
        let name = secret_name(&self.prefix, id);
        self.secrets.promote(&name, &pending.version).await
    }

    /// Takes pending credentials back.
    pub(super) async fn withdraw(&self, id: &IntegrationId, pending: &Secret) -> Result<(), SecretError> {
        let name = secret_name(&self.prefix, id);
        self.secrets.withdraw(&name, &pending.version).await
    }

    pub(super) async fn delete(&self, id: &IntegrationId) -> Result<(), SecretError> {
        self.secrets.delete(&secret_name(&self.prefix, id)).await
    }
}
