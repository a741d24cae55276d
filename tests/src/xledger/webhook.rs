//! Webhooks: who listens, in what state, and what is told, signed.
//!
//! `X-XL-Webhook-Signature` is the base64url of HMAC-SHA256 over `{seconds of Date}.{body}`, with the API token that the
//! webhook was added with, decoded from base64url, as the key. How often Xledger tries again, and what makes a webhook
//! `FAULTED`, is not known.
//!
//! Source: github.com/xledger/graphql-samples, read 2026-11-21.

use std::collections::VecDeque;

use jiff::Timestamp;
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::time::local;
use super::token;

/// Says whether a webhook tells of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookState {
    /// It tells of changes.
    Running,
    /// It keeps changes until it runs again.
    Paused,
    /// It tries again after a failed delivery.
    Recovering,
    /// It has given up, and forgets changes.
    Faulted,
}

/// Somebody who wants to be told of changes.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The id.
    pub db_id: i64,
    /// What the listener calls it.
    pub description: String,
    /// Where changes are told.
    pub url: String,
    /// The state.
    pub state: WebhookState,
    /// Failed deliveries since the last successful one.
    pub failures: u32,
    payload: String,
    pub(super) query: String,
    pub(super) token: String,
    last_successful_post: Option<Timestamp>,
    last_failed_post: Option<Timestamp>,
    pub(super) waiting: VecDeque<Change>,
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) stream: &'static str,
    pub(super) db_id: i64,
    pub(super) sync_version: u64,
}

/// One attempt to tell of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The webhook.
    pub webhook: i64,
    /// The status that the listener answered with; none where it did not answer.
    pub status: Option<u16>,
    /// What was sent.
    pub body: String,
}

/// A change as it travels.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) webhook: i64,
    pub(super) url: String,
    pub(super) token: String,
    pub(super) body: String,
}

impl WebhookState {
    fn code(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Recovering => "RECOVERING",
            Self::Faulted => "FAULTED",
        }
    }
}

impl Webhook {
    pub(super) fn new(
        db_id: i64,
        description: String,
        url: String,
        payload: String,
        query: String,
        token: &str,
    ) -> Self {
        Self {
            db_id,
            description,
            url,
            state: WebhookState::Running,
            failures: 0,
            payload,
            query,
            token: token.to_owned(),
            last_successful_post: None,
            last_failed_post: None,
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn note(&mut self, change: &Change) {
        if self.state != WebhookState::Faulted {
            self.waiting.push_back(change.clone());
        }
    }

    pub(super) fn is_telling(&self) -> bool {
        matches!(self.state, WebhookState::Running | WebhookState::Recovering)
    }

    /// Books what came of a delivery; only 200 is a success.
    pub(super) fn book(&mut self, status: Option<u16>, most_failures: u32, now: Timestamp) {
        if status == Some(200) {
            self.waiting.pop_front();
            self.failures = 0;
            self.last_successful_post = Some(now);
            self.state = WebhookState::Running;
            return;
        }
        self.failures += 1;
        self.last_failed_post = Some(now);
        if self.failures < most_failures {
            self.state = WebhookState::Recovering;
        } else {
            self.state = WebhookState::Faulted;
            self.waiting.clear();
        }
    }

    pub(super) fn to_node(&self) -> Map<String, Value> {
        let node = json!({
            "dbId": self.db_id, "description": self.description, "url": self.url,
            "state": { "code": self.state.code() }, "serializedPayload": self.payload,
            "lastSuccessfulPost": self.last_successful_post.map(local),
            "lastFailedPost": self.last_failed_post.map(local),
        });
        node.as_object().cloned().unwrap_or_default()
    }
}

/// Returns the signature of a body that is sent at this time; none where the token is not base64url.
pub fn signature(api_token: &str, at: Timestamp, body: &[u8]) -> Option<String> {
    let key = Key::new(HMAC_SHA256, &token::key(api_token)?);
    let content = [at.as_second().to_string().as_bytes(), b".", body].concat();
    Some(token::encode(sign(&key, &content).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_published_one() {
        let body = br#"{"data":{"projects":{"edges":[{"syncVersion":"42","node":{"dbId":1}}]}}}"#;
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = signature("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", at, body);
        assert_eq!(
            signed.as_deref(),
            Some("e7nH6KBmzgx1l68ZuLq5b3KYlE1WkjvDy6bF428xAlE")
        );
        let padded = signature("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", at, body);
        assert_eq!(signed, padded);
        assert_eq!(signature("not base64url", at, body), None);
    }
}
