//! `tests/vectors/webhooks.json`: what is verified and what is refused, signed by others than this code.
//!
//! # Shape
//!
//! `webhooks` is a list of requests. `source` is there where the vector is a published one; `expected` says why a request
//! is refused, so that none is refused for another reason than the one it is there for.
//!
//! ```json
//! {
//!   "name": "…", "source": "…", "scheme": { "type": "standard" }, "secrets": { "current": "whsec_…" },
//!   "headers": [["webhook-id", "msg_1"]], "query": null, "body": "<base64>", "now": "2021-02-25T15:02:10Z",
//!   "expected": { "verified": { "dedupKey": "id-…", "id": "msg_1", "signedAt": "2021-02-25T15:02:10Z" } }
//! }
//! ```
//!
//! `hmac` and `ed25519` are those of RFC 4231 and RFC 8032 with some that must not verify, in hex.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use ring::hmac::{Algorithm, HMAC_SHA256, HMAC_SHA512};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::encoding::hex;
use super::raw::RawWebhook;
use super::scheme::Scheme;
use super::verifier::Verifier;

/// How many hostile vectors a scheme has at least.
const HOSTILE: usize = 10;

static FILE: LazyLock<File> = LazyLock::new(|| {
    let text = include_str!("../../../tests/vectors/webhooks.json");
    serde_json::from_str(text).expect("the vectors are as described")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    webhooks: Vec<Vector>,
    hmac: Vec<Code>,
    ed25519: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    #[serde(default, rename = "source")]
    _source: Option<String>,
    scheme: Value,
    secrets: Value,
    headers: Vec<(String, String)>,
    query: Option<String>,
    body: String,
    now: Timestamp,
    expected: Expected,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Expected {
    #[serde(rename_all = "camelCase")]
    Verified {
        dedup_key: String,
        id: Option<String>,
        signed_at: Option<Timestamp>,
    },
    Refused(String),
}

impl Vector {
    fn raw(&self) -> RawWebhook {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        RawWebhook {
            headers,
            query: self.query.clone(),
            body: STANDARD.decode(&self.body).unwrap().into(),
        }
    }

    fn outcome(&self) -> Expected {
        let verifier = verifier(&self.scheme, &self.secrets);
        let verifier = verifier.unwrap_or_else(|| panic!("{}: the secret is none", self.name));
        match self.raw().verify(&verifier, self.now) {
            Err(refused) => Expected::Refused(refused.reason().as_str().to_owned()),
            Ok(webhook) => Expected::Verified {
                dedup_key: webhook.dedup_key().to_string(),
                id: webhook.id().map(str::to_owned),
                signed_at: webhook.signed_at(),
            },
        }
    }
}

/// Returns a verifier of a scheme and secrets, which may be refused.
pub(super) fn verifier(scheme: &Value, secrets: &Value) -> Option<Verifier> {
    Verifier::read(scheme, &SecretString::from(secrets.to_string())).ok()
}

/// Runs the vectors of a scheme, and insists that it has its share of hostile ones and one that is verified.
pub(super) fn hold(scheme: &str) {
    let vectors: Vec<_> = FILE
        .webhooks
        .iter()
        .filter(|vector| vector.scheme["type"] == scheme)
        .collect();
    let wrong: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.outcome() != vector.expected)
        .map(|vector| format!("{}: {:?}", vector.name, vector.outcome()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let hostile = |vector: &&&Vector| matches!(vector.expected, Expected::Refused(_));
    let hostile = vectors.iter().filter(hostile).count();
    assert!(hostile >= HOSTILE, "{scheme} has {hostile} hostile vectors");
    assert!(vectors.len() > hostile, "{scheme} has no vector that is verified");
}

#[test]
fn every_vector_has_a_name_of_its_own_and_a_scheme_that_runs_it() {
    let names: BTreeSet<_> = FILE.webhooks.iter().map(|vector| &vector.name).collect();
    assert_eq!(names.len(), FILE.webhooks.len());
    for vector in &FILE.webhooks {
        let scheme = vector.scheme["type"].as_str().unwrap();
        assert!(Scheme::NAMES.contains(&scheme), "{}", vector.name);
    }
}

/// A code of RFC 4231, which may be cut short.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    pub(super) name: String,
    algorithm: String,
    key: String,
    message: String,
    code: String,
}

impl Code {
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.algorithm.as_str() {
            "sha256" => HMAC_SHA256,
            "sha512" => HMAC_SHA512,
            other => panic!("{other}"),
        }
    }

    pub(super) fn key(&self) -> Vec<u8> {
        hex(&self.key).unwrap()
    }

    pub(super) fn message(&self) -> Vec<u8> {
        hex(&self.message).unwrap()
    }

    pub(super) fn code(&self) -> Vec<u8> {
        hex(&self.code).unwrap()
    }
}

pub(super) fn codes() -> &'static [Code] {
    assert!(!FILE.hmac.is_empty());
    &FILE.hmac
}

/// A signature of RFC 8032, or one that must not verify.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signature {
    pub(super) name: String,
    key: String,
    message: String,
    signature: String,
    pub(super) verifies: bool,
}

impl Signature {
    pub(super) fn key(&self) -> [u8; 32] {
        hex(&self.key).unwrap().try_into().unwrap()
    }

    pub(super) fn message(&self) -> Vec<u8> {
        hex(&self.message).unwrap()
    }

    pub(super) fn signature(&self) -> Vec<u8> {
        hex(&self.signature).unwrap()
    }
}

pub(super) fn signatures() -> &'static [Signature] {
    assert!(!FILE.ed25519.is_empty());
    &FILE.ed25519
}
