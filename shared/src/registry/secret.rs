//! Client secrets: made here, shown once, and from then on only checked against.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every secret begins with, so that scanners of repositories and logs know one when they see it.
const PREFIX: &str = "xis_";

/// The secret of a credential: 256 random bits.
#[derive(Clone)]
pub struct ClientSecret(SecretString);

/// What a secret is checked against: its digest. A slow one would add nothing to 256 random bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Verifier(String);

/// The machine has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("no random bits are to be had")]
pub struct NoRandomness;

impl ClientSecret {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// Where the machine gives no random bits.
    pub fn new() -> Result<Self, NoRandomness> {
        let mut bits = [0_u8; 32];
        getrandom::fill(&mut bits).map_err(|_| NoRandomness)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits)).into()))
    }

    /// Takes a secret that was kept, or that somebody presents.
    #[must_use]
    pub fn known(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Returns what it is checked against.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let digest = Sha256::digest(self.0.expose_secret().as_bytes());
        Verifier(URL_SAFE_NO_PAD.encode(digest))
    }

    /// Returns the secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

impl Verifier {
    /// Says whether it is this secret's, in a time that does not depend on where the two differ.
    #[must_use]
    pub fn is_of(&self, secret: &ClientSecret) -> bool {
        self.0.as_bytes().ct_eq(secret.verifier().0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_another_with_a_prefix_and_256_bits() {
        let [one, other] = [(); 2].map(|()| ClientSecret::new().expect("there is randomness"));
        assert_ne!(one.expose(), other.expose());
        let bits = one.expose().strip_prefix(PREFIX).expect("the prefix is there");
        assert_eq!(URL_SAFE_NO_PAD.decode(bits).expect("it is base64").len(), 32);
    }

    #[test]
    fn only_the_secret_itself_is_verified() {
        let secret = ClientSecret::known("xis_canary");
        let verifier = secret.verifier();
        assert!(verifier.is_of(&secret));
        for other in ["", "xis_canarY", "xis_canary ", "xis_"] {
            assert!(!verifier.is_of(&ClientSecret::known(other)), "{other}");
        }
        assert!(!format!("{secret:?} {verifier:?}").contains("canary"));
    }
}
