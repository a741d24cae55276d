//! Access tokens: JWTs that a key signs which never leaves its store, short-lived, and of one kind only.
//!
//! Source: RFC 9068, "JSON Web Token (JWT) Profile for OAuth 2.0 Access Tokens"; RFC 8725, "JSON Web Token Best Current
//! Practices"; RFC 7638, "JSON Web Key (JWK) Thumbprint".

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use p256::ecdsa::{Signature, VerifyingKey};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::scope::Scopes;
use crate::keys::{KeyError, Keys, PublicKey};

/// How long a token is good for, in seconds.
pub const LIFETIME: i64 = 15 * 60;

/// How far ahead of ours another clock of ours may be, in seconds.
const AHEAD: i64 = 60;

/// The type that an access token says it is of.
const TYPE: &str = "at+jwt";

/// The longest token that is looked at.
const LONGEST: usize = 4_096;

/// What a token says.
///
/// # Shape
///
/// `{"iss":"https://…","sub":"5c1e…","aud":"https://…","client_id":"5c1e…","exp":1769854500,"iat":1769853600,"jti":"…","scope":"sync:trigger"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom: the client, since nobody stands behind it.
    pub sub: Uuid,
    /// To be shown to whom.
    pub aud: String,
    /// The client.
    pub client_id: Uuid,
    /// Until when, in seconds since the epoch.
    pub exp: i64,
    /// Since when, in seconds since the epoch.
    pub iat: i64,
    /// Not before when, in seconds since the epoch; ours do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Its own id.
    pub jti: Uuid,
    /// What it allows.
    pub scope: Scopes,
}

/// The token is not one of ours, or no longer good. It is not said why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not accepted")]
pub struct Refused;

/// Why a token was not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The key by which it would be verified cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Issues and verifies the tokens of one deployment.
pub struct Tokens {
    keys: Arc<dyn Keys>,
    /// The issuer and the audience: the address of the API.
    place: String,
    public: OnceCell<Vec<PublicKey>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Signs and verifies with these keys for the API at this address; the keys are asked for once.
    pub fn new(keys: Arc<dyn Keys>, place: impl Into<String>) -> Self {
        // Another part of the process may have installed the same one already.
        ES256_ONLY.install_default().ok();
        Self {
            keys,
            place: place.into(),
            public: OnceCell::new(),
        }
    }

    /// Returns the issuer and the audience of its tokens.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Issues a token with which a client may do what `scopes` say.
    ///
    /// # Errors
    ///
    /// Those of the key.
    pub async fn issue(
        &self,
        client: Uuid,
        scopes: Scopes,
        now: Timestamp,
    ) -> Result<SecretString, KeyError> {
        let claims = Claims {
            iss: self.place.clone(),
            sub: client,
            aud: self.place.clone(),
            client_id: client,
            exp: now.as_second() + LIFETIME,
            iat: now.as_second(),
            nbf: None,
            jti: Uuid::new_v4(),
            scope: scopes,
        };
        let signs = self.public().await?.first().ok_or(KeyError::Malformed)?;
        let header = json!({ "alg": "ES256", "typ": TYPE, "kid": kid(signs) });
        let claims = serde_json::to_string(&claims).map_err(|_| KeyError::Malformed)?;
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims));
        let signature = self.keys.sign(signed.as_bytes()).await?;
        Ok(format!("{signed}.{}", encode(signature.0)).into())
    }

    /// Returns what a token says, if it is ours and good.
    ///
    /// # Errors
    ///
    /// `Refused`, and those of the key.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, VerifyError> {
        if token.len() > LONGEST {
            return Err(Refused.into());
        }
        let header = decode_header(token).map_err(|_| Refused)?;
        if !is_plain(token) {
            return Err(Refused.into());
        }
        let known = self.public().await?.iter();
        let mut ours = known.filter(|key| header.kid.as_deref() == Some(&*kid(key)));
        let public = ours
            .next()
            .filter(|_| header.typ.as_deref() == Some(TYPE))
            .ok_or(Refused)?;
        let point = [&[4][..], &public.x, &public.y].concat();
        let token = decode::<Claims>(token, &DecodingKey::from_ec_der(&point), &self.validation());
        let claims = token.map_err(|_| Refused)?.claims;
        let good = claims.exp > now.as_second()
            && claims.iat.max(claims.nbf.unwrap_or(i64::MIN)) <= now.as_second() + AHEAD
            && claims.exp - claims.iat <= LIFETIME
            && claims.sub == claims.client_id;
        if good { Ok(claims) } else { Err(Refused.into()) }
    }

    /// Returns the keys by which others verify our tokens.
    ///
    /// # Errors
    ///
    /// Those of the key.
    pub async fn key_set(&self) -> Result<Value, KeyError> {
        let keys = self.public().await?.iter().map(|key| {
            json!({
                "kty": "EC", "crv": "P-256", "x": encode(key.x), "y": encode(key.y),
                "use": "sig", "alg": "ES256", "kid": kid(key),
            })
        });
        Ok(json!({ "keys": keys.collect::<Vec<_>>() }))
    }

    async fn public(&self) -> Result<&[PublicKey], KeyError> {
        let keys = self.public.get_or_try_init(|| self.keys.public()).await?;
        Ok(keys)
    }

    /// Times are compared by our own clock.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.set_issuer(&[&self.place]);
        validation.set_audience(&[&self.place]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation
    }
}

/// Says whether a token's head has what ours has and nothing else: no key, no address of one, and nothing critical.
fn is_plain(token: &str) -> bool {
    let head = token
        .split('.')
        .next()
        .and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head: Option<serde_json::Map<String, Value>> =
        head.and_then(|head| serde_json::from_slice(&head).ok());
    head.is_some_and(|head| {
        head.keys()
            .all(|name| ["alg", "typ", "kid"].contains(&name.as_str()))
    })
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Names a key by its thumbprint.
fn kid(key: &PublicKey) -> String {
    let (x, y) = (encode(key.x), encode(key.y));
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    encode(Sha256::digest(members))
}

/// Verifies one algorithm and knows no other, so that a token cannot choose.
static ES256_ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(Es256::read(key)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Es256(VerifyingKey);

impl Es256 {
    fn read(key: &DecodingKey) -> jsonwebtoken::errors::Result<Self> {
        let point = key.try_get_as_bytes()?;
        let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| ErrorKind::InvalidEcdsaKey)?;
        Ok(Self(key))
    }
}

impl Verifier<Vec<u8>> for Es256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let signature = Signature::from_slice(signature).map_err(|_| Error::new())?;
        p256::ecdsa::signature::Verifier::verify(&self.0, message, &signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for Es256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
