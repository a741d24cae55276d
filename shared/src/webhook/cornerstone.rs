//! `cornerstone`: what Cornerstone's webhooks send.
//!
//! No signature is documented: a header of our choosing shows a secret. Bodies may be compressed; they are inflated once
//! the secret was seen, up to 4 MiB.
//!
//! # Shape
//!
//! `{"type":"cornerstone","header":"x-webhook-secret"}`
//!
//! Source: csod.dev, "Webhooks: FAQ", read 2026-11-22, for compression; the release notes of July 2024, "Webhooks".

use jiff::Timestamp;
use serde::Serialize;

use super::encoding;
use super::live::Live;
use super::profile;
use super::raw::RawWebhook;
use super::refused::Reason;
use super::token::Token;
use super::verified::{DedupKey, VerifiedWebhook};
use crate::settings::Section;

/// How a subscription of Cornerstone shows that it is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cornerstone {
    header: String,
}

impl Cornerstone {
    /// Reads it from the settings of a scheme.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let header = section.required("header", profile::header_name)?;
        Some(Self { header })
    }

    /// Returns the header that shows the secret.
    pub(super) const fn header(&self) -> &str {
        self.header.as_str()
    }

    pub(super) fn verify(
        &self,
        raw: RawWebhook,
        tokens: &Live<Token>,
        now: Timestamp,
    ) -> Result<VerifiedWebhook, Reason> {
        let shown = raw.header(&self.header);
        let matched = tokens.any(now, |token| token.is(shown.unwrap_or_default()));
        shown?;
        if !matched {
            return Err(Reason::Signature);
        }
        let body = encoding::inflated(raw)?;
        let dedup_key = DedupKey::of_body(&body);
        Ok(VerifiedWebhook::new(body, dedup_key))
    }
}

#[cfg(test)]
mod tests {
    use crate::webhook::vectors;

    #[test]
    fn every_vector_of_cornerstone_ends_as_it_should() {
        vectors::hold("cornerstone");
    }
}
