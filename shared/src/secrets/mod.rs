//! The port to the secrets: one per integration.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

mod memory;
mod secrets_manager;

pub use memory::MemorySecrets;
pub use secrets_manager::SecretsManager;

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
    /// We may not read or write it.
    #[error("access to the secret {name} is denied")]
    Denied {
        /// Its name.
        name: String,
    },
    /// The store of secrets is throttled, busy or out of reach.
    #[error("the secrets are unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads and writes secrets.
///
/// # Behaviour
///
/// - What was put is what is read, with another version than before.
/// - Putting the same value again under the same token changes nothing.
/// - A deleted secret is missing; putting it again brings it back.
/// - Deleting what is missing succeeds.
#[async_trait]
pub trait Secrets: Debug + Send + Sync + 'static {
    /// Returns the current version of a secret.
    ///
    /// # Errors
    ///
    /// `Missing`, `Denied`, `Unavailable`.
    async fn get(&self, name: &str) -> Result<Secret, SecretError>;

    /// Makes `value` the current version of a secret, creating it where there is none; returns the version.
    ///
    /// `token` names the attempt: 32 to 64 characters, the same when it is repeated.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`.
    async fn put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, SecretError>;

    /// Deletes a secret, with the days of grace that the store gives.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`.
    async fn delete(&self, name: &str) -> Result<(), SecretError>;
}

fn check_token(token: &str) -> Result<(), SecretError> {
    let fits = (32..=64).contains(&token.len());
    let why = || SecretError::Unavailable("a token has 32 to 64 characters".into());
    if fits { Ok(()) } else { Err(why()) }
}
