//! Deliveries: verified webhooks on their way through the queue.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use super::body::KeptBody;
use super::endpoint::{Endpoint, EndpointId};
use crate::adapter::{Hint, ReadWebhook, Told, Why};
use crate::model::{FieldError, IntegrationId};
use crate::queue::Message;
use crate::store::Content;
use crate::webhook::VerifiedWebhook;

/// How many of an integration's webhooks are worked on at once, so that one that is told a lot keeps nobody else waiting.
/// Those about one row are worked in their order.
const LANES: u64 = 4;

/// The most rows that one webhook hints at.
const MOST: usize = 500;

/// The member by which the body of a test delivery is known.
pub const TEST: &str = "externalApiIntegrationServiceTest";

/// What a webhook says, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Say {
    /// That something happened to these rows.
    Rows(Vec<Hint>),
    /// That something happened in the books.
    Books,
    /// Nothing that is to be looked at.
    Nothing(Why),
    /// Nothing that could be read.
    Unreadable {
        /// What could not be read.
        fault: Fault,
        /// The body, to be read again once the settings are other ones; none where it is too large.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<KeptBody>,
    },
}

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its place in the body, or the setting that is wrong.
    pub field: String,
    /// What is wrong with it; nothing of what stands there.
    pub reason: String,
}

/// A verified webhook on its way through the queue: what it hints at, and nothing more of what it says.
///
/// # Shape
///
/// `{"endpoint":"hlf.q83v…","integration":"hlf:dynamics365","dedupKey":"id-ZM2L…","content":"n4bQ…","receivedAt":"…",
/// "say":{"rows":[{"kind":"member","id":"1c8c4d2e-…"}]}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Where it was sent to.
    pub endpoint: EndpointId,
    /// Whose records it is about.
    pub integration: IntegrationId,
    /// What it is known by when it comes again.
    pub dedup_key: Box<str>,
    /// The digest of its body.
    pub content: Box<str>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// When it was signed, where that is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Its sender's id of it, where that is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<Box<str>>,
    /// What it says.
    pub say: Say,
}

impl Say {
    /// Reads what a webhook says.
    #[must_use]
    pub fn read(reader: &Result<std::sync::Arc<dyn ReadWebhook>, FieldError>, body: &[u8]) -> Self {
        if is_test(body) {
            return Self::Nothing(Why::Test);
        }
        let told = reader
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|reader| reader.read(body));
        match told {
            Ok(Told::Rows(hints)) if hints.len() <= MOST => Self::Rows(hints),
            Ok(Told::Rows(_)) => {
                let reason = format!("names more than {MOST} rows: start a sync, which finds them all");
                Self::unreadable(FieldError::new("body", reason), body)
            }
            Ok(Told::Books) => Self::Books,
            Ok(Told::Nothing(why)) => Self::Nothing(why),
            Err(fault) => Self::unreadable(fault, body),
        }
    }

    fn unreadable(FieldError { field, reason }: FieldError, body: &[u8]) -> Self {
        Self::Unreadable {
            fault: Fault { field, reason },
            body: KeptBody::of(body),
        }
    }
}

/// Says whether a body is that of a test delivery.
fn is_test(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Test {
        #[serde(rename = "externalApiIntegrationServiceTest")]
        _sent: Timestamp,
    }
    let short = body.len() <= 200 && body.starts_with(b"{\"externalApiIntegrationServiceTest\"");
    short && serde_json::from_slice::<Test>(body).is_ok()
}

impl Delivery {
    /// Puts together what goes on the queue.
    #[must_use]
    pub fn new(endpoint: &Endpoint, webhook: &VerifiedWebhook, say: Say, now: Timestamp) -> Self {
        Self {
            endpoint: endpoint.id.clone(),
            integration: endpoint.integration.clone(),
            dedup_key: webhook.dedup_key().as_str().into(),
            content: URL_SAFE_NO_PAD.encode(Sha256::digest(webhook.body())).into(),
            received_at: now,
            signed_at: webhook.signed_at(),
            sender_id: webhook.id().map(Into::into),
            say,
        }
    }

    /// Returns the message: of two for the same webhook, one is delivered.
    #[must_use]
    pub fn message(&self) -> Message {
        let content = self.content.get(..8).unwrap_or_default();
        Message {
            system: self.integration.system,
            group: group(&self.integration, &self.say, &self.dedup_key),
            deduplication: format!("{}-{}-{content}", self.endpoint.token(), self.dedup_key),
            body: Content::of(self).body,
        }
    }
}

/// Returns the group in which a webhook is worked: that of the first row that it hints at, or that of the books.
pub(super) fn group(integration: &IntegrationId, say: &Say, name: &str) -> String {
    let hash = match say {
        Say::Rows(hints) => hints.first().map(|hint| xxh3_64(hint.id.as_bytes())),
        // One after the other: each has the same looked at.
        Say::Books => return format!("{integration}#webhook#books"),
        Say::Nothing(_) | Say::Unreadable { .. } => None,
    };
    let lane = hash.unwrap_or_else(|| xxh3_64(name.as_bytes())) % LANES;
    format!("{integration}#webhook#{lane}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Kind;

    #[test]
    fn a_flood_takes_its_own_lanes_and_no_more_and_each_row_keeps_to_one() {
        let groups = |integration: &str| {
            let integration: IntegrationId = integration.parse().unwrap();
            let about = |number: u32, name: &str| {
                let hint = Hint {
                    kind: Kind::Member,
                    id: number.to_string().into(),
                };
                group(&integration, &Say::Rows(vec![hint]), name)
            };
            let mut groups = BTreeSet::new();
            for number in 0..10_000 {
                let group = about(number, "first");
                assert_eq!(group, about(number, "second"));
                groups.insert(group);
            }
            groups
        };
        let (flooded, other) = (groups("hlf:cornerstone"), groups("dnt:cornerstone"));
        assert_eq!((flooded.len() as u64, other.len() as u64), (LANES, LANES));
        assert!(flooded.is_disjoint(&other));
    }
}
