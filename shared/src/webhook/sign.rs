//! Signing as a sender does, so that an endpoint can be tested with what its sender would send.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::scheme::Scheme;
use super::{RawWebhook, standard, xledger};

/// How many random bytes a new secret has.
const BITS: usize = 32;

/// The machine has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("no random bits are to be had")]
pub struct NoRandomness;

/// A sender of this scheme signs with something that only the sender has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only the sender can sign: the key is a public one")]
pub struct OnlyTheSender;

/// What of an endpoint is pasted into the other system, besides its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paste<'a> {
    /// The secret, under this name.
    Secret(&'static str),
    /// The secret, as the value of this header.
    Header(&'a str),
    /// The secret, as this part of the query.
    Query(&'a str),
    /// Nothing: the other system made the secret.
    Nothing,
}

impl Scheme {
    /// Says whether secrets are made here, and not by the other system.
    #[must_use]
    pub const fn makes_secrets(&self) -> bool {
        !matches!(self, Self::Xledger)
    }

    /// Says whether the secret stands in a header as it is.
    #[must_use]
    pub const fn shows_its_secret_in_a_header(&self) -> bool {
        matches!(self.paste(), Paste::Header(_))
    }

    /// Makes a secret of 256 random bits, written as the scheme wants it.
    ///
    /// # Errors
    ///
    /// Where the machine gives no random bits.
    pub fn new_secret(&self) -> Result<SecretString, NoRandomness> {
        let mut bits = [0_u8; BITS];
        getrandom::fill(&mut bits).map_err(|_| NoRandomness)?;
        Ok(match self {
            Self::Standard => format!("whsec_{}", STANDARD.encode(bits)).into(),
            _ => URL_SAFE_NO_PAD.encode(bits).into(),
        })
    }

    /// Says what is pasted into the other system.
    #[must_use]
    pub const fn paste(&self) -> Paste<'_> {
        match self {
            Self::Standard => Paste::Secret("Signing secret"),
            Self::Xledger => Paste::Nothing,
            Self::Dataverse(by) => by.paste(),
            Self::Cornerstone(by) => Paste::Header(by.header()),
            Self::Hmac(_) => Paste::Secret("Secret"),
        }
    }

    /// Signs a body as a sender would.
    ///
    /// # Errors
    ///
    /// `OnlyTheSender` where the secret is a public key.
    pub fn sign(
        &self,
        secret: &SecretString,
        id: &str,
        body: Bytes,
        now: Timestamp,
    ) -> Result<RawWebhook, OnlyTheSender> {
        let mut raw = RawWebhook {
            body,
            ..RawWebhook::default()
        };
        let secret = secret.expose_secret();
        match self {
            Self::Standard => standard::sign(&mut raw, secret, id, now)?,
            Self::Xledger => xledger::sign(&mut raw, secret, now)?,
            Self::Dataverse(by) => by.show(&mut raw, secret),
            Self::Cornerstone(by) => raw.put(by.header(), secret),
            Self::Hmac(by) => by.sign(&mut raw, secret, now)?,
        }
        Ok(raw)
    }
}

impl RawWebhook {
    /// Puts a header; one that cannot be put is not there, and so the webhook is refused.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::webhook::{Secrets, Verifier, profile};

    const API_TOKEN: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    #[test]
    fn what_is_signed_here_verifies_by_every_scheme_and_by_no_other_secret() {
        for scheme in [
            json!({ "type": "standard" }),
            json!({ "type": "xledger" }),
            json!({ "type": "dataverse", "header": "x-webhook-secret" }),
            json!({ "type": "dataverse", "query": "code" }),
            json!({ "type": "cornerstone", "header": "x-webhook-secret" }),
            json!({ "type": "hmac", "header": "x-signature", "prefix": "sha256=", "encoding": "hex" }),
            json!({ "type": "hmac", "header": "x-signature", "encoding": "base64", "algorithm": "sha512",
                "timestamp": { "header": "x-timestamp" } }),
        ] {
            let scheme = profile::check(&scheme).unwrap();
            let made = || scheme.makes_secrets().then(|| scheme.new_secret().unwrap());
            let secret = made().unwrap_or_else(|| API_TOKEN.into());
            let verifier = |secret| Verifier::new(&scheme, &Secrets::of(secret)).expect("it is a strong one");
            let signed = scheme.sign(&secret, "msg_1", "{}".into(), now()).unwrap();
            assert!(
                signed.clone().verify(&verifier(secret), now()).is_ok(),
                "{scheme}"
            );
            if let Some(other) = made() {
                assert!(signed.verify(&verifier(other), now()).is_err(), "{scheme}");
            }
        }
    }

    #[test]
    fn nothing_is_signed_with_a_public_key() {
        let key = "whpk_Xn9u5nYt+w3EwWSvTUxrGKmYYwnTxsVu12jJ3DQKvhg=".into();
        let signed = Scheme::Standard.sign(&key, "msg_1", "{}".into(), now());
        assert_eq!(signed.unwrap_err(), OnlyTheSender);
    }
}
