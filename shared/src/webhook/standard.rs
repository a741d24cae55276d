//! `standard`: Standard Webhooks, with codes (`v1`) and signatures (`v1a`).
//!
//! Signed is `{webhook-id}.{webhook-timestamp}.{body}`. `webhook-signature` is a list, separated by spaces, of versions
//! with their signatures: one that verifies is enough, of any live secret; versions that are not known are passed over. An
//! entry counts for its own version only: a public key is no secret, and must never be taken for one.
//!
//! An id has no full stop, so that it can be told where it ends.
//!
//! Source: Standard Webhooks 1.0.0, <https://www.standardwebhooks.com>, read 2026-11-22.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac::{self, HMAC_SHA256};
use secrecy::zeroize::Zeroizing;
use subtle::{Choice, ConstantTimeEq as _};

use super::encoding::{self, BASE64};
use super::live::Live;
use super::mac::{self, PublicKey};
use super::raw::RawWebhook;
use super::refused::Reason;
use super::sign::OnlyTheSender;
use super::verified::{DedupKey, VerifiedWebhook};
use super::{strength, time};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// How far, in seconds, a signature may be from now.
const TOLERANCE: u64 = 5 * 60;

/// The most bytes of an id.
const LONGEST_ID: usize = 128;

/// The most signatures that are looked at: two secrets in two versions, on each side, are fewer.
const MOST: usize = 8;

/// What verifies signatures of one version.
pub(super) enum Key {
    /// A secret, for `v1`.
    Shared(hmac::Key),
    /// A public key, for `v1a`.
    Public(PublicKey),
}

/// The signatures of the versions that are known.
#[derive(Default)]
struct Signatures {
    v1: Vec<Vec<u8>>,
    v1a: Vec<Vec<u8>>,
}

impl Key {
    /// Reads a secret, `whsec_…`, or a public key, `whpk_…`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if let Some(secret) = text.strip_prefix("whsec_") {
            let bytes = BASE64.decode(secret).map(Zeroizing::new);
            let bytes = bytes.map_err(|_| "must be base64 behind whsec_".to_owned())?;
            strength::bytes(&bytes, 24, 64)?;
            return Ok(Self::Shared(hmac::Key::new(HMAC_SHA256, &bytes)));
        }
        if let Some(key) = text.strip_prefix("whpk_") {
            let bytes = BASE64.decode(key).ok().and_then(|bytes| bytes.try_into().ok());
            let key = bytes.and_then(PublicKey::new);
            let wrong = || "must be the base64 of a public key of ed25519 behind whpk_".to_owned();
            return key.map(Self::Public).ok_or_else(wrong);
        }
        Err(match text.starts_with("whsk_") {
            true => "must be the public key, whpk_…: the private one is the sender's alone".to_owned(),
            false => "must begin with whsec_, or with whpk_ where it is a public key".to_owned(),
        })
    }

    fn signed(&self, content: &[&[u8]], signatures: &Signatures) -> Choice {
        match self {
            Self::Shared(key) => {
                let code = mac::code(key, content);
                any(&signatures.v1, |signature| code.as_ref().ct_eq(signature))
            }
            Self::Public(key) => {
                let message = content.concat();
                any(&signatures.v1a, |signature| key.verifies(&message, signature))
            }
        }
    }
}

/// Says whether any signature matches; all of them are looked at.
fn any(signatures: &[Vec<u8>], matches: impl Fn(&[u8]) -> Choice) -> Choice {
    let matched = signatures.iter().map(|signature| matches(signature));
    matched.fold(Choice::from(0), |one, other| one | other)
}

pub(super) fn verify(raw: RawWebhook, keys: &Live<Key>, now: Timestamp) -> Result<VerifiedWebhook, Reason> {
    let (id, timestamp) = (raw.header(ID), raw.header(TIMESTAMP));
    let signatures = raw.header(SIGNATURE).and_then(signatures);
    let [shown_id, shown_time] = [id, timestamp].map(|header| header.unwrap_or_default().as_bytes());
    let content = [shown_id, b".", shown_time, b".", &raw.body];
    let none = Signatures::default();
    let shown = signatures.as_ref().unwrap_or(&none);
    let signed = keys.any(now, |key| key.signed(&content, shown));
    let id = id.and_then(check_id)?.to_owned();
    let signed_at = timestamp.and_then(time::seconds)?;
    signatures?;
    if !signed {
        return Err(Reason::Signature);
    }
    time::near(signed_at, now, TOLERANCE)?;
    let webhook = VerifiedWebhook::new(encoding::plain(raw)?, DedupKey::of_id(&id));
    Ok(webhook.with_id(&id).with_time(signed_at))
}

/// Signs as a sender does.
pub(super) fn sign(
    raw: &mut RawWebhook,
    secret: &str,
    id: &str,
    now: Timestamp,
) -> Result<(), OnlyTheSender> {
    let Ok(Key::Shared(key)) = Key::read(secret) else {
        return Err(OnlyTheSender);
    };
    let seconds = now.as_second().to_string();
    let content = [id.as_bytes(), b".", seconds.as_bytes(), b".", &raw.body];
    let code = STANDARD.encode(mac::code(&key, &content));
    raw.put(ID, id);
    raw.put(TIMESTAMP, &seconds);
    raw.put(SIGNATURE, &format!("v1,{code}"));
    Ok(())
}

fn check_id(id: &str) -> Result<&str, Reason> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(plain) {
        true => Ok(id),
        false => Err(Reason::Malformed),
    }
}

/// Reads the list; what two headers were joined to has an entry with two commas.
fn signatures(text: &str) -> Result<Signatures, Reason> {
    let entries: Vec<&str> = text.split(' ').filter(|entry| !entry.is_empty()).collect();
    let mut signatures = Signatures::default();
    if !(1..=MOST).contains(&entries.len()) {
        return Err(Reason::Malformed);
    }
    for entry in entries {
        let (version, signature) = entry.split_once(',').ok_or(Reason::Malformed)?;
        if version.is_empty() || signature.contains(',') {
            return Err(Reason::Malformed);
        }
        let bytes = STANDARD.decode(signature).unwrap_or_default();
        match version {
            "v1" => signatures.v1.push(bytes),
            "v1a" => signatures.v1a.push(bytes),
            _ => {}
        }
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{samples, vectors};

    #[test]
    fn every_vector_of_standard_ends_as_it_should() {
        vectors::hold("standard");
    }

    #[test]
    fn a_secret_that_could_be_guessed_or_mistaken_is_refused() {
        let short = BASE64.encode(b"0123456789abcdefghijklm");
        let long = BASE64.encode([b"0123456789abcdef".as_slice(); 5].concat());
        let point = BASE64.encode([0; 32]);
        for weak in [
            String::new(),
            "whsec_".to_owned(),
            "whpk_".to_owned(),
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            "whsec_plJ3nmyCDGBKInavdOK15jsl".to_owned(),
            "whsec_not base64 at all, is it".to_owned(),
            "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".to_owned(),
            format!("whsec_{short}"),
            format!("whsec_{long}"),
            format!("whsec_{}", BASE64.encode([0; 32])),
            format!("whpk_{point}"),
            format!("whpk_{short}"),
        ] {
            let reason = Key::read(&weak).err().expect("it is no secret");
            assert!(weak.len() < 10 || !reason.contains(&weak), "{reason}");
        }
        assert!(Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_ok());
    }

    #[test]
    fn a_webhook_is_known_again_by_its_id_whatever_its_time_and_body() {
        let one = samples::standard(b"{}", samples::now());
        let later = samples::now() + jiff::SignedDuration::from_hours(13 * 24);
        let again = samples::standard(b"{\"other\":1}", later);
        let keys = [one, again].map(|sample| sample.verify().unwrap().dedup_key().clone());
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn ten_thousand_signatures_are_not_looked_at() {
        let mut sample = samples::standard(b"{}", samples::now());
        let list = vec![sample.header(SIGNATURE); 10_000].join(" ");
        sample.set(SIGNATURE, &list);
        assert_eq!(sample.verify().unwrap_err().reason(), Reason::Malformed);
        let nine = ["v2,AAAA"; MOST + 1].join(" ");
        assert!(signatures(&nine).is_err());
    }

    #[test]
    fn a_public_key_is_never_a_secret() {
        let sample = samples::standard_public(b"{}", samples::now());
        let webhook = sample.verify().unwrap();
        assert_eq!(webhook.id(), Some(samples::ID));
        let signature = sample.header(SIGNATURE).replace("v1a,", "v1,");
        let mut renamed = sample;
        renamed.set(SIGNATURE, &signature);
        assert_eq!(renamed.verify().unwrap_err().reason(), Reason::Signature);
    }
}
