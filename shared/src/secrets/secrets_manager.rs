//! The secrets in Secrets Manager.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret, SecretString};

use super::{Secret, SecretError, Secrets, check_token};

/// How long a deleted secret can be brought back: the shortest time that AWS gives.
const GRACE_DAYS: i64 = 7;

/// The label of the version that is read.
const CURRENT: &str = "AWSCURRENT";

/// The label of a version that is to become the current one. Left lying, it would stand in the way of a rotation.
const PENDING: &str = "AWSPENDING";

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

/// The labels of the versions of a secret that have any.
struct Labels(HashMap<String, Vec<String>>);

impl Labels {
    fn has(&self, version: &str, label: &str) -> bool {
        let labels = self.0.get(version).into_iter().flatten();
        labels.into_iter().any(|one| one == label)
    }

    /// Returns the version that has a label.
    fn holder(&self, label: &str) -> Option<&str> {
        let mut versions = self.0.keys().map(String::as_str);
        versions.find(|version| self.has(version, label))
    }
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

    async fn read(&self, name: &str, version: Option<&str>) -> Result<Secret, SecretError> {
        let request = self.client.get_secret_value().secret_id(self.id(name));
        let request = match version {
            Some(version) => request.version_id(version),
            None => request.version_stage(CURRENT),
        };
        let answer = request.send().await;
        let answer = answer.map_err(|error| Failure::of(error).about(name))?;
        match (answer.secret_string, answer.version_id) {
            (Some(value), Some(version)) => Ok(Secret {
                value: value.into(),
                version,
            }),
            _ => Err(SecretError::Unavailable("the secret is not a text".into())),
        }
    }

    async fn put_labelled(
        &self,
        label: &str,
        name: &str,
        value: &SecretString,
        token: &str,
    ) -> Result<String, SecretError> {
        check_token(token)?;
        let put = match self.put_version(label, name, value, token).await {
            Err(failure) if failure.code == "ResourceNotFoundException" => {
                self.create_or_put(label, name, value, token).await
            }
            // A secret that waits for its deletion takes no new version.
            Err(failure) if failure.code == "InvalidRequestException" => {
                self.restore_and_put(name, value, token).await
            }
            put => put,
        };
        put.map_err(|failure| failure.about(name))
    }

    async fn put_version(
        &self,
        label: &str,
        name: &str,
        value: &SecretString,
        token: &str,
    ) -> Result<String, Failure> {
        let request = self.client.put_secret_value().secret_id(self.id(name));
        let request = request
            .client_request_token(token)
            .secret_string(value.expose_secret())
            .version_stages(label);
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

    /// The version that a secret is created with is its current one.
    async fn create_or_put(
        &self,
        label: &str,
        name: &str,
        value: &SecretString,
        token: &str,
    ) -> Result<String, Failure> {
        match self.create(name, value, token).await {
            Err(failure) if failure.code == "ResourceExistsException" => {
                self.put_version(label, name, value, token).await
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
        self.put_version(CURRENT, name, value, token).await
    }

    async fn labels(&self, name: &str) -> Result<Labels, SecretError> {
        let request = self.client.describe_secret().secret_id(self.id(name));
        let answer = request.send().await;
        let answer = answer.map_err(|error| Failure::of(error).about(name))?;
        if answer.deleted_date.is_some() {
            let name = name.to_owned();
            return Err(SecretError::Missing { name });
        }
        Ok(Labels(answer.version_ids_to_stages.unwrap_or_default()))
    }

    async fn move_label(
        &self,
        label: &str,
        name: &str,
        (from, to): (Option<&str>, Option<&str>),
    ) -> Result<(), SecretError> {
        let request = self.client.update_secret_version_stage().secret_id(self.id(name));
        let request = request
            .version_stage(label)
            .set_remove_from_version_id(from.map(str::to_owned))
            .set_move_to_version_id(to.map(str::to_owned));
        match request.send().await.map_err(Failure::of) {
            Ok(_) => Ok(()),
            // Somebody else has moved it since its holder was read.
            Err(failure) if failure.code == "InvalidParameterException" => {
                Err(SecretError::Unavailable(Box::new(failure)))
            }
            Err(failure) => Err(failure.about(name)),
        }
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
        self.read(name, None).await
    }

    async fn get_version(&self, name: &str, version: &str) -> Result<Secret, SecretError> {
        self.read(name, Some(version)).await
    }

    async fn put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, SecretError> {
        self.put_labelled(CURRENT, name, value, token).await
    }

    async fn put_pending(
        &self,
        name: &str,
        value: &SecretString,
        token: &str,
    ) -> Result<String, SecretError> {
        self.put_labelled(PENDING, name, value, token).await
    }

    async fn promote(&self, name: &str, version: &str) -> Result<(), SecretError> {
        let labels = self.labels(name).await?;
        let pending = labels.has(version, PENDING);
        if !labels.has(version, CURRENT) {
            if !pending {
                let name = name.to_owned();
                return Err(SecretError::Missing { name });
            }
            let from_to = (labels.holder(CURRENT), Some(version));
            self.move_label(CURRENT, name, from_to).await?;
        }
        if pending {
            self.move_label(PENDING, name, (Some(version), None)).await?;
        }
        Ok(())
    }

    async fn withdraw(&self, name: &str, version: &str) -> Result<(), SecretError> {
        match self.labels(name).await {
            Ok(labels) if labels.has(version, PENDING) => {
                self.move_label(PENDING, name, (Some(version), None)).await
            }
            Ok(_) | Err(SecretError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
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

    /// Sorts Secrets Manager's errors by what the caller does next.
    ///
    /// Source: AWS Secrets Manager API Reference, the errors of the operations that are used here; `AccessDeniedException`
    /// is also what a key is answered with that we may not use.
    fn about(self, name: &str) -> SecretError {
        let name = name.to_owned();
        match self.code.as_str() {
            "ResourceNotFoundException" | "InvalidRequestException" => SecretError::Missing { name },
            "AccessDeniedException" | "DecryptionFailure" | "EncryptionFailure" => {
                SecretError::Denied { name }
            }
            code if code.starts_with("KMS") => SecretError::Denied { name },
            "LimitExceededException" => SecretError::Full { name },
            "ResourceExistsException" | "InvalidParameterException" => SecretError::Invalid(Box::new(self)),
            _ => SecretError::Unavailable(Box::new(self)),
        }
    }
}
