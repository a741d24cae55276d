//! The port to the keys, which never leave their store: one signs access tokens, one seals what is kept.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

mod kms;
mod local;
mod memory;

pub use kms::{KeyNames, KmsKeys};
pub use local::Sealer;
pub use memory::MemoryKeys;

/// What was sealed, as text a third longer than it was; only the key and the context that sealed it open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// A signature by ECDSA on P-256 with SHA-256: r and s, 32 bytes each.
///
/// Source: RFC 7518, section 3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// A public key on P-256: its coordinates, 32 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    /// The first coordinate.
    pub x: [u8; 32],
    /// The second.
    pub y: [u8; 32],
}

impl PublicKey {
    /// Reads a point as it is written without compression: 4, and the two coordinates.
    ///
    /// Source: SEC 1, section 2.3.3.
    pub(crate) fn of_point(point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        Some(Self {
            x: x.try_into().ok()?,
            y: y.try_into().ok()?,
        })
    }
}

/// Why a key did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// What was to be opened was not sealed by this key, or in another context.
    #[error("what was sealed does not open with this key in this context")]
    Sealed,
    /// The key's answer is not what it should be.
    #[error("the key's answer cannot be read")]
    Malformed,
    /// The key is disabled, or is being deleted, or we may not use it.
    #[error("the key may not be used")]
    Denied(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store of keys is throttled, busy or out of reach.
    #[error("the keys are unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Signs, seals and opens.
///
/// # Behaviour
///
/// - What was sealed in a context opens in that context, and in no other, however long it is.
/// - What was changed does not open.
/// - Sealing the same twice gives two different texts.
/// - A signature is verified by the first public key.
#[async_trait]
pub trait Keys: Debug + Send + Sync + 'static {
    /// Signs a message of at most 4,096 bytes.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`, `Malformed`.
    async fn sign(&self, message: &[u8]) -> Result<Signature, KeyError>;

    /// Returns the keys by which signatures are verified: the one that signs now, and then the one that did before.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`, `Malformed`.
    async fn public(&self) -> Result<Vec<PublicKey>, KeyError>;

    /// Seals a secret in a context, such as the id of the row that keeps it.
    ///
    /// A secret of 300,000 bytes still fits in a row when it is sealed.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`, `Malformed`.
    async fn seal(&self, context: &str, secret: &SecretString) -> Result<Sealed, KeyError>;

    /// Returns what seals in a context from now on, so that a secret which is still to come can be sealed for sure.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`, `Malformed`.
    async fn sealer(&self, context: &str) -> Result<Sealer, KeyError>;

    /// Opens what was sealed in a context.
    ///
    /// # Errors
    ///
    /// `Sealed`, `Denied`, `Unavailable`, `Malformed`.
    async fn open(&self, context: &str, sealed: &Sealed) -> Result<SecretString, KeyError>;
}
