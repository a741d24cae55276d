//! A scheme with its secrets.

use std::fmt;

use jiff::Timestamp;
use ring::hmac;
use secrecy::SecretString;
use serde_json::Value;

use super::cornerstone::Cornerstone;
use super::dataverse::Dataverse;
use super::hmac::Hmac;
use super::live::Live;
use super::raw::RawWebhook;
use super::refused::Reason;
use super::scheme::Scheme;
use super::secrets::Secrets;
use super::token::Token;
use super::verified::VerifiedWebhook;
use super::{profile, standard, xledger};
use crate::model::FieldError;

/// What verifies the webhooks of one endpoint. There is none without a secret that nobody guesses.
pub struct Verifier(Check);

enum Check {
    Standard(Live<standard::Key>),
    Xledger(Live<hmac::Key>),
    Dataverse(Dataverse, Live<Token>),
    Cornerstone(Cornerstone, Live<Token>),
    Hmac(Hmac, Live<hmac::Key>),
}

impl Verifier {
    /// Makes keys of the secrets.
    ///
    /// # Errors
    ///
    /// What the scheme cannot take for a secret, or anybody could guess, under `secrets.current` and `secrets.previous`;
    /// nothing of what they hold.
    pub fn new(scheme: &Scheme, secrets: &Secrets) -> Result<Self, Vec<FieldError>> {
        Ok(Self(match scheme {
            Scheme::Standard => Check::Standard(Live::read(secrets, standard::Key::read)?),
            Scheme::Xledger => Check::Xledger(Live::read(secrets, xledger::key)?),
            Scheme::Dataverse(by) => Check::Dataverse(by.clone(), Live::read(secrets, Token::read)?),
            Scheme::Cornerstone(by) => Check::Cornerstone(by.clone(), Live::read(secrets, Token::read)?),
            Scheme::Hmac(by) => Check::Hmac(by.clone(), Live::read(secrets, |text| by.key(text))?),
        }))
    }

    /// Reads a scheme and its secrets as they are put together.
    ///
    /// # Errors
    ///
    /// The faults of both. Whether the scheme can take the secrets is only said once nothing else is wrong.
    pub fn read(scheme: &Value, secrets: &SecretString) -> Result<Self, Vec<FieldError>> {
        match (profile::check(scheme), Secrets::read(secrets)) {
            (Ok(scheme), Ok(secrets)) => Self::new(&scheme, &secrets),
            (scheme, secrets) => {
                let faults = [scheme.err(), secrets.err()];
                Err(faults.into_iter().flatten().flatten().collect())
            }
        }
    }

    pub(super) fn check(&self, raw: RawWebhook, now: Timestamp) -> Result<VerifiedWebhook, Reason> {
        match &self.0 {
            Check::Standard(keys) => standard::verify(raw, keys, now),
            Check::Xledger(keys) => xledger::verify(raw, keys, now),
            Check::Dataverse(by, tokens) => by.verify(raw, tokens, now),
            Check::Cornerstone(by, tokens) => by.verify(raw, tokens, now),
            Check::Hmac(by, keys) => by.verify(raw, keys, now),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Check::Standard(_) => "Verifier(standard, …)",
            Check::Xledger(_) => "Verifier(xledger, …)",
            Check::Dataverse(..) => "Verifier(dataverse, …)",
            Check::Cornerstone(..) => "Verifier(cornerstone, …)",
            Check::Hmac(..) => "Verifier(hmac, …)",
        })
    }
}
