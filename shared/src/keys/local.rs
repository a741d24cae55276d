//! Sealing by a key that is at hand: AES-256-GCM, with the context as additional data.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::{KeyError, Sealed};

/// A key of 256 bits.
pub(super) struct LocalKey(LessSafeKey);

/// Seals in one context without asking anybody any more.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LocalKey>,
    context: String,
    /// What stands before the content, so that it can be opened.
    before: String,
}

impl Sealer {
    pub(super) fn new(key: Arc<LocalKey>, context: &str, before: String) -> Self {
        let context = context.to_owned();
        Self { key, context, before }
    }

    /// Seals a secret; what comes is opened by [`Keys::open`](super::Keys::open).
    ///
    /// # Errors
    ///
    /// `Malformed` where the machine gives no random bits.
    pub fn seal(&self, secret: &SecretString) -> Result<Sealed, KeyError> {
        let content = self.key.seal(&self.context, secret)?;
        Ok(Sealed(format!("{}{}", self.before, STANDARD.encode(content))))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl LocalKey {
    /// Takes 32 bytes for a key.
    pub(super) fn new(bits: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bits).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Returns a nonce, and behind it what was sealed, with its tag.
    pub(super) fn seal(&self, context: &str, secret: &SecretString) -> Result<Vec<u8>, KeyError> {
        let plain = secret.expose_secret().as_bytes();
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| KeyError::Malformed)?;
        // As long as it gets at once: growing would leave a copy of the secret behind.
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (nonce, context) = (Nonce::assume_unique_for_key(nonce), Aad::from(context));
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, context, &mut sealed[NONCE_LEN..])
            .map_err(|_| KeyError::Malformed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`LocalKey::seal`] returned.
    pub(super) fn open(&self, context: &str, sealed: Vec<u8>) -> Result<SecretString, KeyError> {
        let mut sealed = Zeroizing::new(sealed);
        let (nonce, rest) = sealed.split_at_mut_checked(NONCE_LEN).ok_or(KeyError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Sealed)?;
        let opened = self.0.open_in_place(nonce, Aad::from(context), rest);
        let opened = opened.map_err(|_| KeyError::Sealed)?;
        let text = std::str::from_utf8(opened).map_err(|_| KeyError::Sealed)?;
        Ok(text.into())
    }
}
