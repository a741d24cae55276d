//! The keys in memory, for fast tests and simulation; gone with the process.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use secrecy::SecretString;

use super::local::{LocalKey, Sealer};
use super::{KeyError, Keys, PublicKey, Sealed, Signature};

/// Two keys in memory, made anew for each.
pub struct MemoryKeys {
    random: SystemRandom,
    signs: EcdsaKeyPair,
    seals: Arc<LocalKey>,
    before: Vec<PublicKey>,
}

impl MemoryKeys {
    /// Makes two new keys.
    ///
    /// # Panics
    ///
    /// Where the machine gives no random bits.
    #[must_use]
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("there is randomness");
        let signs =
            EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("the key is whole");
        let mut bits = [0; 32];
        random.fill(&mut bits).expect("there is randomness");
        Self {
            random,
            signs,
            seals: Arc::new(LocalKey::new(&bits).expect("the key has the right length")),
            before: Vec::new(),
        }
    }

    /// Goes on verifying what another signed.
    #[must_use]
    pub fn after(self, other: &Self) -> Self {
        let before = other.verifies().into_iter().collect();
        Self { before, ..self }
    }

    fn verifies(&self) -> Option<PublicKey> {
        PublicKey::of_point(self.signs.public_key().as_ref())
    }
}

impl Default for MemoryKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKeys").finish_non_exhaustive()
    }
}

#[async_trait]
impl Keys for MemoryKeys {
    async fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let signature = self
            .signs
            .sign(&self.random, message)
            .map_err(|_| KeyError::Malformed)?;
        let bytes = signature.as_ref().try_into().map_err(|_| KeyError::Malformed)?;
        Ok(Signature(bytes))
    }

    async fn public(&self) -> Result<Vec<PublicKey>, KeyError> {
        let now = self.verifies().ok_or(KeyError::Malformed)?;
        Ok([&[now][..], &self.before].concat())
    }

    async fn seal(&self, context: &str, secret: &SecretString) -> Result<Sealed, KeyError> {
        self.sealer(context).await?.seal(secret)
    }

    async fn sealer(&self, context: &str) -> Result<Sealer, KeyError> {
        Ok(Sealer::new(Arc::clone(&self.seals), context, String::new()))
    }

    async fn open(&self, context: &str, sealed: &Sealed) -> Result<SecretString, KeyError> {
        let bytes = STANDARD.decode(&sealed.0).map_err(|_| KeyError::Sealed)?;
        self.seals.open(context, bytes)
    }
}
