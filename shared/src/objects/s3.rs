//! The objects in S3.
//!
//! Source: Amazon S3 API Reference, `PutObject`, `GetObject`, `HeadObject`; Amazon S3 User Guide, "Sharing objects with
//! presigned URLs" and "Checking object integrity".

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{
    Head, Link, MAX_BYTES, ObjectError, Objects, Upload, check_size, digest, disposition, expires_at,
};

/// Keeps objects in one bucket, which encrypts them by its own default and is closed to the public.
#[derive(Clone)]
pub struct S3Objects {
    client: Client,
    bucket: String,
}

/// A refusal or failure, by what S3 calls it.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct Failure {
    code: String,
    message: String,
    status: Option<u16>,
}

impl S3Objects {
    /// Keeps objects through `client` in a bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let bucket = bucket.into();
        Self { client, bucket }
    }
}

impl fmt::Debug for S3Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Objects")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl Failure {
    fn of<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let text = |text: Option<&str>| text.map(str::to_owned);
        let code = text(error.code()).unwrap_or_else(|| "unanswered".to_owned());
        let message = text(error.message()).unwrap_or_else(|| DisplayErrorContext(&error).to_string());
        Self {
            code,
            message,
            status,
        }
    }

    /// A HEAD has no body that could say more than its status does.
    fn about(self, key: &str) -> ObjectError {
        let key = key.to_owned();
        match (self.code.as_str(), self.status) {
            ("NoSuchKey" | "NotFound", _) => ObjectError::Missing { key },
            ("NoSuchBucket", _) => ObjectError::Invalid(Box::new(self)),
            ("AccessDenied", _) | (_, Some(403)) => ObjectError::Denied { key },
            (_, Some(404)) => ObjectError::Missing { key },
            ("SlowDown" | "RequestTimeout", _) | (_, None | Some(500..)) => {
                ObjectError::Unavailable(Box::new(self))
            }
            _ => ObjectError::Invalid(Box::new(self)),
        }
    }
}

#[async_trait]
impl Objects for S3Objects {
    async fn put(&self, key: &str, bytes: Bytes, content_type: &str) -> Result<(), ObjectError> {
        check_size(key, bytes.len() as u64)?;
        let checksum = STANDARD.encode(Sha256::digest(&bytes));
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = request
            .content_type(content_type)
            .checksum_sha256(checksum)
            .body(ByteStream::from(bytes));
        let answer = request.send().await;
        answer.map(drop).map_err(|error| Failure::of(error).about(key))
    }

    async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| Failure::of(error).about(key))?;
        let length = answer
            .content_length
            .and_then(|length| u64::try_from(length).ok());
        check_size(key, length.unwrap_or_default())?;
        let capacity = length.and_then(|length| usize::try_from(length).ok());
        let mut bytes = Vec::with_capacity(capacity.unwrap_or_default());
        while let Some(piece) = answer.body.next().await {
            let piece = piece.map_err(|error| ObjectError::Unavailable(Box::new(error)))?;
            bytes.extend_from_slice(&piece);
            check_size(key, bytes.len() as u64)?;
        }
        match length {
            Some(length) if length != bytes.len() as u64 => {
                Err(ObjectError::Unavailable("the object ended too early".into()))
            }
            _ => Ok(bytes.into()),
        }
    }

    async fn head(&self, key: &str) -> Result<Head, ObjectError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        let answer = request.checksum_mode(ChecksumMode::Enabled).send().await;
        let answer = answer.map_err(|error| Failure::of(error).about(key))?;
        let length = answer
            .content_length
            .and_then(|length| u64::try_from(length).ok());
        Ok(Head {
            bytes: length.ok_or_else(|| ObjectError::Unavailable("the object has no length".into()))?,
            sha256: answer.checksum_sha256.as_deref().and_then(in_hex),
            content_type: answer.content_type,
        })
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        let answer = request.send().await;
        answer.map(drop).map_err(|error| Failure::of(error).about(key))
    }

    async fn link_to_get(
        &self,
        key: &str,
        name: &str,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let request = request.response_content_disposition(disposition(name)?);
        let signed = request.presigned(presigning(valid, now)?).await;
        let signed = signed.map_err(|error| Failure::of(error).about(key))?;
        Ok(link("GET", &signed, expires_at(valid, now)?))
    }

    async fn link_to_put(
        &self,
        key: &str,
        upload: &Upload<'_>,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError> {
        check_size(key, upload.bytes)?;
        let length = i64::try_from(upload.bytes).unwrap_or(MAX_BYTES.cast_signed());
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = request
            .content_length(length)
            .content_type(upload.content_type)
            .checksum_sha256(STANDARD.encode(digest(upload.sha256)?));
        let signed = request.presigned(presigning(valid, now)?).await;
        let signed = signed.map_err(|error| Failure::of(error).about(key))?;
        Ok(link("PUT", &signed, expires_at(valid, now)?))
    }
}

fn presigning(valid: Duration, now: Timestamp) -> Result<PresigningConfig, ObjectError> {
    expires_at(valid, now)?;
    let config = PresigningConfig::builder()
        .start_time(SystemTime::from(now))
        .expires_in(valid)
        .build();
    config.map_err(|error| ObjectError::Invalid(Box::new(error)))
}

fn link(method: &'static str, signed: &PresignedRequest, expires_at: Timestamp) -> Link {
    let headers = signed.headers();
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Link {
        url: signed.uri().to_owned(),
        method,
        headers: headers.collect(),
        expires_at,
    }
}

/// S3 gives checksums in Base64; that of an object in parts ends in `-` and their number, and is none of the whole.
fn in_hex(checksum: &str) -> Option<String> {
    let bytes = STANDARD.decode(checksum).ok()?;
    (bytes.len() == 32).then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
