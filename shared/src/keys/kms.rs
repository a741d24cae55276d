//! The keys in KMS: they sign and seal there, and nobody ever sees them.
//!
//! # Shape
//!
//! A secret of up to 4,096 bytes is what `Encrypt` returned, in base64. A longer one has a key of its own:
//! `v2.{key}.{content}`, in base64 too, where `GenerateDataKey` sealed the key, and the key the content.
//!
//! Either takes one call of KMS to seal, and one to open. Short secrets are sealed as they always were, so that
//! code that knows of no envelopes opens them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, MessageType, SigningAlgorithmSpec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::DecodePublicKey as _;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::local::{LocalKey, Sealer};
use super::{KeyError, Keys, PublicKey, Sealed, Signature};

/// The name under which the context of what is sealed is told to KMS, which writes it into its own log.
const CONTEXT: &str = "for";

/// The most bytes that `Encrypt` takes.
///
/// Source: AWS Key Management Service API Reference, `Encrypt`.
const ENCRYPTED: usize = 4096;

/// Begins what is in an envelope; base64 has no dot.
const ENVELOPE: &str = "v2.";

/// Signs with one key of KMS, and seals with another.
#[derive(Clone)]
pub struct KmsKeys {
    client: Client,
    names: KeyNames,
}

/// The keys by their ids, ARNs or aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNames {
    /// The key of the kind `ECC_NIST_P256` that signs; none where nothing is signed or verified.
    pub signs: Option<String>,
    /// The one that did before, while its signatures are still to be verified.
    pub signed: Option<String>,
    /// The symmetric key that seals; none where nothing is sealed or opened.
    pub seals: Option<String>,
}

impl KmsKeys {
    /// Uses these keys.
    #[must_use]
    pub const fn new(client: Client, names: KeyNames) -> Self {
        Self { client, names }
    }

    async fn public_key(&self, name: &str) -> Result<PublicKey, KeyError> {
        let request = self.client.get_public_key().key_id(name);
        let answer = request.send().await.map_err(key_error)?;
        let der = answer.public_key.ok_or(KeyError::Malformed)?;
        let key = p256::PublicKey::from_public_key_der(der.as_ref()).map_err(|_| KeyError::Malformed)?;
        PublicKey::of_point(key.to_sec1_point(false).as_bytes()).ok_or(KeyError::Malformed)
    }

    fn signs(&self) -> Result<&str, KeyError> {
        let none = || KeyError::Denied("this function has no key to sign with".into());
        self.names.signs.as_deref().ok_or_else(none)
    }

    fn seals(&self) -> Result<&str, KeyError> {
        let none = || KeyError::Denied("this function has no key to seal with".into());
        self.names.seals.as_deref().ok_or_else(none)
    }

    async fn encrypt(&self, context: &str, plain: &str) -> Result<String, KeyError> {
        let request = self.client.encrypt().key_id(self.seals()?);
        let request = request
            .encryption_context(CONTEXT, context)
            .plaintext(Blob::new(plain));
        let answer = request.send().await.map_err(key_error)?;
        let sealed = answer.ciphertext_blob.ok_or(KeyError::Malformed)?;
        Ok(STANDARD.encode(sealed))
    }

    async fn decrypt(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let request = self.client.decrypt().key_id(self.seals()?);
        let request = request
            .encryption_context(CONTEXT, context)
            .ciphertext_blob(Blob::new(decoded(sealed)?));
        let answer = request.send().await.map_err(key_error)?;
        let opened = answer.plaintext.ok_or(KeyError::Malformed)?;
        Ok(Zeroizing::new(opened.into_inner()))
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, KeyError> {
    STANDARD.decode(text).map_err(|_| KeyError::Sealed)
}

impl fmt::Debug for KmsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKeys")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Keys for KmsKeys {
    async fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let request = self.client.sign().key_id(self.signs()?);
        let request = request
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .message(Blob::new(message));
        let answer = request.send().await.map_err(key_error)?;
        let der = answer.signature.ok_or(KeyError::Malformed)?;
        let signature = p256::ecdsa::Signature::from_der(der.as_ref()).map_err(|_| KeyError::Malformed)?;
        Ok(Signature(signature.to_bytes().into()))
    }

    async fn public(&self) -> Result<Vec<PublicKey>, KeyError> {
        let mut keys = vec![self.public_key(self.signs()?).await?];
        if let Some(before) = &self.names.signed {
            match self.public_key(before).await {
                Ok(key) => keys.push(key),
                Err(error) => tracing::error!(?error, "tokens of the previous key are refused"),
            }
        }
        Ok(keys)
    }

    async fn seal(&self, context: &str, secret: &SecretString) -> Result<Sealed, KeyError> {
        let plain = secret.expose_secret();
        if plain.len() <= ENCRYPTED {
            return self.encrypt(context, plain).await.map(Sealed);
        }
        self.sealer(context).await?.seal(secret)
    }

    async fn sealer(&self, context: &str) -> Result<Sealer, KeyError> {
        let request = self.client.generate_data_key().key_id(self.seals()?);
        let request = request
            .encryption_context(CONTEXT, context)
            .key_spec(DataKeySpec::Aes256);
        let answer = request.send().await.map_err(key_error)?;
        let bits = Zeroizing::new(answer.plaintext.ok_or(KeyError::Malformed)?.into_inner());
        let key = LocalKey::new(&bits).ok_or(KeyError::Malformed)?;
        let sealed = STANDARD.encode(answer.ciphertext_blob.ok_or(KeyError::Malformed)?);
        Ok(Sealer::new(
            Arc::new(key),
            context,
            format!("{ENVELOPE}{sealed}."),
        ))
    }

    async fn open(&self, context: &str, sealed: &Sealed) -> Result<SecretString, KeyError> {
        let Some(envelope) = sealed.0.strip_prefix(ENVELOPE) else {
            let opened = self.decrypt(context, &sealed.0).await?;
            let text = std::str::from_utf8(&opened).map_err(|_| KeyError::Malformed)?;
            return Ok(text.into());
        };
        let (key, content) = envelope.split_once('.').ok_or(KeyError::Sealed)?;
        let content = decoded(content)?;
        let key = LocalKey::new(&self.decrypt(context, key).await?).ok_or(KeyError::Sealed)?;
        key.open(context, content)
    }
}

/// Sorts KMS's errors by what the caller does next.
///
/// Source: AWS Key Management Service API Reference, the errors of `Sign`, `GetPublicKey`, `Encrypt`,
/// `GenerateDataKey` and `Decrypt`.
fn key_error<E, R>(error: SdkError<E, R>) -> KeyError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some("InvalidCiphertextException" | "IncorrectKeyException") => KeyError::Sealed,
        Some(
            "AccessDeniedException"
            | "DisabledException"
            | "KMSInvalidStateException"
            | "NotFoundException"
            | "InvalidKeyUsageException",
        ) => KeyError::Denied(Box::new(error)),
        _ => KeyError::Unavailable(Box::new(error)),
    }
}
