//! Sealing by a key that is at hand: AES-256-GCM, with the context as additional data.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::KeyError;

/// A key of 256 bits.
pub(super) struct LocalKey(LessSafeKey);

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
