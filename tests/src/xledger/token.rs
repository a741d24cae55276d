//! API tokens, and what each of them may read and write.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;

/// Base64url as the vendor's sample reads it, padded or not.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An API token, as an administrator makes it for one entity and those below it.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The token, which is base64url.
    pub token: String,
    /// The code of the entity.
    pub entity: String,
    /// What it may read.
    pub read: Scope,
    /// What it may write.
    pub write: Scope,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// Names objects, such as `GLImportItem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All objects.
    All,
    /// These objects.
    Only(BTreeSet<String>),
}

impl Scope {
    /// Returns a scope of these objects.
    pub fn only<'a>(objects: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Only(objects.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn holds(&self, object: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(objects) => objects.contains(object),
        }
    }
}

impl ApiToken {
    /// Returns a token for everything in an entity.
    pub fn new(token: &str, entity: &str) -> Self {
        Self {
            token: token.to_owned(),
            entity: entity.to_owned(),
            read: Scope::All,
            write: Scope::All,
            expires_at: None,
            revoked: false,
        }
    }

    /// Returns the token with a smaller scope.
    #[must_use]
    pub fn scoped(mut self, read: Scope, write: Scope) -> Self {
        (self.read, self.write) = (read, write);
        self
    }

    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        !self.revoked && self.expires_at.is_none_or(|end| now < end)
    }
}

pub(super) fn key(token: &str) -> Option<Vec<u8>> {
    BASE64_URL.decode(token).ok()
}

/// Returns bytes as webhooks carry them.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_URL.encode(bytes)
}

/// Returns the token of an `Authorization` header in the one form that there is.
///
/// Scheme and token are separated by one space, and the scheme is written small, as every public client writes it.
pub(super) fn presented(header: Option<&str>) -> Option<&str> {
    let token = header?.strip_prefix("token ")?;
    (!token.is_empty() && !token.contains(char::is_whitespace)).then_some(token)
}
