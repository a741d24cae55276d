//! The port to the secrets: one per integration.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

mod memory;
mod secrets_manager;

pub use memory::{MemorySecrets, Trouble};
pub use secrets_manager::SecretsManager;

/// How long a secret that takes no further version is to be left alone.
///
/// All versions of a day are kept, and there can only be so many: one every ten minutes is what a secret takes for long.
///
/// Source: AWS Secrets Manager API Reference, `PutSecretValue`.
pub const REST: Duration = Duration::from_secs(10 * 60);

/// A secret as it was read.
#[derive(Debug, Clone)]
pub struct Secret {
    /// What it holds: JSON.
    pub value: SecretString,
    /// Which version of it; changes with every write.
    pub version: String,
}

/// Why a secret could not be read or written; never says what it holds.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is none under this name, or it is waiting for its deletion.
    #[error("there is no secret {name}")]
    Missing {
        /// Its name.
        name: String,
    },
    /// We may not read or write it, or not use the key that seals it, which may be disabled.
    #[error("access to the secret {name} is denied")]
    Denied {
        /// Its name.
        name: String,
    },
    /// It was written too often, and takes no further version for now: come back after [`REST`].
    #[error("the secret {name} was written too often; it takes another version in ten minutes")]
    Full {
        /// Its name.
        name: String,
    },
    /// The store of secrets is throttled, busy or out of reach.
    #[error("the secrets are unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The store refuses the request as such, as where a token was used for another value: an error of ours.
    #[error("the secrets refuse the request")]
    Invalid(#[source] Box<dyn Error + Send + Sync>),
}

/// Reads and writes secrets.
///
/// # Behaviour
///
/// - What was put is what is read, with another version than before.
/// - Putting the same value again under the same token changes nothing.
/// - A deleted secret is missing; putting it again brings it back.
/// - Deleting what is missing succeeds.
/// - What is pending changes nothing of what is read until it is promoted, however long it is left lying.
/// - What is put pending where there is no current version is current at once.
/// - Promoting or withdrawing once more changes nothing.
/// - Withdrawing takes nothing from the current version, and nothing that was withdrawn or replaced is promoted.
#[async_trait]
pub trait Secrets: Debug + Send + Sync + 'static {
    /// Returns the current version of a secret.
    ///
    /// # Errors
    ///
    /// `Missing`, `Denied`, `Unavailable`.
    async fn get(&self, name: &str) -> Result<Secret, SecretError>;

    /// Returns a version of a secret, such as one that is pending.
    ///
    /// # Errors
    ///
    /// `Missing`, `Denied`, `Unavailable`.
    async fn get_version(&self, name: &str, version: &str) -> Result<Secret, SecretError>;

    /// Makes `value` the current version of a secret, creating it where there is none; returns the version.
    ///
    /// `token` names the attempt: 32 to 64 characters, the same when it is repeated.
    ///
    /// # Errors
    ///
    /// `Denied`, `Full`, `Unavailable`; `Invalid` where the token was used for another value.
    async fn put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, SecretError>;

    /// Keeps `value` beside the current version of a secret, in place of what was pending; returns the version.
    ///
    /// Where there is no current version there is nothing to spare: it is current at once.
    ///
    /// # Errors
    ///
    /// As [`Secrets::put`].
    async fn put_pending(&self, name: &str, value: &SecretString, token: &str)
    -> Result<String, SecretError>;

    /// Makes a pending version the current one; one that is current already stays it.
    ///
    /// # Errors
    ///
    /// `Missing` where the version is not pending any more; `Denied`, `Unavailable`.
    async fn promote(&self, name: &str, version: &str) -> Result<(), SecretError>;

    /// Takes back a pending version; one that is not pending any more stays what it is.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`.
    async fn withdraw(&self, name: &str, version: &str) -> Result<(), SecretError>;

    /// Deletes a secret, with the days of grace that the store gives.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`.
    async fn delete(&self, name: &str) -> Result<(), SecretError>;
}

fn check_token(token: &str) -> Result<(), SecretError> {
    let fits = (32..=64).contains(&token.len());
    let why = || SecretError::Invalid("a token has 32 to 64 characters".into());
    if fits { Ok(()) } else { Err(why()) }
}
