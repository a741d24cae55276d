//! The keys in memory, for fast tests and simulation; gone with the process.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use secrecy::{ExposeSecret, SecretString};

use super::{KeyError, Keys, PublicKey, Sealed, Signature};

/// Two keys in memory, made anew for each.
pub struct MemoryKeys {
    random: SystemRandom,
    signs: EcdsaKeyPair,
    seals: LessSafeKey,
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
        let seals = UnboundKey::new(&AES_256_GCM, &bits).expect("the key has the right length");
        Self {
            random,
            signs,
            seals: LessSafeKey::new(seals),
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
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| KeyError::Malformed)?;
        let mut sealed = secret.expose_secret().as_bytes().to_vec();
        let (once, context) = (Nonce::assume_unique_for_key(nonce), Aad::from(context));
        self.seals
            .seal_in_place_append_tag(once, context, &mut sealed)
            .map_err(|_| KeyError::Malformed)?;
        Ok(Sealed(STANDARD.encode([&nonce[..], &sealed].concat())))
    }

    async fn open(&self, context: &str, sealed: &Sealed) -> Result<SecretString, KeyError> {
        let mut bytes = STANDARD.decode(&sealed.0).map_err(|_| KeyError::Sealed)?;
        let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(KeyError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Sealed)?;
        let opened = self.seals.open_in_place(nonce, Aad::from(context), rest);
        let opened = opened.map_err(|_| KeyError::Sealed)?.to_vec();
        let text = String::from_utf8(opened).map_err(|_| KeyError::Sealed)?;
        Ok(text.into())
    }
}
