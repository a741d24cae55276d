//! The secrets in Secrets Manager.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret, SecretString};

use super::{Secret, SecretError, Secrets, check_token};

/// How long a deleted secret can be brought back: the shortest time that AWS gives.
const GRACE_DAYS: i64 = 7;

/// Keeps secrets in Secrets Manager, under a prefix.
///
/// A secret that the deployment makes is named by its ARN, without a prefix.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    prefix: String,
}

/// A refusal or failure, without the answer itself: that one may hold the secret.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct Failure {
    code: String,
    message: String,
}

impl SecretsManager {
    /// Keeps secrets through `client` under names that begin with `prefix`.
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self { client, prefix }
    }

    fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn put_version(&self, name: &str, value: &SecretString, token: &str) -> Result<String, Failure> {
        let request = self.client.put_secret_value().secret_id(self.id(name));
        let request = request
            .client_request_token(token)
            .secret_string(value.expose_secret());
        let answer = request.send().await.map_err(Failure::of)?;
        Ok(answer.version_id.unwrap_or_else(|| token.to_owned()))
    }

    async fn create(&self, name: &str, value: &SecretString, token: &str) -> Result<String, Failure> {
        let request = self.client.create_secret().name(self.id(name));
        let request = request
            .client_request_token(token)
            .secret_string(value.expose_secret());
        let answer = request.send().await.map_err(Failure::of)?;
        Ok(answer.version_id.unwrap_or_else(|| token.to_owned()))
    }

    async fn restore(&self, name: &str) -> Result<(), Failure> {
        let request = self.client.restore_secret().secret_id(self.id(name));
        request.send().await.map(drop).map_err(Failure::of)
    }

    async fn create_or_put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, Failure> {
        match self.create(name, value, token).await {
            Err(failure) if failure.code == "ResourceExistsException" => {
                self.put_version(name, value, token).await
            }
            created => created,
        }
    }

    async fn restore_and_put(
        &self,
        name: &str,
        value: &SecretString,
        token: &str,
    ) -> Result<String, Failure> {
        self.restore(name).await?;
        self.put_version(name, value, token).await
    }
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManager")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let request = self.client.get_secret_value().secret_id(self.id(name));
        let answer = request
            .send()
            .await
            .map_err(|error| Failure::of(error).about(name))?;
        match (answer.secret_string, answer.version_id) {
            (Some(value), Some(version)) => Ok(Secret {
                value: value.into(),
                version,
            }),
            _ => Err(SecretError::Unavailable("the secret is not a text".into())),
        }
    }

    async fn put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, SecretError> {
        check_token(token)?;
        let put = match self.put_version(name, value, token).await {
            Err(failure) if failure.code == "ResourceNotFoundException" => {
                self.create_or_put(name, value, token).await
            }
            // A secret that waits for its deletion takes no new version.
            Err(failure) if failure.code == "InvalidRequestException" => {
                self.restore_and_put(name, value, token).await
            }
            put => put,
        };
        put.map_err(|failure| failure.about(name))
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        let request = self.client.delete_secret().secret_id(self.id(name));
        let deleted = request.recovery_window_in_days(GRACE_DAYS).send().await;
        match deleted.map_err(|error| Failure::of(error).about(name)) {
            Ok(_) | Err(SecretError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Failure {
    fn of<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug,
    {
        let code = error.code().unwrap_or(match error {
            SdkError::ConstructionFailure(_) => "request not built",
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "not reached",
            SdkError::ResponseError(_) => "answer not understood",
            _ => "unknown failure",
        });
        Self {
            code: code.to_owned(),
            message: error.message().unwrap_or_default().to_owned(),
        }
    }

    fn about(self, name: &str) -> SecretError {
        let name = name.to_owned();
        match self.code.as_str() {
            "ResourceNotFoundException" | "InvalidRequestException" => SecretError::Missing { name },
            "AccessDeniedException" | "DecryptionFailure" | "EncryptionFailure" => {
                SecretError::Denied { name }
            }
            _ => SecretError::Unavailable(Box::new(self)),
        }
    }
}
