//! The port to the objects: files that are read and written whole, and links by which others do so without an account.
//!
//! # Shape
//!
//! A key is `{organization}/{system}/{file}/{name}`: plain letters, nothing of a person in it. An object is encrypted by
//! the default of its bucket, and is never public: whoever has no account gets at it by a [`Link`], for minutes.
//!
//! # Units
//!
//! Sizes are bytes, at most [`MAX_BYTES`]: objects are held in memory. Checksums are SHA-256 in lower-case hex.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

#[cfg(test)]
mod behaviour;
mod memory;
mod s3;
#[cfg(test)]
mod s3_tests;

pub use memory::{MemoryObjects, Trouble};
pub use s3::S3Objects;

/// The most bytes of an object: it is held in memory, by functions that have little.
pub const MAX_BYTES: u64 = 64 << 20;

/// How long a link is valid at the most: whoever has it needs nothing else.
pub const LONGEST_LINK: Duration = Duration::from_secs(15 * 60);

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How long it is.
    pub bytes: u64,
    /// The SHA-256 that it was checked against when it was put, where that is known.
    pub sha256: Option<String>,
    /// What it says it is.
    pub content_type: Option<String>,
}

/// What may be put by a link, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload<'a> {
    /// How long it is, exactly.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: &'a str,
    /// What it says it is.
    pub content_type: &'a str,
}

/// An address at which one object can be read, or put, without an account.
///
/// `Debug` does not show the address: whoever has it needs nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to send the request.
    pub url: String,
    /// The method of the request.
    pub method: &'static str,
    /// The headers that have to be sent with it, as they are.
    pub headers: BTreeMap<String, String>,
    /// Until when it is taken.
    pub expires_at: Timestamp,
}

impl Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("method", &self.method)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is none under this key, or none any more.
    #[error("there is no object {key}")]
    Missing {
        /// Its key.
        key: String,
    },
    /// It has more than [`MAX_BYTES`].
    #[error("the object {key} has more than {MAX_BYTES} bytes")]
    TooLarge {
        /// Its key.
        key: String,
    },
    /// We may not read or write it, or not use the key that encrypts it.
    #[error("access to the object {key} is denied")]
    Denied {
        /// Its key.
        key: String,
    },
    /// The store is throttled, busy or out of reach.
    #[error("the objects are unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The store refuses the request as such: an error of ours, or of the deployment.
    #[error("the objects refuse the request")]
    Invalid(#[source] Box<dyn Error + Send + Sync>),
}

/// Reads and writes objects.
///
/// # Behaviour
///
/// - What was put is what is read, as a whole: nobody reads half of it.
/// - Putting again under the same key replaces it.
/// - What is larger than [`MAX_BYTES`] is neither put nor read, and no link lets it be put.
/// - Deleting what is missing succeeds.
/// - A link is for one object and one method, and ends by itself, after [`LONGEST_LINK`] at the latest.
/// - A link to put lets in what it was made for, byte for byte: length, SHA-256 and content type are part of it.
/// - A link to read makes a browser save the object under the name given, and never show it.
/// - Making a link costs no request, and says nothing about whether there is an object.
#[async_trait]
pub trait Objects: Debug + Send + Sync + 'static {
    /// Puts an object, in place of any other under its key.
    ///
    /// # Errors
    ///
    /// `TooLarge`, `Denied`, `Unavailable`, `Invalid`.
    async fn put(&self, key: &str, bytes: Bytes, content_type: &str) -> Result<(), ObjectError>;

    /// Returns an object, whole.
    ///
    /// # Errors
    ///
    /// `Missing`, `TooLarge`, `Denied`, `Unavailable`, `Invalid`.
    async fn get(&self, key: &str) -> Result<Bytes, ObjectError>;

    /// Returns what is known of an object.
    ///
    /// # Errors
    ///
    /// As [`Objects::get`], but for `TooLarge`.
    async fn head(&self, key: &str) -> Result<Head, ObjectError>;

    /// Deletes an object.
    ///
    /// # Errors
    ///
    /// `Denied`, `Unavailable`, `Invalid`.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;

    /// Makes a link to read an object, which is saved under `name`: letters of ASCII, digits, `.`, `-` and `_`.
    ///
    /// # Errors
    ///
    /// `Invalid` where the name is another, or the link would live too long; `Unavailable` without credentials.
    async fn link_to_get(
        &self,
        key: &str,
        name: &str,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError>;

    /// Makes a link to put an object.
    ///
    /// # Errors
    ///
    /// `TooLarge`; `Invalid` where the checksum is none, or the link would live too long; `Unavailable` without credentials.
    async fn link_to_put(
        &self,
        key: &str,
        upload: &Upload<'_>,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError>;
}

/// Returns the SHA-256 of bytes, in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use fmt::Write as _;

    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a text does not fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}

/// Returns the 32 bytes of a SHA-256 in hex.
fn digest(hex: &str) -> Result<[u8; 32], ObjectError> {
    let mut bytes = [0; 32];
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return Err(ObjectError::Invalid("a SHA-256 has 64 hexadecimal digits".into()));
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        let digits = hex.get(2 * place..2 * place + 2).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).map_err(|error| ObjectError::Invalid(error.into()))?;
    }
    Ok(bytes)
}

fn check_size(key: &str, bytes: u64) -> Result<(), ObjectError> {
    let key = key.to_owned();
    if bytes > MAX_BYTES {
        Err(ObjectError::TooLarge { key })
    } else {
        Ok(())
    }
}

/// Says until when a link is valid.
fn expires_at(valid: Duration, now: Timestamp) -> Result<Timestamp, ObjectError> {
    if valid > LONGEST_LINK || valid < Duration::from_secs(1) {
        return Err(ObjectError::Invalid(
            "a link is valid for 1 to 900 seconds".into(),
        ));
    }
    now.checked_add(valid)
        .map_err(|error| ObjectError::Invalid(error.into()))
}

/// Returns the header that makes a browser save an object under a name.
fn disposition(name: &str) -> Result<String, ObjectError> {
    if is_plain(name) {
        Ok(format!("attachment; filename=\"{name}\""))
    } else {
        let why = "the name of a file has 1 to 128 letters of a-z, A-Z, 0-9, '.', '-' and '_'";
        Err(ObjectError::Invalid(why.into()))
    }
}

/// Says whether a text may be the name of a file: it means nothing to a header, a shell or a file system.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    begins && name.len() <= 128 && name.bytes().all(plain)
}
