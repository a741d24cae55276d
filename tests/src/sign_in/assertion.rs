//! Client assertions: a token that a client signs to prove who it is.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::AssertionFault;
use super::client::Client;

/// How far the clocks of server and client may be apart.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(rename = "x5t#S256")]
    sha256: Option<String>,
    #[serde(rename = "x5t")]
    sha1: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    nbf: i64,
    exp: i64,
}

/// An assertion that is good, once.
#[derive(Debug)]
pub(super) struct Genuine {
    id: String,
    ends_at: Timestamp,
}

/// Keeps which assertions were used, for as long as they would be good.
#[derive(Debug, Default)]
pub(super) struct Assertions(HashMap<String, Timestamp>);

impl Assertions {
    pub(super) fn spend(&mut self, assertion: Genuine, now: Timestamp) -> Result<(), AssertionFault> {
        self.0.retain(|_, ends_at| now < *ends_at);
        match self.0.insert(assertion.id, assertion.ends_at) {
            Some(_) => Err(AssertionFault::Replayed),
            None => Ok(()),
        }
    }
}

/// Checks an assertion of a client that is meant for `audience`, the signature before anything that it says.
///
/// Source: Microsoft Learn, "Microsoft identity platform application authentication certificate credentials". That
/// an identifier is good once is RFC 7523, section 3; the real server does not say whether it looks.
pub(super) fn check(
    assertion: &str,
    client: &Client,
    audience: &str,
    now: Timestamp,
) -> Result<Genuine, AssertionFault> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or(AssertionFault::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(AssertionFault::Malformed)?;
    let header: Header = read(header)?;
    check_signature(&header, signed, signature, client, now)?;
    let claims: Claims = read(claims)?;
    if !client.is(&claims.iss) || claims.iss != claims.sub {
        return Err(AssertionFault::Subject);
    }
    if claims.aud != audience {
        return Err(AssertionFault::Audience);
    }
    let at = |seconds| Timestamp::from_second(seconds).map_err(|_| AssertionFault::Malformed);
    let (begins_at, ends_at) = (at(claims.nbf)? - TOLERANCE, at(claims.exp)? + TOLERANCE);
    if now < begins_at || now >= ends_at {
        return Err(AssertionFault::Time);
    }
    Ok(Genuine {
        id: claims.jti,
        ends_at,
    })
}

fn check_signature(
    header: &Header,
    signed: &str,
    signature: &str,
    client: &Client,
    now: Timestamp,
) -> Result<(), AssertionFault> {
    let algorithm: &RsaParameters = match header.alg.as_str() {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(AssertionFault::Algorithm),
    };
    let (sha256, sha1) = (header.sha256.as_deref(), header.sha1.as_deref());
    let mut certificates = client.certificates.iter();
    let certificate = certificates.find(|certificate| certificate.is_named(sha256, sha1));
    let certificate = certificate.ok_or(AssertionFault::UnknownKey)?;
    if now >= certificate.ends_at {
        return Err(AssertionFault::ExpiredKey);
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| AssertionFault::Malformed)?;
    UnparsedPublicKey::new(algorithm, &certificate.key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| AssertionFault::Signature)
}

fn read<T: DeserializeOwned>(part: &str) -> Result<T, AssertionFault> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| AssertionFault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| AssertionFault::Malformed)
}
