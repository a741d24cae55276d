//! A secret that a sender shows as it is.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::strength;

/// What a secret is checked against: its digest, so that nothing tells how long it is either.
pub(super) struct Token([u8; 32]);

impl Token {
    /// Takes a secret of our own choosing, which stands in a header or a URL as it is.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !text.bytes().all(plain) {
            return Err("must be of A-Z, a-z, 0-9, '-', '.', '_' and '~'".to_owned());
        }
        strength::text(text)?;
        Ok(Self(Sha256::digest(text).into()))
    }

    /// Says whether it is the secret that is shown.
    pub(super) fn is(&self, shown: &str) -> Choice {
        self.0.ct_eq(Sha256::digest(shown).as_slice())
    }
}
