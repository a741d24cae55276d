//! The port to whoever keeps the clients of credentials and issues their tokens.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::scope::Scopes;
use super::secret::ClientSecret;
use crate::http::Failure;
use crate::keys::KeyError;

mod built_in;
mod hydra;

pub use built_in::BuiltIn;
pub use hydra::{Hydra, HydraApi};

/// A client, as the issuer made it.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: Uuid,
    /// Its secret.
    pub secret: ClientSecret,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The client that it was issued to.
    pub client: Uuid,
    /// What it allows.
    pub scopes: Scopes,
    /// Its own id, where it can be revoked by that.
    pub token: Option<Uuid>,
}

/// Why the issuer did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key that signs did not.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It was not reached, or gave no answer.
    #[error("the issuer did not answer")]
    Unreached(#[from] Failure),
    /// It answered something else than it should.
    #[error("the issuer answered {status}: {what}")]
    Answered {
        /// The status.
        status: u16,
        /// What was wrong with it.
        what: &'static str,
    },
}

impl IssuerError {
    /// Says whether what was asked for may be done all the same, now or later: a gateway that answers in the issuer's
    /// place may have passed the request on.
    #[must_use]
    pub const fn may_be_done(&self) -> bool {
        matches!(
            self,
            Self::Unreached(_)
                | Self::Answered {
                    status: 502 | 504,
                    ..
                }
        )
    }
}

/// Keeps clients, and knows the tokens that they got.
///
/// # Behaviour
///
/// - A client that was made can be told by the id of the intent that it was made for.
/// - To delete a client that is gone succeeds.
/// - A token of a client that was deleted may still be known: whoever asks looks the credential up.
#[async_trait]
pub trait Issuer: Debug + Send + Sync + 'static {
    /// Makes a client with a secret, for an intent.
    ///
    /// # Errors
    ///
    /// `Unreached`, `Answered`; where it [may be done](IssuerError::may_be_done), there may be a client all the same, or
    /// there may be one later.
    async fn create(
        &self,
        intent: Uuid,
        secret: ClientSecret,
        scopes: &Scopes,
    ) -> Result<Client, IssuerError>;

    /// Returns the clients that were made for an intent: one, or none.
    ///
    /// # Errors
    ///
    /// `Unreached`, `Answered`; some of them are never taken for all.
    async fn made_for(&self, intent: Uuid) -> Result<Vec<Uuid>, IssuerError>;

    /// Deletes a client.
    ///
    /// # Errors
    ///
    /// `Unreached`, `Answered`.
    async fn delete(&self, client: Uuid) -> Result<(), IssuerError>;

    /// Returns what a token says; none where it is not one of this issuer's, or no longer good.
    ///
    /// # Errors
    ///
    /// `Key`, `Unreached`, `Answered`.
    async fn inspect(&self, token: &str, now: Timestamp) -> Result<Option<Presented>, IssuerError>;

    /// Returns where clients get tokens.
    fn token_url(&self) -> String;
}
