//! `hmac`: any sender that puts a code of the body, or of a time and the body, into a header.
//!
//! Without `timestamp`, the body alone is signed, and one that is sent again years later verifies: only what it is known
//! by keeps it from being new. With it, signed is `{timestamp}{separator}{body}`, the timestamp being whole seconds since
//! 1970. The separator has no digit, so that it can be told where the timestamp ends. The key is the secret's own bytes,
//! not what they might be the base64 of.
//!
//! An id in a header is not signed: a webhook is known by everything that is. Where the same body is sent twice in earnest,
//! its timestamp tells the two apart.
//!
//! # Shape
//!
//! What can be left out is `prefix` (nothing), `algorithm` (`sha256`), `timestamp` with its `separator` (`.`) and its
//! `toleranceSeconds` (300):
//!
//! ```json
//! {
//!   "type": "hmac", "header": "x-signature", "prefix": "sha256=", "encoding": "hex", "algorithm": "sha256",
//!   "timestamp": { "header": "x-timestamp", "separator": ".", "toleranceSeconds": 300 }
//! }
//! ```
//!
//! Source: RFC 2104; GitHub Docs, "Validating webhook deliveries", for the form without a timestamp.

use base64::Engine as _;
use jiff::Timestamp;
use ring::hmac::{self, HMAC_SHA256, HMAC_SHA512, Key};
use serde::Serialize;

use super::encoding::{self, BASE64, BASE64_URL};
use super::live::Live;
use super::raw::RawWebhook;
use super::refused::Reason;
use super::sign::OnlyTheSender;
use super::verified::{DedupKey, VerifiedWebhook};
use super::{mac, profile, strength, time};
use crate::settings::Section;

/// The bounds of a tolerance in seconds, and the default.
const TOLERANCE: (u64, u64, u64) = (30, 3600, 300);

/// How a sender signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hmac {
    header: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    prefix: String,
    encoding: Encoding,
    algorithm: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<SignedTime>,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

/// What a signature is computed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Algorithm {
    Sha256,
    Sha512,
}

/// A time that is signed before the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedTime {
    header: String,
    separator: String,
    tolerance_seconds: u64,
}

impl Hmac {
    /// Reads it from the settings of a scheme.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let header = section.required("header", profile::header_name);
        let prefix = section.text("prefix", prefix);
        let encoding = section.required("encoding", encoding);
        let algorithm = section.text("algorithm", algorithm);
        let timestamp = section.section("timestamp");
        let timestamp = timestamp.and_then(|timestamp| SignedTime::read(&timestamp));
        if header.is_some() && header == timestamp.as_ref().map(|time| time.header.clone()) {
            section.fault("timestamp.header", "must be another header than the signature's");
        }
        Some(Self {
            header: header?,
            prefix: prefix.unwrap_or_default(),
            encoding: encoding?,
            algorithm: algorithm.unwrap_or(Algorithm::Sha256),
            timestamp,
        })
    }

    /// Takes a secret's own bytes as a key.
    pub(super) fn key(&self, text: &str) -> Result<Key, String> {
        strength::text(text)?;
        let algorithm: hmac::Algorithm = match self.algorithm {
            Algorithm::Sha256 => HMAC_SHA256,
            Algorithm::Sha512 => HMAC_SHA512,
        };
        Ok(Key::new(algorithm, text.as_bytes()))
    }

    /// Signs as a sender does.
    pub(super) fn sign(
        &self,
        raw: &mut RawWebhook,
        secret: &str,
        now: Timestamp,
    ) -> Result<(), OnlyTheSender> {
        let key = self.key(secret).map_err(|_| OnlyTheSender)?;
        let seconds = self
            .timestamp
            .as_ref()
            .map(|time| (time, now.as_second().to_string()));
        let signed = seconds
            .as_ref()
            .map(|(time, seconds)| [seconds.as_str(), &time.separator]);
        let [before, between] = signed.unwrap_or_default();
        let code = mac::code(&key, &[before.as_bytes(), between.as_bytes(), &raw.body]);
        raw.put(
            &self.header,
            &format!("{}{}", self.prefix, self.encode(code.as_ref())),
        );
        if let Some((time, seconds)) = seconds {
            raw.put(&time.header, &seconds);
        }
        Ok(())
    }

    fn encode(&self, code: &[u8]) -> String {
        match self.encoding {
            Encoding::Hex => code.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Base64 => BASE64.encode(code),
            Encoding::Base64Url => BASE64_URL.encode(code),
        }
    }

    pub(super) fn verify(
        &self,
        raw: RawWebhook,
        keys: &Live<Key>,
        now: Timestamp,
    ) -> Result<VerifiedWebhook, Reason> {
        let signature = raw.header(&self.header).and_then(|text| self.decode(text));
        let timestamp = self.timestamp.as_ref().map(|time| raw.header(&time.header));
        let seconds = timestamp.and_then(Result::ok).unwrap_or_default();
        let separator = self.timestamp.as_ref().map_or("", |time| &time.separator);
        let content = [seconds.as_bytes(), separator.as_bytes(), &raw.body];
        let shown = signature.as_deref().unwrap_or_default();
        let signed = keys.any(now, |key| mac::signs(key, &content, shown));
        let signed_at = timestamp.map(|text| time::seconds(text?)).transpose()?;
        signature?;
        if !signed {
            return Err(Reason::Signature);
        }
        if let (Some(signed_at), Some(time)) = (signed_at, &self.timestamp) {
            time::near(signed_at, now, time.tolerance_seconds)?;
        }
        let dedup_key = DedupKey::of_signed(&content);
        Ok(VerifiedWebhook::new(encoding::plain(raw)?, dedup_key).with_time(signed_at))
    }

    fn decode(&self, text: &str) -> Result<Vec<u8>, Reason> {
        let text = text.strip_prefix(&self.prefix).ok_or(Reason::Malformed)?;
        let bytes = match self.encoding {
            Encoding::Hex => encoding::hex(text),
            Encoding::Base64 => BASE64.decode(text).ok(),
            Encoding::Base64Url => BASE64_URL.decode(text).ok(),
        };
        bytes.ok_or(Reason::Malformed)
    }
}

impl SignedTime {
    fn read(section: &Section<'_>) -> Option<Self> {
        let (least, most, usual) = TOLERANCE;
        let header = section.required("header", profile::header_name);
        let separator = section.text("separator", separator);
        let tolerance = section.number("toleranceSeconds", least, most);
        section.finish();
        Some(Self {
            header: header?,
            separator: separator.unwrap_or_else(|| ".".to_owned()),
            tolerance_seconds: tolerance.unwrap_or(usual),
        })
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'-' | b'_' | b':' | b'.');
    match text.len() <= 32 && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("must be at most 32 of A-Z, a-z, 0-9, '=', '-', '_', ':' and '.'".to_owned()),
    }
}

fn separator(text: &str) -> Result<String, String> {
    match (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_punctuation()) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 4 signs such as '.' or ':'".to_owned()),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    match text {
        "hex" => Ok(Encoding::Hex),
        "base64" => Ok(Encoding::Base64),
        "base64url" => Ok(Encoding::Base64Url),
        _ => Err("must be hex, base64 or base64url".to_owned()),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    match text {
        "sha256" => Ok(Algorithm::Sha256),
        "sha512" => Ok(Algorithm::Sha512),
        _ => Err("must be sha256 or sha512".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::webhook::{samples, vectors};

    #[test]
    fn every_vector_of_hmac_ends_as_it_should() {
        vectors::hold("hmac");
    }

    #[test]
    fn the_same_body_signed_twice_is_two_webhooks_and_sent_twice_is_one() {
        let later = samples::now() + jiff::SignedDuration::from_secs(1);
        let [one, again, other] = [samples::now(), samples::now(), later].map(|at| {
            let webhook = samples::hmac(b"{}", at).verify().unwrap();
            webhook.dedup_key().clone()
        });
        assert_eq!(one, again);
        assert_ne!(one, other);
    }
}
