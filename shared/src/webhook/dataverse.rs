//! `dataverse`: what a webhook registered in Dynamics 365 sends.
//!
//! Dataverse signs nothing. It shows a secret: in a header of our choosing, or in the query where that is configured,
//! which leaves the secret in the log of everything in between. Where a header is, a `code` in the query is refused, so
//! that a registration with both is noticed when it is made.
//!
//! A copy of an environment keeps the registrations of the original. With `organizationId`, what a copy sends is refused.
//!
//! # Shape
//!
//! `{"type":"dataverse","header":"x-webhook-secret","organizationId":"4ef5b371-…"}`, or
//! `{"type":"dataverse","query":"code"}`
//!
//! Source: Microsoft Learn, "Use webhooks to create external handlers for server events" and "Register a webhook", read
//! 2026-11-22.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::encoding;
use super::live::Live;
use super::profile;
use super::raw::RawWebhook;
use super::refused::Reason;
use super::sign::Paste;
use super::token::Token;
use super::verified::{DedupKey, VerifiedWebhook};
use crate::settings::Section;

/// The part of the query that Dataverse puts its own kind of key into.
const CODE: &str = "code";

/// How a registration of Dataverse shows that it is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataverse {
    #[serde(flatten)]
    place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<Uuid>,
}

/// Where the secret stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Place {
    Header(String),
    Query(String),
}

/// What is read of a body; a name that stands there twice is refused.
#[derive(Deserialize)]
struct Context {
    #[serde(rename = "OrganizationId")]
    organization_id: Uuid,
}

impl Dataverse {
    /// Reads it from the settings of a scheme.
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let header = section.text("header", profile::header_name);
        let query = section.text("query", query_key);
        let organization_id = section.text("organizationId", organization);
        let is_there = |name| section.get(name).is_some();
        let place = match (is_there("header"), is_there("query")) {
            (true, false) => header.map(Place::Header),
            (false, true) => query.map(Place::Query),
            (false, false) => {
                section.fault("header", "is required, or query where there can be no header");
                None
            }
            (true, true) => {
                section.fault("query", "is one place too many: the secret stands in the header");
                None
            }
        };
        Some(Self {
            place: place?,
            organization_id,
        })
    }

    /// Says where the secret stands.
    pub(super) const fn paste(&self) -> Paste<'_> {
        match &self.place {
            Place::Header(name) => Paste::Header(name.as_str()),
            Place::Query(name) => Paste::Query(name.as_str()),
        }
    }

    /// Shows the secret as a registration does.
    pub(super) fn show(&self, raw: &mut RawWebhook, secret: &str) {
        match &self.place {
            Place::Header(name) => raw.put(name, secret),
            Place::Query(name) => raw.query = Some(format!("{name}={secret}")),
        }
    }

    pub(super) fn verify(
        &self,
        raw: RawWebhook,
        tokens: &Live<Token>,
        now: Timestamp,
    ) -> Result<VerifiedWebhook, Reason> {
        let shown = match &self.place {
            Place::Header(name) => raw.header(name).map(str::to_owned),
            Place::Query(name) => raw.query(name),
        };
        let matched = tokens.any(now, |token| token.is(shown.as_deref().unwrap_or_default()));
        shown?;
        if !matched {
            return Err(Reason::Signature);
        }
        if matches!(self.place, Place::Header(_)) && raw.query(CODE) != Err(Reason::Missing) {
            return Err(Reason::Misplaced);
        }
        let body = encoding::plain(raw)?;
        self.check_organization(&body)?;
        let dedup_key = DedupKey::of_body(&body);
        Ok(VerifiedWebhook::new(body, dedup_key))
    }

    fn check_organization(&self, body: &[u8]) -> Result<(), Reason> {
        let Some(expected) = self.organization_id else {
            return Ok(());
        };
        // A list would be read for the object whose members it has in their order.
        let object = Some(body).filter(|body| body.trim_ascii_start().starts_with(b"{"));
        let context = object.and_then(|body| serde_json::from_slice::<Context>(body).ok());
        match context.is_some_and(|context| context.organization_id == expected) {
            true => Ok(()),
            false => Err(Reason::Organization),
        }
    }
}

fn query_key(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match (1..=50).contains(&text.len()) && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 50 of A-Z, a-z, 0-9, '-' and '_', such as code".to_owned()),
    }
}

fn organization(text: &str) -> Result<Uuid, String> {
    let id = Uuid::try_parse(text);
    id.map_err(|_| "must be the id of the organization in Dataverse, a UUID".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::webhook::{samples, vectors};

    #[test]
    fn every_vector_of_dataverse_ends_as_it_should() {
        vectors::hold("dataverse");
    }

    #[test]
    fn no_unsigned_header_changes_what_a_webhook_is_known_by() {
        let one = samples::dataverse(b"{}", samples::now());
        let mut other = samples::dataverse(b"{}", samples::now());
        other.set("x-ms-correlation-request-id", "another");
        let keys = [one, other].map(|sample| sample.verify().unwrap().dedup_key().clone());
        assert_eq!(keys[0], keys[1]);
    }
}
