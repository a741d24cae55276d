//! Webhooks as their senders sign them, for tests.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use ring::hmac::{self, HMAC_SHA256, HMAC_SHA512};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::raw::RawWebhook;
use super::refused::Refused;
use super::vectors::verifier;
use super::verified::VerifiedWebhook;
use super::verifier::Verifier;

pub(super) const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const HEADER: &str = "x-webhook-secret";

/// A webhook that verifies.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) scheme: Value,
    pub(super) secret: String,
    /// The secret of somebody else.
    pub(super) other: String,
    pub(super) raw: RawWebhook,
    pub(super) now: Timestamp,
    /// The headers of which every bit counts.
    pub(super) counts: &'static [&'static str],
    /// Whether every bit of the body counts.
    pub(super) body_counts: bool,
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

impl Sample {
    fn new(name: &'static str, scheme: Value, written: impl Fn(&str) -> String, body: &[u8]) -> Self {
        Self {
            name,
            scheme,
            secret: written(KEY),
            other: written(OTHER),
            raw: RawWebhook {
                body: Bytes::copy_from_slice(body),
                ..RawWebhook::default()
            },
            now: now(),
            counts: &[],
            body_counts: true,
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        assert!(self.set_bytes(name, value.as_bytes()));
    }

    /// Says whether a header can have this value at all.
    pub(super) fn set_bytes(&mut self, name: &str, value: &[u8]) -> bool {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value);
        value.map(|value| self.raw.headers.insert(name, value)).is_ok()
    }

    pub(super) fn header(&self, name: &str) -> String {
        self.raw.headers[name].to_str().unwrap().to_owned()
    }

    pub(super) fn verifier(&self) -> Option<Verifier> {
        verifier(&self.scheme, &json!({ "current": self.secret }))
    }

    pub(super) fn verify(&self) -> Result<VerifiedWebhook, Refused> {
        let verifier = self.verifier().expect("nothing is wrong with the secret");
        self.raw.clone().verify(&verifier, self.now)
    }
}

fn code(algorithm: hmac::Algorithm, prefix: &str, body: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(algorithm, KEY.as_bytes());
    let signed = [prefix.as_bytes(), body].concat();
    hmac::sign(&key, &signed).as_ref().to_vec()
}

fn standard_with(
    written: impl Fn(&str) -> String,
    sign: impl Fn(&[u8]) -> String,
    body: &[u8],
    at: Timestamp,
) -> Sample {
    let seconds = at.as_second().to_string();
    let signed = [format!("{ID}.{seconds}.").as_bytes(), body].concat();
    let sample = Sample::new("standard", json!({ "type": "standard" }), written, body);
    let sample = sample.with("webhook-id", ID).with("webhook-timestamp", &seconds);
    Sample {
        now: at,
        counts: &["webhook-id", "webhook-timestamp", "webhook-signature"],
        ..sample.with("webhook-signature", &sign(&signed))
    }
}

pub(super) fn standard(body: &[u8], at: Timestamp) -> Sample {
    let written = |key: &str| format!("whsec_{}", STANDARD.encode(key));
    let sign = |signed: &[u8]| format!("v1,{}", STANDARD.encode(code(HMAC_SHA256, "", signed)));
    standard_with(written, sign, body, at)
}

pub(super) fn standard_public(body: &[u8], at: Timestamp) -> Sample {
    let pair = |seed: &str| Ed25519KeyPair::from_seed_unchecked(seed.as_bytes()).unwrap();
    let written = |seed: &str| format!("whpk_{}", STANDARD.encode(pair(seed).public_key()));
    let sign = |signed: &[u8]| format!("v1a,{}", STANDARD.encode(pair(KEY).sign(signed)));
    standard_with(written, sign, body, at)
}

pub(super) fn xledger(body: &[u8], at: Timestamp) -> Sample {
    let signature = code(HMAC_SHA256, &format!("{}.", at.as_second()), body);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
    let written = |key: &str| URL_SAFE_NO_PAD.encode(key);
    let sample = Sample::new("xledger", json!({ "type": "xledger" }), written, body);
    let sample = sample.with("x-xl-webhook-signature", &URL_SAFE_NO_PAD.encode(signature));
    Sample {
        now: at,
        counts: &["x-xl-webhook-signature", "date"],
        ..sample.with("date", &date)
    }
}

pub(super) fn dataverse(body: &[u8], at: Timestamp) -> Sample {
    let scheme = json!({ "type": "dataverse", "header": HEADER });
    Sample {
        now: at,
        counts: &[HEADER],
        body_counts: false,
        ..Sample::new("dataverse", scheme, str::to_owned, body).with(HEADER, KEY)
    }
}

pub(super) fn dataverse_query(body: &[u8], at: Timestamp) -> Sample {
    let scheme = json!({ "type": "dataverse", "query": "code" });
    let mut sample = Sample::new("dataverse", scheme, str::to_owned, body);
    sample.raw.query = Some(format!("code={KEY}"));
    Sample {
        now: at,
        body_counts: false,
        ..sample
    }
}

pub(super) fn cornerstone(body: &[u8], at: Timestamp) -> Sample {
    let scheme = json!({ "type": "cornerstone", "header": HEADER });
    Sample {
        now: at,
        counts: &[HEADER],
        body_counts: false,
        ..Sample::new("cornerstone", scheme, str::to_owned, body).with(HEADER, KEY)
    }
}

/// Signs time and body.
pub(super) fn hmac(body: &[u8], at: Timestamp) -> Sample {
    let seconds = at.as_second().to_string();
    let signature = URL_SAFE_NO_PAD.encode(code(HMAC_SHA512, &format!("{seconds}:"), body));
    let scheme = json!({
        "type": "hmac", "header": "x-signature", "encoding": "base64url", "algorithm": "sha512",
        "timestamp": { "header": "x-timestamp", "separator": ":", "toleranceSeconds": 60 },
    });
    let sample = Sample::new("hmac", scheme, str::to_owned, body).with("x-signature", &signature);
    Sample {
        now: at,
        counts: &["x-signature", "x-timestamp"],
        ..sample.with("x-timestamp", &seconds)
    }
}

/// Signs the body alone.
pub(super) fn hmac_body(body: &[u8], at: Timestamp) -> Sample {
    let code = code(HMAC_SHA256, "", body);
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    let scheme = json!({ "type": "hmac", "header": "x-signature", "prefix": "sha256=", "encoding": "hex" });
    Sample {
        now: at,
        counts: &["x-signature"],
        ..Sample::new("hmac", scheme, str::to_owned, body).with("x-signature", &format!("sha256={hex}"))
    }
}

/// Returns a webhook of every scheme, in each of its forms.
pub(super) fn all(body: &[u8], at: Timestamp) -> [Sample; 8] {
    let signers = [
        standard,
        standard_public,
        xledger,
        dataverse,
        dataverse_query,
        cornerstone,
        hmac,
        hmac_body,
    ];
    signers.map(|sign: fn(&[u8], Timestamp) -> Sample| sign(body, at))
}
