//! `xledger`: what Xledger's GraphQL subscriptions send.
//!
//! `X-XL-Webhook-Signature` is the base64url, padded or not, of HMAC-SHA256 over `{seconds}.{body}`: the seconds since 1970
//! of the `Date` header, and the body as it came. The key is the API token, decoded from base64url; so an API token that is
//! replaced is a secret that is.
//!
//! There is no id. The same event sent again may have another time, so that it is known by its body, whose edges have
//! their `syncVersion`.
//!
//! Source: github.com/xledger/graphql-samples, `Webhooks-CSharp`, read 2026-11-22.

use base64::Engine as _;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use ring::hmac::{HMAC_SHA256, Key};
use secrecy::zeroize::Zeroizing;

use super::encoding::{self, BASE64_URL};
use super::live::Live;
use super::raw::RawWebhook;
use super::refused::Reason;
use super::sign::OnlyTheSender;
use super::verified::{DedupKey, VerifiedWebhook};
use super::{mac, strength, time};

const SIGNATURE: &str = "x-xl-webhook-signature";
const DATE: &str = "date";

/// How far, in seconds, a signature may be from now.
const TOLERANCE: u64 = 15 * 60;

/// Reads an API token.
pub(super) fn key(text: &str) -> Result<Key, String> {
    let bytes = BASE64_URL.decode(text).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| "must be an API token, which is base64url".to_owned())?;
    strength::bytes(&bytes, 16, 512)?;
    Ok(Key::new(HMAC_SHA256, &bytes))
}

pub(super) fn verify(raw: RawWebhook, keys: &Live<Key>, now: Timestamp) -> Result<VerifiedWebhook, Reason> {
    let date = raw.header(DATE).and_then(time::http_date);
    let signature = raw.header(SIGNATURE).and_then(decode);
    let seconds = date.map_or(0, Timestamp::as_second).to_string();
    let content = [seconds.as_bytes(), b".", &raw.body];
    let shown = signature.as_deref().unwrap_or_default();
    let signed = keys.any(now, |key| mac::signs(key, &content, shown));
    let signed_at = date?;
    signature?;
    if !signed {
        return Err(Reason::Signature);
    }
    time::near(signed_at, now, TOLERANCE)?;
    let body = encoding::plain(raw)?;
    let dedup_key = DedupKey::of_body(&body);
    Ok(VerifiedWebhook::new(body, dedup_key).with_time(signed_at))
}

/// Signs as Xledger does.
pub(super) fn sign(raw: &mut RawWebhook, token: &str, now: Timestamp) -> Result<(), OnlyTheSender> {
    let key = key(token).map_err(|_| OnlyTheSender)?;
    let seconds = now.as_second().to_string();
    let code = mac::code(&key, &[seconds.as_bytes(), b".", &raw.body]);
    raw.put(SIGNATURE, &BASE64_URL.encode(code));
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    raw.put(DATE, &date.unwrap_or_default());
    Ok(())
}

fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    BASE64_URL.decode(text).map_err(|_| Reason::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{samples, vectors};

    #[test]
    fn every_vector_of_xledger_ends_as_it_should() {
        vectors::hold("xledger");
    }

    #[test]
    fn a_token_of_too_few_bytes_is_refused() {
        for weak in [
            "",
            "====",
            "MDEyMzQ1Njc4OWFiY2Rl",
            "not base64url",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(key(weak).is_err(), "{weak}");
        }
        assert!(key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY").is_ok());
    }

    #[test]
    fn an_event_that_is_sent_again_later_is_known_again() {
        let later = samples::now() + jiff::SignedDuration::from_hours(4 * 24);
        let keys = [samples::now(), later].map(|at| {
            let webhook = samples::xledger(b"{}", at).verify().unwrap();
            webhook.dedup_key().clone()
        });
        assert_eq!(keys[0], keys[1]);
    }
}
