//! Webhooks whose sender is known.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// A webhook that was verified: there is no other way to one than [`RawWebhook::verify`](super::RawWebhook::verify).
///
/// Nobody makes one of parts:
///
/// ```compile_fail
/// use shared::webhook::VerifiedWebhook;
///
/// fn forge(real: VerifiedWebhook) -> VerifiedWebhook {
///     VerifiedWebhook { body: "{}".into(), ..real }
/// }
/// ```
///
/// nor of nothing:
///
/// ```compile_fail
/// let forged = shared::webhook::VerifiedWebhook::default();
/// ```
///
/// nor of what was stored or sent:
///
/// ```compile_fail
/// let forged: shared::webhook::VerifiedWebhook = serde_json::from_str("{}").unwrap();
/// ```
///
/// while everybody may read one:
///
/// ```
/// use shared::webhook::VerifiedWebhook;
///
/// fn read(real: &VerifiedWebhook) -> usize {
///     real.body().len() + real.id().map_or(0, str::len) + real.dedup_key().as_str().len()
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedWebhook {
    body: Bytes,
    dedup_key: DedupKey,
    id: Option<Box<str>>,
    signed_at: Option<Timestamp>,
}

impl VerifiedWebhook {
    pub(super) const fn new(body: Bytes, dedup_key: DedupKey) -> Self {
        Self {
            body,
            dedup_key,
            id: None,
            signed_at: None,
        }
    }

    pub(super) fn with_id(self, id: &str) -> Self {
        let id = Some(id.into());
        Self { id, ..self }
    }

    pub(super) fn with_time(self, signed_at: impl Into<Option<Timestamp>>) -> Self {
        let signed_at = signed_at.into();
        Self { signed_at, ..self }
    }

    /// Returns the body as it was signed, byte for byte; one that came compressed beside a secret is inflated.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns what the same webhook is known by when it comes again.
    #[must_use]
    pub const fn dedup_key(&self) -> &DedupKey {
        &self.dedup_key
    }

    /// Returns the sender's id of it, where that is signed.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns when it was signed, where that is signed.
    #[must_use]
    pub const fn signed_at(&self) -> Option<Timestamp> {
        self.signed_at
    }
}

/// What it says is a person's.
impl fmt::Debug for VerifiedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedWebhook")
            .field("bytes", &self.body.len())
            .field("dedup_key", &self.dedup_key)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

/// What a webhook is known by when it comes again, made of what was signed and of nothing else.
///
/// It is a digest with what it was made of in front: short enough for a queue, and plain enough for a row. It tells one
/// endpoint's webhooks apart; whose endpoint it is stands in front of it wherever it is kept.
///
/// # Shape
///
/// `id-ZM2Li0Xzt7rRzg0Zr7bTH3EGtbKZ8wZD2mN1kk7K4mM`, or `body-…` or `signed-…`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DedupKey(Box<str>);

impl DedupKey {
    pub(super) fn of_id(id: &str) -> Self {
        Self::of("id", &[id.as_bytes()])
    }

    pub(super) fn of_body(body: &[u8]) -> Self {
        Self::of("body", &[body])
    }

    pub(super) fn of_signed(signed: &[&[u8]]) -> Self {
        Self::of("signed", signed)
    }

    fn of(what: &str, parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        parts.iter().for_each(|part| digest.update(part));
        let digest = URL_SAFE_NO_PAD.encode(digest.finalize());
        Self(format!("{what}-{digest}").into())
    }

    /// Returns it as text: letters, digits, `-` and `_`, at most 50 of them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_a_body_of_the_same_bytes_are_two_keys() {
        let [id, body] = [DedupKey::of_id("one"), DedupKey::of_body(b"one")];
        assert_ne!(id, body);
        assert_ne!(body, DedupKey::of_signed(&[b"one"]));
        assert_eq!(
            DedupKey::of_signed(&[b"o", b"ne"]),
            DedupKey::of_signed(&[b"one"])
        );
    }

    #[test]
    fn a_key_fits_into_a_queue_and_a_row() {
        for key in [DedupKey::of_id("å#/"), DedupKey::of_body(&[0xff; 4096])] {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(
                key.as_str().len() <= 50 && key.as_str().bytes().all(plain),
                "{key}"
            );
        }
    }
}
